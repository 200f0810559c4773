import { html } from "lit/html.js"
import type { Series } from "../api/figures.ts"
import { Component, css, define } from "../element.ts"
import { count } from "../format/count.ts"
import { duration } from "../format/duration.ts"
import { money } from "../format/money.ts"
import { full } from "../format/time.ts"
import { shared } from "../styles/shared.ts"
import { isInUtc } from "./times.ts"

/** The same as the charts in numbers, the newest first; what nothing happened in is left out. */
class DataTable extends Component {
  declare series: Series
  declare utc: boolean

  protected override render() {
    const utc = isInUtc(this.series, this.utc)
    const buckets = this.series.buckets.filter(
      ({ cost_usd, requests }) => requests > 0 || Number(cost_usd) > 0
    )
    return html`<div tabindex="0" role="region" aria-label="Numbers over time">
      <table>
        <thead>
          <tr>
            ${HEADS.map((head) => html`<th scope="col">${head}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${buckets.toReversed().map(
            ({ cancelled, cost_usd, errors, p50_ms, p95_ms, requests, start }) =>
              html`<tr>
                <th scope="row">${full(start, utc).slice(0, 16).replace("T", " ")}</th>
                <td>${count(requests)}</td>
                <td>${count(errors)}</td>
                <td>${count(cancelled)}</td>
                <td>${money(cost_usd)}</td>
                <td>${duration(p50_ms) || "–"}</td>
                <td>${duration(p95_ms) || "–"}</td>
              </tr>`
          )}
        </tbody>
      </table>
    </div>`
  }

  protected override readonly styles = [
    shared,
    css`
      div {
        max-height: 260px;
        overflow: auto;
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--surface);
      }
      table {
        width: 100%;
        border-collapse: collapse;
        text-align: right;
      }
      th,
      td {
        padding: 3px var(--space-3);
        font-weight: inherit;
        white-space: nowrap;
      }
      th:first-child {
        text-align: left;
      }
      thead th {
        position: sticky;
        top: 0;
        background: var(--sunken);
        color: var(--muted);
      }
    `
  ]
}

const HEADS = ["From", "Requests", "Failed", "Cancelled", "Cost", "p50", "p95"]

define("percept-data-table", DataTable, "series", "utc")
