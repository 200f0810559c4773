import { svg } from "lit/html.js"
import type { Series } from "../api/figures.ts"
import type { Chart } from "./chart.ts"
import { short, timeTicks } from "./scale.ts"
import { isInUtc, offsetOf, timeLabel } from "./times.ts"

/** Pixels: where the axes are. */
export const LEFT = 44
export const TOP = 8
export const BASE = 92
export const HEIGHT = 112

/** How wide a bucket is. */
export const stepOf = ({ buckets }: Series, width: number): number =>
  Math.max(0, width - LEFT) / Math.max(1, buckets.length)

/** A chart at rest: its axes and marks. */
export const picture = (chart: Chart, series: Series, width: number, inUtc: boolean) => {
  const utc = isInUtc(series, inUtc)
  const { bucket_ms, buckets } = series
  const step = stepOf(series, width)
  const begin = Date.parse(buckets[0]?.start ?? "") || 0
  const length = bucket_ms * Math.max(1, buckets.length)
  const top = chart.ticks.at(-1) ?? 1
  const x = (bucket: number) => LEFT + bucket * step
  const y = (value: number) => BASE - (value / top) * (BASE - TOP)
  const most = Math.max(2, Math.floor(width / 64))
  const times = timeTicks(begin, begin + length, most, offsetOf(utc))
  return svg`
    ${chart.ticks.map(
      (tick) => svg`
        <line x1=${LEFT} x2=${width} y1=${short(y(tick))} y2=${short(y(tick))} />
        <text class="y" x=${LEFT - 6} y=${short(y(tick) + 3.5)}>${chart.label(tick)}</text>`
    )}
    ${times.moments.map((moment) => {
      const place = LEFT + ((moment - begin) / length) * (width - LEFT)
      // A label needs room on both sides.
      return place < LEFT + 12 || place > width - 18
        ? ""
        : svg`
          <line x1=${short(place)} x2=${short(place)} y1=${BASE} y2=${BASE + 4} />
          <text x=${short(place)} y=${HEIGHT - 4}>${timeLabel(moment, times.step, utc)}</text>`
    })}
    ${width > LEFT ? chart.draw({ x, y, width: Math.max(step - (step > 4 ? 1 : 0), 0.5) }) : ""}`
}
