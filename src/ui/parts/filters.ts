import { css, html, nothing } from "lit"
import type { Facets, FacetValue } from "../api/facets.ts"
import type { Go } from "../events.ts"
import { compact } from "../format/count.ts"
import { toggled } from "../model/query.ts"
import type { FilterName, Filters } from "../model/query.ts"

/** Everything the list can be narrowed by: each filter's values, how many requests each would leave, what is chosen. */
export const filterList = (facets: Facets | undefined, filters: Filters, go: Go) =>
  html`<aside class="side" aria-label="Filters">
    <h2>Filters</h2>
    ${facets === undefined ? nothing : GROUPS.map((group) => facet(group, facets, filters, go))}
    ${facets?.isPartial ? html`<p class="muted">Counts are of the newest requests that match.</p>` : nothing}
  </aside>`

const facet = ([name, label, words = {}, fixed]: Group, facets: Facets, filters: Filters, go: Go) => {
  const chosen = filters[name] ?? []
  const counted = fixed?.map((value) => ({ value, count: undefined })) ?? facets.values[name] ?? []
  const missing = chosen.filter((value) => !counted.some((one) => one.value === value))
  const all: ReadonlyArray<FacetValue> = [
    ...counted,
    ...missing.map((value) => ({ value, count: undefined }))
  ]
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
      more.length === 0
        ? nothing
        : html`<details class="more">
            <summary>${more.length} more</summary>
            <ul>
              ${more.map(line)}
            </ul>
          </details>`
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

export const filterStyles = css`
  .side {
    position: sticky;
    top: 49px;
    height: calc(100vh - 49px);
    overflow-y: auto;
    padding: var(--space-3) var(--space-3) var(--space-5) var(--space-4);
    border-right: 1px solid var(--line);
  }
  .side details {
    border-bottom: 1px solid var(--line);
  }
  .side summary {
    padding: 7px 0;
    font-weight: 600;
    cursor: pointer;
    list-style: none;
  }
  .side summary::before {
    content: "";
    display: inline-block;
    width: 5px;
    height: 5px;
    margin: 0 8px 2px 2px;
    border: solid var(--muted);
    border-width: 0 1.5px 1.5px 0;
    rotate: -45deg;
  }
  .side [open] > summary::before {
    rotate: 45deg;
  }
  .side b {
    padding: 0 6px;
    border-radius: 9px;
    background: var(--chosen);
    color: var(--accent);
  }
  .side ul {
    padding-bottom: var(--space-2);
  }
  .side .more {
    border: 0;
  }
  .side .more summary {
    padding-top: 0;
    font-weight: 400;
    color: var(--accent);
  }
  .side label {
    display: flex;
    align-items: center;
    gap: 6px;
    min-height: 24px;
    border-radius: 4px;
  }
  .side label:hover {
    background: var(--hover);
  }
  .side label .cut {
    flex: 1;
  }
  input[type="checkbox"] {
    flex: none;
    margin: 0;
  }
  .none {
    font-style: italic;
  }
`
