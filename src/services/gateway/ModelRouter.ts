import { Effect, Either } from "effect"
import { ModelNotFound } from "../../domain/Errors.ts"
import { addressed, chats } from "../../domain/Model.ts"
import type { Model } from "../../domain/Model.ts"
import type { Pricing } from "../../domain/Pricing.ts"
import { AppConfig } from "../AppConfig.ts"
import { Catalogue } from "./Catalogue.ts"
import { Providers } from "./Provider.ts"
import type { Provider } from "./Provider.ts"

/** Where a request goes, under which name, and the rule that said so. */
export interface Route {
  readonly provider: Provider
  readonly model: string
  readonly rule: RouteRule
  /** The entry of `MODEL_MAP` that gave the name. */
  readonly mapped: string | undefined
  readonly pricing: Pricing | undefined
  /** What its provider's catalogue says of the model, if it lists it. */
  readonly listed: Model | undefined
}

export type RouteRule = "explicit" | "percept" | "listed" | "slash" | "prefix" | "first" | "default"

/** Chooses a provider for a model name: the map first, then the rules in their order. */
export class ModelRouter extends Effect.Service<ModelRouter>()("percept/ModelRouter", {
  effect: Effect.gen(function* () {
    const { defaultTextModel, modelMap, visionModel } = yield* AppConfig
    const catalogue = yield* Catalogue
    const providers = yield* Providers
    const byName = new Map(providers.map((provider) => [provider.name, provider]))
    const percept = byName.get("percept")
    const others = providers.filter((provider) => provider !== percept)

    const route = (asked: string | undefined): Either.Either<Route, ModelNotFound> => {
      const name = asked === undefined ? defaultName() : untagged(asked)
      if (name === undefined) return notFound(NO_NAME)
      const renamed = modelMap.find(name)
      const chosen = choose(renamed?.name ?? name)
      return asked !== undefined && renamed === undefined
        ? chosen
        : Either.map(chosen, (route): Route => ({
            ...route,
            rule: asked === undefined ? "default" : route.rule,
            mapped: renamed?.entry
          }))
    }

    /** Ollama's clients put its tag on every name that has none, also on those of models that know no tags. */
    const untagged = (name: string): string => {
      if (!name.endsWith(LATEST)) return name
      const bare = name.slice(0, -LATEST.length)
      const isItself =
        modelMap.find(name) !== undefined || catalogue.known(name).some(({ id }) => id === name)
      return !isItself && (modelMap.find(bare) !== undefined || catalogue.known(bare).length > 0)
        ? bare
        : name
    }

    const choose = (name: string): Either.Either<Route, ModelNotFound> => {
      const { model, provider: wanted } = addressed(name, byName)
      if (wanted !== undefined) {
        const provider = byName.get(wanted)
        if (provider === undefined)
          return notFound(`The model '${shown(name)}' asks for the provider '${wanted}', ${NOT_CONFIGURED}`)
        const listed = catalogue.known(model).find((entry) => entry.provider === wanted)
        if (listed === undefined) catalogue.missed(wanted)
        return to(provider, model, "explicit", listed)
      }
      const known = catalogue.known(name)
      const listedBy = (provider: Provider) => known.find((entry) => entry.provider === provider.name)
      if (name.startsWith("percept/") && percept !== undefined)
        return to(percept, name, "percept", listedBy(percept))
      const [only, another] = known
      const lister = only === undefined || another !== undefined ? undefined : byName.get(only.provider)
      if (lister !== undefined) return to(lister, name, "listed", only)
      if (only === undefined) catalogue.missed()
      // Where several list it, one of them it is.
      const choice = only === undefined ? others : others.filter(listedBy)
      const named = (wanted: string) => choice.find((provider) => provider.name === wanted)
      const openRouter = name.includes("/") ? named("openrouter") : undefined
      if (openRouter !== undefined) return to(openRouter, name, "slash", listedBy(openRouter))
      const openAi = OPENAIS.test(name) ? named("openai") : undefined
      if (openAi !== undefined) return to(openAi, name, "prefix", listedBy(openAi))
      const [first] = choice
      return first === undefined
        ? notFound(`The model '${shown(name)}' does not exist here; GET /v1/models lists those that do.`)
        : to(first, name, "first", listedBy(first))
    }

    const to = (provider: Provider, model: string, rule: RouteRule, listed: Model | undefined) =>
      Either.right<Route>({ provider, model, rule, mapped: undefined, pricing: listed?.pricing, listed })

    /**
     * The model of requests that name none. A server of the operator's own holds what was put there and costs
     * nothing; of what costs money nothing is picked that nobody asked for.
     */
    const defaultName = (): string | undefined => {
      if (defaultTextModel !== undefined) return defaultTextModel
      if (byName.has("openrouter")) return "openrouter/auto"
      if (others.length === 0) return "percept/inspect"
      const model = OWN_SERVERS.flatMap(catalogue.listOf).find(chats)
      return model === undefined ? undefined : `${model.provider}:${model.id}`
    }

    /** The same; right after the start it waits a little for the lists that may know the name. */
    const resolve = (asked: string | undefined): Effect.Effect<Route, ModelNotFound> =>
      catalogue.hasLooked() ? route(asked) : resolveEarly(asked)

    const resolveEarly = (asked: string | undefined) => {
      const given = asked ?? defaultName()
      const name = given === undefined ? "" : (modelMap.find(given)?.name ?? given)
      const isClear = addressed(name, byName).provider !== undefined || name.startsWith("percept/")
      return isClear
        ? route(asked)
        : Effect.zipRight(
            catalogue.firstLook(name),
            Effect.suspend(() => route(asked))
          )
    }

    /** Who sees for models that cannot; undefined where whoever would be asked lists what it has, and not that model. */
    const eyes: Effect.Effect<Route | undefined> = Effect.map(catalogue.find(visionModel), () => {
      const found = Either.getOrUndefined(route(visionModel))
      const isNowhere =
        found?.rule === "first" &&
        found.listed === undefined &&
        catalogue.listOf(found.provider.name).length > 0
      return isNowhere ? undefined : found
    })

    return { eyes, resolve, route }
  })
}) {}

const LATEST = ":latest"

/** What OpenAI's own models are called. */
const OPENAIS = /^(?:(?:ft:)?gpt-|chatgpt-|o\d|text-embedding-|tts-|dall-e-|whisper-1$)[^/]*$/

/** Where a model costs nothing. */
const OWN_SERVERS = ["ollama", "upstream"]

const NO_NAME =
  "The request names no model, and DEFAULT_TEXT_MODEL is not set; GET /v1/models lists what there is."

const NOT_CONFIGURED = "which is not configured here."

const shown = (name: string): string => name.slice(0, 200)

const notFound = (message: string) => Either.left(new ModelNotFound({ message }))
