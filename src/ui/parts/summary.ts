import { html } from "lit/html.js"
import { stats } from "../controllers/data.ts"
import { underWay } from "../controllers/page.ts"
import type { Change } from "../model/change.ts"
import { figuresOf } from "../model/summary.ts"

/** What the range comes to, each figure beside what it was before; the live feed knows sooner what is in flight. */
export const summary = () =>
  html`<percept-summary
    ><dl class="box">
      ${figuresOf(stats.value?.totals, stats.value?.previous, underWay()).map(
        ({ change, exact, isGoodUp, label, note, value }) =>
          html`<div>
            <dt class="muted small">${label}</dt>
            <dd class="value" title=${exact ?? ""}>${value || "–"}</dd>
            <dd class="muted small">${note ?? changed(change, isGoodUp)}</dd>
          </div>`
      )}
    </dl></percept-summary
  >`

const changed = (change: Change | undefined, isGoodUp: boolean | undefined) => {
  if (!change) return "\u00a0"
  const { by, way } = change
  if (way === "same") return "as before"
  const isUp = way === "up"
  const colour = isGoodUp === undefined ? "" : isUp === isGoodUp ? "ok" : "err"
  return html`<span class=${colour} title="Against the same time before"
    ><span aria-hidden="true">${isUp ? "▲" : "▼"}</span><span class="hidden">${way}</span> ${by}</span
  >`
}
