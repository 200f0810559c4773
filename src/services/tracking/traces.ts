import type { SqlClient } from "@effect/sql/SqlClient"
import { Effect } from "effect"
import type { Trace } from "../../domain/record/Sighting.ts"
import type { Run } from "../database/transaction.ts"
import { makeUpsert, replacing } from "./upsert.ts"

/** Writes how requests came about; each once, in the transaction that ends its row. */
export const makeTraces = (sql: SqlClient) => {
  const putSteps = makeUpsert(sql, {
    table: "request_steps",
    columns: STEP_COLUMNS,
    key: ["internal_request_id"],
    update: replacing(STEP_COLUMNS.slice(1))
  })
  const putMedia = makeUpsert(sql, {
    table: "request_media",
    columns: MEDIA_COLUMNS,
    key: ["internal_request_id", "place"],
    update: replacing(MEDIA_COLUMNS.slice(2))
  })

  return Effect.fnUntraced(function* (run: Run, traces: ReadonlyArray<Trace>) {
    yield* putSteps(
      run,
      traces.flatMap(({ internal_request_id, steps }) =>
        steps === null ? [] : [[internal_request_id, steps]]
      )
    )
    yield* putMedia(
      run,
      traces.flatMap(({ internal_request_id, media }) =>
        media.map((one, place) => [
          ...[internal_request_id, place, one.kind, one.param, one.entry, one.remembered ? 1 : 0],
          ...[Math.round(one.ms), one.shown, one.failure, one.label]
        ])
      )
    )
  })
}

const STEP_COLUMNS = ["internal_request_id", "steps"]
const MEDIA_COLUMNS = [
  ...["internal_request_id", "place", "kind", "param", "entry", "remembered"],
  ...["ms", "shown", "failure", "label"]
]
