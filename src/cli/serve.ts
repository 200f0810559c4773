import { Console, Effect, Layer, Logger, LogLevel } from "effect"
import { HttpServer } from "../http/Server.ts"
import { router } from "../program.ts"
import { AppConfig } from "../services/AppConfig.ts"
import type { AppConfigValues } from "../services/AppConfig.ts"
import { Providers } from "../services/gateway/Provider.ts"
import { KeyRing } from "../services/KeyRing.ts"
import { Doctor } from "../services/media/Doctor.ts"

const welcome = Effect.gen(function* () {
  const config = yield* AppConfig
  const providers = yield* Providers
  const { examine } = yield* Doctor
  const { url } = yield* HttpServer
  const closed = (yield* KeyRing).peekClosed()
  const findings = yield* examine()
  yield* Console.log(
    greeting(
      url,
      providers.map(({ name }) => name),
      findings.filter(({ state }) => state === "ok").map(({ name }) => name),
      findings.filter(({ state }) => state !== "ok").map(({ name }) => name),
      config,
      config.apiKeys.length > 0 || closed === true
    )
  )
})

/** Everything for the operator goes to standard error, one line each. */
const logging = (level: AppConfigValues["logLevel"]) =>
  Layer.mergeAll(
    Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.logfmtLogger)),
    Logger.minimumLogLevel(LEVELS[level])
  )

const LEVELS = {
  debug: LogLevel.Debug,
  info: LogLevel.Info,
  warning: LogLevel.Warning,
  error: LogLevel.Error,
  none: LogLevel.None
}

/** `percept serve`: takes requests until it is told to go. */
export const serve = Layer.launch(
  Layer.effectDiscard(welcome).pipe(
    Layer.provide(router),
    Layer.provide(Layer.unwrapEffect(Effect.map(AppConfig, ({ logLevel }) => logging(logLevel)))),
    Layer.provideMerge(AppConfig.layerFromEnv)
  )
)

const greeting = (
  url: string,
  providers: ReadonlyArray<string>,
  found: ReadonlyArray<string>,
  missing: ReadonlyArray<string>,
  config: AppConfigValues,
  wantsKey: boolean
): string => {
  const isAlone = providers.length === 1
  const known = providers.includes("openrouter") ? "openrouter/auto" : "percept/inspect"
  const model = isAlone ? "percept/inspect" : (config.defaultTextModel ?? known)
  const key = wantsKey ? ` -H "authorization: Bearer $YOUR_KEY"` : ""
  const body = JSON.stringify({ model, messages: [{ role: "user", content: "Hello!" }] })
  return [
    `Percept is listening on ${url}`,
    `  providers  ${providers.join(", ")}${isAlone ? "   (set OPENROUTER_API_KEY for models of OpenRouter)" : ""}`,
    `  media      ${found.join(", ")}${missing.length === 0 ? "" : `   (not ready: ${missing.join(", ")}; see: percept doctor)`}`,
    `  record     ${config.databaseFile}`,
    ...(config.enableLogging ? [`  log        ${config.logFile}`] : []),
    ...(config.uiEnabled ? [`  page       ${url}/ui/tracking`] : []),
    `  docs       ${url}/docs`,
    "",
    "Try it:",
    `  curl ${url}/v1/chat/completions${key} -H "content-type: application/json" -d '${body}'`,
    ""
  ].join("\n")
}
