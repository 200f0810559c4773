import type { SqlClient } from "@effect/sql/SqlClient"
import { Effect, Queue } from "effect"
import type { RequestRecord } from "../../domain/RequestRecord.ts"
import { figuresOf } from "../../domain/record/Figures.ts"
import { rollupsOf } from "../../domain/record/Rollup.ts"
import type { Rollup } from "../../domain/record/Rollup.ts"
import type { Usage } from "../../domain/Usage.ts"
import { inTransaction } from "../database/transaction.ts"
import type { Run } from "../database/transaction.ts"
import type { makeCharges } from "./charges.ts"
import type { makeShapes } from "./Shapes.ts"
import type { makeUpsert } from "./upsert.ts"
import { withNumbers } from "./withNumbers.ts"

/** A finished request that may have cost something nobody has told yet. */
export interface Owing {
  readonly id: string
  readonly provider: string
  /** The provider's own number for the answer. */
  readonly generation: string
}

interface Tables {
  readonly sql: SqlClient
  readonly charges: ReturnType<typeof makeCharges>
  readonly shapes: ReturnType<typeof makeShapes>
  readonly addRollups: ReturnType<typeof makeUpsert>
  readonly columns: ReadonlyArray<string>
}

/** Figures that come after the end: who waits for them, and how they get into rows and sums. */
export const makeLateFigures = Effect.fnUntraced(function* ({
  addRollups,
  charges,
  columns,
  shapes,
  sql
}: Tables) {
  const owing = yield* Queue.dropping<Owing>(MOST_OWING)
  const locked = sql.literal(sql.onDialectOrElse({ pg: () => "FOR UPDATE", orElse: () => "" }))

  /** Notes those of the rows that were cut before their usage came. */
  const note = (rows: ReadonlyArray<RequestRecord>): void => {
    for (const row of rows) {
      const { internal_request_id: id, openrouter_request_id: generation, provider } = row
      if (provider !== null && generation !== null && isOwing(row))
        owing.unsafeOffer({ id, provider, generation })
    }
  }

  /** Those of an earlier run, or of a process that died; found by their time, since their shapes are old ones too. */
  const owedBetween = (from: string, to: string, providers: ReadonlyArray<string>) =>
    sql<RequestRecord>`
      SELECT ${sql.literal(columns.join(", "))} FROM openrouter_requests
      WHERE timestamp >= ${from} AND timestamp < ${to}
        AND +shape_id IN (
          SELECT id FROM request_shapes
          WHERE ${sql.in("provider", providers)} AND cost_source = '' AND ${sql.in("state", CUT)})
        AND openrouter_request_id IS NOT NULL AND prompt_tokens IS NULL
      LIMIT ${MOST_OWING}`

  /**
   * Writes what a finished request has used and moves it to where it is counted then, all or nothing. True where
   * that was missing: asked twice, it counts once.
   */
  const complete = (id: string, usage: Usage) =>
    Effect.map(
      inTransaction(sql, (run) => change(run, id, usage)),
      (learned) => {
        if (learned !== undefined) shapes.remember(learned)
        return learned !== undefined
      }
    )

  const change = Effect.fnUntraced(function* (run: Run, id: string, usage: Usage) {
    const [found] = yield* sql<RequestRecord>`
      SELECT ${sql.literal(columns.join(", "))} FROM openrouter_requests
      WHERE internal_request_id = ${id} AND state <> 'running' AND cost_source IS NULL ${locked}`
    if (found === undefined || usage.cost === undefined) return undefined
    const before = withNumbers(found)
    const figures = figuresOf(usage, undefined, before.timestamp)
    const after: RequestRecord = { ...before, ...figures }
    const { learned, numbers } = yield* shapes.numbersOf(run, [after])
    after.shape_id = numbers[0] ?? null
    yield* sql`
      UPDATE openrouter_requests SET ${sql.update({ ...figures, shape_id: after.shape_id })}
      WHERE internal_request_id = ${id}`
    yield* charges.charge(run, [after])
    yield* move(run, before, after)
    return learned
  })

  /** In the order in which everybody takes these lines; none is left that counts nothing. */
  const move = Effect.fnUntraced(function* (run: Run, before: RequestRecord, after: RequestRecord) {
    if (before.shape_id === null || after.shape_id === null) return
    const less = rollupsOf([{ row: before, shape: before.shape_id }])
    const more = rollupsOf([{ row: after, shape: after.shape_id }])
    const changes = [...less.map((line) => lineOf(line, -1)), ...more.map((line) => lineOf(line, 1))]
    yield* addRollups(
      run,
      changes.toSorted(([span, , shape], [other, , otherShape]) => span - other || shape - otherShape)
    )
    for (const { shape, span, start } of less)
      yield* sql`
        DELETE FROM request_rollups
        WHERE span = ${span} AND start = ${start} AND shape_id = ${shape} AND requests = 0`
  })

  const taken: Queue.Dequeue<Owing> = owing
  return { complete, note, owedBetween, owing: taken }
})

const lineOf = ({ counts, shape, span, start }: Rollup, sign: 1 | -1) =>
  [span, start, shape, ...counts.map((count) => (sign === 1 ? count : 0 - count))] as const

/** An answer of an error status has an id too, but costs nothing; of a real one something has come. */
const isOwing = ({ cost_source, openrouter_latency_ms, prompt_tokens, state }: RequestRecord): boolean =>
  cost_source === null &&
  prompt_tokens === null &&
  CUT.includes(state) &&
  (state !== "failed" || openrouter_latency_ms !== null)

/** The states of those whose end came before their usage. */
const CUT: ReadonlyArray<string> = ["cancelled", "failed", "interrupted"]

const MOST_OWING = 1000
