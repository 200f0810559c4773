import type { SqlClient } from "@effect/sql/SqlClient"
import type { Fragment } from "@effect/sql/Statement"
import { BUCKETS, boundOf } from "../../../domain/Histogram.ts"
import { MOST } from "../../../domain/record/Rollup.ts"

/** A row in the columns of a sum, and when it came in seconds. */
export const rowColumns = (sql: SqlClient): Fragment => {
  const start = sql.onDialectOrElse({
    pg: () => "CAST(floor(extract(epoch FROM CAST(timestamp AS timestamptz))) AS BIGINT)",
    orElse: () => "unixepoch(timestamp)"
  })
  return sql.literal(`${start} AS start, ${COLUMNS}`)
}

/** What counts of a number somebody claims, as sums by hour have it. */
const plausible = (column: string) => `CASE WHEN ${column} BETWEEN 0 AND ${MOST} THEN ${column} ELSE 0 END AS`

const bucket = (at: number): string => {
  const above = at === 0 ? "IS NOT NULL" : `> ${Math.floor(boundOf(at - 1))}`
  const upTo = at === BUCKETS - 1 ? "" : `AND processing_duration_ms <= ${Math.floor(boundOf(at))} `
  return `CASE WHEN processing_duration_ms ${above} ${upTo}THEN 1 ELSE 0 END AS b${at}`
}

const COLUMNS = [
  // How rows are found is decided by their time, never by the index of shapes.
  "+shape_id AS shape_id",
  "1 AS requests",
  ...["prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens", "cost_nano_usd"].map(
    (column) => `${plausible(column)} ${column}`
  ),
  "CASE WHEN cost_nano_usd IS NULL THEN 1 ELSE 0 END AS cost_unknown",
  `${plausible("processing_duration_ms")} duration_ms`,
  `${plausible("time_to_first_token_ms")} first_token_ms`,
  "CASE WHEN time_to_first_token_ms IS NULL THEN 0 ELSE 1 END AS first_tokens",
  "is_multimodal AS media_requests",
  `${plausible("cache_hits")} media_hits`,
  ...Array.from({ length: BUCKETS }, (_, at) => bucket(at))
].join(", ")
