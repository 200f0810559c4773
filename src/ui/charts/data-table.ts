import { html } from "lit/html.js"
import type { Series } from "../api/figures.ts"
import { query } from "../controllers/place.ts"
import { table } from "../drawer/table.ts"
import { count } from "../format/count.ts"
import { duration } from "../format/duration.ts"
import { money } from "../format/money.ts"
import { full } from "../format/time.ts"
import { isInUtc } from "./times.ts"

/** The same as the charts in numbers, the newest first; what nothing happened in is left out. */
export const dataTable = (series: Series) => {
  const utc = isInUtc(series, query.utc)
  const rows = series.buckets
    .filter(({ cost_usd, requests }) => requests > 0 || Number(cost_usd) > 0)
    .map(({ cancelled, cost_usd, errors, p50_ms, p95_ms, requests, start }) => [
      full(start, utc).slice(0, 16).replace("T", " "),
      count(requests),
      count(errors),
      count(cancelled),
      money(cost_usd),
      duration(p50_ms) || "–",
      duration(p95_ms) || "–"
    ])
  return html`<percept-data-table class="box" tabindex="0" role="region" aria-label="Numbers over time">
    ${table(["From", "Requests", "Failed", "Cancelled", "Cost", "p50", "p95"], rows.toReversed(), 6)}
  </percept-data-table>`
}
