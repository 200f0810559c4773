import { HttpApiBuilder } from "@effect/platform"
import { Effect } from "effect"
import * as OllamaEmbed from "../domain/dialects/OllamaEmbed.ts"
import { readBody } from "../domain/dialects/OllamaFields.ts"
import * as OllamaLoad from "../domain/dialects/OllamaLoad.ts"
import { InvalidRequest } from "../domain/Errors.ts"
import type { Exchange } from "../domain/Exchange.ts"
import { stringField } from "../domain/Json.ts"
import { Admission } from "../services/Admission.ts"
import { ApiKeys } from "../services/ApiKeys.ts"
import type { Caller } from "../services/ApiKeys.ts"
import { AppConfig } from "../services/AppConfig.ts"
import { Embeddings } from "../services/gateway/Embeddings.ts"
import { Gateway } from "../services/gateway/Gateway.ts"
import { OllamaModels } from "../services/gateway/OllamaModels.ts"
import { Api } from "./contract.ts"
import { Exchanges } from "./Exchanges.ts"

/** Percept as Ollama's clients see it. */
export const ollama = HttpApiBuilder.group(Api, "ollama", (handlers) =>
  Effect.gen(function* () {
    const admission = yield* Admission
    const { answered } = yield* Exchanges
    const embeddings = yield* Embeddings
    const gateway = yield* Gateway
    const keys = yield* ApiKeys
    const models = yield* OllamaModels
    const whatToSee = (yield* AppConfig).uiEnabled ? "/ui/tracking" : "/docs"
    const chat = gateway.chat(OllamaLoad.decodeChat)
    const generate = gateway.chat(OllamaLoad.decodeGenerate)
    const embed = embeddings.embed(OllamaEmbed.decode)
    const embedOld = embeddings.embed(OllamaEmbed.decodeOld)

    const shownTo = (caller: Caller) => (name: string) => admission.mayUse(caller, name)

    const tags = Effect.fn("ollama.tags")(function* (exchange: Exchange) {
      send(exchange, yield* models.tags(shownTo(yield* keys.admit(exchange))))
    })

    const show = Effect.fn("ollama.show")(function* (exchange: Exchange) {
      const caller = yield* keys.admit(exchange)
      const request = yield* readBody(yield* exchange.body())
      const name = stringField(request, "model") || stringField(request, "name")
      if (name === undefined || name === "") return yield* NO_MODEL
      send(exchange, yield* models.show(name, request, shownTo(caller)))
    })

    const running = Effect.fn("ollama.running")(function* (exchange: Exchange) {
      send(exchange, yield* models.running(shownTo(yield* keys.admit(exchange))))
    })

    const version = Effect.fn("ollama.version")(function* (exchange: Exchange) {
      yield* keys.admit(exchange)
      send(exchange, { version: VERSION })
    })

    /** Ollama's clients ask whether it is there, and people look what is there. */
    const root = (exchange: Exchange) =>
      Effect.sync(() => {
        const head = ["vary", "accept", "cache-control", "no-store"]
        if (wantsPage(exchange.header("accept")))
          exchange.text(302, "text/plain; charset=utf-8", Buffer.from(`See ${whatToSee}.`), [
            ...head,
            "location",
            whatToSee
          ])
        else exchange.text(200, "text/plain; charset=utf-8", Buffer.from("Ollama is running"), head)
      })

    return handlers
      .handleRaw("chat", ({ request }) => answered(request, (exchange) => Effect.ignore(chat(exchange))))
      .handleRaw("generate", ({ request }) =>
        answered(request, (exchange) => Effect.ignore(generate(exchange)))
      )
      .handleRaw("embed", ({ request }) => answered(request, (exchange) => Effect.ignore(embed(exchange))))
      .handleRaw("embedOld", ({ request }) =>
        answered(request, (exchange) => Effect.ignore(embedOld(exchange)))
      )
      .handleRaw("tags", ({ request }) => answered(request, tags))
      .handleRaw("show", ({ request }) => answered(request, show))
      .handleRaw("running", ({ request }) => answered(request, running))
      .handleRaw("version", ({ request }) => answered(request, version))
      .handleRaw("root", ({ request }) => answered(request, root))
  })
)

const send = (exchange: Exchange, value: unknown): void =>
  exchange.json(200, Buffer.from(JSON.stringify(value)))

/** Who says that it takes anything is no browser. */
const wantsPage = (accept = ""): boolean =>
  accept
    .split(",")
    .some((range) => /^\s*(text\/html|application\/xhtml\+xml)\s*(;(?!\s*q=0(\.0*)?\s*$)|$)/i.test(range))

const NO_MODEL = new InvalidRequest({ message: "model is required", param: "model", code: null })

/** Of the API that is spoken here; clients go by it when they ask what they may expect. */
const VERSION = "0.13.0"
