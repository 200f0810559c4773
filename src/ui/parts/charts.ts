import { html } from "lit/html.js"
import type { Series } from "../api/figures.ts"
import { costChart, requestsChart } from "../charts/bars.ts"
import { latencyChart } from "../charts/lines.ts"
import { cursor, move } from "../charts/cursor.ts"
import type { Plot } from "../charts/cursor.ts"
import { plotView } from "../charts/plot.ts"
import { wordsAt } from "../charts/words.ts"
import { series } from "../controllers/data.ts"
import { later } from "../soon.ts"
import { fetchMore } from "../controllers/page.ts"
import { go, query } from "../controllers/place.ts"
import { toggled } from "../model/query.ts"

/** The range over time: requests and failures, cost by model, durations. One cursor moves over all three. */
export const charts = () => {
  // Their places are kept while nothing is known.
  const now = series.value ?? NOTHING
  if (now !== plots[0]?.series) move(undefined)
  const legends = [outcomes(), models(now), DURATIONS]
  return html`<percept-charts>
    <div class="charts">
      ${plots.map((plot, at) => {
        if (now !== plot.series || query.utc !== plot.utc)
          Object.assign(plot, fresh(now, at), { still: undefined })
        return html`<section class="box">
          <header>
            <h3>${plot.chart.name}</h3>
            <p class="cut muted small" aria-hidden="true">
              ${cursor === undefined ? "" : wordsAt(plot, cursor)}
            </p>
          </header>
          ${plotView(plot)}
          <ul class="legend row small muted ${at === 1 ? "" : "wide"}">
            ${legends[at]}
          </ul>
        </section>`
      })}
    </div>
    <details class="table" @toggle=${onToggle}>
      <summary class="muted small">Numbers as a table</summary>
      ${isOpen ? later?.dataTable(now) : ""}
    </details>
  </percept-charts>`
}

const pick = (mark: string): void => {
  const model = series.value?.models[Number(mark)]
  if (mark === "errors") toggleFailed()
  else if (model !== undefined) toggleModel(model)
}

const fresh = (now: Series, at: number) => ({
  chart: (CHARTS[at] ?? latencyChart)(now),
  series: now,
  utc: query.utc
})

const outcomes = () =>
  html`<li><i class="all"></i>all</li>
    <li>${button("failed", "err", areFailed(), "only requests that failed", toggleFailed)}</li>`

const models = ({ buckets, models }: Series) => {
  const hasOthers = buckets.some(({ cost_by_model_usd }) => Number(cost_by_model_usd.at(-1)) > 0)
  return html`${models.map((model, at) => {
    const isChosen = query.filters.routed?.includes(model) ?? false
    const name = model.slice(model.lastIndexOf("/") + 1)
    return html`<li>${button(name, `s${at}`, isChosen, `only ${model}`, () => toggleModel(model))}</li>`
  })}${hasOthers ? html`<li><i class="others"></i>others</li>` : ""}`
}

const button = (name: string, colour: string, isChosen: boolean, title: string, onClick: () => void) =>
  html`<button
    class="plain"
    aria-pressed=${isChosen}
    title=${isChosen ? "Show all" : `Show ${title}`}
    @click=${onClick}
  >
    <i class=${colour}></i><span class="cut">${name}</span>
  </button>`

const areFailed = () => FAILED.every((state) => query.filters.state?.includes(state))

const toggleFailed = (): void => {
  const { state: _, ...others } = query.filters
  go({ filters: areFailed() ? others : { ...others, state: FAILED } })
}

const toggleModel = (model: string): void => go({ filters: toggled(query.filters, "routed", model) })

const onToggle = ({ target }: Event): void => {
  isOpen = target instanceof HTMLDetailsElement && target.open
  if (isOpen) void fetchMore()
}

const DURATIONS = html`<li><i class="p50"></i>p50: half took no longer</li>
  <li><i class="p95"></i>p95</li>`

const FAILED = ["failed", "interrupted"]
const NOTHING: Series = { bucket_ms: 60_000, models: [], buckets: [], is_partial: false }
const CHARTS = [requestsChart, costChart, latencyChart]

const plots = CHARTS.map((_, at): Plot => Object.assign(fresh(NOTHING, at), { width: 0, brush: {}, pick }))
let isOpen = false
