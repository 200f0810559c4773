import type { SVGTemplateResult } from "lit/html.js"

/** What a plot shows: how high it is, and how its marks are drawn and read out. */
export interface Chart {
  readonly name: string
  /** Of the axis from below, the first being nothing. */
  readonly ticks: ReadonlyArray<number>
  readonly label: (tick: number) => string
  readonly draw: (place: Places) => SVGTemplateResult
}

/** Where things are, in pixels. */
export interface Places {
  /** The left edge of a bucket. */
  readonly x: (bucket: number) => number
  readonly y: (value: number) => number
  /** How wide a mark is. */
  readonly width: number
}
