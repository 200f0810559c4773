import type { JsonObject } from "../../domain/Json.ts"
import type { Pricing } from "../../domain/Pricing.ts"

/** Where a request went, as the record wants to know it. */
export interface RoutedTo {
  readonly provider: { readonly name: string }
  readonly model: string
  readonly rule: string
  /** The entry of the name map that gave the model's name. */
  readonly mapped?: string | undefined
  readonly pricing: Pricing | undefined
  /** The provider's own entry of the model, if it lists it. */
  readonly listed?: { readonly id: string } | undefined
}

/** What Perception did, as the record wants to know it. */
export interface Perceived {
  readonly kinds: ReadonlyArray<string>
  /** Media that were remembered. */
  readonly hits: number
  readonly millis: number
  readonly line: string
  /** `VISION_MODEL` answers in place of the model that was asked. */
  readonly rerouted: boolean
}

/** A request that is no chat. */
export interface AskedElse {
  readonly model: string | undefined
  readonly stream: boolean
  /** As JSON. */
  readonly text: string
  readonly characters?: number
}

/** What the record keeps of an answer that is no chat's. */
export interface ToldElse {
  readonly kept: JsonObject
  readonly usage: unknown
  readonly characters: number | null
}
