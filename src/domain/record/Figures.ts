import { estimate } from "../Pricing.ts"
import type { Pricing } from "../Pricing.ts"
import type { RequestRecord } from "../RequestRecord.ts"
import type { Usage } from "../Usage.ts"

/** What a row says of tokens and money. */
export type Figures = Pick<
  RequestRecord,
  | "prompt_tokens"
  | "completion_tokens"
  | "total_tokens"
  | "cached_tokens"
  | "reasoning_tokens"
  | "cost_nano_usd"
  | "cost_source"
>

/** The provider's own figure first, else the catalogue's estimate; `at` is when the request came. */
export const figuresOf = (usage: Usage, pricing: Pricing | undefined, at: string): Figures => {
  const estimated =
    usage.cost === undefined && pricing !== undefined ? estimate(usage, pricing, at) : undefined
  return {
    prompt_tokens: usage.promptTokens ?? null,
    completion_tokens: usage.completionTokens ?? null,
    total_tokens: usage.totalTokens ?? null,
    cached_tokens: usage.cachedTokens ?? null,
    reasoning_tokens: usage.reasoningTokens ?? null,
    cost_nano_usd: usage.cost ?? estimated ?? null,
    cost_source: usage.cost !== undefined ? "provider" : estimated !== undefined ? "estimated" : null
  }
}
