import { html, svg } from "lit/html.js"
import type { SVGTemplateResult } from "lit/html.js"
import type { Series } from "../api/figures.ts"
import { Component, define } from "../element.ts"
import type { Changes } from "../element.ts"
import { fetchLater, later } from "../soon.ts"
import { plots } from "../styles/figures.ts"
import { shared } from "../styles/shared.ts"
import type { Chart } from "./chart.ts"
import { BASE, HEIGHT, LEFT, TOP, picture, stepOf } from "./picture.ts"
import { short } from "./scale.ts"

/** Which bucket is looked at, and between which two some are being chosen. */
export interface Brush {
  readonly cursor?: number | undefined
  readonly anchor?: number | undefined
  readonly head?: number | undefined
}

/** A chart with a cursor over its buckets, and a stretch of time that can be chosen, by pointer and by keys. */
export class Plot extends Component {
  declare chart: Chart
  declare series: Series
  declare utc: boolean
  /** The bucket that is looked at in this chart or the ones beside it. */
  declare cursor: number | undefined
  /** Another bucket is looked at, or none. */
  declare move: (bucket: number | undefined) => void
  /** A mark is clicked, such as the failed part of a bar. */
  declare pick: (mark: string) => void
  declare width: number
  declare brush: Brush
  protected override readonly styles = [shared, plots]
  private still: SVGTemplateResult | undefined

  constructor() {
    super()
    this.width = 0
    this.brush = {}
    new ResizeObserver(() => (this.width = this.clientWidth)).observe(this)
  }

  /** What does not depend on the cursor is drawn once. */
  protected override willUpdate(changes: Changes): void {
    const { chart, series, utc, width } = this
    if (["chart", "utc", "width"].some((name) => changes.has(name)))
      this.still = picture(chart, series, width, utc)
  }

  protected override render() {
    const { act, brush, chart, cursor, last } = this
    const at = Math.min(cursor ?? last, last)
    const { anchor = at, head = anchor } = brush
    return html`<div
      role="slider"
      tabindex="0"
      aria-label="${chart.name} over time"
      aria-valuemin="0"
      aria-valuemax=${Math.max(0, last)}
      aria-valuenow=${Math.max(0, at)}
      aria-valuetext=${later?.valueText(this, at) ?? ""}
      @focus=${act}
      @keydown=${act}
      @blur=${act}
      @pointerdown=${act}
      @pointermove=${act}
      @pointerup=${act}
      @pointerleave=${act}
      @pointercancel=${act}
    >
      <svg width=${this.width} height=${HEIGHT} aria-hidden="true">
        ${this.still} ${cursor === undefined ? "" : this.shade("cursor", at, at)}
        ${anchor === head ? "" : this.shade("choice", Math.min(anchor, head), Math.max(anchor, head))}
      </svg>
    </div>`
  }

  get last(): number {
    return this.series.buckets.length - 1
  }

  private shade(name: string, from: number, to: number) {
    const step = stepOf(this.series, this.width)
    return svg`<rect class=${name} x=${short(LEFT + from * step)} y=${TOP}
      width=${short(Math.max((to - from + 1) * step, 1))} height=${BASE - TOP} />`
  }

  /** What pointers and keys do is not needed before there is one. */
  private readonly act = (event: Event): void => {
    if (later) later.actOn(this, event)
    else void fetchLater().then((there) => there?.actOn(this, event))
  }
}

define("percept-plot", Plot, "chart", "series", "utc", "cursor", "width", "brush")
