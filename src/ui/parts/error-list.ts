import { html } from "lit/html.js"
import type { ErrorGroup, ErrorGroups } from "../api/figures.ts"
import { Component, define } from "../element.ts"
import { wish } from "../events.ts"
import { count } from "../format/count.ts"
import { clock, full } from "../format/time.ts"
import type { FilterName, Filters } from "../model/query.ts"
import { shared } from "../styles/shared.ts"
import { errorListStyles } from "./error-list.styles.ts"
import { icon } from "./icon.ts"

/** Failures that are alike, the commonest first: a click shows the requests of a group, or its newest one. */
class ErrorList extends Component {
  declare groups: ErrorGroups | undefined
  declare filters: Filters
  declare utc: boolean
  declare isLong: boolean

  constructor() {
    super()
    this.isLong = false
  }

  protected override render() {
    if (!this.groups) return ""
    const { groups, total_groups } = this.groups
    const most = Math.max(1, ...groups.map(({ count }) => count))
    const more = total_groups - groups.length
    return html`<ul>
        ${(this.isLong ? groups : groups.slice(0, FIRST)).map((group) => this.line(group, most))}
      </ul>
      ${
        groups.length > FIRST
          ? html`<button class="plain" aria-expanded=${this.isLong} @click=${this.toggle}>
              ${this.isLong ? "Show fewer" : `Show ${groups.length - FIRST} more`}
            </button>`
          : ""
      }
      ${more > 0 && this.isLong ? html`<p class="muted">and ${count(more)} rarer kinds</p>` : ""}`
  }

  private line(group: ErrorGroup, most: number) {
    const { count: times, endpoint, last, model, models, newest, provider, state, status } = group
    const isChosen = isSame(this.filters, group)
    const whom = [provider, models > 1 ? `${models} models` : model].filter((name) => name).join(" · ")
    return html`<li>
      <button
        class="plain group"
        aria-pressed=${isChosen}
        title=${isChosen ? "Show all requests" : "Show these requests"}
        @click=${() => this.choose(group, isChosen)}
      >
        <span class="times">${count(times)}</span>
        <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
          <rect width=${Math.max(2, (times / most) * 100)} height="4" rx="2" />
        </svg>
        <span class="status">${status ?? state}</span>
        <span class="source">${group.source ?? "–"}</span>
        <span class="what"
          ><span class="cut">${newest?.error_message ?? "no message"}</span
          ><span class="cut muted">${endpoint} ${whom === "" ? "" : `· ${whom}`}</span></span
        >
      </button>
      ${
        newest === null
          ? html`<span class="muted" title=${full(last, this.utc)}>${clock(last, this.utc)}</span>`
          : html`<button
              class="plain newest"
              title=${`The newest of them, ${full(last, this.utc)}`}
              @click=${() => wish(this, { change: { selected: newest.internal_request_id } })}
            >
              <span class="hidden">newest:</span>${clock(last, this.utc)}${icon("right")}
            </button>`
      }
    </li>`
  }

  private choose(group: ErrorGroup, isChosen: boolean): void {
    const others = Object.fromEntries(Object.entries(this.filters).filter(([name]) => !NAMES.has(name)))
    const filters: Filters = isChosen ? others : { ...others, ...filtersOf(group) }
    wish(this, { change: { filters } })
  }

  private readonly toggle = (): void => {
    this.isLong = !this.isLong
  }

  protected override readonly styles = [shared, errorListStyles]
}

const filtersOf = ({ endpoint, provider, source, state, status }: ErrorGroup): Filters => ({
  state: [state],
  endpoint: [endpoint],
  source: [source ?? NONE],
  provider: [provider ?? NONE],
  status: [status === null ? NONE : String(status)]
})

const isSame = (filters: Filters, group: ErrorGroup): boolean =>
  Object.entries(filtersOf(group)).every(([name, values]) => {
    const own = filters[name as FilterName]
    return own?.length === 1 && own[0] === values?.[0]
  })

const NAMES: ReadonlySet<string> = new Set(["state", "endpoint", "source", "provider", "status"])
const NONE = "(none)"
const FIRST = 5

define("percept-error-list", ErrorList, "groups", "filters", "utc", "isLong")
