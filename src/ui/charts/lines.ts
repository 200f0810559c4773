import { svg } from "lit/html.js"
import type { Series } from "../api/figures.ts"
import { duration } from "../format/duration.ts"
import type { Chart, Places } from "./chart.ts"
import { durationTicks, short } from "./scale.ts"

/** How long half of all requests took at most, and nearly all of them. */
export const latencyChart = ({ buckets }: Series): Chart => {
  const p50 = buckets.map((bucket) => bucket.p50_ms)
  const p95 = buckets.map((bucket) => bucket.p95_ms)
  return {
    name: "Duration",
    ticks: durationTicks(Math.max(...p95.map((value) => value ?? 0), 0), 3),
    label: (tick) =>
      tick === 0
        ? "0"
        : duration(tick)
            .replace(/\.0 | 00 s| 00 m/, " ")
            .trim(),
    draw: (places) => svg`
      <path class="p95" d=${line(places, p95)} />
      <path class="p50" d=${line(places, p50)} />`
  }
}

/** Broken where nothing was measured; a value between two gaps is a dash. */
export const line = ({ width, x, y }: Places, values: ReadonlyArray<number | null | undefined>): string =>
  values
    .map((value, at) => {
      if (value == null) return ""
      const middle = x(at) + width / 2
      const isFirst = values[at - 1] == null
      if (isFirst && values[at + 1] == null) return `M${short(x(at))} ${short(y(value))}h${short(width)}`
      return `${isFirst ? "M" : "L"}${short(middle)} ${short(y(value))}`
    })
    .join("")
