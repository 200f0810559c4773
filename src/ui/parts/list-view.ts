import { html } from "lit/html.js"
import type { App } from "../app.ts"
import { isNarrowed } from "../model/query.ts"
import { later } from "../soon.ts"
import "./charts.ts"
import { errorBanner } from "./error-banner.ts"
import { errorSummary } from "./error-groups.ts"
import { filterList } from "./filters.ts"
import { inFlight } from "./in-flight.ts"
import { pager } from "./pager.ts"
import { summary } from "./summary.ts"
import "./table.ts"
import { toolbar } from "./toolbar.ts"

/** Filters beside the list, and above it what it comes to. */
export const listView = (app: App) => {
  const { data, query } = app
  const isBare = data.bare.value === true && !isNarrowed(query)
  return html`${filterList(app, isBare)}
    <main tabindex="-1">
      ${toolbar(app)} ${data.rows.error && errorBanner(app, data.rows.error)} ${inFlight(app)}
      ${
        isBare
          ? html`<percept-first-run></percept-first-run>`
          : html`${summary(app)}
              <percept-charts
                .series=${data.series.value}
                .filters=${query.filters}
                .utc=${query.utc}
                .fetch=${app.fetch}
              ></percept-charts>
              ${errorSummary(app)} ${list(app)}`
      }
    </main>`
}

const list = (app: App) => {
  const { pending, value } = app.data.rows
  if (!value) return html`<div class="pending" aria-busy="true"></div>`
  if (value.items.length === 0 && !app.query.cursor) return later?.empty(app)
  return html`<div>
    <percept-table .rows=${value.items} .query=${app.query} .isBusy=${pending}></percept-table>
    ${pager(app, value)}
  </div>`
}
