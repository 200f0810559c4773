/**
 * The whole router for another Effect program. `router` wants `AppConfig` and nothing else; `AppConfig.layer` makes
 * it of any variables, `AppConfig.layerFromEnv` of the process's own. `HttpServer` says where it listens, and
 * `MoreProviders` takes providers of your own.
 */
export { HttpServer } from "../http/Server.ts"
export { router } from "../program.ts"
export { MoreProviders } from "../routing.ts"
export { AppConfig } from "../services/AppConfig.ts"
export type { AppConfigValues, Environment } from "../services/AppConfig.ts"
export { Doctor } from "../services/media/Doctor.ts"
