import { arrayField, field, numberField } from "./Json.ts"
import type { JsonObject } from "./Json.ts"
import type { Pricing } from "./Usage.ts"

/** A model as a provider's catalogue describes it; `entry` is that description, word for word. */
export interface Model {
  readonly id: string
  readonly provider: string
  readonly pricing: Pricing | undefined
  readonly entry: JsonObject
}

export type Modality = "text" | "image" | "audio" | "video" | "file"

/** Whether a model takes a kind of input; undefined where its catalogue does not say. */
export const takes = (model: Model | undefined, modality: Modality): boolean | undefined => {
  const modalities = arrayField(field(model?.entry, "architecture"), "input_modalities")
  return modalities.length === 0 ? undefined : modalities.includes(modality)
}

/** How many tokens fit into a model, where its catalogue says. */
export const contextOf = (model: Model | undefined): number | undefined =>
  numberField(model?.entry, "context_length") ??
  numberField(field(model?.entry, "top_provider"), "context_length")
