import { assert } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import { join } from "node:path"
import type { Sharp } from "sharp"
import type { MediaFailure } from "../../src/domain/Errors.ts"
import { AppConfig } from "../../src/services/AppConfig.ts"
import { ImagePipeline } from "../../src/services/media/ImagePipeline.ts"
import { Workspace } from "../../src/services/media/Workspace.ts"
import { fileOf, png } from "./Images.ts"
import { eventually, temporaryFolder } from "./Router.ts"

/** A pipeline with a folder of its own, by which its workers are found. */
export const startImages = (env: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const config = AppConfig.layer({ DATA_DIR: folder, IMAGE_MAX_PX: "100", MEDIA_MIN_FREE_MB: "0", ...env })
    const layer = ImagePipeline.Default.pipe(Layer.provide(Workspace.Default), Layer.provide(config))
    const pipeline = yield* Effect.provide(ImagePipeline, yield* Layer.build(layer))
    const normalise = (bytes: Buffer, container: string) =>
      pipeline.normalise(fileOf(folder, bytes, container))
    const one = (bytes: Buffer, container: string) =>
      Effect.map(normalise(bytes, container), (pictures) => {
        assert.strictEqual(pictures.length, 1)
        const [picture] = pictures
        return picture ?? assert.fail("no picture")
      })
    const workers = Effect.sync(() => workersBelow(folder))
    const temporaryFolders = Effect.sync(() => readdirSync(join(folder, "tmp")))
    return { folder, normalise, one, shrink: pipeline.shrink, workers, temporaryFolders }
  })

/** Living processes of the runtime that work in a folder below this one. */
export const workersBelow = (folder: string): ReadonlyArray<number> =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const isWorker =
          readlinkSync(`/proc/${pid}/cwd`).startsWith(folder) &&
          readlinkSync(`/proc/${pid}/exe`) === process.execPath
        return isWorker ? [Number(pid)] : []
      } catch {
        return []
      }
    })

/** Hundredths of a second it has worked. */
const worked = (pid: number): number => {
  const [, after = ""] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")
  return Number(after.split(" ")[11])
}

export const untilBusy = (pid: number) => {
  const before = worked(pid)
  return eventually(
    Effect.sync(() => worked(pid)),
    (now) => now > before + 10
  )
}

export const made = (image: Sharp) => Effect.promise(() => image.toBuffer())

/** 48 million pixels of 16 bits in four channels, in 400 kB: a second of work and more. */
export const large = Effect.runSync(
  Effect.cached(Effect.sync(() => png(8_000, 6_000, Buffer.alloc(6_000 * (8_000 * 8 + 1)), 16, 6)))
)

export const failureOf = <A>(effect: Effect.Effect<A, MediaFailure>) =>
  Effect.map(Effect.flip(effect), ({ code, message }) => ({ code, message }))

export const broken = { code: "broken", message: "The image could not be decoded." }
