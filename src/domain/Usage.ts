import { field, isObject, numberField } from "./Json.ts"
import { fromDollars, priced } from "./Money.ts"
import type { NanoDollars } from "./Money.ts"

/** Where a cost figure comes from; a request without one has an unknown cost, which is not zero. */
export type CostSource = "provider" | "estimated"

export interface Usage {
  readonly promptTokens: number | undefined
  readonly completionTokens: number | undefined
  readonly totalTokens: number | undefined
  readonly cachedTokens: number | undefined
  readonly reasoningTokens: number | undefined
  /** What the provider says it charges. */
  readonly cost: NanoDollars | undefined
}

/** Decimal dollars per token, as the catalogue gives them. */
export interface Pricing {
  readonly prompt?: string | undefined
  readonly completion?: string | undefined
  readonly request?: string | undefined
}

/** Reads the `usage` object of an answer or of a stream's last chunk. */
export const fromAnswer = (usage: unknown): Usage | undefined => {
  if (!isObject(usage)) return undefined
  return {
    promptTokens: count(usage, "prompt_tokens") ?? count(usage, "input_tokens"),
    completionTokens: count(usage, "completion_tokens") ?? count(usage, "output_tokens"),
    totalTokens: count(usage, "total_tokens"),
    cachedTokens: count(field(usage, "prompt_tokens_details"), "cached_tokens"),
    reasoningTokens: count(field(usage, "completion_tokens_details"), "reasoning_tokens"),
    cost: providersFigure(usage)
  }
}

/** Catalogue price times tokens: right but for discounts and caches, and marked as an estimate. */
export const estimate = (usage: Usage, pricing: Pricing): NanoDollars | undefined =>
  usage.promptTokens === undefined || usage.completionTokens === undefined || isDynamic(pricing)
    ? undefined
    : priced([
        [usage.promptTokens, pricing.prompt],
        [usage.completionTokens, pricing.completion],
        [1, pricing.request ?? "0"]
      ])

/** OpenRouter writes -1 where the price is not known beforehand. */
const isDynamic = ({ completion, prompt, request }: Pricing): boolean =>
  [prompt, completion, request].some((price) => price?.trim().startsWith("-") === true)

/** A count is a whole number; whatever else a provider says is unknown. */
const count = (value: unknown, key: string): number | undefined => {
  const found = numberField(value, key)
  return Number.isSafeInteger(found) && (found ?? -1) >= 0 ? found : undefined
}

/** `cost` is what the account pays; the upstream's own bill comes on top only when the caller brought the key. */
const providersFigure = (usage: unknown): NanoDollars | undefined => {
  const cost = fromDollars(field(usage, "cost"))
  if (cost === undefined || field(usage, "is_byok") !== true) return cost
  return cost + (fromDollars(field(field(usage, "cost_details"), "upstream_inference_cost")) ?? 0)
}
