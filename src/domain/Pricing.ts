import { arrayField, field, isObject } from "./Json.ts"
import type { JsonObject } from "./Json.ts"
import { believable, priced } from "./Money.ts"
import type { NanoDollars } from "./Money.ts"
import type { Usage } from "./Usage.ts"

/** Decimal dollars for one of each, as catalogues give them: tokens of a kind, requests, searches. */
export type Prices = Readonly<Partial<Record<PriceName, string | undefined>>>

export interface Pricing extends Prices {
  /** The share of all prices that is not charged. */
  readonly discount?: string | undefined
  /** Prices that hold under conditions; the later ones win. */
  readonly overrides?: ReadonlyArray<Override> | undefined
}

/** Prices in place of the usual ones, where all of its conditions are met. */
export interface Override extends Prices {
  readonly minPromptTokens?: number | undefined
  /** Minutes of the day in UTC; from is within, to is not, and midnight may lie between them. */
  readonly window?: { readonly from: number; readonly to: number } | undefined
}

/** Reads the `pricing` of a catalogue's entry; undefined where there is none. */
export const pricingIn = (entry: JsonObject): Pricing | undefined => {
  const pricing = entry["pricing"]
  if (!isObject(pricing)) return undefined
  const overrides = arrayField(pricing, "overrides").flatMap((said) => overrideIn(said) ?? [])
  return {
    ...pricesIn(pricing),
    ...(isGiven(pricing["discount"]) ? { discount: String(pricing["discount"]) } : {}),
    ...(overrides.length === 0 ? {} : { overrides })
  }
}

/**
 * Catalogue prices times what was used; `at` is when the request came. It is an estimate all the same: who ran it,
 * and what came on top, only the provider knows.
 */
export const estimate = (usage: Usage, pricing: Pricing, at: string): NanoDollars | undefined => {
  const { completionTokens, promptTokens } = usage
  if (promptTokens === undefined || completionTokens === undefined) return undefined
  const prices = heldPrices(pricing, promptTokens, at)
  const items = [
    ...promptItems(usage, promptTokens, prices),
    ...completionItems(usage, completionTokens, prices)
  ]
  return believable(priced(items, pricing.discount))
}

const heldPrices = ({ overrides = [], ...usual }: Pricing, promptTokens: number, at: string): Prices =>
  Object.assign({}, usual, ...overrides.filter((one) => holds(one, promptTokens, at)).map(pricesIn))

type Item = readonly [count: number, price: string | undefined]

/** Shares are within the prompt's count; where they cannot be, they come on top of it. */
const promptItems = (usage: Usage, told: number, prices: Prices): ReadonlyArray<Item> => {
  const { apart, cachedTokens: read = 0 } = usage
  const { heard = 0, searches = 0, seen = 0, written = 0, writtenForAnHour: hour = 0 } = apart ?? {}
  const isExclusive = read + written > told
  let rest = isExclusive ? told : told - read - written
  const share = (tokens: number, price: string | undefined): Item => {
    const taken = isApart(price) ? Math.min(tokens, rest) : 0
    rest -= taken
    return [taken, price ?? "0"]
  }
  const shares = [share(heard, prices.audio), share(seen, prices.image_token)]
  const write = prices.input_cache_write ?? prices.prompt
  return [
    ...shares,
    [rest, prices.prompt],
    [read, prices.input_cache_read ?? prices.prompt],
    [written - hour, write],
    [hour, prices.input_cache_write_1h ?? write],
    [1, prices.request ?? "0"],
    [searches, searches === 0 ? "0" : (prices.web_search ?? "0")]
  ]
}

const completionItems = (usage: Usage, told: number, prices: Prices): ReadonlyArray<Item> => {
  const { apart, promptTokens = 0, reasoningTokens: thought = 0, totalTokens } = usage
  // Some count the thoughts beside the words.
  const isExclusive = thought > told || (thought > 0 && totalTokens === promptTokens + told + thought)
  const all = isExclusive ? told + thought : told
  const apartThought = isApart(prices.internal_reasoning) ? thought : 0
  const spoken = isApart(prices.audio_output) ? Math.min(apart?.spoken ?? 0, all - apartThought) : 0
  return [
    [all - apartThought - spoken, prices.completion],
    [apartThought, prices.internal_reasoning ?? "0"],
    [spoken, prices.audio_output ?? "0"]
  ]
}

/** Zero means that there is no price of its own: such tokens are charged as all the others. */
const isApart = (price: string | undefined): boolean => price !== undefined && !/^\s*0*\.?0*\s*$/.test(price)

const holds = ({ minPromptTokens, window }: Override, promptTokens: number, at: string): boolean => {
  if (minPromptTokens !== undefined && promptTokens < minPromptTokens) return false
  if (window === undefined) return true
  const date = new Date(at)
  const minute = date.getUTCHours() * 60 + date.getUTCMinutes()
  const { from, to } = window
  return from < to ? minute >= from && minute < to : minute >= from || minute < to
}

/** One with a condition that nobody here knows cannot be said to hold. */
const overrideIn = (said: unknown): Override | undefined => {
  if (!isObject(said) || Object.keys(said).some((key) => !KNOWN.has(key))) return undefined
  const { min_prompt_tokens: least, utc_end, utc_start } = said
  const from = minuteOf(utc_start)
  const to = minuteOf(utc_end)
  if (isGiven(least) && typeof least !== "number") return undefined
  if ((isGiven(utc_start) || isGiven(utc_end)) && (from === undefined || to === undefined)) return undefined
  return {
    ...pricesIn(said),
    ...(typeof least === "number" ? { minPromptTokens: least } : {}),
    ...(from === undefined || to === undefined ? {} : { window: { from, to } })
  }
}

/** `HHMM`, as text or as a number. */
const minuteOf = (time: unknown): number | undefined => {
  if (typeof time !== "string" && typeof time !== "number") return undefined
  const [, hours = "", minutes = ""] = /^(\d\d):?(\d\d)$/.exec(String(time).padStart(4, "0")) ?? []
  const minute = Number(hours) * 60 + Number(minutes)
  return hours === "" || Number(minutes) > 59 || minute > 24 * 60 ? undefined : minute
}

/** Only those that are there: what is missing in an override is as it was. */
const pricesIn = (said: JsonObject | Prices): Prices => {
  const found: Partial<Record<PriceName, string>> = {}
  for (const name of PRICES) {
    const price = field(said, name)
    if (typeof price === "string" || typeof price === "number") found[name] = String(price)
  }
  return found
}

type PriceName = (typeof PRICES)[number]

const isGiven = (value: unknown): boolean => value !== undefined && value !== null

const PRICES = [
  "prompt",
  "completion",
  "request",
  "input_cache_read",
  "input_cache_write",
  "input_cache_write_1h",
  "internal_reasoning",
  "audio",
  "audio_output",
  "image_token",
  "web_search"
] as const

const KNOWN: ReadonlySet<string> = new Set([
  ...PRICES,
  // Prices of what no usage counts.
  ...["image", "image_output", "input_audio_cache"],
  ...["min_prompt_tokens", "utc_start", "utc_end"]
])
