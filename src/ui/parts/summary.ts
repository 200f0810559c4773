import { LitElement, css, html } from "lit"
import type { Stats } from "../api/figures.ts"
import type { Change } from "../model/change.ts"
import { figuresOf } from "../model/summary.ts"
import { shared } from "../styles/shared.ts"

/** What the range comes to, in a line of figures, each beside what it was in the range before. */
class Summary extends LitElement {
  static override properties = { stats: { attribute: false }, inFlight: { attribute: false } }
  declare stats: Stats | undefined
  /** As the live feed knows it, which is sooner than the statistics do. */
  declare inFlight: number | undefined

  override render() {
    const { previous, totals } = this.stats ?? {}
    return html`<dl>
      ${figuresOf(totals, previous, this.inFlight).map(
        ({ change, exact, isGoodUp, label, note, value }) =>
          html`<div>
            <dt>${label}</dt>
            <dd class="value" title=${exact ?? ""}>${value === "" ? "–" : value}</dd>
            <dd class="note">${note ?? changed(change, isGoodUp)}</dd>
          </div>`
      )}
    </dl>`
  }

  static override styles = [
    shared,
    css`
      :host {
        display: block;
      }
      dl {
        display: flex;
        flex-wrap: wrap;
        gap: 1px;
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--line);
        overflow: hidden;
      }
      dl > div {
        flex: 1 0 92px;
        height: 66px;
        padding: var(--space-2) var(--space-3) 0;
        background: var(--surface);
        white-space: nowrap;
      }
      dt,
      .note {
        font-size: var(--small);
        color: var(--muted);
        overflow: hidden;
        text-overflow: ellipsis;
      }
      dt {
        line-height: 16px;
      }
      .value {
        font-size: 1.3rem;
        font-weight: 600;
        line-height: 24px;
      }
      .note {
        line-height: 15px;
      }
      .good {
        color: var(--ok);
      }
      .bad {
        color: var(--err);
      }
    `
  ]
}

const changed = (change: Change | undefined, isGoodUp: boolean | undefined) => {
  if (change === undefined) return "\u00a0"
  const { by, way } = change
  if (way === "same") return "as before"
  const colour = isGoodUp === undefined ? "" : (way === "up") === isGoodUp ? "good" : "bad"
  return html`<span class=${colour} title="Against the same time before"
    ><span aria-hidden="true">${way === "up" ? "▲" : "▼"}</span><span class="hidden">${way}</span> ${by}</span
  >`
}

customElements.define("percept-summary", Summary)
