import { Effect } from "effect"
import { createHash } from "node:crypto"
import { descriptionOf, entryOf, seeing } from "../../domain/dialects/OllamaModel.ts"
import { ModelNotFound } from "../../domain/Errors.ts"
import { stringField } from "../../domain/Json.ts"
import type { JsonObject } from "../../domain/Json.ts"
import type { Model } from "../../domain/Model.ts"
import { AppConfig } from "../AppConfig.ts"
import { Catalogue } from "./Catalogue.ts"
import { ModelRouter } from "./ModelRouter.ts"
import { Providers } from "./Provider.ts"

/** Every model of every provider, as an Ollama server would tell of its own. */
export class OllamaModels extends Effect.Service<OllamaModels>()("percept/OllamaModels", {
  effect: Effect.gen(function* () {
    const { mediaPolicy } = yield* AppConfig
    const catalogue = yield* Catalogue
    const providers = yield* Providers
    const router = yield* ModelRouter
    const sighted = mediaPolicy !== "off"

    /** `/api/tags`. */
    const tags = Effect.fn("OllamaModels.tags")(function* (isShown: IsShown = always) {
      const models = yield* catalogue.all()
      const shown = models.filter(({ id }) => isShown(id))
      return { models: shown.map((model) => entryOf(model, digestOf(model))) }
    })

    /** `/api/show`: in an Ollama server's own words where the model is its. */
    const show = Effect.fn("OllamaModels.show")(function* (
      name: string,
      request: JsonObject,
      isShown: IsShown = always
    ) {
      const { listed, mapped, model, provider } = yield* Effect.mapError(router.resolve(name), () =>
        missing(name)
      )
      if (!isShown(name)) return yield* missing(name)
      if (provider.ollama !== undefined) {
        const description = yield* Effect.catchIf(
          provider.ollama.show({ ...request, model, name: model }),
          ({ status }) => status === 404,
          () => Effect.fail(missing(name))
        )
        return sighted ? seeing(description) : description
      }
      const found = listed ?? (yield* catalogue.find(model))
      if (found !== undefined) return descriptionOf(found, sighted)
      // What the operator gave a name to is there, whoever lists it.
      if (mapped === undefined) return yield* missing(name)
      return descriptionOf({ id: model, provider: provider.name, pricing: undefined, entry: {} }, sighted)
    })

    /** `/api/ps`: who does not answer has nothing loaded. */
    const running = Effect.fn("OllamaModels.running")(function* (isShown: IsShown = always) {
      const loaded = yield* Effect.forEach(
        providers,
        ({ ollama }) =>
          ollama === undefined
            ? Effect.succeed([])
            : ollama.running.pipe(
                Effect.timeout(PATIENCE),
                Effect.orElseSucceed((): ReadonlyArray<JsonObject> => [])
              ),
        { concurrency: "unbounded" }
      )
      const nameOf = (model: JsonObject) => stringField(model, "model") ?? stringField(model, "name") ?? ""
      return { models: loaded.flat().filter((model) => isShown(nameOf(model))) }
    })

    return { running, show, tags }
  })
}) {}

/** Whether who asks may know of a model of this name. */
type IsShown = (name: string) => boolean

const always: IsShown = () => true

/** Of nothing but the name, so that it stays the same. */
const digestOf = ({ id, provider }: Model): string =>
  createHash("sha256").update(`${provider}\n${id}`).digest("hex")

/** Some clients know an unknown model by these words. */
const missing = (name: string) => new ModelNotFound({ message: `model '${name.slice(0, 200)}' not found` })

const PATIENCE = "5 seconds"
