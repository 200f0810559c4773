import { arrayField, field, isObject, numberField, stringField } from "../Json.ts"
import type { JsonObject } from "../Json.ts"
import { chats, contextOf, takes } from "../Model.ts"
import type { Model } from "../Model.ts"

/** What `/api/tags` says of a model; what an Ollama server told of its own stands as it was. */
export const entryOf = ({ entry, id, provider }: Model, digest: string): JsonObject =>
  isOwnEntry(entry)
    ? { ...withoutAdded(entry), ...((entry["model"] ?? entry["name"]) === id ? {} : named(id)) }
    : {
        ...named(id),
        modified_at: dateOf(numberField(entry, "created")),
        size: 0,
        digest,
        details: detailsOf(id, provider)
      }

/**
 * What `/api/show` says of a model that no Ollama server has. `sighted`: whoever cannot see has its pictures
 * looked at by others.
 */
export const descriptionOf = (model: Model, sighted: boolean): JsonObject => {
  const { entry, id, provider } = model
  const details = detailsOf(id, provider)
  const context = contextOf(model)
  const parameters = parameterCountOf(id)
  return {
    modelfile: `# ${id}, by way of ${provider}\nFROM ${id}\n`,
    parameters: "",
    template: "{{ .Prompt }}",
    details,
    model_info: {
      "general.architecture": details.family,
      ...(context === undefined ? {} : { [`${details.family}.context_length`]: context }),
      ...(parameters === undefined ? {} : { "general.parameter_count": parameters })
    },
    capabilities: capabilitiesOf(model, sighted),
    modified_at: dateOf(numberField(entry, "created"))
  }
}

/** What an Ollama server says of its own model, with the eyes it has here. */
export const seeing = (description: JsonObject): JsonObject => {
  const capabilities = arrayField(description, "capabilities")
  return capabilities.includes("completion") && !capabilities.includes("vision")
    ? { ...description, capabilities: [...capabilities, "vision"] }
    : description
}

const capabilitiesOf = (model: Model, sighted: boolean): ReadonlyArray<string> => {
  if (embeds(model)) return ["embedding"]
  if (!chats(model)) return []
  const parameters = arrayField(model.entry, "supported_parameters")
  const can = (capability: string, does: boolean) => (does ? [capability] : [])
  return [
    "completion",
    ...can("tools", parameters.length === 0 || parameters.includes("tools")),
    ...can("thinking", parameters.includes("reasoning")),
    ...can("vision", sighted || takes(model, "image") === true)
  ]
}

/** By what its catalogue says it gives, else by its name. */
const embeds = ({ entry, id }: Model): boolean => {
  const outputs = arrayField(field(entry, "architecture"), "output_modalities")
  return outputs.length === 0 ? /\bembed/i.test(id) : outputs.every((output) => output === "embeddings")
}

const detailsOf = (id: string, provider: string) => {
  const slash = id.indexOf("/")
  const family = (slash > 0 ? id.slice(0, slash) : provider).toLowerCase()
  const [, size = ""] = SIZE.exec(id) ?? []
  return {
    parent_model: "",
    format: "",
    family,
    families: [family],
    parameter_size: size.toUpperCase(),
    quantization_level: ""
  }
}

/** Of `8x7b` as well. */
const parameterCountOf = (id: string): number | undefined => {
  const [, size] = SIZE.exec(id) ?? []
  if (size === undefined) return undefined
  const factors = size.slice(0, -1).split("x").map(Number)
  const unit = /b$/i.test(size) ? 1e9 : 1e6
  return Math.round(factors.reduce((product, factor) => product * factor, unit))
}

/** Clients add the tag where there is none, and then look for the name with it. */
const named = (id: string) => ({ name: id, model: id.includes(":") ? id : `${id}:latest` })

const isOwnEntry = (entry: JsonObject): boolean =>
  stringField(entry, "digest") !== undefined && isObject(entry["details"])

const withoutAdded = (entry: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(entry).filter(([key]) => !ADDED.has(key)))

/** What the router's catalogue puts beside that, for OpenAI's clients. */
const ADDED: ReadonlySet<string> = new Set(
  "id created owned_by pricing context_length architecture capabilities".split(" ")
)

const dateOf = (seconds = 0): string =>
  new Date(seconds >= 0 && seconds < LATEST ? Math.round(seconds * 1000) : 0).toISOString()

const SIZE = /(?<![a-z0-9.])((?:\d+x)?\d+(?:\.\d+)?[bm])(?![a-z0-9])/i

/** Seconds; the year 9999. */
const LATEST = 253_402_300_800
