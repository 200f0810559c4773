import { LitElement, html, svg } from "lit"
import type { PropertyValues, SVGTemplateResult } from "lit"
import type { Series } from "../api/figures.ts"
import { ChangeQuery } from "../events.ts"
import { NO_BRUSH, chosenBy, pressed } from "./brush.ts"
import type { Brush } from "./brush.ts"
import type { Chart } from "./chart.ts"
import { MoveCursor, PickMark } from "./events.ts"
import { BASE, HEIGHT, LEFT, TOP, picture, pictureStyles, stepOf } from "./picture.ts"
import { partAt, short } from "./scale.ts"
import { endOf, spanOf } from "./times.ts"

/** A chart with a cursor over its buckets, and a stretch of time that can be chosen, by pointer and by keys. */
class Plot extends LitElement {
  static override properties = {
    chart: { attribute: false },
    series: { attribute: false },
    utc: { attribute: false },
    cursor: { attribute: false },
    width: { state: true },
    brush: { state: true }
  }
  declare chart: Chart
  declare series: Series
  declare utc: boolean
  /** The bucket that is looked at in this chart or the ones beside it. */
  declare cursor: number | undefined
  declare width: number
  declare brush: Brush
  private still: SVGTemplateResult | undefined
  private readonly watcher = new ResizeObserver(([entry]) => {
    this.width = Math.round(entry?.contentRect.width ?? 0)
  })

  constructor() {
    super()
    this.width = 0
    this.brush = NO_BRUSH
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.watcher.observe(this)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.watcher.disconnect()
  }

  /** What does not depend on the cursor is drawn once. */
  override willUpdate(changes: PropertyValues): void {
    const { chart, series, utc, width } = this
    if (["chart", "series", "utc", "width"].some((name) => changes.has(name)))
      this.still = picture(chart, series, width, utc)
  }

  override render() {
    const { brush, chart, cursor, series, utc } = this
    const last = Math.max(0, this.last)
    const at = Math.min(cursor ?? last, last)
    const [from, to] = chosenBy(brush) ?? [at, at]
    return html`<div
      role="slider"
      tabindex="0"
      aria-label="${chart.name} over time"
      aria-valuemin="0"
      aria-valuemax=${last}
      aria-valuenow=${at}
      aria-valuetext="${spanOf(series, from, to, utc)}: ${from < to ? "Enter shows it alone" : chart.describe(at)}"
      @keydown=${this.onKey}
      @blur=${this.drop}
      @pointerdown=${this.onPointer}
      @pointermove=${this.onPointer}
      @pointerup=${this.onPointer}
      @pointerleave=${this.onPointer}
      @pointercancel=${this.drop}
    >
      <svg width=${this.width} height=${HEIGHT} aria-hidden="true">
        ${this.still} ${cursor === undefined ? "" : this.shade("cursor", at, at)}
        ${from < to ? this.shade("choice", from, to) : ""}
      </svg>
    </div>`
  }

  private get last(): number {
    return this.series.buckets.length - 1
  }

  private shade(name: string, from: number, to: number) {
    const step = stepOf(this.series, this.width)
    return svg`<rect class=${name} x=${short(LEFT + from * step)} y=${TOP}
      width=${short(Math.max((to - from + 1) * step, 1))} height=${BASE - TOP} />`
  }

  private move(at: number | undefined): void {
    if (at !== this.cursor) this.dispatchEvent(new MoveCursor(at))
  }

  private readonly drop = (): void => {
    this.brush = NO_BRUSH
    this.move(undefined)
  }

  /** Shows the stretch of time that is chosen, and nothing else. */
  private take([from, to]: readonly [number, number]): void {
    this.drop()
    const [first, last] = [this.series.buckets[from], endOf(this.series, to)]
    if (first === undefined || last === undefined) return
    this.dispatchEvent(
      new ChangeQuery({ range: "custom", from: first.start, to: new Date(last).toISOString() })
    )
  }

  private readonly onKey = (event: KeyboardEvent): void => {
    const brush = { ...this.brush, cursor: this.cursor }
    const next = pressed(brush, event, this.last)
    if (next === undefined) return
    event.preventDefault()
    event.stopPropagation()
    if (next === "drop") this.drop()
    else if (next === "take") this.take(chosenBy(brush) ?? [brush.cursor ?? 0, brush.cursor ?? 0])
    else {
      this.brush = next
      this.move(next.cursor)
    }
  }

  private readonly onPointer = (event: PointerEvent): void => {
    const { buttons, clientX, clientY, currentTarget, pointerId, type } = event
    const isDown = (buttons & 1) === 1
    const { anchor, head } = this.brush
    const place = clientX - this.getBoundingClientRect().left - LEFT
    const at = partAt(place, this.width - LEFT, this.last + 1)
    if (type === "pointerleave") {
      if (!isDown) this.drop()
    } else if (type === "pointerup") {
      const chosen = chosenBy(this.brush)
      if (chosen !== undefined && chosen[0] < chosen[1]) return this.take(chosen)
      this.brush = NO_BRUSH
      const mark = this.shadowRoot?.elementFromPoint(clientX, clientY)?.getAttribute("data-mark")
      if (mark) this.dispatchEvent(new PickMark(mark))
    } else if (type === "pointerdown" && isDown) {
      if (currentTarget instanceof Element) currentTarget.setPointerCapture(pointerId)
      this.brush = { ...NO_BRUSH, anchor: at }
    } else {
      if (isDown && anchor !== undefined && head !== at) this.brush = { ...NO_BRUSH, anchor, head: at }
      this.move(at)
    }
  }

  static override styles = pictureStyles
}

customElements.define("percept-plot", Plot)
