import { Context, Effect, Either, Layer } from "effect"
import type { Redacted } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { parseEnv } from "node:util"
import { InvalidSetting } from "./config/Setting.ts"
import type { Setting } from "./config/Setting.ts"
import { settings } from "./config/settings.ts"

type Values = {
  readonly [Key in keyof typeof settings]: (typeof settings)[Key] extends Setting<infer A> ? A : never
}

/** Everything the environment decides, read once. */
export interface AppConfigValues extends Omit<Values, "databaseUrl" | "dbPath" | "logFile" | "mediaTmpDir"> {
  readonly databaseFile: string
  /** Where the record is kept on a server instead. */
  readonly databaseServer: Redacted.Redacted | undefined
  readonly mediaTmpDir: string
  readonly logFile: string
}

export class AppConfig extends Context.Tag("percept/AppConfig")<AppConfig, AppConfigValues>() {
  /** The process's environment over the `.env` of the working directory. */
  static layerFromEnv = Layer.effect(
    AppConfig,
    Effect.suspend(() => read({ ...dotEnv(), ...process.env }))
  )

  /** Any variables, for tests and for programs that embed the router. */
  static layer = (env: Environment) =>
    Layer.effect(
      AppConfig,
      Effect.suspend(() => read(env))
    )
}

export type Environment = { readonly [name: string]: string | undefined }

/** The values of an environment, or the first variable that is wrong. */
export const read = (env: Environment): Either.Either<AppConfigValues, InvalidSetting> =>
  Either.gen(function* () {
    const found: Record<string, unknown> = {}
    for (const [key, setting] of Object.entries(settings) as ReadonlyArray<[string, Setting<unknown>]>)
      found[key] = yield* readOne(setting, env)
    const { databaseUrl, dbPath, ...values } = found as Values
    const dataDir = resolve(values.dataDir)
    return {
      ...values,
      dataDir,
      databaseFile: resolve(databaseUrl?.file ?? dbPath ?? join(dataDir, "percept.db")),
      databaseServer: databaseUrl?.server,
      mediaTmpDir: resolve(values.mediaTmpDir ?? join(dataDir, "tmp")),
      logFile: resolve(values.logFile ?? join(dataDir, "router.log.json"))
    }
  })

const readOne = (setting: Setting<unknown>, env: Environment) => {
  const name = [setting.name, ...setting.aliases].find((name) => isSet(env[name])) ?? setting.name
  const raw = env[name]
  return Either.mapLeft(
    setting.read(isSet(raw) ? raw.trim() : undefined),
    (problem) => new InvalidSetting({ name, problem, example: setting.example })
  )
}

const isSet = (value: string | undefined): value is string => value !== undefined && value.trim() !== ""

const dotEnv = (): Environment => (existsSync(".env") ? parseEnv(readFileSync(".env", "utf8")) : {})
