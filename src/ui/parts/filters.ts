import { html, nothing } from "lit/html.js"
import type { Facets } from "../api/figures.ts"
import { facets } from "../controllers/data.ts"
import { go, query } from "../controllers/place.ts"
import { compact } from "../format/count.ts"
import { titled } from "../model/columns.ts"
import { GROUPS, toggled } from "../model/query.ts"
import type { FilterName } from "../model/query.ts"

/** Everything the list can be narrowed by: each filter's values, how many requests each would leave, what is chosen. */
export const filterList = (isBare: boolean) => {
  const { value } = facets
  return html`<aside class="side" aria-label="Filters">
    <h2>Filters</h2>
    ${!value || isBare ? "" : GROUPS.map((group) => facet(group, value))}
    ${value?.is_partial ? html`<p class="muted">Counts are of the newest requests that match.</p>` : ""}
  </aside>`
}

const facet = ([name, label = titled(name), words = {}, fixed]: Group, { facets }: Facets) => {
  const { filters } = query
  const chosen = filters[name] ?? []
  const counts = new Map(facets[name]?.map(({ count, value }) => [value, count]))
  const all = Array.from(new Set([...(fixed ?? counts.keys()), ...chosen]))
  // Where nobody has any, there is nothing to choose.
  if (all.every((value) => value === NONE)) return nothing
  const first = all.filter((value, at) => at < FEW || chosen.includes(value))
  const more = all.filter((value) => !first.includes(value))
  const line = (value: string) => {
    const text = words[value] ?? (value === NONE ? "none" : value)
    return html`<li>
      <label class="row" title=${text}>
        <input
          type="checkbox"
          .checked=${chosen.includes(value)}
          @change=${() => go({ filters: toggled(filters, name, value) })}
        />
        <span class="cut ${value === NONE ? "none" : ""}">${text}</span>
        <span class="muted">${compact(counts.get(value))}</span>
      </label>
    </li>`
  }
  return html`<details ?open=${OPEN.has(name) || chosen.length > 0}>
    <summary>
      ${label}${chosen.length > 0 ? html` <span class="count">${chosen.length}</span>` : nothing}
    </summary>
    <ul>
      ${first.map(line)}
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
type Group = readonly [FilterName, string?, { readonly [value: string]: string }?, ReadonlyArray<string>?]

const NONE = "(none)"
/** Values that are shown before somebody asks for more. */
const FEW = 6
const OPEN: ReadonlySet<FilterName> = new Set(["status", "model", "media", "source"])
