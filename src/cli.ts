import { OpenApi } from "@effect/platform"
import { Console, Effect, Layer, Logger, LogLevel } from "effect"
import { db } from "./cli/database.ts"
import { Api } from "./http/contract.ts"
import { HttpServer } from "./http/Server.ts"
import { keys } from "./cli/keys.ts"
import { list, resolve } from "./cli/models.ts"
import { NotDone } from "./cli/words.ts"
import { router } from "./program.ts"
import { runMain } from "./runMain.ts"
import { AppConfig } from "./services/AppConfig.ts"
import type { AppConfigValues } from "./services/AppConfig.ts"
import { Providers } from "./services/gateway/Provider.ts"
import { KeyRing } from "./services/KeyRing.ts"
import { Doctor } from "./services/media/Doctor.ts"
import { MediaTools } from "./services/media/MediaTools.ts"
import { Subprocess } from "./services/media/Subprocess.ts"
import { buildEngine } from "./services/media/whisper/EngineBuild.ts"
import { WhisperModels } from "./services/media/WhisperModels.ts"
import { Workspace } from "./services/media/Workspace.ts"

/** The command line: without arguments it serves. */
export const run = (words: ReadonlyArray<string>): void => {
  const [name = "serve", ...rest] = words
  const command = COMMANDS[name]?.(rest)
  if (command === undefined) {
    console.error(`There is no command '${name}'.\n\n${HELP}`)
    process.exitCode = 2
  } else runMain(command, name === "serve" ? "Percept cannot start: " : "")
}

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
    `  docs       ${url}/docs`,
    "",
    "Try it:",
    `  curl ${url}/v1/chat/completions${key} -H "content-type: application/json" -d '${body}'`,
    ""
  ].join("\n")
}

/** What eyes and ears need, and no more. */
const forMedia = Layer.mergeAll(Doctor.Default, WhisperModels.Default).pipe(
  Layer.provideMerge(MediaTools.Default),
  Layer.provideMerge(Workspace.Default),
  Layer.provideMerge(Subprocess.Default),
  Layer.provideMerge(AppConfig.layerFromEnv)
)

const doctor = Effect.gen(function* () {
  const { examine } = yield* Doctor
  for (const { name, remedy, state, text } of yield* examine()) {
    yield* Console.log(`${MARKS[state]} ${name.padEnd(12)}  ${text}`)
    if (remedy !== undefined) yield* Console.log(`${" ".repeat(16)}→ ${remedy}`)
  }
}).pipe(Effect.provide(forMedia))

const models = ([deed = "", ...rest]: ReadonlyArray<string>): Effect.Effect<unknown, unknown> =>
  deed === "list" ? list(rest) : deed === "resolve" ? resolve(rest) : speechModels(deed, rest)

const speechModels = (deed: string, words: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const { whisperModel } = yield* AppConfig
    const { names, path } = yield* WhisperModels
    const [name = whisperModel] = words
    if (deed === "fetch") return yield* Console.log(yield* path(name, progressBar(name)))
    if (deed === "build-engine") return yield* Console.log(yield* buildEngine((line) => console.error(line)))
    yield* Console.log(`percept models list [--provider name]   every model there is, by name
percept models resolve [name]           where a request for this name goes, and why
percept models fetch [name]             fetch a speech model into DATA_DIR/models
percept models build-engine             build whisper-cli into DATA_DIR/bin (needs cmake and a compiler)

Speech models: ${names.join(", ")}`)
  }).pipe(
    // Here the operator is who reads it.
    Effect.catchTag(
      "MediaFailure",
      ({ detail = "", message }) => new NotDone({ message: `${message} ${detail}` })
    ),
    Effect.provide(forMedia)
  )

const progressBar = (name: string) => {
  let shown = -1
  return (bytes: number, total: number | undefined) => {
    const percent = total === undefined ? 0 : Math.floor((bytes / total) * 100)
    if (percent === shown || !process.stderr.isTTY) return
    shown = percent
    const filled = Math.round(percent / 4)
    process.stderr.write(`\r${name} [${"#".repeat(filled)}${" ".repeat(25 - filled)}] ${percent}%`)
    if (percent === 100) process.stderr.write("\n")
  }
}

const MARKS = { ok: "✓", missing: "✗", old: "!" }

const HELP = `percept [command]

  serve     take requests (what happens without a command)
  doctor    say what there is for eyes and ears, and how to get what is missing
  models    list models, say where a name goes, fetch speech models, build the speech engine
  keys      make, list and revoke keys with budgets and limits
  db        say what the record holds, make room in it, or export it
  openapi   print the API's OpenAPI document
  help      print this

Settings are environment variables; .env.example lists them all.`

const COMMANDS: Readonly<Record<string, (words: ReadonlyArray<string>) => Effect.Effect<unknown, unknown>>> =
  {
    serve: () => serve,
    doctor: () => doctor,
    models,
    keys,
    db,
    openapi: () => Console.log(JSON.stringify(OpenApi.fromApi(Api), null, 2)),
    help: () => Console.log(HELP),
    "--help": () => Console.log(HELP)
  }

const LEVELS = {
  debug: LogLevel.Debug,
  info: LogLevel.Info,
  warning: LogLevel.Warning,
  error: LogLevel.Error,
  none: LogLevel.None
}
