import { Effect, Redacted } from "effect"
import { unreasoned } from "../../../domain/dialects/OllamaRequest.ts"
import { arrayField, field, isObject, numberField, stringField } from "../../../domain/Json.ts"
import type { JsonObject } from "../../../domain/Json.ts"
import { perUnit } from "../../../domain/Money.ts"
import type { Reply } from "../../../domain/Reply.ts"
import type { Pricing } from "../../../domain/Pricing.ts"
import { AppConfig } from "../../AppConfig.ts"
import type { Provider } from "../Provider.ts"
import { huggingFaceEmbeddings } from "./huggingFaceEmbeddings.ts"
import { listedModels } from "./listedModels.ts"
import * as OpenAiCompatible from "./OpenAiCompatible.ts"

/**
 * Hugging Face's router: open models at many hosts, chosen by a suffix of the name. No answer says what it costs;
 * it says who ran it, and the catalogue says what that host takes.
 */
export const make = Effect.fnUntraced(function* (key: Redacted.Redacted) {
  const { huggingFaceBillTo, huggingFaceUrl } = yield* AppConfig
  const client = yield* OpenAiCompatible.make({
    name: NAME,
    chatUrl: OpenAiCompatible.chatUrlOf(huggingFaceUrl),
    headers: [
      ...["authorization", `Bearer ${Redacted.value(key)}`, "content-type", "application/json"],
      ...["accept-encoding", "identity", "user-agent", "percept"],
      ...(huggingFaceBillTo === undefined ? [] : ["x-hf-bill-to", huggingFaceBillTo])
    ],
    forwards: () => false
  })

  let offers: ReadonlyMap<string, ReadonlyArray<Offer>> = new Map()
  const models = listedModels(client, NAME, (entry) => ({
    pricing: sharedPrice(liveOf(offersIn(entry))),
    entry: withContext(entry)
  })).pipe(
    Effect.tap((found) =>
      Effect.sync(() => {
        offers = new Map(found.map(({ entry, id }) => [id, offersIn(entry)]))
      })
    )
  )

  /** What the host takes that ran the request; undefined where nobody knows who that was, or what it takes. */
  const priceOf = (model: string, ranAt: string | undefined): Pricing | undefined => {
    const colon = model.lastIndexOf(":")
    const offered = offers.get(model) ?? offers.get(model.slice(0, Math.max(0, colon))) ?? []
    const host = ranAt ?? (colon < 0 ? undefined : model.slice(colon + 1))
    const found = offered.find((offer) => offer.host === host?.toLowerCase())
    return found !== undefined || ranAt !== undefined ? found?.pricing : sharedPrice(liveOf(offered))
  }

  const answer: Provider["answer"] = (request, reply, exchange) => {
    const priced: Reply = {
      ...reply,
      opened: (generation, headers) => {
        reply.priced?.(priceOf(request.model ?? "", valueOf(headers, RAN_AT)))
        reply.opened(generation, headers)
      }
    }
    return client.answer(unreasoned(request), priced, exchange)
  }

  // Its model list is for everybody.
  const keyCheck = Effect.as(
    Effect.suspend(() => client.ask(accountUrl(huggingFaceUrl))),
    "the key is good"
  )

  return {
    name: NAME,
    answer,
    models,
    embeddings: huggingFaceEmbeddings(client),
    keyCheck
  } satisfies Provider
})

const NAME = "huggingface"
const RAN_AT = "x-inference-provider"

/** Hugging Face keeps accounts beside its router, not in it; whoever stands in for it is asked where it is. */
export const accountUrl = (router: URL): URL => {
  const url = new URL("/api/whoami-v2", router)
  if (url.hostname === "router.huggingface.co") url.hostname = "huggingface.co"
  return url
}

/** One host of a model. */
interface Offer {
  readonly host: string
  readonly isLive: boolean
  readonly context: number | undefined
  readonly pricing: Pricing | undefined
}

const offersIn = (entry: JsonObject): ReadonlyArray<Offer> =>
  arrayField(entry, "providers")
    .filter(isObject)
    .map((offer) => ({
      host: (stringField(offer, "provider") ?? "").toLowerCase(),
      isLive: (stringField(offer, "status") ?? "live") === "live",
      context: numberField(offer, "context_length"),
      pricing: pricingOf(offer)
    }))

const liveOf = (offers: ReadonlyArray<Offer>) => offers.filter(({ isLive }) => isLive)

const pricingOf = (offer: JsonObject): Pricing | undefined => {
  const prompt = perUnit(field(offer["pricing"], "input"))
  const completion = perUnit(field(offer["pricing"], "output"))
  return prompt === undefined || completion === undefined ? undefined : { prompt, completion }
}

/** The one price of all; undefined where they differ, or one does not say. */
const sharedPrice = ([first, ...others]: ReadonlyArray<Offer>): Pricing | undefined =>
  others.every(
    ({ pricing }) =>
      pricing?.prompt === first?.pricing?.prompt && pricing?.completion === first?.pricing?.completion
  )
    ? first?.pricing
    : undefined

/** The largest context there is, where other catalogues have theirs. */
const withContext = (entry: JsonObject): JsonObject => {
  const contexts = liveOf(offersIn(entry)).flatMap(({ context }) => context ?? [])
  if (contexts.length === 0 || numberField(entry, "context_length") !== undefined) return entry
  return { ...entry, context_length: Math.max(...contexts) }
}

const valueOf = (headers: ReadonlyArray<string>, name: string): string | undefined => {
  const at = headers.indexOf(name)
  return at < 0 ? undefined : headers[at + 1]
}
