import { Effect, Schema } from "effect"
import { readFile } from "node:fs/promises"
import { MediaFailure } from "../../domain/Errors.ts"
import { Evidence, Pictures } from "../../domain/media/Evidence.ts"
import type { Picture } from "../../domain/media/Evidence.ts"
import type { MediaFile, MediaType } from "../../domain/media/Media.ts"
import { AppConfig } from "../AppConfig.ts"
import { MediaMemory } from "./MediaMemory.ts"
import type { Observed, Want } from "./Observer.ts"
import { VideoPipeline } from "./VideoPipeline.ts"
import type { Analysis } from "./VideoPipeline.ts"

/** What was found out about contents: put into the memory, and taken out of it in the form somebody wants. */
export const makeRecollection = Effect.gen(function* () {
  const { imageMaxPx, videoNativeMb } = yield* AppConfig
  const mostWhole = videoNativeMb * 1024 * 1024
  const memory = yield* MediaMemory
  const pipeline = yield* VideoPipeline

  const recall = Effect.fnUntraced(function* (content: string, type: MediaType, want: Want) {
    if (type.kind === "image") return yield* recallPictures(content)
    const wholly = want.whole(type) ? yield* recallWhole(content) : undefined
    if (wholly !== undefined) return wholly
    const found = yield* recallEvidence(content, want)
    // What was shown in pictures to another model may still be had whole.
    const mayBeWhole = want.whole(type) && (found?.evidence.bytes ?? Infinity) <= mostWhole
    return mayBeWhole ? undefined : found
  })

  const recallPictures = Effect.fnUntraced(function* (content: string) {
    const listed = yield* memory.recall(picturesId(content), Pictures)
    if (listed === undefined) return undefined
    const blobs = yield* memory.blobs(listed.map(({ sha256 }) => sha256))
    const pictures = listed.flatMap((picture): ReadonlyArray<Picture> => {
      const blob = blobs.get(picture.sha256)
      return blob === undefined ? [] : [{ ...picture, bytes: blob.bytes }]
    })
    return pictures.length === listed.length ? ({ form: "pictures", pictures } satisfies Observed) : undefined
  })

  const recallWhole = Effect.fnUntraced(function* (content: string) {
    const kept = yield* memory.recall(`whole ${content}`, Whole)
    const blob = kept && (yield* memory.blobs([kept.sha256])).get(kept.sha256)
    if (kept === undefined || blob === undefined) return undefined
    const { sha256: _, ...type } = kept
    return { form: "whole", type, bytes: blob.bytes } satisfies Observed
  })

  const recallEvidence = Effect.fnUntraced(function* (content: string, want: Want) {
    const evidence = yield* memory.recall(pipeline.idOf(content, want), Evidence)
    if (evidence === undefined) return undefined
    const frames = "frames" in evidence.seen ? evidence.seen.frames : []
    const blobs = yield* memory.blobs(frames.map(({ sha256 }) => sha256))
    return frames.every(({ sha256 }) => blobs.has(sha256))
      ? ({ form: "evidence", evidence, blobs } satisfies Observed)
      : undefined
  })

  const keepPictures = Effect.fnUntraced(function* (content: string, pictures: ReadonlyArray<Picture>) {
    const listed = pictures.map(({ height, mime, sha256, width }) => ({ height, mime, sha256, width }))
    yield* memory.keep(picturesId(content), Pictures, listed, pictures)
    return { form: "pictures", pictures } satisfies Observed
  })

  const keepWhole = Effect.fnUntraced(function* (content: string, { path, sha256, type }: MediaFile) {
    const bytes = yield* Effect.tryPromise({
      try: () => readFile(path),
      catch: (error) =>
        new MediaFailure({ code: "broken", message: "It could not be read.", detail: String(error) })
    })
    yield* memory.keep(`whole ${content}`, Whole, { ...type, sha256 }, [{ sha256, mime: type.mime, bytes }])
    return { form: "whole", type, bytes } satisfies Observed
  })

  const keepEvidence = Effect.fnUntraced(function* ({ blobs, evidence, lasting }: Analysis) {
    if (lasting) yield* memory.keep(evidence.id, Evidence, evidence, blobs)
    const bytes = new Map(blobs.map((blob) => [blob.sha256, blob]))
    return { form: "evidence", evidence, blobs: bytes } satisfies Observed
  })

  const picturesId = (content: string) => `pictures ${content} p${imageMaxPx}`

  return { recall, recallEvidence, keepPictures, keepWhole, keepEvidence, mostWhole }
})

const Whole = Schema.Struct({
  kind: Schema.Literal("image", "video", "audio"),
  mime: Schema.String,
  container: Schema.String,
  sha256: Schema.String
})
