/** One half of an analysis, or both, or the pictures alone: `halves.js look|listen|both <file> <data folder>`; prints milliseconds. */
import { Effect, Layer, Logger, LogLevel } from "effect"
import { closeSync, mkdirSync, openSync, readSync, statSync } from "node:fs"
import { createHash } from "node:crypto"
import { sniff } from "../../src/domain/media/MagicBytes.ts"
import { AppConfig } from "../../src/services/AppConfig.ts"
import { AudioPipeline } from "../../src/services/media/AudioPipeline.ts"
import { Ffmpeg } from "../../src/services/media/Ffmpeg.ts"
import { Looking } from "../../src/services/media/Looking.ts"
import { MediaTools } from "../../src/services/media/MediaTools.ts"
import { Subprocess } from "../../src/services/media/Subprocess.ts"
import { VideoPipeline } from "../../src/services/media/VideoPipeline.ts"
import * as WhisperEngines from "../../src/services/media/WhisperEngines.ts"
import { WhisperModels } from "../../src/services/media/WhisperModels.ts"
import { Workspace } from "../../src/services/media/Workspace.ts"

const [what = "both", path = "", dataDir = "", frames] = process.argv.slice(2)
mkdirSync(dataDir, { recursive: true })

const layer = VideoPipeline.Default.pipe(
  Layer.provideMerge(Layer.mergeAll(AudioPipeline.Default, Looking.Default)),
  Layer.provideMerge(WhisperEngines.layer),
  Layer.provideMerge(Layer.mergeAll(Ffmpeg.Default, WhisperModels.Default)),
  Layer.provideMerge(MediaTools.Default),
  Layer.provideMerge(Workspace.Default),
  Layer.provideMerge(Subprocess.Default),
  Layer.provideMerge(AppConfig.layer({ DATA_DIR: dataDir })),
  Layer.provideMerge(Logger.minimumLogLevel(LogLevel.None))
)

const headOf = (path: string): Buffer => {
  const file = openSync(path, "r")
  const head = Buffer.alloc(4096)
  readSync(file, head)
  closeSync(file)
  return head
}

const program = Effect.gen(function* () {
  const head = headOf(path)
  const type = sniff(head) ?? { kind: "video" as const, mime: "video/mp4", container: "mp4" }
  const file = {
    path,
    type,
    bytes: statSync(path).size,
    sha256: createHash("sha256").update(path).digest("hex")
  }
  const { probe } = yield* Ffmpeg
  const audio = yield* AudioPipeline
  const looking = yield* Looking
  const pipeline = yield* VideoPipeline
  const folder = yield* (yield* Workspace).folder
  const found = yield* probe(file, folder)
  const count = frames === undefined ? undefined : Number(frames)
  const started = performance.now()
  if (what === "look") {
    const { seen } = yield* looking.look(file, found, { folder, frames: count, px: 1024 })
    if (count !== undefined && seen.frames.length !== count)
      return yield* Effect.dieMessage(`${seen.frames.length} pictures instead of ${count}`)
  }
  if (what === "listen") yield* audio.listen(file, found, { folder })
  if (what === "both")
    yield* pipeline.analyse(file, file.sha256, {
      ...{ folder, frames: count, window: undefined, report: () => {} }
    })
  console.log(Math.round(performance.now() - started))
})

await Effect.runPromise(Effect.provide(Effect.scoped(program), layer))
process.exit(0)
