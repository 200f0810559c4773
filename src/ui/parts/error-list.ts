import { html } from "lit/html.js"
import type { ErrorGroup, ErrorGroups } from "../api/figures.ts"
import { go, query } from "../controllers/place.ts"
import { count } from "../format/count.ts"
import { clock, full } from "../format/time.ts"
import type { FilterName, Filters } from "../model/query.ts"
import { icon } from "./icon.ts"

/** Failures that are alike, the commonest first: a click shows the requests of a group, or its newest one. */
export const errorList = ({ groups, total_groups }: ErrorGroups) => {
  const most = Math.max(1, ...groups.map(({ count }) => count))
  const lines = groups.map((group) => line(group, most))
  const rarer = total_groups - groups.length
  return html`<percept-error-list>
    <ul>
      ${lines.slice(0, FIRST)}
    </ul>
    ${
      lines.length > FIRST
        ? html`<details>
            <summary>${lines.length - FIRST} more</summary>
            <ul>
              ${lines.slice(FIRST)}
            </ul>
            ${rarer > 0 ? html`<p class="muted">and ${count(rarer)} rarer kinds</p>` : ""}
          </details>`
        : ""
    }
  </percept-error-list>`
}

const line = (group: ErrorGroup, most: number) => {
  const { count: times, endpoint, last, model, models, newest, provider, source, state, status } = group
  const { utc } = query
  const own = filtersOf(group)
  const isChosen = Object.entries(own).every(
    ([name, [value]]) => String(query.filters[name as FilterName]) === value
  )
  const choose = () => {
    const others = Object.entries(query.filters).filter(([name]) => !(name in own))
    go({ filters: { ...Object.fromEntries(others), ...(!isChosen && own) } })
  }
  return html`<li>
    <button
      class="plain group"
      aria-pressed=${isChosen}
      title="Show ${isChosen ? "all" : "these"} requests"
      @click=${choose}
    >
      <span class="times">${count(times)}</span>
      <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
        <rect width=${Math.max(2, (times / most) * 100)} height="4" rx="2" />
      </svg>
      <span class="error">${status ?? state}</span>
      <span class="source">${source ?? "–"}</span>
      <span class="what"
        ><span class="cut">${newest?.error_message ?? "no message"}</span
        ><span class="cut muted small"
          >${[endpoint, provider, models > 1 ? `${models} models` : model].filter(Boolean).join(" · ")}</span
        ></span
      >
    </button>
    ${
      newest
        ? html`<button
            class="plain muted small"
            title="The newest of them, ${full(last, utc)}"
            @click=${() => go({ selected: newest.internal_request_id })}
          >
            <span class="hidden">newest:</span>${clock(last, utc)}${icon("right")}
          </button>`
        : html`<span class="muted" title=${full(last, utc)}>${clock(last, utc)}</span>`
    }
  </li>`
}

const filtersOf = ({ endpoint, provider, source, state, status }: ErrorGroup) =>
  ({
    state: [state],
    endpoint: [endpoint],
    source: [source ?? NONE],
    provider: [provider ?? NONE],
    status: [String(status ?? NONE)]
  }) satisfies Filters

const NONE = "(none)"
const FIRST = 5
