import { go } from "../controllers/place.ts"
import { draw } from "../drawing.ts"
import { NO_BRUSH, chosenBy, pressed } from "./brush.ts"
import { LEFT } from "./picture.ts"
import { cursor, lastOf, move } from "./cursor.ts"
import type { Plot } from "./cursor.ts"
import { partAt } from "./scale.ts"
import { endOf, spanOf, wordsAt } from "./words.ts"

/** What is looked at, or being chosen, in words. */
export const valueText = (plot: Plot, at: number): string => {
  const [from, to] = chosenBy(plot.brush) ?? [at, at]
  return from < to ? `${spanOf(plot.series, from, to, plot.utc)}: Enter shows it alone` : wordsAt(plot, at)
}

/** What a chart does when it is pointed at, or a key is pressed on it. */
export const actOn = (plot: Plot, event: Event): void => {
  if (event instanceof KeyboardEvent) onKey(plot, event)
  else if (event instanceof PointerEvent && event.type !== "pointercancel") onPointer(plot, event)
  else if (event.type === "focus") draw()
  else drop(plot)
}

const drop = (plot: Plot): void => {
  plot.brush = NO_BRUSH
  move(undefined)
}

/** Shows the stretch of time that is chosen, and nothing else. */
const take = (plot: Plot, [from, to]: readonly [number, number]): void => {
  drop(plot)
  const [first, last] = [plot.series.buckets[from], endOf(plot.series, to)]
  if (first && last) go({ range: "custom", from: first.start, to: new Date(last).toISOString() })
}

const onKey = (plot: Plot, event: KeyboardEvent): void => {
  const brush = { ...plot.brush, cursor }
  const next = pressed(brush, event, lastOf(plot))
  if (next === undefined) return
  event.preventDefault()
  event.stopPropagation()
  if (next === "drop") drop(plot)
  else if (next === "take") take(plot, chosenBy(brush) ?? [cursor ?? 0, cursor ?? 0])
  else {
    plot.brush = next
    move(next.cursor)
  }
}

const onPointer = (
  plot: Plot,
  { buttons, clientX, clientY, pointerId, target, type }: PointerEvent
): void => {
  const last = lastOf(plot)
  const area = target instanceof Element && target.closest("div")
  if (last < 0 || !area) return
  const isDown = (buttons & 1) === 1
  const { anchor, head } = plot.brush
  const at = partAt(clientX - area.getBoundingClientRect().left - LEFT, plot.width - LEFT, last + 1)
  if (type === "pointerleave") {
    if (!isDown) drop(plot)
  } else if (type === "pointerup") {
    const chosen = chosenBy(plot.brush)
    if (chosen && chosen[0] < chosen[1]) return take(plot, chosen)
    plot.brush = NO_BRUSH
    draw()
    const mark = document.elementFromPoint(clientX, clientY)?.getAttribute("data-mark")
    if (mark) plot.pick(mark)
  } else if (type === "pointerdown" && isDown) {
    area.setPointerCapture(pointerId)
    plot.brush = { anchor: at }
  } else {
    if (isDown && anchor !== undefined && head !== at) plot.brush = { anchor, head: at }
    move(at)
  }
}
