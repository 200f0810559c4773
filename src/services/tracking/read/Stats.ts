import { SqlClient } from "@effect/sql/SqlClient"
import { Clock, Effect } from "effect"
import { mainByDefault } from "../../../domain/record/RecordQuery.ts"
import type { RecordQuery } from "../../../domain/record/RecordQuery.ts"
import type { Shape } from "../../../domain/record/Shape.ts"
import { before } from "../../../domain/record/Spans.ts"
import * as Statistics from "../../../domain/record/Statistics.ts"
import type { Counted } from "../../../domain/record/Statistics.ts"
import { ReadDatabase } from "../ReadDatabase.ts"
import { countOf, runningShapes } from "./Running.ts"
import { ShapeTable } from "./ShapeTable.ts"
import { RecordSums } from "./Sums.ts"

/** Totals of a range: what was asked, how fast it was answered, what it cost and who spent it. */
export class RecordStats extends Effect.Service<RecordStats>()("percept/RecordStats", {
  effect: Effect.gen(function* () {
    const reader = yield* ReadDatabase
    const shapes = yield* ShapeTable
    const sql = yield* SqlClient
    const sums = yield* RecordSums

    /** Everything about a range, beside what was before it. */
    const stats = Effect.fnUntraced(function* (query: RecordQuery) {
      const earlier = before(query, yield* Clock.currentTimeMillis)
      const isRequest = isRequestOf(query)
      const picks = yield* picksFor(query)
      const [now, then, running] = yield* Effect.all(
        [
          summedUp(query, picks),
          earlier === undefined ? Effect.succeed(undefined) : summedUp({ ...query, ...earlier }, picks),
          runningShapes(reader, sql, { ...query, from: undefined, to: undefined })
        ],
        { concurrency: reader.atOnce }
      )
      const { counted, isPartial } = now
      return {
        totals: {
          ...Statistics.totalsOf(counted, isRequest),
          ...now.speed,
          in_flight: countOf(running, mainByDefault(query))
        },
        previous:
          then === undefined ? null : { ...Statistics.totalsOf(then.counted, isRequest), ...then.speed },
        models: Statistics.topOf(counted, isRequest, Statistics.modelOf, TOP_MODELS),
        providers: Statistics.topOf(
          counted,
          isRequest,
          ({ provider }) => Statistics.orNone(provider),
          TOP_PROVIDERS
        ),
        keys: Statistics.topOf(counted, isRequest, ({ key_id }) => Statistics.orNone(key_id), TOP_KEYS),
        is_partial: isPartial || (then?.isPartial ?? false)
      }
    })

    /** The shapes that are asked for: all that cost something, and those of requests. */
    const picksFor = Effect.fnUntraced(function* (query: RecordQuery) {
      return {
        known: yield* shapes.all(),
        money: yield* shapes.pick(query.shapes),
        speed: yield* shapes.pick(mainByDefault(query).shapes)
      }
    })

    /** Sums by shape, and the speed of what counts as a request. */
    const summedUp = Effect.fnUntraced(function* (
      query: RecordQuery,
      picks: Effect.Effect.Success<ReturnType<typeof picksFor>>
    ) {
      const { known } = picks
      const sourcesOf = yield* sums.sourcesFor(query, known)
      const money = yield* sourcesOf(picks.money)
      const speed = yield* sourcesOf(picks.speed)
      const byShape = yield* sums.byShape(money, COLUMNS, Statistics.BY_SHAPE.length)
      const inAll = (yield* sums.inAll(speed, COLUMNS)).slice(Statistics.BY_SHAPE.length)
      const counted = Array.from(byShape).flatMap(([id, sums]): ReadonlyArray<Counted> => {
        const shape = known.get(id)
        return shape === undefined ? [] : [{ shape, sums }]
      })
      const rows = counted.reduce((sum, { sums: [requests = 0] }) => sum + requests, 0)
      return { counted, speed: Statistics.speedOf(inAll), isPartial: rows >= money.atMost }
    })

    return { stats, picksFor, summedUp }
  })
}) {}

/** Side calls are no requests, unless somebody asks for them. */
export const isRequestOf =
  (query: RecordQuery) =>
  ({ kind }: Shape): boolean =>
    kind === "main" || query.shapes.has("kind")

/** All columns at once: sums that are remembered serve both halves, and every filter. */
const COLUMNS = [...Statistics.BY_SHAPE, ...Statistics.IN_ALL]

const TOP_MODELS = 10
const TOP_PROVIDERS = 10
const TOP_KEYS = 20
