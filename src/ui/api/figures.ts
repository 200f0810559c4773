import { filterParameters } from "../model/query.ts"
import type { FilterName, Query } from "../model/query.ts"
import { getJson } from "./client.ts"

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

/** A value of a filter, and how many requests it would leave; where nobody counts there is no number. */
export interface FacetValue {
  readonly value: string
  readonly count?: number
}

export interface Facets {
  readonly facets: { readonly [Name in FilterName]?: ReadonlyArray<FacetValue> }
  /** Only the newest rows were counted. */
  readonly is_partial: boolean
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

/** What the list's requests come to; `name` is a field that the answer has. */
export const readFigures = <A extends object>(
  what: "errors" | "facets" | "series" | "stats",
  name: keyof A & string,
  query: Query,
  signal: AbortSignal
): Promise<A> => getJson(`/ui/tracking_${what}?${filterParameters(query)}`, name, signal)

/** A page with more buckets would be slow, and no screen shows them. */
export const cut = (series: Series): Series => ({ ...series, buckets: series.buckets.slice(-MOST_BUCKETS) })

const MOST_BUCKETS = 400
