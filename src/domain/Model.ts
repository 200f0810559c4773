import { arrayField, field, numberField } from "./Json.ts"
import type { JsonObject } from "./Json.ts"
import type { Pricing } from "./Pricing.ts"

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
  const modalities = modalitiesOf(model)
  return modalities.length === 0 ? undefined : modalities.includes(modality)
}

/** All kinds of input a model takes; none where its catalogue does not say. */
export const modalitiesOf = (model: Model | undefined): ReadonlyArray<unknown> => {
  const modalities = arrayField(field(model?.entry, "architecture"), "input_modalities")
  if (modalities.length > 0) return modalities
  // As an Ollama server tells of what its models can do.
  const capabilities = arrayField(model?.entry, "capabilities")
  if (!capabilities.includes("completion")) return []
  return ["text", ...(capabilities.includes("vision") ? ["image"] : [])]
}

/** How many tokens fit into a model, where its catalogue says. */
export const contextOf = (model: Model | undefined): number | undefined =>
  numberField(model?.entry, "context_length") ??
  numberField(field(model?.entry, "top_provider"), "context_length") ??
  // As vLLM and llama.cpp name it.
  numberField(model?.entry, "max_model_len") ??
  numberField(field(model?.entry, "meta"), "n_ctx_train")

/** Whether a model seems made for chats, and not for something else entirely. */
export const chats = ({ entry, id }: Model): boolean => {
  const outputs = arrayField(field(entry, "architecture"), "output_modalities")
  return outputs.length === 0 ? !OTHER_TRADES.test(id) : outputs.includes("text")
}

/** A model under another name. What nobody lists has a name all the same. */
export const aliasOf = (name: string, model: Model | undefined): Model => ({
  id: name,
  provider: "percept",
  pricing: model?.pricing,
  entry: { ...model?.entry, id: name, owned_by: "percept" }
})

/**
 * A name taken apart that has a provider before it, one that is here or one that could be: `ollama:mistral:7b` is
 * Ollama's, and `mistral:7b` anybody's.
 */
export const addressed = (
  name: string,
  here: { readonly has: (provider: string) => boolean }
): { readonly provider: string | undefined; readonly model: string } => {
  const colon = name.indexOf(":")
  const provider = name.slice(0, Math.max(0, colon))
  return here.has(provider) || KNOWN_NAMES.has(provider)
    ? { provider, model: name.slice(colon + 1) }
    : { provider: undefined, model: name }
}

/** What settings can bring here. */
const KNOWN_NAMES = new Set(["openrouter", "openai", "huggingface", "ollama", "upstream", "percept"])

const OTHER_TRADES = /embed|rerank|whisper|\btts\b|dall-e|moderation/i
