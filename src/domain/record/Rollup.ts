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
  const found = new Map<string, Counting>()
  for (const { row, shape } of rows) {
    const second = Math.floor(Date.parse(row.timestamp) / 1000)
    for (const span of SPANS) {
      const start = second - (((second % span) + span) % span)
      const name = `${span} ${start} ${shape}`
      let rollup = found.get(name)
      if (rollup === undefined) {
        rollup = { span, start, shape, counts: Array.from(NOTHING) }
        found.set(name, rollup)
      }
      addTo(rollup.counts, row)
    }
  }
  return Array.from(found.values()).toSorted(
    (one, other) => one.span - other.span || one.start - other.start || one.shape - other.shape
  )
}

interface Counting extends Rollup {
  readonly counts: Array<number>
}

const addTo = (counts: Array<number>, row: RequestRecord): void => {
  for (const [place, amount] of AMOUNTS.entries()) counts[place] = (counts[place] ?? 0) + amount(row)
  if (row.processing_duration_ms === null) return
  const place = ROLLUP_SUMS.length + bucketOf(row.processing_duration_ms)
  counts[place] = (counts[place] ?? 0) + 1
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
const SPANS = [HOUR, DAY] as const
