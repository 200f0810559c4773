import { Schema } from "effect"

/** What the router asks of the image worker. */
export interface ImageJob {
  /** The file; undefined where the image follows in the message. */
  readonly path?: string
  /** Longest side. */
  readonly px: number
  /** Of all frames together. */
  readonly maxPixels: number
  /** A file that is already fit may stay as it is. */
  readonly mayStay: boolean
}

const Count = Schema.Int.pipe(Schema.positive())

/** Pictures, whose bytes follow in the message one after the other. */
const Made = Schema.Struct({
  pictures: Schema.Array(
    Schema.Struct({
      mime: Schema.Literal("image/jpeg", "image/png", "image/webp"),
      width: Count,
      height: Count,
      bytes: Count
    })
  )
})

const Refused = Schema.Struct({
  problem: Schema.Literal("broken", "hevc", "too_large", "animation_too_large"),
  /** For the operator alone. */
  detail: Schema.String
})
export type ImageProblem = (typeof Refused.Type)["problem"]

/** What the worker says; it has read hostile bytes, so that what it says is read with care. */
export const ImageAnswer = Schema.Union(Made, Refused)
export type ImageAnswer = typeof ImageAnswer.Type
