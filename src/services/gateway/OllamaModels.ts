import { Effect } from "effect"
import type { JsonObject } from "../../domain/Json.ts"
import { Catalogue } from "./Catalogue.ts"

/** Every model of every provider, as an Ollama server would tell of its own. */
export class OllamaModels extends Effect.Service<OllamaModels>()("percept/OllamaModels", {
  effect: Effect.gen(function* () {
    const catalogue = yield* Catalogue

    /** `/api/tags`. */
    const tags = Effect.fn("OllamaModels.tags")(function* () {
      const models = yield* catalogue.all()
      return { models: models.map(({ id }): JsonObject => ({ name: id, model: id })) }
    })

    return { tags }
  })
}) {}
