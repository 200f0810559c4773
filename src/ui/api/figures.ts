import { filterParameters } from "../model/query.ts"
import type { Query } from "../model/query.ts"
import { field, getJson } from "./client.ts"

/** What a range comes to. Money is in decimal dollars; what nobody measured is null. */
export interface Totals {
  readonly requests: number
  readonly errors: number
  readonly cancelled: number
  readonly side_calls: number
  readonly prompt_tokens: number
  readonly completion_tokens: number
  readonly total_tokens: number
  readonly cost_usd: string
  readonly cost_estimated_usd: string
  /** Answers whose price nobody told. */
  readonly cost_unknown: number
  readonly duration_ms: Durations
  readonly media_requests: number
  readonly media_hits: number
  readonly in_flight?: number
}

export type Durations = { readonly [Name in "p50" | "p95" | "p99"]: number | null }

export interface Stats {
  readonly totals: Totals
  /** The same length before it, where there is one. */
  readonly previous: Totals | null
  readonly is_partial: boolean
}

/** A stretch of a series. */
export interface Bucket {
  readonly start: string
  readonly requests: number
  readonly errors: number
  readonly cancelled: number
  readonly cost_usd: string
  /** In the order of the models; all others last. */
  readonly cost_by_model_usd: ReadonlyArray<string>
  readonly p50_ms: number | null
  readonly p95_ms: number | null
}

export interface Series {
  readonly bucket_ms: number
  readonly models: ReadonlyArray<string>
  readonly buckets: ReadonlyArray<Bucket>
  readonly is_partial: boolean
}

/** Failures that are alike. */
export interface ErrorGroup {
  readonly state: string
  readonly source: string | null
  readonly status: number | null
  readonly endpoint: string
  readonly provider: string | null
  readonly count: number
  /** How many models they befell, and the one that most of them did. */
  readonly models: number
  readonly model: string
  readonly last: string
  readonly newest: { readonly internal_request_id: string; readonly error_message: string | null } | null
}

export interface ErrorGroups {
  readonly groups: ReadonlyArray<ErrorGroup>
  readonly total_groups: number
  readonly total_errors: number
  readonly is_partial: boolean
}

export const readStats = (query: Query, signal: AbortSignal): Promise<Stats> =>
  read("stats", query, signal, isStats)

export const readSeries = async (query: Query, signal: AbortSignal): Promise<Series> =>
  cut(await read("series", query, signal, isSeries))

export const readErrors = (query: Query, signal: AbortSignal): Promise<ErrorGroups> =>
  read("errors", query, signal, isErrors)

/** A page with more buckets would be slow, and no screen shows them. */
export const cut = (series: Series): Series => ({ ...series, buckets: series.buckets.slice(-MOST_BUCKETS) })

/** What has the right outline is taken for what it should be: the server is ours. */
export const isStats = (answer: unknown): answer is Stats =>
  typeof field(field(field(answer, "totals"), "duration_ms"), "p50") !== "undefined"

export const isSeries = (answer: unknown): answer is Series =>
  Array.isArray(field(answer, "models")) &&
  isListOf(field(answer, "buckets"), (bucket) => Array.isArray(field(bucket, "cost_by_model_usd"))) &&
  Number(field(answer, "bucket_ms")) > 0

export const isErrors = (answer: unknown): answer is ErrorGroups =>
  isListOf(field(answer, "groups"), (group) => typeof field(group, "count") === "number")

const isListOf = (value: unknown, isOne: (one: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(isOne)

const read = async <A>(
  name: string,
  query: Query,
  signal: AbortSignal,
  is: (answer: unknown) => answer is A
): Promise<A> => {
  const answer = await getJson(`/ui/tracking_${name}?${filterParameters(query)}`, signal)
  if (!is(answer)) throw new Error("The server's answer is none that this page understands.")
  return answer
}

const MOST_BUCKETS = 400
