import { Clock, Effect, Option } from "effect"
import type { UpstreamFailure } from "../../../domain/Errors.ts"
import { arrayField, field, isObject, numberField, stringField } from "../../../domain/Json.ts"
import type { JsonObject } from "../../../domain/Json.ts"
import type { Model } from "../../../domain/Model.ts"
import type { OllamaFacts } from "../Provider.ts"
import type { UpstreamErrors } from "../UpstreamErrors.ts"

/** Where the list of a server's models comes from. */
interface Sources {
  /** `/api/tags`. */
  readonly tags: Effect.Effect<JsonObject, UpstreamFailure>
  readonly show: OllamaFacts["show"]
  readonly broken: UpstreamErrors["broken"]
}

/** The models of an Ollama server and what each can do; one that cannot be described is listed all the same. */
export const ollamaModels = ({
  broken,
  show,
  tags
}: Sources): Effect.Effect<ReadonlyArray<Model>, UpstreamFailure> => {
  /** By digest, which is another one as soon as anything about a model is. */
  let known: ReadonlyMap<string, Details> = new Map()

  const detailsOf = Effect.fnUntraced(function* (model: string, digest: string, until: number) {
    const before = known.get(digest)
    if (before !== undefined) return before
    if ((yield* Clock.currentTimeMillis) > until) return undefined
    const shown = yield* show({ model }).pipe(Effect.timeout(PATIENCE), Effect.option)
    return Option.getOrUndefined(Option.map(shown, readDetails))
  })

  return Effect.gen(function* () {
    const list = yield* tags
    if (!Array.isArray(list["models"]))
      return yield* Effect.fail(broken("answered with something that is no model list."))
    const until = (yield* Clock.currentTimeMillis) + ALL_TOGETHER
    const found = yield* Effect.forEach(
      arrayField(list, "models").filter(isObject),
      (tag) => {
        const id = stringField(tag, "model") ?? stringField(tag, "name")
        if (id === undefined) return Effect.succeedNone
        const digest = stringField(tag, "digest") ?? id
        return Effect.map(detailsOf(id, digest, until), (details) =>
          Option.some({ id, digest, tag, details })
        )
      },
      { concurrency: AT_ONCE }
    )
    const listed = found.flatMap(Option.toArray)
    known = new Map(
      listed.flatMap(({ details, digest }) => (details === undefined ? [] : [[digest, details] as const]))
    )
    return listed.map(({ details, id, tag }): Model => ({
      id,
      provider: "ollama",
      pricing: NO_FEE,
      entry: { ...listedAs(id, tag), ...tag, ...details }
    }))
  })
}

/** What `/api/show` says of a model that OpenAI's clients and this router want to know. */
interface Details {
  readonly capabilities?: ReadonlyArray<unknown>
  readonly context_length?: number
  readonly architecture?: JsonObject
}

const readDetails = (shown: JsonObject): Details => {
  const info = shown["model_info"]
  const context = numberField(info, `${stringField(info, "general.architecture") ?? ""}.context_length`)
  const capabilities = field(shown, "capabilities")
  return {
    ...(context === undefined ? {} : { context_length: context }),
    // Servers of old do not tell what a model can do.
    ...(Array.isArray(capabilities) ? { capabilities, architecture: architectureOf(capabilities) } : {})
  }
}

const architectureOf = (capabilities: ReadonlyArray<unknown>): JsonObject => ({
  input_modalities: [
    "text",
    ...(capabilities.includes("vision") ? ["image"] : []),
    ...(capabilities.includes("audio") ? ["audio"] : [])
  ],
  output_modalities: [capabilities.includes("embedding") ? "embeddings" : "text"]
})

const listedAs = (id: string, tag: JsonObject): JsonObject => {
  const modified = Date.parse(stringField(tag, "modified_at") ?? "")
  return {
    id,
    name: id,
    created: Number.isNaN(modified) ? 0 : Math.floor(modified / 1000),
    owned_by: "ollama",
    pricing: NO_FEE
  }
}

/** Whoever runs a model pays for the power alone. */
const NO_FEE = { prompt: "0", completion: "0" }

const AT_ONCE = 4

/** For one description. */
const PATIENCE = "3 seconds"

/** Milliseconds; what is not described by then waits for the next time. */
const ALL_TOGETHER = 10_000
