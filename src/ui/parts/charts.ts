import { html } from "lit/html.js"
import type { Series } from "../api/figures.ts"
import { costChart, requestsChart } from "../charts/bars.ts"
import type { Chart } from "../charts/chart.ts"
import { latencyChart } from "../charts/lines.ts"
import "../charts/plot.ts"
import { Component, define } from "../element.ts"
import type { Changes } from "../element.ts"
import { wish } from "../events.ts"
import { toggled } from "../model/query.ts"
import type { Filters } from "../model/query.ts"
import { later } from "../soon.ts"
import { figures, plots } from "../styles/figures.ts"
import { shared } from "../styles/shared.ts"

/** The range over time: requests and failures, cost by model, durations. One cursor moves over all three. */
class Charts extends Component {
  declare series: Series | undefined
  declare filters: Filters
  declare utc: boolean
  /** Fetches what draws the table. */
  declare fetch: () => unknown
  declare cursor: number | undefined
  declare isOpen: boolean
  protected override readonly styles = [shared, plots, figures]
  private charts: ReadonlyArray<Chart> = []

  protected override willUpdate(changes: Changes): void {
    // Their places are kept while nothing is known.
    if (!changes.has("series") && this.charts.length > 0) return
    const series = this.series ?? NOTHING
    this.charts = [requestsChart(series), costChart(series), latencyChart(series)]
    this.cursor = undefined
  }

  protected override render() {
    const series = this.series ?? NOTHING
    const legends = [this.outcomes(), this.models(series), DURATIONS]
    return html`<div class="charts">
        ${this.charts.map(
          (chart, at) =>
            html`<section>
              <header>
                <h3>${chart.name}</h3>
                <p class="cut muted" aria-hidden="true">
                  ${
                    this.cursor === undefined ? "" : later?.wordsAt(chart.name, series, this.cursor, this.utc)
                  }
                </p>
              </header>
              <percept-plot
                .chart=${chart}
                .series=${series}
                .utc=${this.utc}
                .cursor=${this.cursor}
                .move=${this.move}
                .pick=${this.pick}
              ></percept-plot>
              <ul class="legend ${at === 1 ? "" : "wide"}">
                ${legends[at]}
              </ul>
            </section>`
        )}
      </div>
      <details class="table" @toggle=${this.onToggle}>
        <summary>Numbers as a table</summary>
        ${this.isOpen ? html`<percept-data-table .series=${series} .utc=${this.utc}></percept-data-table>` : ""}
      </details>`
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
      aria-pressed=${isChosen}
      title=${isChosen ? "Show all" : `Show ${title}`}
      @click=${onClick}
    >
      <i class=${colour}></i><span class="cut">${name}</span>
    </button>`
  }

  private readonly move = (cursor: number | undefined): void => {
    this.cursor = cursor
  }

  private readonly pick = (mark: string): void => {
    const model = this.series?.models[Number(mark)]
    if (mark === "errors") this.toggleFailed()
    else if (model !== undefined) this.toggleModel(model)
  }

  private readonly toggleFailed = (): void => {
    const { state, ...others } = this.filters
    const isChosen = FAILED.every((failed) => state?.includes(failed))
    wish(this, { change: { filters: isChosen ? others : { ...others, state: FAILED } } })
  }

  private toggleModel(model: string): void {
    wish(this, { change: { filters: toggled(this.filters, "routed", model) } })
  }

  private readonly onToggle = ({ target }: Event): void => {
    this.isOpen = target instanceof HTMLDetailsElement && target.open
    if (this.isOpen) this.fetch()
  }
}

const DURATIONS = html`<li><i class="p50"></i>p50: half took no longer</li>
  <li><i class="p95"></i>p95</li>`

const FAILED = ["failed", "interrupted"]
const NOTHING: Series = { bucket_ms: 60_000, models: [], buckets: [], is_partial: false }

define("percept-charts", Charts, "series", "filters", "utc", "cursor", "isOpen")
