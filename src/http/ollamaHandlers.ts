import { HttpApiBuilder } from "@effect/platform"
import { Effect } from "effect"
import * as OllamaChat from "../domain/dialects/OllamaChat.ts"
import * as OllamaEmbed from "../domain/dialects/OllamaEmbed.ts"
import * as OllamaGenerate from "../domain/dialects/OllamaGenerate.ts"
import { PathNotFound } from "../domain/Errors.ts"
import type { Exchange } from "../domain/Exchange.ts"
import { ApiKeys } from "../services/ApiKeys.ts"
import { Embeddings } from "../services/gateway/Embeddings.ts"
import { Gateway } from "../services/gateway/Gateway.ts"
import { OllamaModels } from "../services/gateway/OllamaModels.ts"
import { Api } from "./contract.ts"
import { Exchanges } from "./Exchanges.ts"

/** Percept as Ollama's clients see it. */
export const ollama = HttpApiBuilder.group(Api, "ollama", (handlers) =>
  Effect.gen(function* () {
    const { answered } = yield* Exchanges
    const embeddings = yield* Embeddings
    const gateway = yield* Gateway
    const keys = yield* ApiKeys
    const models = yield* OllamaModels
    const chat = gateway.chat(OllamaChat.decode)
    const generate = gateway.chat(OllamaGenerate.decode)
    const embed = embeddings.embed(OllamaEmbed.decode)
    const embedOld = embeddings.embed(OllamaEmbed.decodeOld)

    const tags = Effect.fn("ollama.tags")(function* (exchange: Exchange) {
      yield* keys.admit(exchange)
      exchange.json(200, Buffer.from(JSON.stringify(yield* models.tags())))
    })
    const later = () => Effect.fail(new PathNotFound({ message: "not yet" }))

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
      .handleRaw("show", ({ request }) => answered(request, later))
      .handleRaw("running", ({ request }) => answered(request, later))
      .handleRaw("version", ({ request }) => answered(request, later))
  })
)
