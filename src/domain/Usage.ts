import { field, isObject, numberField } from "./Json.ts"
import type { JsonObject } from "./Json.ts"
import { believable, fromDollars } from "./Money.ts"
import type { NanoDollars } from "./Money.ts"

/** Where a cost figure comes from; a request without one has an unknown cost, which is not zero. */
export type CostSource = "provider" | "estimated"

/** What is counted of a request; undefined where nobody says, which is not zero. */
export interface Usage {
  /** All of the prompt, with what was read from a cache and what was written to one. */
  readonly promptTokens: number | undefined
  readonly completionTokens: number | undefined
  readonly totalTokens: number | undefined
  /** Of the prompt: read from the provider's cache. */
  readonly cachedTokens: number | undefined
  readonly reasoningTokens: number | undefined
  /** What is priced apart in some catalogues. */
  readonly apart?: Apart | undefined
  /** What the provider says it charges. */
  readonly cost: NanoDollars | undefined
}

/** Shares of the tokens, and services beside them. */
export interface Apart {
  /** Of the prompt: written to a cache, for however long. */
  readonly written: number
  /** Of those written: for an hour. */
  readonly writtenForAnHour: number
  /** Of the prompt: sound, and pictures. */
  readonly heard: number
  readonly seen: number
  /** Of the completion: sound. */
  readonly spoken: number
  readonly searches: number
}

/** Reads the `usage` object of an answer or of a stream's last chunk. */
export const fromAnswer = (usage: unknown): Usage | undefined => {
  if (!isObject(usage)) return undefined
  const prompt = detailsOf(usage, "prompt_tokens_details", "input_tokens_details", "input_token_details")
  const completion = detailsOf(
    usage,
    "completion_tokens_details",
    "output_tokens_details",
    "output_token_details"
  )
  const cached =
    count(prompt, "cached_tokens") ??
    count(usage, "cache_read_input_tokens") ??
    count(usage, "prompt_cache_hit_tokens")
  return {
    promptTokens: count(usage, "prompt_tokens") ?? wholeInput(usage),
    completionTokens: count(usage, "completion_tokens") ?? count(usage, "output_tokens"),
    totalTokens: count(usage, "total_tokens"),
    cachedTokens: cached,
    reasoningTokens: count(completion, "reasoning_tokens"),
    apart: apartIn(usage, prompt, completion),
    cost: charged(usage["cost"], usage["is_byok"], field(usage["cost_details"], "upstream_inference_cost"))
  }
}

/** Reads what OpenRouter tells of a request afterwards; undefined as long as it does not say what it charges. */
export const fromGeneration = (data: unknown): Usage | undefined => {
  const cost = charged(
    field(data, "total_cost"),
    field(data, "is_byok"),
    field(data, "upstream_inference_cost")
  )
  if (cost === undefined) return undefined
  const promptTokens = count(data, "native_tokens_prompt") ?? count(data, "tokens_prompt")
  const completionTokens = count(data, "native_tokens_completion") ?? count(data, "tokens_completion")
  return {
    promptTokens,
    completionTokens,
    totalTokens:
      promptTokens === undefined || completionTokens === undefined
        ? undefined
        : promptTokens + completionTokens,
    cachedTokens: count(data, "native_tokens_cached"),
    reasoningTokens: count(data, "native_tokens_reasoning"),
    cost
  }
}

/** Anthropic's form leaves out of its input what was read from a cache and what was written to one. */
const wholeInput = (usage: JsonObject): number | undefined => {
  const input = count(usage, "input_tokens")
  if (input === undefined) return undefined
  return (
    input +
    (count(usage, "cache_read_input_tokens") ?? 0) +
    (count(usage, "cache_creation_input_tokens") ?? 0)
  )
}

const apartIn = (usage: JsonObject, prompt: unknown, completion: unknown): Apart | undefined => {
  const writtenForAnHour = count(usage["cache_creation"], "ephemeral_1h_input_tokens") ?? 0
  const written =
    count(prompt, "cache_write_tokens") ?? count(usage, "cache_creation_input_tokens") ?? writtenForAnHour
  const heard = count(prompt, "audio_tokens") ?? 0
  const seen = count(prompt, "image_tokens") ?? 0
  const spoken = count(completion, "audio_tokens") ?? 0
  const searches =
    count(usage["server_tool_use_details"], "web_search_requests") ??
    count(usage["server_tool_use"], "web_search_requests") ??
    0
  return written + heard + seen + spoken + searches === 0
    ? undefined
    : { written, writtenForAnHour: Math.min(writtenForAnHour, written), heard, seen, spoken, searches }
}

const detailsOf = (usage: JsonObject, ...names: ReadonlyArray<string>): unknown => {
  for (const name of names) if (isObject(usage[name])) return usage[name]
  return undefined
}

/** A count is a whole number; whatever else a provider says is unknown. */
const count = (value: unknown, key: string): number | undefined => {
  const found = numberField(value, key)
  return Number.isInteger(found) && (found ?? -1) >= 0 && (found ?? 0) <= MOST_TOKENS ? found : undefined
}

/**
 * `cost` is what the account pays. Where the caller brought the key, the upstream's own bill comes on top, and
 * without that bill the fee alone, often zero, would hide what was spent.
 */
const charged = (cost: unknown, isByok: unknown, upstreamBill: unknown): NanoDollars | undefined => {
  const fee = believable(fromDollars(cost))
  if (fee === undefined || isByok !== true) return fee
  const bill = believable(fromDollars(upstreamBill))
  return bill === undefined ? undefined : believable(fee + bill)
}

/** A billion; what claims more is a mistake, and would spoil the sums of years. */
const MOST_TOKENS = 1e9
