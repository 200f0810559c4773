import { Context, Effect, Layer } from "effect"
import { AppConfig } from "./services/AppConfig.ts"
import { Catalogue } from "./services/gateway/Catalogue.ts"
import { ModelRouter } from "./services/gateway/ModelRouter.ts"
import { Providers } from "./services/gateway/Provider.ts"
import type { Provider } from "./services/gateway/Provider.ts"
import * as HuggingFace from "./services/gateway/providers/HuggingFace.ts"
import { inspect } from "./services/gateway/providers/Inspect.ts"
import * as Ollama from "./services/gateway/providers/Ollama.ts"
import * as OpenAi from "./services/gateway/providers/OpenAi.ts"
import { Connections } from "./services/gateway/providers/OpenAiCompatible.ts"
import * as OpenRouter from "./services/gateway/providers/OpenRouter.ts"
import * as Upstream from "./services/gateway/providers/Upstream.ts"
import type { Redaction } from "./services/tracking/Redaction.ts"

/** Providers of a program that embeds the router; they go before those of the settings. */
export class MoreProviders extends Context.Reference<MoreProviders>()("percept/MoreProviders", {
  defaultValue: (): ReadonlyArray<Effect.Effect<Provider, never, AppConfig | Connections | Redaction>> => []
}) {}

/** Who can answer: a provider is there when its key or address is. */
const providers = Layer.effect(
  Providers,
  Effect.gen(function* () {
    const { huggingFaceKey, ollamaUrl, openAiKey, openRouterKey, upstreamUrl } = yield* AppConfig
    return [
      ...(yield* Effect.all(yield* MoreProviders)),
      ...(openRouterKey === undefined ? [] : [yield* OpenRouter.make(openRouterKey)]),
      ...(openAiKey === undefined ? [] : [yield* OpenAi.make(openAiKey)]),
      ...(huggingFaceKey === undefined ? [] : [yield* HuggingFace.make(huggingFaceKey)]),
      ...(ollamaUrl === undefined ? [] : [yield* Ollama.make(ollamaUrl)]),
      ...(upstreamUrl === undefined ? [] : [yield* Upstream.make(upstreamUrl)]),
      inspect
    ]
  })
)

/** Names and lists: who can answer, and where a name goes. */
export const routing = ModelRouter.Default.pipe(
  Layer.provideMerge(Catalogue.Default),
  Layer.provideMerge(providers),
  Layer.provideMerge(Connections.Default)
)
