import { html } from "lit/html.js"
import { bare, rows } from "../controllers/data.ts"
import { later } from "../soon.ts"
import { query } from "../controllers/place.ts"
import { isNarrowed } from "../model/query.ts"
import { charts } from "./charts.ts"
import { errorBanner } from "./error-banner.ts"
import { errorSummary } from "./error-groups.ts"
import { filterList } from "./filters.ts"
import { inFlight } from "./in-flight.ts"
import { pager } from "./pager.ts"
import { summary } from "./summary.ts"
import { table } from "./table.ts"
import { toolbar } from "./toolbar.ts"

/** Filters beside the list, and above it what it comes to. */
export const listView = () => {
  const isBare = bare.value === true && !isNarrowed(query)
  return html`${filterList(isBare)}
    <main tabindex="-1">
      ${toolbar()} ${rows.error && errorBanner(rows.error)} ${inFlight()}
      ${isBare ? later?.firstRun() : html`${summary()} ${charts()} ${errorSummary()} ${list()}`}
    </main>`
}

const list = () => {
  const { pending, value } = rows
  if (!value) return html`<div class="pending" aria-busy="true"></div>`
  if (value.items.length === 0 && !query.cursor) return later?.empty()
  return html`<div>${table(value.items, pending)} ${pager(value)}</div>`
}
