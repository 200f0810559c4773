import type { Segment } from "../media/Evidence.ts"

/** Numbered cues, as players of video files read them. */
export const toSrt = (segments: ReadonlyArray<Segment>): string =>
  cuesOf(segments)
    .map(
      ({ end, start, text }, index) =>
        `${index + 1}\n${stamp(start, ",")} --> ${stamp(end, ",")}\n${text.replaceAll("-->", "->")}\n\n`
    )
    .join("")

/** Cues as browsers read them. */
export const toVtt = (segments: ReadonlyArray<Segment>): string =>
  `WEBVTT\n\n${cuesOf(segments)
    .map(({ end, start, text }) => `${stamp(start, ".")} --> ${stamp(end, ".")}\n${escaped(text)}\n\n`)
    .join("")}`

/** A line of text and when it is to be seen, in whole milliseconds. */
interface Cue {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** One cue after the other: each is seen for a moment at least, and gone when the next one comes. */
const cuesOf = (segments: ReadonlyArray<Segment>): ReadonlyArray<Cue> => {
  const inOrder = segments.toSorted((one, other) => one.from - other.from)
  let free = 0
  return inOrder.map(({ from, text, to }, index) => {
    const next = inOrder[index + 1]
    const start = Math.max(free, milliseconds(from))
    const until = next === undefined ? Infinity : milliseconds(next.from)
    const end = Math.max(start + 1, Math.min(milliseconds(to), until))
    free = end
    return { start, end, text }
  })
}

/** Rounded before it is taken apart, so that no part of it ever reads 60 or 1000. */
const milliseconds = (seconds: number): number =>
  Number.isFinite(seconds) ? Math.max(0, Math.round(seconds * 1000)) : 0

const stamp = (time: number, mark: string): string => {
  const [hours, minutes, seconds] = [
    Math.floor(time / 3_600_000),
    Math.floor(time / 60_000),
    Math.floor(time / 1000)
  ]
  const clock = [hours, minutes % 60, seconds % 60].map((part) => String(part).padStart(2, "0")).join(":")
  return clock + mark + String(time % 1000).padStart(3, "0")
}

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
