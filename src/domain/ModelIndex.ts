import type { Model } from "./Model.ts"

/** Every provider's entries by name, in the order of the providers. */
export type ModelIndex = ReadonlyMap<string, ReadonlyArray<Model>>

export const of = (lists: ReadonlyArray<ReadonlyMap<string, Model>>): ModelIndex => {
  const index = new Map<string, Array<Model>>()
  for (const models of lists)
    for (const [id, model] of models) {
      const found = index.get(id)
      if (found === undefined) index.set(id, [model])
      else found.push(model)
    }
  return index
}

/**
 * The entries of a name, else those of the name it stands for: OpenRouter and Hugging Face know variants of a model,
 * such as `x:free` and `x:fastest`, and Ollama a tag that is left out.
 */
export const find = (index: ModelIndex, name: string): ReadonlyArray<Model> =>
  index.get(name) ?? meant(index, name)

const meant = (index: ModelIndex, name: string): ReadonlyArray<Model> => {
  const colon = name.lastIndexOf(":")
  return colon > name.lastIndexOf("/")
    ? (index.get(name.slice(0, colon)) ?? []).filter(({ provider }) => HAS_VARIANTS.has(provider))
    : (index.get(`${name}:latest`) ?? []).filter(({ provider }) => provider === "ollama")
}

const HAS_VARIANTS = new Set(["openrouter", "huggingface"])
