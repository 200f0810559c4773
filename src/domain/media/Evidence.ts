import { Schema } from "effect"
import type { MediaKind } from "./Media.ts"

/** Seconds from the beginning, to the millisecond. */
const Seconds = Schema.Number

const Span = Schema.Struct({ from: Seconds, to: Seconds })

/** A picture's place in the evidence; its bytes lie beside it under their hash. */
export const Frame = Schema.Struct({
  /** As the decoder reported it, never as it was asked for. */
  time: Seconds,
  mime: Schema.String,
  width: Schema.Number,
  height: Schema.Number,
  bytes: Schema.Number,
  sha256: Schema.String
})
export type Frame = typeof Frame.Type

/** What was seen of a video. */
export const Seen = Schema.Struct({
  frames: Schema.Array(Frame),
  /** Shots found, and how many of them have a picture. */
  shots: Schema.Number,
  shotsShown: Schema.Number,
  /** The longest stretch without a picture. */
  longestGap: Span,
  /** How many instants were looked at to choose from. */
  instants: Schema.Number,
  /** Pictures dropped because they showed nothing new. */
  duplicates: Schema.Number,
  /** Stretches that could not be looked at, and why, in plain words. */
  unseen: Schema.Array(Schema.Struct({ from: Seconds, to: Seconds, why: Schema.String }))
})
export type Seen = typeof Seen.Type

/** Words or a sound, with their times. */
export const Segment = Schema.Struct({ from: Seconds, to: Seconds, text: Schema.String })
export type Segment = typeof Segment.Type

/** What was heard. */
export const Heard = Schema.Struct({
  source: Schema.Literal("human captions", "automatic captions", "speech recognition"),
  /** The speech model; undefined for captions. */
  model: Schema.optional(Schema.String),
  engine: Schema.optional(Schema.String),
  language: Schema.optional(Schema.String),
  /** Words in order of time. */
  segments: Schema.Array(Segment),
  /** What is no speech, by kind: `(music)`, `(no speech: noise)`. */
  sounds: Schema.Array(Segment),
  /** Length of the sound, and how many seconds of it were heard (silence that was gated away counts as heard). */
  duration: Seconds,
  heard: Seconds,
  /** Seconds above the noise floor. */
  active: Seconds,
  missed: Schema.Array(Schema.Struct({ from: Seconds, to: Seconds, why: Schema.String }))
})
export type Heard = typeof Heard.Type

/** Half of a look that could not be had, and why, in plain words. */
export const Nothing = Schema.Struct({ nothing: Schema.String })
export type Nothing = typeof Nothing.Type

export const Chapter = Schema.Struct({ from: Seconds, title: Schema.String })
export type Chapter = typeof Chapter.Type

/** Everything that was found out about one medium: what a model is told is made from this alone. */
export const Evidence = Schema.Struct({
  /** Content hash or site id, with the version of the pipeline and what was asked for. */
  id: Schema.String,
  kind: Schema.Literal("video", "audio"),
  title: Schema.optional(Schema.String),
  site: Schema.optional(Schema.String),
  duration: Schema.optional(Seconds),
  width: Schema.optional(Schema.Number),
  height: Schema.optional(Schema.Number),
  bytes: Schema.optional(Schema.Number),
  chapters: Schema.Array(Chapter),
  /** Only this stretch was asked for. */
  window: Schema.optional(Span),
  seen: Schema.Union(Seen, Nothing),
  heard: Schema.Union(Heard, Nothing)
})
export type Evidence = typeof Evidence.Type

/** A picture's bytes, under their hash. */
export interface Blob {
  readonly sha256: string
  readonly mime: string
  readonly bytes: Uint8Array
}

/** A picture that is small and plain enough for every provider. */
export interface Picture extends Blob {
  readonly width: number
  readonly height: number
}

/** What is remembered of an image: its pictures, whose bytes lie beside it. */
export const Pictures = Schema.Array(
  Schema.Struct({
    height: Schema.Number,
    mime: Schema.String,
    sha256: Schema.String,
    width: Schema.Number
  })
)

/** What one analysis gives. */
export interface Findings {
  readonly evidence: Evidence
  readonly blobs: ReadonlyArray<Blob>
}

export const isNothing = (half: Seen | Heard | Nothing): half is Nothing => "nothing" in half

/** Part of every evidence's id: raised when the pipeline would find something else in the same file. */
export const PIPELINE_VERSION = 1

export type EvidenceKind = Exclude<MediaKind, "image">
