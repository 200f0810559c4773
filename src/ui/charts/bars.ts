import { svg } from "lit/html.js"
import type { Series } from "../api/figures.ts"
import { compact } from "../format/count.ts"
import { money } from "../format/money.ts"
import type { Chart, Places } from "./chart.ts"
import { short, ticks } from "./scale.ts"

/** Requests by bucket, those that failed below the others. */
export const requestsChart = ({ buckets }: Series): Chart => ({
  name: "Requests",
  ticks: ticks(Math.max(...buckets.map(({ requests }) => requests), 0), 3, true),
  label: compact,
  draw: (places) => {
    const failed = buckets.map(({ errors }) => errors)
    const all = buckets.map(({ requests }) => requests)
    return svg`
      <path class="all" d=${bars(places, failed, all)} />
      <path class="err" data-mark="errors" d=${bars(places, [], failed)} />`
  }
})

/** Cost by bucket, one model upon another. */
export const costChart = ({ buckets, models }: Series): Chart => {
  const parts = buckets.map(({ cost_by_model_usd }) => stacked(cost_by_model_usd))
  return {
    name: "Cost",
    ticks: ticks(Math.max(...parts.map((sums) => sums.at(-1) ?? 0), 0), 3),
    label: (tick) => (tick === 0 ? "$0" : money(tick)),
    draw: (places) =>
      svg`${Array.from({ length: models.length + 1 }, (_, model) => {
        const from = parts.map((sums) => (model === 0 ? 0 : (sums[model - 1] ?? 0)))
        const to = parts.map((sums) => sums[model] ?? sums.at(-1) ?? 0)
        const d = bars(places, from, to)
        return model === models.length
          ? svg`<path class="others" d=${d} />`
          : svg`<path class="s${model}" data-mark=${model} d=${d} />`
      })}`
  }
}

/** One path for all bars of a colour: hundreds of them are one element. */
const bars = ({ width, x, y }: Places, from: ReadonlyArray<number>, to: ReadonlyArray<number>): string =>
  to
    .map((value, at) => {
      const bottom = from[at] ?? 0
      if (value <= bottom) return ""
      const top = y(value)
      // What is there is seen, however little it is beside the others.
      const height = Math.max(y(bottom) - top, 1)
      return `M${short(x(at))} ${short(Math.min(top, y(0) - 1))}h${short(width)}v${short(height)}h${short(-width)}z`
    })
    .join("")

const stacked = (costs: ReadonlyArray<string>): ReadonlyArray<number> => {
  let sum = 0
  return costs.map((cost) => (sum += Number(cost)))
}
