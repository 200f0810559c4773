import { Effect, Either } from "effect"
import { ModelNotFound } from "../../domain/Errors.ts"
import type { Model } from "../../domain/Model.ts"
import type { Pricing } from "../../domain/Usage.ts"
import { AppConfig } from "../AppConfig.ts"
import { Catalogue } from "./Catalogue.ts"
import { Providers } from "./Provider.ts"
import type { Provider } from "./Provider.ts"

/** Where a request goes, under which name, and the rule that said so. */
export interface Route {
  readonly provider: Provider
  readonly model: string
  readonly rule: RouteRule
  readonly pricing: Pricing | undefined
  /** What its provider's catalogue says of the model, if it lists it. */
  readonly listed: Model | undefined
}

export type RouteRule = "explicit" | "percept" | "listed" | "slash" | "first" | "default"

/** Chooses a provider for a model name. */
export class ModelRouter extends Effect.Service<ModelRouter>()("percept/ModelRouter", {
  effect: Effect.gen(function* () {
    const { defaultTextModel, openRouterKey } = yield* AppConfig
    const catalogue = yield* Catalogue
    const providers = yield* Providers
    const byName = new Map(providers.map((provider) => [provider.name, provider]))
    const fallbackModel =
      defaultTextModel ?? (openRouterKey === undefined ? "percept/inspect" : "openrouter/auto")

    const route = (asked: string | undefined): Either.Either<Route, ModelNotFound> =>
      asked === undefined
        ? Either.map(choose(fallbackModel), (route): Route => ({ ...route, rule: "default" }))
        : choose(asked)

    const choose = (name: string): Either.Either<Route, ModelNotFound> => {
      const colon = name.indexOf(":")
      const prefix = name.slice(0, colon)
      if (colon > 0 && KNOWN_NAMES.has(prefix)) {
        const provider = byName.get(prefix)
        return provider === undefined
          ? notFound(
              `The model '${name.slice(0, 200)}' asks for the provider '${prefix}', which is not configured here.`
            )
          : to(provider, name.slice(colon + 1), "explicit")
      }
      const percept = byName.get("percept")
      if (name.startsWith("percept/") && percept !== undefined) return to(percept, name, "percept")
      const [listed, another] = catalogue.known(name)
      const lister = listed === undefined || another !== undefined ? undefined : byName.get(listed.provider)
      if (lister !== undefined) return to(lister, name, "listed")
      const openRouter = byName.get("openrouter")
      if (name.includes("/") && openRouter !== undefined) return to(openRouter, name, "slash")
      const first = providers.find((provider) => provider.name !== "percept")
      return first === undefined ? unknown(name) : to(first, name, "first")
    }

    const to = (provider: Provider, model: string, rule: RouteRule): Either.Either<Route> => {
      const listed = catalogue.known(model).find((entry) => entry.provider === provider.name)
      return Either.right({ provider, model, rule, pricing: listed?.pricing, listed })
    }

    /** The same; right after the start it waits a little for the lists that may know the name. */
    const resolve = (asked: string | undefined): Effect.Effect<Route, ModelNotFound> =>
      catalogue.hasLooked()
        ? route(asked)
        : Effect.zipRight(
            catalogue.firstLook,
            Effect.suspend(() => route(asked))
          )

    return { resolve, route }
  })
}) {}

/** Every provider there can be, so that `mistral:7b` is a model and `ollama:mistral` is not. */
const KNOWN_NAMES = new Set(["openrouter", "openai", "huggingface", "ollama", "upstream", "percept"])

const unknown = (name: string) =>
  notFound(`The model '${name.slice(0, 200)}' does not exist here; GET /v1/models lists those that do.`)

const notFound = (message: string) => Either.left(new ModelNotFound({ message }))
