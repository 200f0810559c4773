import { arrayField, numberField, parseJson, stringField } from "../Json.ts"
import type { Segment } from "./Evidence.ts"

/** What a captions file (WebVTT, SubRip, or YouTube's json3) says, in order of time and each word once. */
export const readCaptions = (text: string): ReadonlyArray<Segment> => {
  const json = /^\s*\{/.test(text) ? parseJson(text) : undefined
  return json === undefined ? fromCues(text) : fromEvents(json)
}

/** Text that stands on the screen for a while, as the file has it: what stood there before may stand there again. */
interface Cue {
  readonly from: number
  readonly to: number
  readonly lines: ReadonlyArray<string>
}

const fromCues = (text: string): ReadonlyArray<Segment> => {
  const cues = inOrder(readCues(text))
  return WORD_TIME.test(text) || isRolling(cues) ? apart(withoutRepeats(cues)) : cues.flatMap(segmentOf)
}

const readCues = (text: string): ReadonlyArray<Cue> => {
  const cues: Array<Cue> = []
  let open: { readonly from: number; readonly to: number; readonly lines: Array<string> } | undefined
  const close = () => {
    if (open !== undefined) cues.push({ ...open, lines: open.lines.map(plain).filter((line) => line !== "") })
    open = undefined
  }
  for (const line of text.split(/\r\n|\r|\n/)) {
    const times = TIMES.exec(line)
    if (times !== null) {
      // The number of the next cue, where no empty line stands before it.
      if (open !== undefined && /^\d+$/.test(open.lines.at(-1) ?? "")) open.lines.pop()
      close()
      const from = seconds(times.slice(1, 5))
      open = { from, to: Math.max(from, seconds(times.slice(5, 9))), lines: [] }
    } else if (line === "") close()
    else open?.lines.push(line)
  }
  close()
  return cues
}

/** Written as they are spoken, lines move up and stand in several cues. */
const isRolling = (cues: ReadonlyArray<Cue>): boolean => {
  const repeats = cues.filter((cue, index) => repeatedLines(cues[index - 1], cue) > 0).length
  return repeats >= 3 && repeats * 3 >= cues.length
}

const withoutRepeats = (cues: ReadonlyArray<Cue>): ReadonlyArray<Segment> => {
  const segments: Array<Segment> = []
  cues.forEach((cue, index) => {
    const fresh = cue.lines.slice(repeatedLines(cues[index - 1], cue))
    const last = segments.at(-1)
    if (fresh.length > 0) segments.push(...segmentOf({ ...cue, lines: fresh }))
    else if (last !== undefined && cue.lines.length > 0)
      segments.splice(-1, 1, { ...last, to: Math.max(last.to, cue.to) })
  })
  return segments
}

/** How many lines at the head of a cue are the ones that the cue right before it ended with. */
const repeatedLines = (before: Cue | undefined, { from, lines }: Cue): number => {
  if (before === undefined || from - before.to > TOUCHING) return 0
  const shown = before.lines.slice(-MOST_LINES)
  for (let count = Math.min(shown.length, lines.length); count > 0; count--)
    if (shown.slice(-count).every((line, index) => line === lines[index])) return count
  return 0
}

const fromEvents = (json: unknown): ReadonlyArray<Segment> =>
  apart(
    inOrder(
      arrayField(json, "events").flatMap((event) => {
        const from = Math.max(0, numberField(event, "tStartMs") ?? NaN)
        const lasting = Math.max(0, numberField(event, "dDurationMs") ?? 0)
        if (!Number.isFinite(from + lasting)) return []
        const text = arrayField(event, "segs").map((piece) => stringField(piece, "utf8") ?? "")
        return segmentOf({
          from: Math.round(from) / 1000,
          to: Math.round(from + lasting) / 1000,
          lines: [tidy(text.join(""))]
        })
      })
    )
  )

/** A line stays on the screen while the next is spoken; its own time ends there. */
const apart = (segments: ReadonlyArray<Segment>): ReadonlyArray<Segment> =>
  segments.map((segment, index) => {
    const next = segments[index + 1]
    return next !== undefined && next.from > segment.from && next.from < segment.to
      ? { ...segment, to: next.from }
      : segment
  })

const inOrder = <A extends { readonly from: number }>(items: ReadonlyArray<A>): ReadonlyArray<A> =>
  items.toSorted((a, b) => a.from - b.from)

const segmentOf = ({ from, lines, to }: Cue): ReadonlyArray<Segment> => {
  const text = lines.join(" ")
  return text === "" ? [] : [{ from, to, text }]
}

/** A line as it is read aloud: who speaks stays, how it looks goes. */
const plain = (line: string): string =>
  tidy(
    line
      .replace(/<v(?:\.[^\s<>]*)?\s([^<>]+)>/g, (_, speaker: string) => `${speaker.trim()}: `)
      .replace(/<[^<>]*>/g, "")
      .replace(/\{\\[^{}]*\}/g, "")
      .replace(ENTITY, (_, decimal?: string, hex?: string, name = "") =>
        decimal !== undefined
          ? character(Number(decimal))
          : hex !== undefined
            ? character(Number.parseInt(hex, 16))
            : (NAMED[name.toLowerCase()] ?? "")
      )
  )

const tidy = (text: string): string =>
  text
    .replace(/[\u200b\ufeff]/g, "")
    .replace(/\s+/g, " ")
    .trim()

const character = (code: number): string =>
  code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCodePoint(code) : ""

const seconds = ([hours, minutes, whole, parts]: ReadonlyArray<string | undefined>): number =>
  Math.round((Number(hours ?? 0) * 3600 + Number(minutes) * 60 + Number(`${whole}.${parts}`)) * 1000) / 1000

/** `1:02:03.456 --> 1:02:05.000`, hours optional, a comma for SubRip; where on the screen may follow. */
const TIMES =
  /^\s*(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})\s*-->\s*(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})(?!\S)/

/** When a single word is spoken: only captions made while listening say so. */
const WORD_TIME = /<(?:\d{1,4}:)?\d\d:\d\d\.\d{3}>/

const ENTITY = /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(amp|lt|gt|quot|apos|nbsp|lrm|rlm));/gi

const NAMED: Readonly<Record<string, string>> = {
  amp: "&",
  apos: "'",
  gt: ">",
  lt: "<",
  nbsp: " ",
  quot: '"'
}

/** Cues that follow each other within this many seconds show one picture of the screen after the other. */
const TOUCHING = 0.1

/** More lines than these are never on the screen. */
const MOST_LINES = 8
