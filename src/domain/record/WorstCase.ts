import { arrayField, field, isObject, numberField, stringField } from "../Json.ts"
import type { JsonObject } from "../Json.ts"
import { contextOf } from "../Model.ts"
import type { Model } from "../Model.ts"
import { believable, priced } from "../Money.ts"
import type { NanoDollars } from "../Money.ts"
import type { Prices, Pricing } from "../Pricing.ts"

/** What a request may make its provider count, before anybody has counted it. */
export interface Demand {
  readonly promptTokens: number
  readonly pictures: number
  /** The longest answer it takes; undefined where it leaves that to the model. */
  readonly answerTokens: number | undefined
  readonly answers: number
  /** Whether it lets the provider search the web. */
  readonly searches: boolean
}

/** Reads a request of any dialect in the internal form. */
export const demandOf = ({
  body,
  bytes
}: {
  readonly body: JsonObject
  readonly bytes: Uint8Array
}): Demand => {
  const media = mediaIn(body)
  const limits = [body["max_tokens"], body["max_completion_tokens"]].filter(isCount)
  const prompts =
    Array.isArray(body["prompt"]) && typeof body["prompt"][0] !== "number" ? body["prompt"].length : 1
  const choices = Math.max(1, ...[body["n"], body["best_of"]].filter(isCount))
  const isAnswered = body["input"] === undefined || body["messages"] !== undefined
  return {
    promptTokens: Math.ceil(Math.max(0, bytes.length - media.bytes) / BYTES_PER_TOKEN) + media.tokens,
    pictures: media.pictures,
    answerTokens: limits.length === 0 ? undefined : Math.max(...limits),
    answers: isAnswered ? prompts * choices : 0,
    searches:
      body["web_search_options"] !== undefined ||
      arrayField(body, "plugins").some((plugin) => stringField(plugin, "id") === "web") ||
      (stringField(body, "model") ?? "").endsWith(":online")
  }
}

/** The most a request can cost by the catalogue; undefined where that has no price for it. */
export const worstCase = (
  demand: Demand,
  pricing: Pricing | undefined,
  listed: Model | undefined
): NanoDollars | undefined => {
  if (pricing?.prompt === undefined || pricing.completion === undefined) return undefined
  const all: ReadonlyArray<Prices> = [pricing, ...(pricing.overrides ?? [])]
  if (all.some((prices) => Object.values(prices).some((price) => Number(price) < 0))) return undefined
  const most = (...names: ReadonlyArray<keyof Prices>) => dearest(all, names)
  const picture = field(field(listed?.entry, "pricing"), "image")
  return believable(
    priced([
      [
        demand.promptTokens,
        most(
          "prompt",
          "input_cache_read",
          "input_cache_write",
          "input_cache_write_1h",
          "audio",
          "image_token"
        )
      ],
      [
        demand.answers * longestAnswer(demand, listed),
        most("completion", "internal_reasoning", "audio_output")
      ],
      [demand.pictures, typeof picture === "string" ? picture : "0"],
      [Math.max(1, demand.answers), most("request")],
      [demand.searches ? SEARCHES : 0, most("web_search")]
    ])
  )
}

const longestAnswer = ({ answerTokens, promptTokens }: Demand, listed: Model | undefined): number => {
  const context = contextOf(listed)
  const most =
    numberField(field(listed?.entry, "top_provider"), "max_completion_tokens") ??
    (context === undefined ? undefined : Math.max(0, context - promptTokens))
  return Math.ceil(Math.min(answerTokens ?? most ?? USUAL_ANSWER, most ?? Infinity, MOST_TOKENS))
}

const dearest = (all: ReadonlyArray<Prices>, names: ReadonlyArray<keyof Prices>): string =>
  all
    .flatMap((prices) => names.map((name) => prices[name] ?? "0"))
    .reduce((most, price) => (Number(price) > Number(most) ? price : most))

/** What is in the parts of messages beside words: how much of the body that is, and how many tokens it may be. */
const mediaIn = (body: JsonObject): { bytes: number; tokens: number; pictures: number } => {
  const found = { bytes: 0, tokens: 0, pictures: 0 }
  for (const message of [...arrayField(body, "messages"), { content: body["input"] }])
    for (const part of arrayField(message, "content"))
      for (const [kind, said] of isObject(part) ? Object.entries(part) : []) {
        const tokensOf = MEDIA[kind]
        if (tokensOf === undefined) continue
        const payload = payloadOf(said)
        found.bytes += payload
        found.tokens += Math.ceil(tokensOf(payload))
        if (kind === "image_url") found.pictures++
      }
  return found
}

/** Payloads are base64 or links, of one byte a character. */
const payloadOf = (said: unknown): number => {
  if (typeof said === "string") return said.length
  const inner = field(said, "url") ?? field(said, "data") ?? field(said, "file_data")
  return typeof inner === "string" ? inner.length : 0
}

/** By what a payload is long; a link tells nothing of what it leads to. */
const MEDIA: { readonly [kind: string]: ((payload: number) => number) | undefined } = {
  image_url: () => 2500,
  input_audio: (payload) => Math.max(500, payload / 400),
  video_url: (payload) => Math.max(50_000, payload / 400),
  file: (payload) => Math.max(20_000, payload / 5)
}

const isCount = (value: unknown): value is number =>
  typeof value === "number" && value >= 1 && value <= MOST_TOKENS

const BYTES_PER_TOKEN = 3

/** Where neither request nor catalogue sets an end. */
const USUAL_ANSWER = 16_384

const SEARCHES = 10

const MOST_TOKENS = 1e9
