import type { JsonObject } from "./Json.ts"
import type { Pricing } from "./Usage.ts"

/** A model as a provider's catalogue describes it; `entry` is that description, word for word. */
export interface Model {
  readonly id: string
  readonly provider: string
  readonly pricing: Pricing | undefined
  readonly entry: JsonObject
}
