import { SqlClient } from "@effect/sql/SqlClient"
import { Cause, Clock, Duration, Effect, Layer } from "effect"
import { searchable } from "../../domain/record/Searchable.ts"
import { AppConfig } from "../AppConfig.ts"
import { inTransaction } from "../database/transaction.ts"
import { InFlight } from "./InFlight.ts"
import { iso } from "./read/Conditions.ts"
import { ReadDatabase } from "./ReadDatabase.ts"

/**
 * Fills the search index behind the rows: many in a transaction, which the index takes far better than few, but a
 * handful at a time, between which requests have their turn. While there are requests it goes gently, though never so
 * gently that it is left behind. Rows that still run are left out and come when they have ended; what retention
 * removes is removed here.
 */
const follow = Effect.gen(function* () {
  const { bodyMaxAgeDays } = yield* AppConfig
  const inFlight = yield* InFlight
  const reader = yield* ReadDatabase
  const sql = yield* SqlClient
  const isPostgres = sql.onDialectOrElse({ pg: () => true, orElse: () => false })

  /** Indexes some rows, or fewer where it gives way to a request that comes, which may have to write as well. */
  const step = Effect.fnUntraced(function* (most: number, givesWay: boolean) {
    const [state] = yield* reader.rows(sql<State>`
      SELECT position, removed, (${yield* oldestKept}) AS oldest,
        (SELECT max(id) FROM openrouter_requests) AS newest,
        (SELECT count(*) FROM request_search_waiting) AS waiting
      FROM request_search_state`)
    if (state === undefined) return NOTHING_LEFT
    const late =
      state.waiting === 0
        ? []
        : yield* reader.rows(sql<Row>`
      SELECT ${columns} ${tables} JOIN request_search_waiting ON row_id = id WHERE state <> 'running' LIMIT ${most}`)
    const next = settled(
      yield* reader.rows(sql<Row>`
        SELECT ${columns} ${tables} WHERE id > ${state.position} ORDER BY id LIMIT ${most}`),
      yield* Clock.currentTimeMillis
    )
    const gone = Math.min((state.oldest ?? state.position + 1) - 1, state.removed + REMOVED_AT_ONCE)
    const reached =
      late.length > 0 || next.length > 0 || gone > state.removed
        ? yield* inTransaction(sql, () => put(state, late, next, Math.max(gone, state.removed), givesWay))
        : state.position
    return {
      isFull:
        late.length === most ||
        next.length === most ||
        reached < (next.at(-1)?.id ?? reached) ||
        gone === state.removed + REMOVED_AT_ONCE,
      isAwaiting: state.waiting > 0,
      behind: (state.newest ?? 0) - reached
    }
  })

  /** The first row whose texts are kept. */
  const oldestKept = Effect.map(Clock.currentTimeMillis, (now) =>
    bodyMaxAgeDays === undefined
      ? sql`SELECT min(id) FROM openrouter_requests`
      : sql`SELECT id FROM openrouter_requests WHERE timestamp >= ${iso(now - bodyMaxAgeDays * DAY_MILLIS)}
          ORDER BY timestamp LIMIT 1`
  )

  /** How far it came. */
  const put = Effect.fnUntraced(function* (
    { position, removed }: State,
    late: ReadonlyArray<Row>,
    next: ReadonlyArray<Row>,
    gone: number,
    givesWay: boolean
  ) {
    // Another process may have done the same meanwhile; whoever holds the place writes.
    const mine = yield* sql`
      SELECT position FROM request_search_state
      WHERE position = ${position} AND removed = ${removed} ${isPostgres ? sql`FOR UPDATE` : sql``}`
    if (mine.length === 0) return position
    if (late.length > 0) {
      const ids = late.map(({ id }) => id)
      const waited = yield* sql<{ row_id: number }>`
        DELETE FROM request_search_waiting WHERE ${sql.in("row_id", ids)} RETURNING row_id`
      const taken = new Set(waited.map(({ row_id }) => Number(row_id)))
      yield* enter(late.filter(({ id }) => taken.has(Number(id))))
    }
    const before = inFlight.entered()
    let reached = position
    for (let from = 0; from < next.length; from += HANDFUL) {
      if (givesWay && inFlight.entered() !== before) break
      const some = next.slice(from, from + HANDFUL)
      const running = some.filter(({ state }) => state === "running")
      if (running.length > 0)
        yield* sql`INSERT INTO request_search_waiting ${sql.insert(running.map(({ id }) => ({ row_id: id })))}`
      yield* enter(some.filter(({ state }) => state !== "running"))
      reached = some.at(-1)?.id ?? reached
      yield* othersTurn
    }
    yield* sql`UPDATE request_search_state SET position = ${reached}, removed = ${gone}`
    if (gone === removed) return reached
    yield* sql`DELETE FROM request_search WHERE ${number} > ${removed} AND ${number} <= ${gone}`
    yield* sql`DELETE FROM request_search_waiting WHERE row_id <= ${gone}`
    return reached
  })

  const enter = (rows: ReadonlyArray<Row>) =>
    rows.length === 0
      ? Effect.void
      : sql`INSERT INTO request_search ${sql.insert(
          rows.map((row) => ({ [key]: row.id, document: documentOf(row) }))
        )}`

  const key = isPostgres ? "row_id" : "rowid"
  const number = sql.literal(key)

  const columns =
    sql.literal(`id, timestamp, state, openrouter_requests.internal_request_id AS request_id, openrouter_request_id,
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
    if (now < lookAgainAt && now > activeUntil) return PAUSE
    const { behind, isAwaiting, isFull } = yield* step(isBusy ? SOME : MANY, !isBusy)
    lookAgainAt = now + (isFull ? 0 : isAwaiting ? AWAITING_PAUSE : IDLE_PAUSE)
    return !isFull ? PAUSE : isBusy && behind < FAR_BEHIND ? GENTLE_PAUSE : BREATH
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
  readonly newest: number | null
  readonly waiting: number
}

interface Row {
  readonly id: number
  readonly timestamp: string
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

/**
 * Up to the first row that has just come: most have ended a moment later, and two processes may write theirs in another
 * order than that of their numbers. A clock that is far ahead is not waited for.
 */
const settled = (rows: ReadonlyArray<Row>, now: number): ReadonlyArray<Row> => {
  const first = rows.findIndex(({ timestamp }) => {
    const age = now - Date.parse(timestamp)
    return age < SETTLED_AFTER && age > -FAR_AHEAD
  })
  return first < 0 ? rows : rows.slice(0, first)
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

const NOTHING_LEFT = { isFull: false, isAwaiting: false, behind: 0 }

const MANY = 128
const SOME = 64
const HANDFUL = 16
const REMOVED_AT_ONCE = 200

/** Rows: requests that come without a pause must not keep it from ever arriving. */
const FAR_BEHIND = 2000
const BREATH = Duration.millis(25)
const GENTLE_PAUSE = Duration.millis(250)
const PAUSE = Duration.seconds(1)
const AFTER_TROUBLE = Duration.seconds(30)

/** Milliseconds: a router without requests asks its database nothing but once in a while. */
const AFTERGLOW = 2500
const AWAITING_PAUSE = 2000
const IDLE_PAUSE = 60_000

/** What came meanwhile is heard before it goes on. */
const othersTurn = Effect.async<void>((resume) => {
  const turn = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(turn))
})

const DAY_MILLIS = 86_400_000
const SETTLED_AFTER = 1000
const FAR_AHEAD = 10_000
