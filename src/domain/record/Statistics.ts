import { BUCKETS, percentile } from "../Histogram.ts"
import * as Money from "../Money.ts"
import type { Shape } from "./Shape.ts"
import { NONE } from "./ShapeFilter.ts"

/** What is summed up by shape, in this order. */
export const BY_SHAPE = [
  "requests",
  "prompt_tokens",
  "completion_tokens",
  "cached_tokens",
  "reasoning_tokens",
  "cost_nano_usd",
  "cost_unknown"
] as const

/** What is summed up over all requests that count as such, before the histogram of their durations. */
export const IN_ALL = [
  "duration_ms",
  "first_token_ms",
  "first_tokens",
  "media_requests",
  "media_hits",
  ...Array.from({ length: BUCKETS }, (_, bucket) => `b${bucket}`)
]

/** Requests of one shape, and their sums in the order of `BY_SHAPE`. */
export interface Counted {
  readonly shape: Shape
  readonly sums: ReadonlyArray<number>
}

/** Side calls cost and use tokens as requests do, but are none, unless kinds were asked for. */
export type IsRequest = (shape: Shape) => boolean

/** Durations and first tokens of requests, and their media. */
export const speedOf = (sums: ReadonlyArray<number>) => {
  const [duration = 0, firstToken = 0, firstTokens = 0, mediaRequests = 0, mediaHits = 0, ...buckets] = sums
  const measured = buckets.reduce((sum, count) => sum + count, 0)
  return {
    duration_ms: {
      mean: mean(duration, measured),
      p50: rounded(percentile(buckets, 0.5)),
      p95: rounded(percentile(buckets, 0.95)),
      p99: rounded(percentile(buckets, 0.99))
    },
    // There is no histogram of these.
    first_token_ms: { mean: mean(firstToken, firstTokens) },
    media_requests: mediaRequests,
    media_hits: mediaHits
  }
}

/** Counts, tokens and money. */
export const totalsOf = (counted: ReadonlyArray<Counted>, isRequest: IsRequest) => {
  const totals = emptyTotals()
  for (const one of counted) addTo(totals, one, isRequest)
  return written(totals, {})
}

/** The same for each name, those that cost most first, the ones behind the first few together; most have no others. */
export const topOf = (
  counted: ReadonlyArray<Counted>,
  isRequest: IsRequest,
  nameOf: (shape: Shape) => string,
  most: number
) => {
  const groups = new Map<string, Totals>()
  for (const one of counted) {
    const name = nameOf(one.shape)
    const totals = groups.get(name) ?? emptyTotals()
    groups.set(name, totals)
    addTo(totals, one, isRequest)
  }
  const sorted = Array.from(groups).toSorted(
    ([name, a], [other, b]) =>
      b.cost - a.cost || b.requests - a.requests || b.sideCalls - a.sideCalls || (name < other ? -1 : 1)
  )
  const others = emptyTotals()
  for (const [, totals] of sorted.slice(most)) merge(others, totals)
  return {
    top: sorted.slice(0, most).map(([name, totals]) => written(totals, { name })),
    other: sorted.length > most ? written(others, { names: sorted.length - most }) : null
  }
}

/** The model that answered, or was to answer. */
export const modelOf = ({ model_requested, model_routed }: Shape): string =>
  model_routed === "" ? orNone(model_requested) : model_routed

export const orNone = (name: string): string => (name === "" ? NONE : name)

/** Requests that came to no good end. */
export const isError = ({ state }: Shape): boolean => state === "failed" || state === "interrupted"

interface Totals {
  requests: number
  errors: number
  cancelled: number
  sideCalls: number
  prompt: number
  completion: number
  cached: number
  reasoning: number
  cost: Money.NanoDollars
  estimated: Money.NanoDollars
  unknown: number
  sideCost: Money.NanoDollars
}

const emptyTotals = (): Totals => ({
  requests: 0,
  errors: 0,
  cancelled: 0,
  sideCalls: 0,
  prompt: 0,
  completion: 0,
  cached: 0,
  reasoning: 0,
  cost: 0,
  estimated: 0,
  unknown: 0,
  sideCost: 0
})

const addTo = (totals: Totals, { shape, sums }: Counted, isRequest: IsRequest): void => {
  const [requests = 0, prompt = 0, completion = 0, cached = 0, reasoning = 0, cost = 0, unknown = 0] = sums
  if (isRequest(shape)) {
    totals.requests += requests
    if (isError(shape)) totals.errors += requests
    if (shape.state === "cancelled") totals.cancelled += requests
  } else {
    totals.sideCalls += requests
    totals.sideCost += cost
  }
  totals.prompt += prompt
  totals.completion += completion
  totals.cached += cached
  totals.reasoning += reasoning
  totals.cost += cost
  if (shape.cost_source === "estimated") totals.estimated += cost
  // What failed has nothing to pay for.
  if (shape.state !== "failed") totals.unknown += unknown
}

const merge = (totals: Totals, more: Totals): void => {
  for (const name of Object.keys(totals) as ReadonlyArray<keyof Totals>) totals[name] += more[name]
}

const written = <A extends object>(totals: Totals, more: A) => ({
  ...more,
  requests: totals.requests,
  errors: totals.errors,
  cancelled: totals.cancelled,
  side_calls: totals.sideCalls,
  prompt_tokens: totals.prompt,
  completion_tokens: totals.completion,
  total_tokens: totals.prompt + totals.completion,
  cached_tokens: totals.cached,
  reasoning_tokens: totals.reasoning,
  cost_usd: Money.toDollars(totals.cost),
  cost_estimated_usd: Money.toDollars(totals.estimated),
  cost_side_calls_usd: Money.toDollars(totals.sideCost),
  cost_unknown: totals.unknown
})

const mean = (sum: number, count: number): number | null => (count === 0 ? null : Math.round(sum / count))

/** Whole milliseconds; null where nothing was measured. */
export const rounded = (millis: number | undefined): number | null =>
  millis === undefined ? null : Math.round(millis)
