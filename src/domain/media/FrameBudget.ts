import type { Frame } from "./Evidence.ts"

/** How large, and which, pictures a model is shown. */
export interface FrameFit {
  /** Longest side. */
  readonly px: number
  readonly frames: ReadonlyArray<Frame>
}

/**
 * Pictures may take a quarter of a model's context and so many bytes: they get smaller first, then fewer. It is
 * decided by model and evidence alone, so that the same video looks the same in every turn.
 */
export const fit = (
  frames: ReadonlyArray<Frame>,
  options: { readonly contextTokens?: number | undefined; readonly maxBytes: number; readonly px: number }
): FrameFit => {
  const { contextTokens = Infinity, maxBytes } = options
  const isSmall = contextTokens < SMALL_CONTEXT
  const largest = isSmall ? Math.min(options.px, SMALL_CONTEXT_PX) : options.px
  const fits = (some: ReadonlyArray<Frame>, px: number): boolean =>
    sum(some, (frame) => tokensOf(frame, px)) <= contextTokens / 4 &&
    sum(some, (frame) => bytesOf(frame, px)) <= maxBytes

  const few = isSmall ? thinnedTo(frames, SMALL_CONTEXT_FRAMES) : frames
  const sizes = [largest, ...STEPS.filter((step) => step < largest)]
  const px = sizes.find((size) => fits(few, size)) ?? Math.min(...sizes)
  let kept = few
  while (kept.length > 1 && !fits(kept, px)) kept = withoutNearest(kept)
  return { px, frames: kept }
}

/** By the rule of patches of 28 pixels, which is the dearest of the large families at this size. */
export const tokensOf = (frame: Frame, px: number): number => {
  const share = scale(frame, px)
  return Math.ceil(Math.round(frame.width * share) / 28) * Math.ceil(Math.round(frame.height * share) / 28)
}

const bytesOf = (frame: Frame, px: number): number => Math.ceil(frame.bytes * scale(frame, px) ** 2)

const scale = ({ height, width }: Frame, px: number): number => Math.min(1, px / Math.max(width, height, 1))

const thinnedTo = (frames: ReadonlyArray<Frame>, most: number): ReadonlyArray<Frame> => {
  let kept = frames
  while (kept.length > most) kept = withoutNearest(kept)
  return kept
}

/** Drops the picture that is missed least: the one between the nearest neighbours. Both ends stay longest. */
const withoutNearest = (frames: ReadonlyArray<Frame>): ReadonlyArray<Frame> => {
  let least = frames.length - 1
  let nearest = Infinity
  for (let index = 1; index < frames.length - 1; index++) {
    const apart = (frames[index + 1]?.time ?? 0) - (frames[index - 1]?.time ?? 0)
    if (apart >= nearest) continue
    nearest = apart
    least = index
  }
  return frames.filter((_, index) => index !== least)
}

const sum = (frames: ReadonlyArray<Frame>, of: (frame: Frame) => number): number =>
  frames.reduce((total, frame) => total + of(frame), 0)

const SMALL_CONTEXT = 32_000
const SMALL_CONTEXT_PX = 768
const SMALL_CONTEXT_FRAMES = 8
const STEPS = [1024, 768, 640]
