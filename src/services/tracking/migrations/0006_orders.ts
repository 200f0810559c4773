import { SqlClient } from "@effect/sql/SqlClient"
import { Effect } from "effect"

/** Rows by cost and by duration within their shape: so the first rows of any filter are found in either order. */
export default Effect.gen(function* () {
  const sql = yield* SqlClient
  yield* sql`DROP INDEX openrouter_requests_cost`
  yield* sql`DROP INDEX openrouter_requests_duration`
  yield* sql`CREATE INDEX openrouter_requests_cost ON openrouter_requests (shape_id, cost_nano_usd, id)`
  yield* sql`
    CREATE INDEX openrouter_requests_duration ON openrouter_requests (shape_id, processing_duration_ms, id)`
})
