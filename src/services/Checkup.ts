import { Duration, Effect, Either } from "effect"
import { constants } from "node:fs"
import { access, stat, statfs } from "node:fs/promises"
import { dirname } from "node:path"
import type { UpstreamFailure } from "../domain/Errors.ts"
import { AppConfig } from "./AppConfig.ts"
import { settings } from "./config/settings.ts"
import { examineFile, examineServer } from "./database/examine.ts"
import { ModelRouter } from "./gateway/ModelRouter.ts"
import { Providers } from "./gateway/Provider.ts"
import type { Provider } from "./gateway/Provider.ts"
import { Doctor } from "./media/Doctor.ts"
import type { Finding } from "./media/Doctor.ts"

/** A finding, and whether Percept can do what it is for without it. */
export interface Checked extends Finding {
  readonly needed: boolean
  /** The same for programs to read. */
  readonly facts?: { readonly [name: string]: string | number }
}

export interface Report {
  readonly media: ReadonlyArray<Checked>
  readonly providers: ReadonlyArray<Checked>
  readonly storage: ReadonlyArray<Checked>
  /** The limits in force, by the names of their settings. */
  readonly limits: { readonly [setting: string]: string }
}

/** Looks at everything this router would work with, and changes, makes and spends nothing. */
export class Checkup extends Effect.Service<Checkup>()("percept/Checkup", {
  effect: Effect.gen(function* () {
    const config = yield* AppConfig
    const { examine } = yield* Doctor
    const router = yield* ModelRouter
    const configured = (yield* Providers).filter(({ name }) => name !== "percept")

    const media = Effect.map(examine(), (findings) =>
      findings.map((finding) => needing(NEEDED.has(finding.name))(finding))
    )

    const providers = Effect.gen(function* () {
      if (configured.length === 0) return [NO_PROVIDER]
      const found = yield* Effect.forEach(configured, ask, { concurrency: "unbounded" })
      // One that answers is enough to work with.
      const needed = found.every(({ state }) => state !== "ok")
      const models = found.reduce((sum, { facts }) => sum + Number(facts?.["models"] ?? 0), 0)
      const kept = Duration.format(config.catalogueTtl)
      const catalogue: Checked = {
        ...{ name: "catalogue", state: models > 0 ? "ok" : "missing", needed: false },
        text: `${models} models, just listed; lists are kept for ${kept}`,
        facts: { models }
      }
      return [...found.map(needing(needed)), catalogue, yield* vision]
    })

    const vision = Effect.map(router.eyes, (route): Checked => {
      const name = "vision model"
      if (route === undefined)
        return {
          ...{ name, state: "missing", needed: false, text: `nobody here has ${config.visionModel}` },
          remedy: "set VISION_MODEL to a model that sees; percept models list says which there are"
        }
      const place = `${route.provider.name}${route.listed === undefined ? ", which does not list it" : ""}`
      return { name, state: "ok", needed: false, text: `${config.visionModel}  ${place}` }
    })

    const storage = Effect.all(
      [
        room("data folder", config.dataDir, 0),
        room("media folder", config.mediaTmpDir, config.mediaMinFreeMb * MB),
        database
      ],
      { concurrency: "unbounded" }
    )

    const examineAll = Effect.map(
      Effect.all({ media, providers, storage }, { concurrency: "unbounded" }),
      (found): Report => ({ ...found, limits: limitsIn(config) })
    )

    return { examine: examineAll }
  })
}) {}

const needing =
  (needed: boolean) =>
  (finding: Finding): Checked => ({ ...finding, needed })

/** Whether a provider can be reached and takes the key. Neither question costs anything. */
const ask = ({ keyCheck, models, name }: Provider): Effect.Effect<Checked> =>
  Effect.gen(function* () {
    const started = performance.now()
    const [key, list] = yield* Effect.all([Effect.either(keyCheck ?? NOT_ASKED), Effect.either(models)], {
      concurrency: 2
    })
    const millis = Math.round(performance.now() - started)
    if (Either.isLeft(list)) return failing(name, list.left)
    // Who stands in for a provider need not know that question.
    if (Either.isLeft(key) && isRefused(key.left)) return failing(name, key.left)
    const said = Either.getOrElse(key, () => "")
    return {
      ...{ name, state: "ok", needed: false },
      text: [`${list.right.length} models in ${millis} ms`, ...(said === "" ? [] : [said])].join("; "),
      facts: { models: list.right.length, millis }
    } satisfies Checked
  })

const NOT_ASKED: Effect.Effect<string, UpstreamFailure> = Effect.succeed("")

const failing = (name: string, failure: UpstreamFailure): Checked => ({
  ...{ name, state: "failing", needed: false, text: oneLine(failure.detail ?? failure.message) },
  remedy: isRefused(failure)
    ? `check the key: ${KEYS[name] ?? "see .env.example"}`
    : "check its address and the network"
})

/** The place where a folder is or would be made, and what is free there. */
const room = (name: string, folder: string, least: number): Effect.Effect<Checked> =>
  Effect.tryPromise(async () => {
    const place = await nearest(folder)
    const { bavail, blocks, bsize } = await statfs(place)
    await access(place, constants.W_OK)
    return { free: bavail * bsize, total: blocks * bsize }
  }).pipe(
    Effect.map(({ free, total }): Checked => {
      const isEnough = free >= Math.max(least, LEAST_FREE)
      return {
        ...{ name, needed: true, state: isEnough ? "ok" : "failing", facts: { folder, free, total } },
        text: `${folder}  ${gigabytes(free)} of ${gigabytes(total)} free`,
        ...(isEnough ? {} : { remedy: "make room there" })
      }
    }),
    Effect.catchAll(({ error }) =>
      Effect.succeed<Checked>({
        ...{ name, needed: true, state: "failing", facts: { folder } },
        text: `${folder} cannot be written to: ${error instanceof Error ? error.message : String(error)}`,
        remedy: "let the user that runs Percept write there, or choose another folder"
      })
    )
  )

/** A folder that is not there yet will be made in the nearest one that is. */
const nearest = async (folder: string): Promise<string> => {
  const found = await stat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT" || dirname(folder) === folder) throw error
  })
  if (found === undefined) return await nearest(dirname(folder))
  if (!found.isDirectory()) throw new Error(`${folder} is no folder`)
  return folder
}

const database = Effect.gen(function* () {
  const { databaseFile, databaseServer } = yield* AppConfig
  const { kind, place, size, version } = yield* databaseServer === undefined
    ? examineFile(databaseFile)
    : examineServer(databaseServer)
  const how = size === undefined ? "will be made at the first start" : `${(size / MB).toFixed(1)} MB`
  return {
    ...{ name: "database", state: "ok", needed: true, text: `${kind} ${version}  ${place}  ${how}` },
    facts: { kind, version, place, ...(size === undefined ? {} : { bytes: size }) }
  } satisfies Checked
}).pipe(
  Effect.catchAll(({ message }) =>
    Effect.succeed<Checked>({ name: "database", state: "failing", needed: true, text: message })
  )
)

const limitsIn = (config: AppConfig["Type"]) =>
  Object.fromEntries(
    LIMITS.map((key) => {
      const value = config[key]
      return [
        settings[key].name,
        Duration.isDuration(value) ? Duration.format(value) : String(value ?? "none")
      ]
    })
  )

const LIMITS = [
  ...(["maxBodyMb", "maxAnswerMb", "requestTimeout", "streamIdleTimeout"] as const),
  ...(["mediaMaxItems", "mediaTimeout", "mediaQueue", "imageMaxMb", "audioMaxMb", "videoMaxMb"] as const),
  ...(["videoMaxDuration", "mediaCacheMb", "mediaTmpMb", "mediaMinFreeMb"] as const),
  ...(["maxLogAgeDays", "dbMaxMb"] as const)
]

const gigabytes = (bytes: number): string => `${(bytes / MB / 1024).toFixed(1)} GB`

/** Without these there are no eyes; without ears or sites there is less to be known of a video, but it is watched. */
const NEEDED = new Set(["ffmpeg", "ffprobe", "images"])

const NO_PROVIDER: Checked = {
  ...{ name: "providers", state: "missing", needed: false },
  text: "none; percept/inspect answers, which shows what a model would see",
  remedy: "set OPENROUTER_API_KEY, or another provider's key or address"
}

const KEYS: { readonly [provider: string]: string } = {
  openrouter: "OPENROUTER_API_KEY",
  openai: "OPENAI_API_KEY",
  huggingface: "HUGGINGFACE_API_TOKEN",
  upstream: "UPSTREAM_API_KEY"
}

/** What others have written may be made for a terminal. */
const oneLine = (text: string): string =>
  text
    .replace(/[\p{Cc}\s]+/gu, " ")
    .trim()
    .slice(0, 500)

const isRefused = ({ code, status }: UpstreamFailure): boolean =>
  code === "upstream_auth_failed" || status === 401 || status === 403

const MB = 1024 * 1024

/** Bytes that a database wants to grow. */
const LEAST_FREE = 64 * MB
