import { Effect, Layer } from "effect"
import { createHash } from "node:crypto"
import type { InvalidRequest } from "../../../domain/Errors.ts"
import type { RecordQuery } from "../../../domain/record/RecordQuery.ts"
import type { ReadFailed } from "../ReadFailed.ts"
import type { Answer, Subject } from "../workers/readMessages.ts"
import { EarlierStats } from "./EarlierStats.ts"
import { RecordErrors } from "./ErrorGroups.ts"
import { RecordFacets } from "./Facets.ts"
import { RecordList } from "./List.ts"
import { RecordSeries } from "./Series.ts"
import { ShapeTable } from "./ShapeTable.ts"
import { RecordStats } from "./Stats.ts"
import { RecordSums } from "./Sums.ts"

/** Answers every question there is about the record as a whole, as the text that is sent. */
export const answering = Effect.gen(function* () {
  const earlier = yield* EarlierStats
  const errors = yield* RecordErrors
  const facets = yield* RecordFacets
  const lists = yield* RecordList
  const series = yield* RecordSeries
  const stats = yield* RecordStats
  const answers: {
    readonly [About in Subject]: (query: RecordQuery) => Effect.Effect<object, ReadFailed | InvalidRequest>
  } = {
    list: lists.list,
    stats: stats.stats,
    series: series.series,
    facets: facets.facets,
    errors: errors.errors,
    earlier: earlier.stats
  }
  return (about: Subject, query: RecordQuery) => Effect.map(answers[about](query), written)
})

/** What answers are made of, beside a database to read from and the search in it. */
export const layer = Layer.mergeAll(EarlierStats.Default, RecordErrors.Default).pipe(
  Layer.provideMerge(
    Layer.mergeAll(RecordFacets.Default, RecordList.Default, RecordSeries.Default, RecordStats.Default)
  ),
  Layer.provideMerge(RecordSums.Default),
  Layer.provideMerge(ShapeTable.Default)
)

const written = (answer: object): Answer => {
  const bytes = new TextEncoder().encode(JSON.stringify(answer))
  return { bytes, tag: createHash("sha1").update(bytes).digest("base64url") }
}
