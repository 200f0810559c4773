import { wish } from "../events.ts"
import { NO_BRUSH, chosenBy, pressed } from "./brush.ts"
import { LEFT } from "./picture.ts"
import type { Plot } from "./plot.ts"
import { partAt } from "./scale.ts"
import { endOf, spanOf, wordsAt } from "./words.ts"

/** What is looked at, or being chosen, in words. */
export const valueText = ({ brush, chart, series, utc }: Plot, at: number): string => {
  const [from, to] = chosenBy(brush) ?? [at, at]
  return from < to
    ? `${spanOf(series, from, to, utc)}: Enter shows it alone`
    : wordsAt(chart.name, series, at, utc)
}

/** What a chart does when it is pointed at, or a key is pressed on it. */
export const actOn = (plot: Plot, event: Event): void => {
  if (event instanceof KeyboardEvent) onKey(plot, event)
  else if (event instanceof PointerEvent && event.type !== "pointercancel") onPointer(plot, event)
  else if (event.type === "focus") plot.requestUpdate()
  else drop(plot)
}

const drop = (plot: Plot): void => {
  plot.brush = NO_BRUSH
  plot.move(undefined)
}

/** Shows the stretch of time that is chosen, and nothing else. */
const take = (plot: Plot, [from, to]: readonly [number, number]): void => {
  drop(plot)
  const [first, last] = [plot.series.buckets[from], endOf(plot.series, to)]
  if (first && last)
    wish(plot, { change: { range: "custom", from: first.start, to: new Date(last).toISOString() } })
}

const onKey = (plot: Plot, event: KeyboardEvent): void => {
  const brush = { ...plot.brush, cursor: plot.cursor }
  const next = pressed(brush, event, plot.last)
  if (next === undefined) return
  event.preventDefault()
  event.stopPropagation()
  if (next === "drop") drop(plot)
  else if (next === "take") take(plot, chosenBy(brush) ?? [brush.cursor ?? 0, brush.cursor ?? 0])
  else {
    plot.brush = next
    plot.move(next.cursor)
  }
}

const onPointer = (plot: Plot, { buttons, clientX, clientY, pointerId, type }: PointerEvent): void => {
  if (plot.last < 0) return
  const isDown = (buttons & 1) === 1
  const { anchor, head } = plot.brush
  const place = clientX - plot.getBoundingClientRect().left - LEFT
  const at = partAt(place, plot.width - LEFT, plot.last + 1)
  if (type === "pointerleave") {
    if (!isDown) drop(plot)
  } else if (type === "pointerup") {
    const chosen = chosenBy(plot.brush)
    if (chosen && chosen[0] < chosen[1]) return take(plot, chosen)
    plot.brush = NO_BRUSH
    const mark = plot.renderRoot.elementFromPoint(clientX, clientY)?.getAttribute("data-mark")
    if (mark) plot.pick(mark)
  } else if (type === "pointerdown" && isDown) {
    plot.renderRoot.querySelector("div")?.setPointerCapture(pointerId)
    plot.brush = { anchor: at }
  } else {
    if (isDown && anchor !== undefined && head !== at) plot.brush = { anchor, head: at }
    plot.move(at)
  }
}
