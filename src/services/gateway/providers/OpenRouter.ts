import { Effect, Redacted } from "effect"
import type { UpstreamFailure } from "../../../domain/Errors.ts"
import { arrayField, field, isObject, numberField, stringField } from "../../../domain/Json.ts"
import type { JsonObject } from "../../../domain/Json.ts"
import type { Model } from "../../../domain/Model.ts"
import { pricingIn } from "../../../domain/Pricing.ts"
import { fromGeneration } from "../../../domain/Usage.ts"
import { AppConfig } from "../../AppConfig.ts"
import type { Provider } from "../Provider.ts"
import * as OpenAiCompatible from "./OpenAiCompatible.ts"
import { openRouterSpeech } from "./openRouterSpeech.ts"

/** OpenRouter: many models behind one address, with cost in every answer. */
export const make = Effect.fnUntraced(function* (key: Redacted.Redacted) {
  const config = yield* AppConfig
  const authorization = `Bearer ${Redacted.value(key)}`
  const client = yield* OpenAiCompatible.make({
    name: NAME,
    chatUrl: config.openRouterUrl,
    headers: [
      ...["authorization", authorization, "content-type", "application/json"],
      ...["accept-encoding", "identity", "user-agent", "percept"],
      ...(config.openRouterReferer === undefined ? [] : ["http-referer", config.openRouterReferer]),
      ...(config.openRouterTitle === undefined
        ? []
        : ["x-title", Buffer.from(config.openRouterTitle).toString("latin1")])
    ],
    forwards: (header) =>
      header.startsWith("x-openrouter-") ||
      header === "x-session-id" ||
      (header === "http-referer" && config.openRouterReferer === undefined) ||
      (header === "x-title" && config.openRouterTitle === undefined)
  })

  const page = (url: URL) =>
    Effect.filterOrFail(
      client.ask(url),
      (list) => Array.isArray(list["data"]),
      () => client.errors.broken("answered with something that is no model list.")
    )

  const models: Effect.Effect<ReadonlyArray<Model>, UpstreamFailure> = Effect.gen(function* () {
    const found: Array<Model> = []
    // Without this only models that write text are listed.
    let url: URL | undefined = new URL(config.openRouterModelsUrl)
    if (!url.searchParams.has("output_modalities")) url.searchParams.set("output_modalities", "all")
    for (let pages = 0; url !== undefined && pages < MOST_PAGES; pages++) {
      const list: JsonObject = yield* page(url)
      for (const entry of arrayField(list, "data")) {
        const id = stringField(entry, "id")
        if (isObject(entry) && id !== undefined)
          found.push({ id, provider: NAME, pricing: pricingIn(entry), entry })
      }
      url = nextPage(list, url)
    }
    return found
  })

  const figures = (id: string) => {
    const url = client.beside("generation")
    url.searchParams.set("id", id)
    return Effect.map(client.ask(url), (said) => fromGeneration(said["data"]))
  }

  const keyCheck = Effect.map(
    Effect.suspend(() => client.ask(client.beside("key"))),
    ({ data }) => {
      const left = numberField(data, "limit_remaining")
      return left === undefined ? "the key is good" : `the key is good, $${left.toFixed(2)} of its limit left`
    }
  )

  const { answer, completions, embeddings } = client
  const transcribe = openRouterSpeech(client)
  return {
    ...{ name: NAME, answer, models, completions, embeddings, transcribe, figures, keyCheck }
  } satisfies Provider
})

const NAME = "openrouter"

/** Only on the same server: the key goes along. */
const nextPage = (list: JsonObject, current: URL): URL | undefined => {
  const next = stringField(field(list, "links"), "next")
  if (next === undefined || !URL.canParse(next, current.href)) return undefined
  const url = new URL(next, current)
  return url.origin === current.origin && url.href !== current.href ? url : undefined
}

const MOST_PAGES = 50
