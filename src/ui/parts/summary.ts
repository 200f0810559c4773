import { html } from "lit/html.js"
import type { App } from "../app.ts"
import type { Change } from "../model/change.ts"
import { figuresOf } from "../model/summary.ts"
import { later } from "../soon.ts"

/** What the range comes to, each figure beside what it was before; the live feed knows sooner what is in flight. */
export const summary = ({ data: { stats }, fetch, live }: App) =>
  html`<percept-summary @pointerenter=${fetch}
    ><dl>
      ${figuresOf(stats.value?.totals, stats.value?.previous, live.count).map(
        ({ change, isGoodUp, label, note, value }) =>
          html`<div>
            <dt>${label}</dt>
            <dd class="value" title=${later?.exactOf(label, stats.value?.totals) ?? ""}>${value || "–"}</dd>
            <dd class="note">${note ?? changed(change, isGoodUp)}</dd>
          </div>`
      )}
    </dl></percept-summary
  >`

const changed = (change: Change | undefined, isGoodUp: boolean | undefined) => {
  if (!change) return "\u00a0"
  const { by, way } = change
  if (way === "same") return "as before"
  const isUp = way === "up"
  const colour = isGoodUp === undefined ? "" : isUp === isGoodUp ? "good" : "bad"
  return html`<span class=${colour} title="Against the same time before"
    ><span aria-hidden="true">${isUp ? "▲" : "▼"}</span><span class="hidden">${way}</span> ${by}</span
  >`
}
