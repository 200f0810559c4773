import { LitElement, html } from "lit"
import type { PropertyValues } from "lit"
import type { Series } from "../api/figures.ts"
import { costChart, requestsChart } from "../charts/bars.ts"
import type { Chart } from "../charts/chart.ts"
import { colours } from "../charts/colours.ts"
import type { MoveCursor, PickMark } from "../charts/events.ts"
import { latencyChart } from "../charts/lines.ts"
import "../charts/plot.ts"
import { spanOf } from "../charts/times.ts"
import { ChangeQuery } from "../events.ts"
import { toggled } from "../model/query.ts"
import type { Filters } from "../model/query.ts"
import { shared } from "../styles/shared.ts"
import { chartsStyles } from "./charts.styles.ts"

/** The range over time: requests and failures, cost by model, durations. One cursor moves over all three. */
class Charts extends LitElement {
  static override properties = {
    series: { attribute: false },
    filters: { attribute: false },
    utc: { attribute: false },
    cursor: { state: true },
    isOpen: { state: true }
  }
  declare series: Series | undefined
  declare filters: Filters
  declare utc: boolean
  declare cursor: number | undefined
  declare isOpen: boolean
  private charts: ReadonlyArray<Chart> = []

  constructor() {
    super()
    this.filters = {}
    this.utc = false
    this.isOpen = false
  }

  override willUpdate(changes: PropertyValues): void {
    // Their places are kept while nothing is known.
    if (!changes.has("series") && this.charts.length > 0) return
    const series = this.series ?? NOTHING
    this.charts = [requestsChart(series), costChart(series), latencyChart(series)]
    this.cursor = undefined
  }

  override render() {
    const series = this.series ?? NOTHING
    const legends = [this.outcomes(), this.models(series), DURATIONS]
    return html`<div
        class="charts"
        @percept-cursor=${(event: MoveCursor) => (this.cursor = event.at)}
        @percept-mark=${this.onMark}
      >
        ${this.charts.map(
          (chart, at) =>
            html`<section>
              <header>
                <h3>${chart.name}</h3>
                <p class="cut muted" aria-hidden="true">${this.words(chart, series)}</p>
              </header>
              <percept-plot
                .chart=${chart}
                .series=${series}
                .utc=${this.utc}
                .cursor=${this.cursor}
              ></percept-plot>
              <ul class="legend ${at === 1 ? "" : "wide"}">
                ${legends[at]}
              </ul>
            </section>`
        )}
      </div>
      <details @toggle=${this.onToggle}>
        <summary>Numbers as a table</summary>
        ${this.isOpen ? html`<percept-data-table .series=${series} .utc=${this.utc}></percept-data-table>` : ""}
      </details>`
  }

  private words(chart: Chart, series: Series): string {
    const { cursor, utc } = this
    return cursor === undefined ? "" : `${spanOf(series, cursor, cursor, utc)}: ${chart.describe(cursor)}`
  }

  private outcomes() {
    const isChosen = FAILED.every((state) => this.filters.state?.includes(state))
    return html`<li><i class="all"></i>all</li>
      <li>${this.button("failed", "errors", isChosen, "only requests that failed", this.toggleFailed)}</li>`
  }

  private models({ buckets, models }: Series) {
    const hasOthers = buckets.some(({ cost_by_model_usd }) => Number(cost_by_model_usd.at(-1)) > 0)
    return html`${models.map((model, at) => {
      const isChosen = this.filters.routed?.includes(model) ?? false
      const toggle = () => this.toggleModel(model)
      const name = model.slice(model.lastIndexOf("/") + 1)
      return html`<li>${this.button(name, `s${at}`, isChosen, `only ${model}`, toggle)}</li>`
    })}${hasOthers ? html`<li><i class="others"></i>others</li>` : ""}`
  }

  private button(name: string, colour: string, isChosen: boolean, title: string, onClick: () => void) {
    return html`<button
      class="plain"
      aria-pressed=${isChosen ? "true" : "false"}
      title=${isChosen ? "Show all" : `Show ${title}`}
      @click=${onClick}
    >
      <i class=${colour}></i><span class="cut">${name}</span>
    </button>`
  }

  private readonly onMark = ({ mark }: PickMark): void => {
    const model = this.series?.models[Number(mark)]
    if (mark === "errors") this.toggleFailed()
    else if (model !== undefined) this.toggleModel(model)
  }

  private readonly toggleFailed = (): void => {
    const { state, ...others } = this.filters
    const isChosen = FAILED.every((failed) => state?.includes(failed))
    this.dispatchEvent(new ChangeQuery({ filters: isChosen ? others : { ...others, state: FAILED } }))
  }

  private toggleModel(model: string): void {
    this.dispatchEvent(new ChangeQuery({ filters: toggled(this.filters, "routed", model) }))
  }

  private readonly onToggle = ({ target }: Event): void => {
    this.isOpen = target instanceof HTMLDetailsElement && target.open
    if (this.isOpen) void import("../later.ts")
  }

  static override styles = [shared, colours, chartsStyles]
}

const DURATIONS = html`<li><i class="p50"></i>p50: half took no longer</li>
  <li><i class="p95"></i>p95</li>`

const FAILED = ["failed", "interrupted"]
const NOTHING: Series = { bucket_ms: 60_000, models: [], buckets: [], is_partial: false }

customElements.define("percept-charts", Charts)
