import type { Effect } from "effect"
import type { MediaFailure } from "../../../domain/Errors.ts"
import type { Span } from "../../../domain/media/Media.ts"
import type { Cells } from "../../../domain/media/PictureDiff.ts"

/** A moment of a video that was looked at. */
export interface Moment {
  /** Seconds since the beginning, as the decoder reports it. */
  readonly time: number
  readonly cells: Cells
}

/** A way to look into a video. */
export interface LookSource {
  /** Part of the window in which there are pictures at all. */
  readonly window: Span
  /** Enough moments to choose from. */
  readonly first: Effect.Effect<ReadonlyArray<Moment>, MediaFailure>
  /** More of them, where something may hide. */
  readonly closer: (doubtful: ReadonlyArray<Span>) => Effect.Effect<ReadonlyArray<Moment>, MediaFailure>
  /** The pictures of moments, each a JPEG; one that cannot be had is missing. */
  readonly pictures: (
    moments: ReadonlyArray<Moment>
  ) => Effect.Effect<ReadonlyMap<Moment, Uint8Array>, MediaFailure>
  /** What went wrong last, for the operator. */
  readonly trouble: () => string | undefined
  /** Whether there is something between two moments that was not looked at, and why. */
  readonly unseen: (between: Span) => string | undefined
}

/** What looking into a video needs. */
export interface LookRequest {
  readonly folder: string
  readonly window: Span
  /** Most moments to look at first. */
  readonly pool: number
  /** Pictures that will be shown, at most. */
  readonly wanted: number
  /** Size of the pictures. */
  readonly size: { readonly width: number; readonly height: number }
  /** Pixels of a picture as it is decoded. */
  readonly pixels: number
}
