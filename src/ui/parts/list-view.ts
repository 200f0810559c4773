import { html, nothing } from "lit"
import type { LiveFeed } from "../controllers/live-feed.ts"
import type { PageData } from "../controllers/page-data.ts"
import { isNarrowed } from "../model/query.ts"
import type { Query } from "../model/query.ts"
import { empty } from "./empty.ts"
import { errorBanner } from "./error-banner.ts"
import { filterList } from "./filters.ts"
import { pager } from "./pager.ts"
import { toolbar } from "./toolbar.ts"
import type { Tools } from "./toolbar.ts"
import "./charts.ts"
import "./error-groups.ts"
import "./in-flight.ts"
import "./live-pill.ts"
import "./summary.ts"
import "./table.ts"

/** Filters beside the list, and above it what it comes to. */
export const listView = (
  data: PageData,
  live: LiveFeed,
  query: Query,
  pause: string | undefined,
  tools: Tools
) => {
  const { filters, selected, tail, utc } = query
  const { bare, error, errors, facets, series, stats, waiting } = data
  const pill = html`<percept-live-pill
    .state=${live.state}
    .tail=${tail}
    .fresh=${waiting}
    .paused=${pause}
  ></percept-live-pill>`
  const isBare = bare.value === true && !isNarrowed(query)
  return html`${filterList(isBare ? undefined : facets.value, filters, tools.go)}
    <main tabindex="-1">
      ${toolbar(query, data, tools, pill)}
      ${error === undefined ? nothing : errorBanner(error, () => data.loadAll())}
      <percept-in-flight .requests=${live.ongoing} .selected=${selected}></percept-in-flight>
      ${
        isBare
          ? html`<percept-first-run></percept-first-run>`
          : html`<percept-summary .stats=${stats.value} .inFlight=${live.count}></percept-summary>
              <percept-charts .series=${series.value} .filters=${filters} .utc=${utc}></percept-charts>
              <percept-error-groups
                .groups=${errors.value}
                .filters=${filters}
                .utc=${utc}
              ></percept-error-groups>
              ${list(data, query, tools)}`
      }
    </main>`
}

const list = ({ rows: { pending, value } }: PageData, query: Query, { go }: Tools) => {
  if (value === undefined) return html`<div class="pending" aria-busy="true"></div>`
  if (value.items.length === 0 && query.cursor === undefined) return empty(query, go)
  return html`<div>
    <percept-table .rows=${value.items} .query=${query} .isBusy=${pending}></percept-table>
    ${pager(value, query, go)}
  </div>`
}
