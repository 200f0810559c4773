import { OpenApi } from "@effect/platform"
import { Console, Effect, Layer, Logger, LogLevel } from "effect"
import { Api } from "./http/contract.ts"
import { HttpServer } from "./http/Server.ts"
import { router } from "./program.ts"
import { runMain } from "./runMain.ts"
import { AppConfig } from "./services/AppConfig.ts"
import type { AppConfigValues } from "./services/AppConfig.ts"
import { Providers } from "./services/gateway/Provider.ts"

/** The command line: without arguments it serves. */
export const run = (words: ReadonlyArray<string>): void => {
  const command = COMMANDS[words[0] ?? "serve"]
  if (command === undefined) {
    console.error(`There is no command '${words[0]}'.\n\n${HELP}`)
    process.exitCode = 2
  } else runMain(command)
}

const welcome = Effect.gen(function* () {
  const config = yield* AppConfig
  const providers = yield* Providers
  const { url } = yield* HttpServer
  yield* Console.log(
    greeting(
      url,
      providers.map(({ name }) => name),
      config
    )
  )
})

const serve = Layer.launch(
  Layer.effectDiscard(welcome).pipe(
    Layer.provide(router),
    Layer.provide(Layer.unwrapEffect(Effect.map(AppConfig, ({ logLevel }) => logging(logLevel)))),
    Layer.provideMerge(AppConfig.layerFromEnv)
  )
)

/** Everything for the operator goes to standard error, one line each. */
const logging = (level: AppConfigValues["logLevel"]) =>
  Layer.mergeAll(
    Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.logfmtLogger)),
    Logger.minimumLogLevel(LEVELS[level])
  )

const greeting = (url: string, providers: ReadonlyArray<string>, config: AppConfigValues): string => {
  const model = providers.includes("openrouter")
    ? (config.defaultTextModel ?? "openrouter/auto")
    : "percept/inspect"
  const key = config.apiKeys.length === 0 ? "" : ` -H "authorization: Bearer $YOUR_KEY"`
  const body = JSON.stringify({ model, messages: [{ role: "user", content: "Hello!" }] })
  return [
    `Percept is listening on ${url}`,
    `  providers  ${providers.join(", ")}${providers.includes("openrouter") ? "" : "   (set OPENROUTER_API_KEY for models of OpenRouter)"}`,
    `  record     ${config.databaseFile}`,
    ...(config.enableLogging ? [`  log        ${config.logFile}`] : []),
    `  docs       ${url}/docs`,
    "",
    "Try it:",
    `  curl ${url}/v1/chat/completions${key} -H "content-type: application/json" -d '${body}'`,
    ""
  ].join("\n")
}

const HELP = `percept [command]

  serve     take requests (what happens without a command)
  openapi   print the API's OpenAPI document
  help      print this

Settings are environment variables; .env.example lists them all.`

const COMMANDS: Readonly<Record<string, Effect.Effect<unknown, unknown>>> = {
  serve,
  openapi: Effect.suspend(() => Console.log(JSON.stringify(OpenApi.fromApi(Api), null, 2))),
  help: Console.log(HELP),
  "--help": Console.log(HELP)
}

const LEVELS = {
  debug: LogLevel.Debug,
  info: LogLevel.Info,
  warning: LogLevel.Warning,
  error: LogLevel.Error,
  none: LogLevel.None
}
