import { html, nothing } from "lit/html.js"
import type { Facets, FacetValue } from "../api/figures.ts"
import type { App } from "../app.ts"
import { compact } from "../format/count.ts"
import { toggled } from "../model/query.ts"
import type { FilterName } from "../model/query.ts"

/** Everything the list can be narrowed by: each filter's values, how many requests each would leave, what is chosen. */
export const filterList = (app: App, isBare: boolean) => {
  const { value } = app.data.facets
  return html`<aside class="side" aria-label="Filters">
    <h2>Filters</h2>
    ${!value || isBare ? "" : GROUPS.map((group) => facet(group, value, app))}
    ${value?.is_partial ? html`<p class="muted">Counts are of the newest requests that match.</p>` : ""}
  </aside>`
}

const facet = (
  [name, label, words = {}, fixed]: Group,
  { facets }: Facets,
  { go, query: { filters } }: App
) => {
  const chosen = filters[name] ?? []
  const counted: ReadonlyArray<FacetValue> = fixed?.map((value) => ({ value })) ?? facets[name] ?? []
  const missing = chosen.filter((value) => !counted.some((one) => one.value === value))
  const all = [...counted, ...missing.map((value): FacetValue => ({ value }))]
  // Where nobody has any, there is nothing to choose.
  if (all.every(({ value }) => value === NONE)) return nothing
  const isFirst = ({ value }: FacetValue, at: number) => at < FEW || chosen.includes(value)
  const more = all.filter((one, at) => !isFirst(one, at))
  const line = ({ count, value }: FacetValue) => {
    const text = words[value] ?? (value === NONE ? "none" : value)
    return html`<li>
      <label title=${text}>
        <input
          type="checkbox"
          .checked=${chosen.includes(value)}
          @change=${() => go({ filters: toggled(filters, name, value) })}
        />
        <span class="cut ${value === NONE ? "none" : ""}">${text}</span>
        <span class="muted">${compact(count)}</span>
      </label>
    </li>`
  }
  return html`<details ?open=${OPEN.has(name) || chosen.length > 0}>
    <summary>${label}${chosen.length > 0 ? html` <b>${chosen.length}</b>` : nothing}</summary>
    <ul>
      ${all.filter(isFirst).map(line)}
    </ul>
    ${
      more.length > 0
        ? html`<details class="more">
            <summary>${more.length} more</summary>
            <ul>
              ${more.map(line)}
            </ul>
          </details>`
        : nothing
    }
  </details>`
}

/** A name, its label, other words for some values, and values that nobody counts. */
type Group = readonly [FilterName, string, { readonly [value: string]: string }?, ReadonlyArray<string>?]

const NONE = "(none)"
/** Values that are shown before somebody asks for more. */
const FEW = 6
const OPEN: ReadonlySet<FilterName> = new Set(["status", "model", "media", "source"])
const GROUPS: ReadonlyArray<Group> = [
  ["status", "Status", { [NONE]: "no answer" }],
  ["model", "Model"],
  ["routed", "Routed to"],
  ["media", "Media"],
  ["cache", "Media memory", { hit: "remembered", miss: "new" }, ["hit", "miss"]],
  ["source", "Error source", { [NONE]: "no error" }],
  ["state", "Outcome"],
  ["endpoint", "Endpoint"],
  ["provider", "Provider"],
  ["key", "Key"],
  ["stream", "Streaming", { true: "streamed", false: "in one piece" }],
  ["kind", "Kind", { main: "requests" }, ["main", "describe", "transcribe"]],
  ["ip", "Client address", {}, []]
]
