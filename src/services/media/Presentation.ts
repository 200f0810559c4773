import { Effect } from "effect"
import type { Frame, Picture } from "../../domain/media/Evidence.ts"
import { fit } from "../../domain/media/FrameBudget.ts"
import { MediaFailure } from "../../domain/Errors.ts"
import type { JsonObject } from "../../domain/Json.ts"
import type { Item } from "../../domain/media/Choice.ts"
import type { Presented, Shown } from "../../domain/media/Edits.ts"
import type { MediaRef } from "../../domain/media/MediaRef.ts"
import { render, renderDescription, renderFailure, renderSkipped } from "../../domain/media/Rendering.ts"
import { clockFor } from "../../domain/media/Timecode.ts"
import { AppConfig } from "../AppConfig.ts"
import { Describer } from "./Describer.ts"
import type { Client } from "./Describer.ts"
import { fenceTag } from "./fence.ts"
import { ImagePipeline } from "./ImagePipeline.ts"
import { MediaMemory } from "./MediaMemory.ts"
import type { Observed } from "./Observer.ts"

/** What the model that will answer can take. */
export interface Audience {
  /** False: pictures are put into words. */
  readonly sees: boolean
  /** Tokens, where its catalogue says. */
  readonly context: number | undefined
}

/** What a message says of a medium, in the form its reader can take. */
export class Presentation extends Effect.Service<Presentation>()("percept/Presentation", {
  effect: Effect.gen(function* () {
    const { mediaMaxItems, videoFrameMb, videoFramePx } = yield* AppConfig
    const describer = yield* Describer
    const images = yield* ImagePipeline
    const memory = yield* MediaMemory

    const present = Effect.fn("Presentation.present")(function* (
      item: Item,
      observed: Observed,
      audience: Audience,
      parent: Client
    ) {
      switch (observed.form) {
        case "whole":
          return inItsPlace(item, [wholePart(observed)])
        case "pictures":
          return audience.sees
            ? picturesShown(item, observed.pictures)
            : inItsPlace(item, yield* picturesTold(item, observed.pictures, parent))
        case "evidence":
          return {
            inPlace: [],
            after: yield* evidenceParts(item, observed, audience, parent)
          } satisfies Shown
      }
    })

    const picturesTold = Effect.fnUntraced(function* (
      item: Item,
      pictures: ReadonlyArray<Picture>,
      parent: Client
    ) {
      const words = yield* describer.describe(pictures, parent)
      if (words === undefined) return yield* new MediaFailure({ code: "unsupported", message: NO_EYES })
      const descriptions = pictures.map(({ sha256 }) => words.get(sha256) ?? "(it could not be described)")
      const options = yield* rendering(item, pictures.map(({ sha256 }) => sha256).join())
      return [textPart(renderDescription({ ...options, descriptions, describedBy: describer.model }))]
    })

    const evidenceParts = Effect.fnUntraced(function* (
      item: Item,
      { blobs, evidence }: Extract<Observed, { form: "evidence" }>,
      { context, sees }: Audience,
      parent: Client
    ) {
      const taken = "frames" in evidence.seen ? evidence.seen.frames : []
      const maxBytes = videoFrameMb * 1024 * 1024
      const { frames, px } = fit(taken, { contextTokens: context, maxBytes, px: videoFramePx })
      const pictures = yield* Effect.forEach(frames, (frame) =>
        pictureOf(frame, blobs.get(frame.sha256)?.bytes, px)
      )
      const byFrame = new Map(frames.map((frame, at) => [frame.sha256, pictures[at]]))
      const told = sees ? undefined : yield* describer.describe(pictures, parent)
      const isHidden = !sees && told === undefined
      const descriptions =
        told &&
        new Map(frames.map(({ sha256 }) => [sha256, told.get(byFrame.get(sha256)?.sha256 ?? "") ?? ""]))
      const rendered = render(evidence, {
        ...(yield* rendering(item, evidence.id)),
        frames: isHidden ? [] : frames,
        transcriptTokens: Math.floor((context ?? USUAL_CONTEXT) / 4),
        notes: [...notesFor(item.ref), ...(isHidden ? [NO_EYES] : [])],
        ...(descriptions === undefined ? {} : { descriptions, describedBy: describer.model })
      })
      return [
        textPart(rendered.block),
        ...rendered.pictures.flatMap(({ frame, label }) => {
          const picture = byFrame.get(frame.sha256)
          return picture === undefined ? [] : [textPart(label), imagePart(picture)]
        })
      ]
    })

    const pictureOf = Effect.fnUntraced(function* (frame: Frame, bytes: Uint8Array | undefined, px: number) {
      const { height, mime, sha256, width } = frame
      const picture: Picture = { height, mime, sha256, width, bytes: bytes ?? new Uint8Array() }
      return Math.max(width, height) <= px ? picture : yield* images.shrink(picture, px)
    })

    /** A medium that could not be had becomes a note, never silence. */
    const excuse = Effect.fnUntraced(function* (item: Item, why: string) {
      const { kind } = item.ref
      const known = kind === "site" || kind === "unknown" ? undefined : kind
      return inItsPlace(item, [
        textPart(renderFailure({ ...(yield* rendering(item, item.key)), kind: known, why }))
      ])
    })

    /** Those of a message that are too many are named together. */
    const passOver = Effect.fnUntraced(function* (items: ReadonlyArray<Item>) {
      const byMessage = new Map<number, Array<Item>>()
      for (const item of items) {
        const group = byMessage.get(item.ref.message)
        if (group === undefined) byMessage.set(item.ref.message, [item])
        else group.push(item)
      }
      const groups = yield* Effect.forEach(Array.from(byMessage.values()), (group) =>
        Effect.map(memory.secret, (secret) => {
          const sources = group.map(({ ref }) => sourceOf(ref))
          const tag = fenceTag(secret, sources.join("\n"))
          const note = [textPart(renderSkipped({ tag, sources, limit: mediaMaxItems }))]
          return group.map((item, at): Presented => ({ item, shown: inItsPlace(item, at === 0 ? note : []) }))
        })
      )
      return groups.flat()
    })

    const rendering = Effect.fnUntraced(function* ({ item, of, ref }: Item, id: string) {
      return { tag: fenceTag(yield* memory.secret, id), source: sourceOf(ref), item, of }
    })

    return { present, excuse, passOver }
  })
}) {}

const textPart = (text: string): JsonObject => ({ type: "text", text })

const imagePart = (picture: Picture): JsonObject => ({
  type: "image_url",
  image_url: { url: dataUrl(picture.mime, picture.bytes) }
})

/** Parts that stand where the medium stood, or after the text that named it. */
const inItsPlace = ({ ref }: Item, parts: ReadonlyArray<JsonObject>): Shown => ({
  inPlace: parts,
  after: isPart(ref) ? [] : parts
})

const isPart = ({ inText, part }: MediaRef): boolean => !inText && part !== undefined

/** A picture in the message's own place needs no words; one that was linked to says where it is from. */
const picturesShown = ({ ref }: Item, pictures: ReadonlyArray<Picture>): Shown => {
  const parts = (from: string) =>
    pictures.flatMap((picture, at) => [
      ...(pictures.length > 1
        ? [textPart(`Picture ${at + 1} of ${pictures.length}${from}:`)]
        : from === ""
          ? []
          : [textPart(`The picture${from}:`)]),
      imagePart(picture)
    ])
  return {
    inPlace: parts(""),
    after: isPart(ref) ? [] : parts("link" in ref.source ? ` from ${sourceOf(ref)}` : "")
  }
}

const wholePart = ({ bytes, type }: Extract<Observed, { form: "whole" }>): JsonObject =>
  type.kind === "audio"
    ? {
        type: "input_audio",
        input_audio: { data: Buffer.from(bytes).toString("base64"), format: type.container }
      }
    : { type: "video_url", video_url: { url: dataUrl(type.mime, bytes) } }

const dataUrl = (mime: string, bytes: Uint8Array) =>
  `data:${mime};base64,${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64")}`

const sourceOf = ({ name, source }: MediaRef): string =>
  "link" in source ? source.link.url.href : (name ?? "an attached file")

const notesFor = ({ source }: MediaRef): ReadonlyArray<string> =>
  "link" in source && (source.link.start ?? 0) > 0
    ? [`The link points to ${clockFor(source.link.start ?? 0).at(source.link.start ?? 0)}.`]
    : []

const NO_EYES = "No model here can see pictures for the one that was asked."

/** Tokens taken for granted where a catalogue says nothing. */
const USUAL_CONTEXT = 128_000
