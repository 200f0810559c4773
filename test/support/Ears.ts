import { Effect, Layer, Logger, LogLevel } from "effect"
import { readFileSync, statSync } from "node:fs"
import type { MediaFailure } from "../../src/domain/Errors.ts"
import type { Heard } from "../../src/domain/media/Evidence.ts"
import { sniff } from "../../src/domain/media/MagicBytes.ts"
import type { MediaFile } from "../../src/domain/media/Media.ts"
import { AppConfig } from "../../src/services/AppConfig.ts"
import type { Environment } from "../../src/services/AppConfig.ts"
import { AudioPipeline } from "../../src/services/media/AudioPipeline.ts"
import type { ListenOptions } from "../../src/services/media/AudioPipeline.ts"
import { Ffmpeg } from "../../src/services/media/Ffmpeg.ts"
import { MediaTools } from "../../src/services/media/MediaTools.ts"
import { Subprocess } from "../../src/services/media/Subprocess.ts"
import { EngineFailed, Whisper } from "../../src/services/media/Whisper.ts"
import type { Transcription } from "../../src/services/media/Whisper.ts"
import { makeAddon } from "../../src/services/media/whisper/WhisperAddon.ts"
import { WhisperModels } from "../../src/services/media/WhisperModels.ts"
import { Workspace } from "../../src/services/media/Workspace.ts"
import { temporaryFolder } from "./Router.ts"
import { weightsFile } from "./Weights.ts"

/** What ears are made of; a whisper-cli that the host may have is not used unless it is asked for. */
export const tools = (env: Environment) =>
  Layer.mergeAll(Ffmpeg.Default, WhisperModels.Default).pipe(
    Layer.provideMerge(MediaTools.Default),
    Layer.provideMerge(Workspace.Default),
    Layer.provideMerge(Subprocess.Default),
    Layer.provideMerge(AppConfig.layer({ WHISPER_MODEL_NAME: weightsFile, ...env })),
    Layer.provide(Logger.minimumLogLevel(LogLevel.None))
  )

type Tools = Layer.Layer.Success<ReturnType<typeof tools>>

/** The engine of a host on which nothing was installed. */
export const bundledEngine: Layer.Layer<Whisper, never, Tools> = Layer.effect(Whisper, makeAddon)

/** Ears with an engine, and a data folder of their own. */
export const ears = (engine: Layer.Layer<Whisper, never, Tools>, env: Environment = {}) =>
  Effect.gen(function* () {
    const dataDir = yield* temporaryFolder
    const context = yield* Layer.build(
      AudioPipeline.Default.pipe(
        Layer.provideMerge(engine),
        Layer.provideMerge(tools({ DATA_DIR: dataDir, ...env }))
      )
    )
    const listen = (
      path: string,
      options: Omit<ListenOptions, "folder"> = {}
    ): Effect.Effect<Heard, MediaFailure> =>
      Effect.gen(function* () {
        const [audio, ffmpeg, workspace] = [yield* AudioPipeline, yield* Ffmpeg, yield* Workspace]
        const folder = yield* workspace.folder
        const file = mediaFile(path)
        return yield* audio.listen(file, yield* ffmpeg.probe(file, folder), { folder, ...options })
      }).pipe(Effect.scoped, Effect.provide(context))
    return { listen, context }
  })

/** A file as it comes from the fetcher. */
export const mediaFile = (path: string): MediaFile => {
  const type = sniff(readFileSync(path).subarray(0, 4096))
  if (type === undefined) throw new Error(`${path} is no media`)
  return { path, bytes: statSync(path).size, sha256: "", type }
}

/** An engine of a test's own: what it says of the first piece, the second, and so on. */
export const engineThat = (
  transcribe: (piece: number, pcm: Uint8Array) => Effect.Effect<Transcription, EngineFailed>,
  { rest = Effect.void, seats = 2 }: { readonly seats?: number; readonly rest?: Effect.Effect<void> } = {}
): Layer.Layer<Whisper> =>
  Layer.sync(Whisper, () => {
    let pieces = 0
    return {
      seats,
      ready: () =>
        Effect.succeed({
          engine: "a test",
          model: "none",
          transcribe: (pcm: Uint8Array) => Effect.suspend(() => transcribe(pieces++, pcm)),
          rest
        })
    }
  })

/** An engine that must not be needed. */
export const noEngine: Layer.Layer<Whisper> = Layer.succeed(Whisper, {
  seats: 1,
  ready: () => Effect.dieMessage("the engine was started")
})

export const saying = (text: string, from = 0, to = 1): Effect.Effect<Transcription> =>
  Effect.succeed({ language: "en", segments: [{ from, to, text }] })

export const failing = (why: string) => new EngineFailed({ why, detail: "" })
