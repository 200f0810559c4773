import { SqlClient } from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { facetsOf } from "../../../domain/record/Facets.ts"
import { mainByDefault } from "../../../domain/record/RecordQuery.ts"
import type { RecordQuery } from "../../../domain/record/RecordQuery.ts"
import type { Shape } from "../../../domain/record/Shape.ts"
import { ReadDatabase } from "../ReadDatabase.ts"
import { runningShapes } from "./Running.ts"
import { ShapeTable } from "./ShapeTable.ts"
import { RecordSums } from "./Sums.ts"

/** What filters there are to choose from, and how much each would leave. */
export class RecordFacets extends Effect.Service<RecordFacets>()("percept/RecordFacets", {
  effect: Effect.gen(function* () {
    const reader = yield* ReadDatabase
    const shapes = yield* ShapeTable
    const sql = yield* SqlClient
    const sums = yield* RecordSums

    /** Counts of everything in the range, of which each filter takes what it needs in memory. */
    const facets = Effect.fnUntraced(function* (asked: RecordQuery) {
      const query = mainByDefault(asked)
      const everything: RecordQuery = { ...query, shapes: new Map() }
      const known = yield* shapes.all()
      const sourcesOf = yield* sums.sourcesFor(everything, known)
      const sources = yield* Effect.flatMap(shapes.pick(everything.shapes), sourcesOf)
      const [byShape, running] = yield* Effect.all(
        [
          sums.byShape(sources, ["requests"]),
          query.search === undefined ? runningShapes(reader, sql, everything) : Effect.succeed([])
        ],
        { concurrency: reader.atOnce }
      )
      const counts = [
        ...Array.from(byShape).flatMap(([id, [count = 0]]): ReadonlyArray<readonly [Shape, number]> => {
          const shape = known.get(id)
          return shape === undefined ? [] : [[shape, count]]
        }),
        ...running.map((shape) => [shape, 1] as const)
      ]
      const rows = counts.reduce((sum, [, count]) => sum + count, 0)
      return { facets: facetsOf(counts, query.shapes), is_partial: rows >= sources.atMost }
    })

    return { facets }
  })
}) {}
