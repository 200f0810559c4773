import type { MediaFailure } from "../../../domain/Errors.ts"

/** Pixels decoded at most: about 5000 pictures of 1280x720 to have seen every part at all, 1600 for details. */
export const COVERAGE = 5000 * 1280 * 720
export const DETAIL = 1600 * 1280 * 720

/** What a picture costs at least, however small it is. */
export const costOf = (pixels: number): number => Math.max(pixels, 300_000)

/** Files read side by side in one run: each has a decoder of its own, with pictures in memory. */
export const filesPerRun = (pixels: number): number =>
  Math.max(1, Math.min(8, Math.floor(16_000_000 / pixels)))

export const inGroups = <A>(all: ReadonlyArray<A>, size: number): ReadonlyArray<ReadonlyArray<A>> =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, group) =>
    all.slice(group * size, (group + 1) * size)
  )

/** Whether it is the file's fault: then there may be another way to look at it. */
export const isBroken = ({ code }: MediaFailure): boolean => code === "broken"
