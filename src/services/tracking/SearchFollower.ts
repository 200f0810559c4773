import { SqlClient } from "@effect/sql/SqlClient"
import { Cause, Clock, Duration, Effect, Layer } from "effect"
import { searchable } from "../../domain/record/Searchable.ts"
import { AppConfig } from "../AppConfig.ts"
import { inTransaction } from "../database/transaction.ts"
import { InFlight } from "./InFlight.ts"
import { iso } from "./read/Conditions.ts"
import { ReadDatabase } from "./ReadDatabase.ts"

/**
 * Fills the search index behind the rows, in steps so small that no request notices, and at leisure while there are
 * requests. Rows that still run are left out and come when they have ended; what retention removes is removed here.
 */
const follow = Effect.gen(function* () {
  const { bodyMaxAgeDays } = yield* AppConfig
  const inFlight = yield* InFlight
  const reader = yield* ReadDatabase
  const sql = yield* SqlClient
  const isPostgres = sql.onDialectOrElse({ pg: () => true, orElse: () => false })

  /** Indexes a few rows; true where there may be more to do. */
  const step = Effect.fnUntraced(function* (most: number) {
    const [state] = yield* reader.rows(sql<State>`
      SELECT position, removed, (${yield* oldestKept}) AS oldest,
        (SELECT count(*) FROM request_search_waiting) AS waiting
      FROM request_search_state`)
    if (state === undefined) return false
    const late =
      state.waiting === 0
        ? []
        : yield* reader.rows(sql<Row>`
      SELECT ${columns} ${tables} JOIN request_search_waiting ON row_id = id WHERE state <> 'running' LIMIT ${most}`)
    const next = yield* reader.rows(sql<Row>`
      SELECT ${columns} ${tables} WHERE id > ${state.position} AND timestamp < ${yield* settledBefore}
      ORDER BY id LIMIT ${most}`)
    const gone = Math.min((state.oldest ?? state.position + 1) - 1, state.removed + REMOVED_AT_ONCE)
    if (late.length > 0 || next.length > 0 || gone > state.removed)
      yield* inTransaction(sql, () => put(state, late, next, Math.max(gone, state.removed)))
    return (
      late.length === most ||
      next.length === most ||
      gone === state.removed + REMOVED_AT_ONCE ||
      state.waiting > 0
    )
  })

  /** The first row whose texts are kept. */
  const oldestKept = Effect.map(Clock.currentTimeMillis, (now) =>
    bodyMaxAgeDays === undefined
      ? sql`SELECT min(id) FROM openrouter_requests`
      : sql`SELECT id FROM openrouter_requests WHERE timestamp >= ${iso(now - bodyMaxAgeDays * DAY_MILLIS)}
          ORDER BY timestamp LIMIT 1`
  )

  const put = Effect.fnUntraced(function* (
    { position, removed }: State,
    late: ReadonlyArray<Row>,
    next: ReadonlyArray<Row>,
    gone: number
  ) {
    const reached = next.at(-1)?.id ?? position
    // Another process may have done the same meanwhile; whoever moves the place writes.
    const mine = yield* sql`
      UPDATE request_search_state SET position = ${reached}, removed = ${gone}
      WHERE position = ${position} AND removed = ${removed} RETURNING position`
    if (mine.length === 0) return
    const running = next.filter(({ state }) => state === "running")
    if (running.length > 0)
      yield* sql`INSERT INTO request_search_waiting ${sql.insert(running.map(({ id }) => ({ row_id: id })))}`
    if (late.length > 0)
      yield* sql`DELETE FROM request_search_waiting WHERE ${sql.in(
        "row_id",
        late.map(({ id }) => id)
      )}`
    const ended = [...next.filter(({ state }) => state !== "running"), ...late]
    if (ended.length > 0)
      yield* sql`INSERT INTO request_search ${sql.insert(
        ended.map((row) => ({ [key]: row.id, document: documentOf(row) }))
      )}`
    if (gone === removed) return
    yield* sql`DELETE FROM request_search WHERE ${number} > ${removed} AND ${number} <= ${gone}`
    yield* sql`DELETE FROM request_search_waiting WHERE row_id <= ${gone}`
  })

  const key = isPostgres ? "row_id" : "rowid"
  const number = sql.literal(key)

  /** Two processes may write their rows in another order than that of their numbers. */
  const settledBefore = Effect.map(Clock.currentTimeMillis, (now) =>
    isPostgres ? iso(now - SETTLED_AFTER) : FAR
  )

  const columns =
    sql.literal(`id, state, openrouter_requests.internal_request_id AS request_id, openrouter_request_id,
    trace_id, model_requested_by_client, model_routed_to_openrouter, error_message,
    substr(request_body, 1, ${PIECE}) AS head,
    CASE WHEN length(request_body) > ${PIECE} THEN substr(request_body, length(request_body) - ${PIECE - 1}) END AS tail,
    substr(response_body, 1, ${PIECE}) AS answer`)
  const tables = sql.literal(`FROM openrouter_requests LEFT JOIN request_bodies
    ON request_bodies.internal_request_id = openrouter_requests.internal_request_id`)

  let seen = -1
  let activeUntil = 0
  let lookAgainAt = 0
  const look = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const entered = inFlight.entered()
    const isBusy = inFlight.count() > 0
    if (entered !== seen || isBusy) activeUntil = now + AFTERGLOW
    seen = entered
    if (now < lookAgainAt && (now > activeUntil || isBusy)) return PAUSE
    const more = yield* step(isBusy ? FEW : MANY)
    lookAgainAt = now + (isBusy ? BUSY_PAUSE : more ? 0 : IDLE_PAUSE)
    return more && !isBusy ? BREATH : PAUSE
  }).pipe(
    Effect.catchAllCause((cause) =>
      Cause.isInterruptedOnly(cause)
        ? Effect.succeed(PAUSE)
        : Effect.as(Effect.logDebug("The search index cannot be filled.", cause), AFTER_TROUBLE)
    )
  )

  const following = Effect.forever(Effect.flatMap(look, (pause) => Effect.sleep(pause)))
  // A start has enough to do.
  yield* Effect.forkScoped(Effect.delay(following, AT_THE_START))
})

/** Runs beside the router where SEARCH_INDEX is on. */
export const layer = Layer.scopedDiscard(
  Effect.flatMap(AppConfig, ({ searchIndex }) => (searchIndex ? follow : Effect.void))
)

const AT_THE_START = Duration.seconds(1)

interface State {
  readonly position: number
  readonly removed: number
  readonly oldest: number | null
  readonly waiting: number
}

interface Row {
  readonly id: number
  readonly state: string
  readonly request_id: string
  readonly openrouter_request_id: string | null
  readonly trace_id: string | null
  readonly model_requested_by_client: string | null
  readonly model_routed_to_openrouter: string | null
  readonly error_message: string | null
  readonly head: string | null
  readonly tail: string | null
  readonly answer: string | null
}

/** In small letters, as it is searched. */
const documentOf = (row: Row): string =>
  searchable({
    names: [
      row.request_id,
      row.openrouter_request_id,
      row.trace_id,
      row.model_requested_by_client,
      row.model_routed_to_openrouter,
      row.error_message
    ],
    pieces: [row.head, row.tail, row.answer]
  }).toLowerCase()

/** Characters of a body that are looked at, from its beginning and its end. */
const PIECE = 2500

const MANY = 32
const FEW = 2
const REMOVED_AT_ONCE = 200
const BREATH = Duration.millis(25)
const PAUSE = Duration.millis(500)
const AFTER_TROUBLE = Duration.seconds(30)

/** Milliseconds: a router without requests asks its database nothing but once in a while. */
const AFTERGLOW = 5000
const BUSY_PAUSE = 2000
const IDLE_PAUSE = 60_000

const DAY_MILLIS = 86_400_000
const SETTLED_AFTER = 1000
const FAR = "9999"
