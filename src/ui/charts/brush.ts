import type { Brush } from "./cursor.ts"

export const NO_BRUSH: Brush = {}

/** The first and the last bucket that are being chosen. */
export const chosenBy = ({ anchor, head = anchor }: Brush): readonly [number, number] | undefined =>
  anchor === undefined || head === undefined ? undefined : [Math.min(anchor, head), Math.max(anchor, head)]

/** What a key does to it: moves it, gives it up, or takes what is chosen; undefined is not its business. */
export const pressed = (
  { anchor, cursor }: Brush,
  { altKey, ctrlKey, key, metaKey, shiftKey }: Press,
  last: number
): Brush | "take" | "drop" | undefined => {
  if (last < 0 || altKey || ctrlKey || metaKey) return undefined
  const isActive = (anchor ?? cursor) !== undefined
  if (key === "Enter") return isActive ? "take" : undefined
  if (key === "Escape") return isActive ? "drop" : undefined
  const step = STEPS[key]
  if (step === undefined) return undefined
  const from = cursor ?? last
  const by = key.startsWith("Page") ? step * Math.max(1, Math.round(last / 10)) : step
  // The first key shows where the cursor is.
  const isFirst = cursor === undefined && !shiftKey && Math.abs(step) === 1
  const at = isFirst ? last : Math.min(last, Math.max(0, from + by))
  return shiftKey ? { cursor: at, anchor: anchor ?? from, head: at } : { cursor: at }
}

type Press = Pick<KeyboardEvent, "altKey" | "ctrlKey" | "key" | "metaKey" | "shiftKey">

const STEPS: { readonly [key: string]: number } = {
  ArrowLeft: -1,
  ArrowDown: -1,
  ArrowRight: 1,
  ArrowUp: 1,
  PageDown: -1,
  PageUp: 1,
  Home: -Infinity,
  End: Infinity
}
