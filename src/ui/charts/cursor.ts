import type { Series } from "../api/figures.ts"
import { draw } from "../drawing.ts"
import type { Chart } from "./chart.ts"

/** Which bucket is looked at, and between which two some are being chosen. */
export interface Brush {
  readonly cursor?: number | undefined
  readonly anchor?: number | undefined
  readonly head?: number | undefined
}

/** A chart with a cursor over its buckets, and a stretch of time that can be chosen, by pointer and by keys. */
export interface Plot {
  chart: Chart
  series: Series
  utc: boolean
  brush: Brush
  width: number
  /** A mark is clicked, such as the failed part of a bar. */
  readonly pick: (mark: string) => void
  /** What does not depend on the cursor is drawn once. */
  still?: unknown
}

/** The bucket that is looked at in one of the charts, and so in all. */
export let cursor: number | undefined

/** Another bucket is looked at, or none. */
export const move = (bucket: number | undefined): void => {
  cursor = bucket
  draw()
}

export const lastOf = ({ series }: Plot): number => series.buckets.length - 1
