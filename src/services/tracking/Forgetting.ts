import { SqlClient } from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { DAY, HOUR } from "../../domain/record/Rollup.ts"
import { inTransaction } from "../database/transaction.ts"

/** What one step did. */
export interface Step {
  readonly rows: number
  readonly bodies: number
  readonly rollups: number
  /** Whether another step would find more. */
  readonly more: boolean
}

/** Where a walk over the texts is. */
export interface Place {
  readonly timestamp: string
  readonly id: number
}

/**
 * The steps in which a record is forgotten: each is one transaction of so many rows and bytes. Who is still running
 * is never touched, and side calls go with their parents.
 */
export const makeForgetting = Effect.gen(function* () {
  const sql = yield* SqlClient

  /** Rows that began before this moment. */
  const rowsBefore = (moment: string) =>
    sql<Candidate>`
      SELECT ${CANDIDATE(sql)} FROM openrouter_requests r
      LEFT JOIN request_bodies b ON b.internal_request_id = r.internal_request_id
      WHERE r.timestamp < ${moment} AND ${goesAlone(sql)}
      ORDER BY r.timestamp, r.id LIMIT ${ROWS}`.pipe(Effect.flatMap(dropRows))

  /** The rows that were written first, whatever the clock was then; up to a number. */
  const firstRows = (upTo = Number.MAX_SAFE_INTEGER) =>
    sql<Candidate>`
      SELECT ${CANDIDATE(sql)} FROM openrouter_requests r
      LEFT JOIN request_bodies b ON b.internal_request_id = r.internal_request_id
      WHERE r.id <= ${upTo} AND ${goesAlone(sql)}
      ORDER BY r.id LIMIT ${ROWS}`.pipe(Effect.flatMap(dropRows))

  const dropRows = Effect.fnUntraced(function* (found: ReadonlyArray<Candidate>) {
    const parents = handful(found)
    if (parents.length === 0) return NOTHING
    const children = yield* sql<Candidate>`
      SELECT ${CANDIDATE(sql)} FROM openrouter_requests r
      LEFT JOIN request_bodies b ON b.internal_request_id = r.internal_request_id
      WHERE ${sql.in("r.parent_request_id", idsOf(parents))} AND r.state <> 'running' LIMIT ${ROWS}`
    const some = handful(children)
    // Parents of many go after the last of their children.
    const gone = some.length < children.length || children.length === ROWS ? some : [...parents, ...some]
    return yield* inTransaction(
      sql,
      Effect.fnUntraced(function* () {
        const bodies = yield* dropBodies(gone)
        yield* sql`DELETE FROM request_steps WHERE ${sql.in("internal_request_id", idsOf(gone))}`
        yield* sql`DELETE FROM request_media WHERE ${sql.in("internal_request_id", idsOf(gone))}`
        const rows = yield* sql`
          DELETE FROM openrouter_requests WHERE ${sql.in("id", numbersOf(gone))} RETURNING id`
        return { rows: rows.length, bodies, rollups: 0, more: true }
      })
    )
  })

  /** Texts of rows that began before this moment, from a place on; the place to go on from. */
  const bodiesBefore = Effect.fnUntraced(function* (moment: string, from: Place) {
    const found = yield* sql<Candidate>`
      SELECT ${CANDIDATE(sql)} FROM openrouter_requests r
      LEFT JOIN request_bodies b ON b.internal_request_id = r.internal_request_id
      WHERE r.timestamp < ${moment} AND r.timestamp >= ${from.timestamp}
        AND (r.timestamp > ${from.timestamp} OR r.id > ${from.id})
      ORDER BY r.timestamp, r.id LIMIT ${ROWS}`
    const seen = handful(found)
    const last = seen.at(-1)
    if (last === undefined) return { ...NOTHING, place: from }
    const gone = seen.filter(
      ({ bytes, preview, state }) => state !== "running" && (bytes ?? preview) !== null
    )
    const bodies = yield* gone.length === 0
      ? Effect.succeed(0)
      : inTransaction(
          sql,
          Effect.fnUntraced(function* () {
            yield* sql`UPDATE openrouter_requests SET preview = NULL WHERE ${sql.in("id", numbersOf(gone))}`
            // What is linked to is part of what was asked.
            yield* sql`UPDATE request_media SET label = '' WHERE ${sql.in("internal_request_id", idsOf(gone))}`
            return yield* dropBodies(gone)
          })
        )
    const place = { timestamp: last.timestamp, id: Number(last.id) }
    return { rows: 0, bodies, rollups: 0, more: seen.length < found.length || found.length === ROWS, place }
  })

  const dropBodies = (rows: ReadonlyArray<Candidate>) =>
    Effect.map(
      sql`DELETE FROM request_bodies WHERE ${sql.in("internal_request_id", idsOf(rows))}
        RETURNING internal_request_id`,
      (dropped) => dropped.length
    )

  /** Sums by the hour of whole days before this second; the sums of those days stay. */
  const rollupsBefore = Effect.fnUntraced(function* (second: number) {
    const dropped = yield* sql`
      DELETE FROM request_rollups WHERE span = ${HOUR} AND (start, shape_id) IN (
        SELECT start, shape_id FROM request_rollups
        WHERE span = ${HOUR} AND start < ${second - (second % DAY)} ORDER BY start, shape_id LIMIT ${ROWS}
      ) RETURNING shape_id`
    return { rows: 0, bodies: 0, rollups: dropped.length, more: dropped.length === ROWS }
  })

  return { rowsBefore, firstRows, bodiesBefore, rollupsBefore }
})

interface Candidate {
  readonly id: number | string
  readonly internal_request_id: string
  readonly timestamp: string
  readonly state: string
  readonly preview: string | null
  /** Of both texts. */
  readonly bytes: number | string | null
}

const CANDIDATE = (sql: SqlClient) =>
  sql.literal(
    `r.id, r.internal_request_id, r.timestamp, r.state, r.preview, CASE WHEN b.internal_request_id IS NOT NULL
       THEN coalesce(octet_length(b.request_body), 0) + coalesce(octet_length(b.response_body), 0) END AS bytes`
  )

/** Who is done, and has no parent that is still there. */
const goesAlone = (sql: SqlClient) =>
  sql.literal(
    `r.state <> 'running' AND (r.parent_request_id IS NULL OR NOT EXISTS (
       SELECT 1 FROM openrouter_requests p WHERE p.internal_request_id = r.parent_request_id))`
  )

/** As many as fit into a step, and at least one. */
const handful = (rows: ReadonlyArray<Candidate>): ReadonlyArray<Candidate> => {
  let bytes = 0
  const end = rows.findIndex((row, at) => (bytes += Number(row.bytes)) > BYTES && at > 0)
  return end < 0 ? rows : rows.slice(0, end)
}

const idsOf = (rows: ReadonlyArray<Candidate>) => rows.map((row) => row.internal_request_id)
const numbersOf = (rows: ReadonlyArray<Candidate>) => rows.map(({ id }) => Number(id))

const NOTHING: Step = { rows: 0, bodies: 0, rollups: 0, more: false }

/** What a step takes at most: a few milliseconds of the only thread there is. */
const ROWS = 100
const BYTES = 2 * 1024 * 1024
