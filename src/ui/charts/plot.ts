import { html, svg } from "lit/html.js"
import { draw } from "../drawing.ts"
import { actOn, valueText } from "./acts.ts"
import { cursor, lastOf } from "./cursor.ts"
import type { Plot } from "./cursor.ts"
import { BASE, HEIGHT, LEFT, TOP, picture, stepOf } from "./picture.ts"
import { short } from "./scale.ts"

export const plotView = (plot: Plot) => {
  const { brush, chart, series, utc, width } = plot
  plot.still ??= picture(chart, series, width, utc)
  const last = lastOf(plot)
  const at = Math.min(cursor ?? last, last)
  const { anchor = at, head = anchor } = brush
  const step = stepOf(series, width)
  const shade = (name: string, from: number, to: number) =>
    svg`<rect class=${name} x=${short(LEFT + from * step)} y=${TOP}
      width=${short(Math.max((to - from + 1) * step, 1))} height=${BASE - TOP} />`
  const act = (event: Event) => actOn(plot, event)
  return html`<percept-plot .plot=${plot}>
    <div
      role="slider"
      tabindex="0"
      aria-label="${chart.name} over time"
      aria-valuemin="0"
      aria-valuemax=${Math.max(0, last)}
      aria-valuenow=${Math.max(0, at)}
      aria-valuetext=${valueText(plot, at)}
      @focus=${act}
      @keydown=${act}
      @blur=${act}
      @pointerdown=${act}
      @pointermove=${act}
      @pointerup=${act}
      @pointerleave=${act}
      @pointercancel=${act}
    >
      <svg width=${width} height=${HEIGHT} aria-hidden="true">
        ${plot.still} ${cursor === undefined ? "" : shade("cursor", at, at)}
        ${anchor === head ? "" : shade("choice", Math.min(anchor, head), Math.max(anchor, head))}
      </svg>
    </div>
  </percept-plot>`
}

/** As wide as there is room. */
class Room extends HTMLElement {
  declare plot: Plot

  constructor() {
    super()
    new ResizeObserver(() => {
      this.plot.width = this.clientWidth
      this.plot.still = undefined
      draw()
    }).observe(this)
  }
}

customElements.define("percept-plot", Room)
