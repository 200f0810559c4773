import type { Step } from "../api/steps.ts"

/** What a row itself says of where its time went. */
export interface Timed {
  readonly processing_duration_ms: number | null
  /** From asking the provider to the first byte of its answer. */
  readonly openrouter_latency_ms: number | null
  /** Since the request came. */
  readonly time_to_first_token_ms: number | null
  readonly media_ms: number | null
}

export interface Bar extends Pick<Step, "at" | "note" | "ok"> {
  /** For people. */
  readonly name: string
  /** Of what kind it is: `away` is what others did. */
  readonly step: string
  readonly ms: number
  readonly depth: number
  /** It was not over when the request ended. */
  readonly isOpen: boolean
}

export interface Waterfall {
  readonly bars: ReadonlyArray<Bar>
  readonly total: number
  /** What no step of the first rank took: with them it makes up the whole. */
  readonly rest: number
}

/** A request's steps in the order of a tree; without any, what its row says. */
export const waterfall = (row: Timed, steps: ReadonlyArray<Step>): Waterfall => {
  const given = steps.length > 0 ? steps : fromRow(row)
  const total = Math.max(row.processing_duration_ms ?? 0, ...given.map(({ at, ms }) => at + (ms ?? 0)))
  const waiting = new Set(given.toSorted((one, other) => one.at - other.at))
  const bars: Array<Bar> = []
  const place = (isNext: (step: Step) => boolean, depth: number): void => {
    for (const step of waiting) {
      const { at, ms, name, note, ok } = step
      if (!isNext(step) || !waiting.delete(step)) continue
      bars.push({
        ...{ at, depth, note, ok },
        name: NAMES.get(name) ?? name,
        step: AWAY.test(name) ? "away" : name,
        ms: ms ?? total - at,
        isOpen: ms === null
      })
      const index = given.indexOf(step)
      place(({ parent }) => parent === index, depth + 1)
    }
  }
  place(({ parent }) => parent === null, 0)
  // Whatever belongs to nothing that is there stands by itself.
  place(() => true, 0)
  return { bars, total, rest: total - covered(bars) }
}

/** One after the other, without gaps: a row has no steps that overlap. */
const fromRow = (row: Timed): ReadonlyArray<Step> => {
  const total = row.processing_duration_ms ?? 0
  const latency = row.openrouter_latency_ms
  const within = (time: number) => Math.min(Math.max(time, 0), total)
  const byte = latency === null ? total : within(row.time_to_first_token_ms ?? total)
  const asked = within(byte - (latency ?? 0))
  const seen = within(asked - (row.media_ms ?? 0))
  const times = [0, seen, asked, byte, total]
  return ["read", "perceive", "attempt", "stream"].flatMap((name, index) => {
    const at = times[index] ?? 0
    const ms = (times[index + 1] ?? 0) - at
    return ms > 0 ? [{ name, at, ms, parent: null, note: null, ok: true }] : []
  })
}

const covered = (bars: ReadonlyArray<Bar>): number => {
  let sum = 0
  let end = 0
  for (const { at, depth, ms } of bars.toSorted((one, other) => one.at - other.at)) {
    if (depth > 0) continue
    sum += Math.max(0, at + ms - Math.max(at, end))
    end = Math.max(end, at + ms)
  }
  return sum
}

const NAMES: ReadonlyMap<string, string> = new Map([
  ["read", "admit and read"],
  ["perceive", "media"],
  ["observe", "medium"],
  ["attempt", "provider"],
  ["stream", "answer"]
])
const AWAY = /^(fetch|describe|attempt)$/
