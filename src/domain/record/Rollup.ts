import { BUCKETS, bucketOf } from "../Histogram.ts"
import type { RequestRecord } from "../RequestRecord.ts"

/** Beside these a rollup has its histogram of durations, `b0` and on. */
export const ROLLUP_SUMS = [
  "requests",
  "prompt_tokens",
  "completion_tokens",
  "cached_tokens",
  "reasoning_tokens",
  "cost_nano_usd",
  "cost_unknown",
  "duration_ms",
  "first_token_ms",
  "first_tokens",
  "media_requests",
  "media_hits"
] as const

export const HOUR = 3600
export const DAY = 86_400

/** Sums over the requests of one shape that began within one hour or day. */
export interface Rollup {
  readonly span: typeof HOUR | typeof DAY
  /** Seconds since 1970. */
  readonly start: number
  readonly shape: number
  /** In the order of the columns: sums, then buckets. */
  readonly counts: ReadonlyArray<number>
}

/** The columns of `counts`. */
export const ROLLUP_COLUMNS: ReadonlyArray<string> = [
  ...ROLLUP_SUMS,
  ...Array.from({ length: BUCKETS }, (_, bucket) => `b${bucket}`)
]

/** Adds up finished rows by hour and day; always in the same order, whatever the order of the rows. */
export const rollupsOf = (
  rows: ReadonlyArray<{ readonly row: RequestRecord; readonly shape: number }>
): ReadonlyArray<Rollup> => {
  const hours = new Map<string, Counting>()
  for (const { row, shape } of rows)
    addRow(lineOf(hours, HOUR, Math.floor(Date.parse(row.timestamp) / 1000), shape), row)
  const days = new Map<string, Counting>()
  for (const { counts, shape, start } of hours.values()) {
    const day = lineOf(days, DAY, start, shape)
    for (let place = 0; place < counts.length; place++) add(day, place, counts[place] ?? 0)
  }
  return [...hours.values(), ...days.values()].toSorted(
    (one, other) => one.span - other.span || one.start - other.start || one.shape - other.shape
  )
}

/** The sums that a second of this shape belongs to. */
const lineOf = (
  lines: Map<string, Counting>,
  span: Rollup["span"],
  second: number,
  shape: number
): Array<number> => {
  const start = second - (((second % span) + span) % span)
  const name = `${start} ${shape}`
  let line = lines.get(name)
  if (line === undefined) {
    line = { span, start, shape, counts: Array.from(NOTHING) }
    lines.set(name, line)
  }
  return line.counts
}

interface Counting extends Rollup {
  readonly counts: Array<number>
}

const addRow = (counts: Array<number>, row: RequestRecord): void => {
  for (let place = 0; place < ROLLUP_SUMS.length; place++) add(counts, place, AMOUNTS[place]?.(row) ?? 0)
  if (row.processing_duration_ms !== null)
    add(counts, ROLLUP_SUMS.length + bucketOf(row.processing_duration_ms), 1)
}

const add = (counts: Array<number>, place: number, amount: number): void => {
  counts[place] = (counts[place] ?? 0) + amount
}

const amounts: { readonly [Name in (typeof ROLLUP_SUMS)[number]]: (row: RequestRecord) => number } = {
  requests: () => 1,
  prompt_tokens: (row) => plausible(row.prompt_tokens),
  completion_tokens: (row) => plausible(row.completion_tokens),
  cached_tokens: (row) => plausible(row.cached_tokens),
  reasoning_tokens: (row) => plausible(row.reasoning_tokens),
  cost_nano_usd: (row) => plausible(row.cost_nano_usd),
  cost_unknown: (row) => (row.cost_nano_usd === null ? 1 : 0),
  duration_ms: (row) => plausible(row.processing_duration_ms),
  first_token_ms: (row) => plausible(row.time_to_first_token_ms),
  first_tokens: (row) => (row.time_to_first_token_ms === null ? 0 : 1),
  media_requests: (row) => row.is_multimodal,
  media_hits: (row) => plausible(row.cache_hits)
}

/** A provider's nonsense stays in its row: summed up, it would reach the end of what a database can count. */
const plausible = (amount: number | null): number =>
  amount !== null && amount >= 0 && amount <= MOST ? Math.round(amount) : 0

/** Tokens, or ten thousand dollars. */
export const MOST = 1e13

const NOTHING: ReadonlyArray<number> = ROLLUP_COLUMNS.map(() => 0)
const AMOUNTS = ROLLUP_SUMS.map((name) => amounts[name])
