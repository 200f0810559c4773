/**
 * Models and providers for another Effect program: what a provider is, the client that most of them are made with,
 * and `routing`, which knows every name of every provider. It wants `AppConfig` and `Redaction`.
 */
export type { ChatRequest } from "../domain/chat/ChatRequest.ts"
export { ModelNotFound, UpstreamFailure } from "../domain/Errors.ts"
export type { Exchange } from "../domain/Exchange.ts"
export type { Model } from "../domain/Model.ts"
export type { Reply } from "../domain/Reply.ts"
export { encodeEvent } from "../domain/Sse.ts"
export { MoreProviders, routing } from "../routing.ts"
export { AppConfig } from "../services/AppConfig.ts"
export { Catalogue } from "../services/gateway/Catalogue.ts"
export { ModelRouter } from "../services/gateway/ModelRouter.ts"
export { Providers } from "../services/gateway/Provider.ts"
export type { Provider } from "../services/gateway/Provider.ts"
export { listedModels } from "../services/gateway/providers/listedModels.ts"
export * as OpenAiCompatible from "../services/gateway/providers/OpenAiCompatible.ts"
export { Redaction } from "../services/tracking/Redaction.ts"
