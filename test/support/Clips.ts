import { Effect, Layer } from "effect"
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { readFileSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import sharp from "sharp"
import { colourOf, unevenScenes } from "../fixtures/make/painter.mjs"
import type { Scene } from "../fixtures/make/painter.mjs"
import type { Blob, Seen } from "../../src/domain/media/Evidence.ts"
import type { MediaFile } from "../../src/domain/media/Media.ts"
import { AppConfig } from "../../src/services/AppConfig.ts"
import type { Environment } from "../../src/services/AppConfig.ts"
import { Ffmpeg } from "../../src/services/media/Ffmpeg.ts"
import { Looking } from "../../src/services/media/Looking.ts"
import type { LookOptions } from "../../src/services/media/Looking.ts"
import { MediaTools } from "../../src/services/media/MediaTools.ts"
import { Subprocess } from "../../src/services/media/Subprocess.ts"
import { Workspace } from "../../src/services/media/Workspace.ts"
import { temporaryFolder } from "./Router.ts"

export const clipFolder = join(import.meta.dirname, "..", "fixtures", "video")

/** Clips of twelve scenes in two minutes, by the seed their lengths come from; see test/fixtures/make/video.mjs. */
export const scenesOf = (clip: string): ReadonlyArray<Scene> => unevenScenes(12, 120, 2, SEEDS[clip] ?? 0)

const SEEDS: Readonly<Record<string, number>> = {
  "cuts.mp4": 1,
  "off-cuts.mp4": 2,
  "open.mp4": 3,
  "one-key.mp4": 4,
  "fades.mp4": 5,
  "hevc.mp4": 6,
  "scenes.webm": 7
}

export const clip = (name: string): MediaFile => mediaFile(join(clipFolder, name))

/** A file as the fetcher would hand it on. */
export const mediaFile = (path: string): MediaFile => {
  const bytes = readFileSync(path)
  const container = CONTAINERS[/\.(\w+)$/.exec(path)?.[1] ?? ""] ?? "mp4"
  const sha256 = createHash("sha256").update(bytes).digest("hex")
  return { path, bytes: bytes.length, sha256, type: { kind: "video", mime: `video/${container}`, container } }
}

const CONTAINERS: Readonly<Record<string, string>> = {
  mkv: "webm",
  webm: "webm",
  ts: "ts",
  flv: "flv",
  avi: "avi",
  mp3: "mp3"
}

/** The same pictures in another container, and what else ffmpeg is told. */
export const rewrapped = (name: string, as: string, args: ReadonlyArray<string> = []) =>
  Effect.map(temporaryFolder, (folder) => {
    const path = join(folder, as)
    const input = ["-i", join(clipFolder, name), "-map", "0", "-c", "copy"]
    execFileSync("ffmpeg", ["-v", "error", "-y", ...input, ...args, path])
    return mediaFile(path)
  })

/** A clip, or another file, with its bytes changed. */
export const altered = (name: string, as: string, change: (bytes: Buffer) => Uint8Array) =>
  Effect.map(temporaryFolder, (folder) => {
    const path = join(folder, as)
    writeFileSync(path, change(readFileSync(resolve(clipFolder, name))))
    return mediaFile(path)
  })

/** Eyes in a data folder of their own. */
export const eyes = (env: Environment = {}) =>
  Layer.unwrapScoped(
    Effect.map(temporaryFolder, (folder) =>
      Looking.Default.pipe(
        Layer.provideMerge(Ffmpeg.Default),
        Layer.provideMerge(MediaTools.Default),
        Layer.provideMerge(Layer.mergeAll(Subprocess.Default, Workspace.Default)),
        Layer.provideMerge(AppConfig.layer({ DATA_DIR: folder, ...env }))
      )
    )
  )

export interface Looked {
  readonly seen: Seen
  readonly blobs: ReadonlyArray<Blob>
}

/** Probes a file and looks at it, in a folder that is gone afterwards if there is no other. */
export const lookAt = (file: MediaFile, options: Partial<LookOptions> = {}) =>
  Effect.gen(function* () {
    const [ffmpeg, looking, workspace] = yield* Effect.all([Ffmpeg, Looking, Workspace])
    const folder = options.folder ?? (yield* workspace.folder)
    const probe = yield* ffmpeg.probe(file, folder)
    return yield* looking.look(file, probe, { frames: undefined, px: 1024, ...options, folder })
  }).pipe(Effect.scoped)

/** What a picture says of itself: its scene, and its time to a tenth of a second. */
export const readCode = async (jpeg: Uint8Array) => {
  const { data, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true })
  const cell = info.width / 24
  const row = info.height - Math.round(cell / 2)
  const bits = Array.from({ length: 24 }, (_, at) => {
    const value = data[(row * info.width + Math.round((at + 0.5) * cell)) * info.channels + 1] ?? 0
    return value > 125 ? 1 : 0
  })
  const number = (some: ReadonlyArray<number>) => some.reduce((sum, bit) => sum * 2 + bit, 0)
  return { scene: number(bits.slice(1, 7)), clock: number(bits.slice(7)) / 10 }
}

/** The seconds (of the first 125) whose colour a picture has in its middle. */
export const readColour = async (jpeg: Uint8Array): Promise<number | undefined> => {
  const { data, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true })
  const middle = ((info.height >> 1) * info.width + (info.width >> 1)) * info.channels
  const colour = [0, 1, 2].map((at) => data[middle + at] ?? 0)
  const seconds = Array.from({ length: 125 }, (_, second) => second)
  const isIt = (second: number) =>
    colourOf(second).every((value, at) => Math.abs(value - (colour[at] ?? 0)) < 20)
  const found = seconds.filter(isIt)
  return found.length === 1 ? found[0] : undefined
}
