import { HttpApiBuilder } from "@effect/platform"
import { Clock, Effect, Hash } from "effect"
import type { Failure } from "../domain/Errors.ts"
import type { Exchange } from "../domain/Exchange.ts"
import * as RecordQuery from "../domain/record/RecordQuery.ts"
import { EarlierStats } from "../services/tracking/read/EarlierStats.ts"
import { RecordFacets } from "../services/tracking/read/Facets.ts"
import { RecordSeries } from "../services/tracking/read/Series.ts"
import { RecordStats } from "../services/tracking/read/Stats.ts"
import { Api } from "./contract.ts"
import { makeAnswering, sendJson } from "./recordHandlers.ts"

export const recordFigures = HttpApiBuilder.group(Api, "recordFigures", (handlers) =>
  Effect.gen(function* () {
    const answering = yield* makeAnswering
    const earlier = yield* EarlierStats
    const facets = yield* RecordFacets
    const series = yield* RecordSeries
    const stats = yield* RecordStats

    const about = (answer: (query: RecordQuery.RecordQuery) => Effect.Effect<object, Failure>) =>
      answering((exchange, parameters) =>
        Effect.gen(function* () {
          const query = yield* RecordQuery.parse(parameters, yield* Clock.currentTimeMillis)
          sendUnlessKnown(exchange, yield* answer(query))
        })
      )

    return handlers
      .handleRaw("stats", about(stats.stats))
      .handleRaw("series", about(series.series))
      .handleRaw("facets", about(facets.facets))
      .handleRaw(
        "earlier",
        answering((exchange) => Effect.map(earlier.stats(), (figures) => sendJson(exchange, figures)))
      )
  })
)

/** Most questions are asked again and again by a page that is open, and most answers are the same. */
const sendUnlessKnown = (exchange: Exchange, value: object): void => {
  const text = JSON.stringify(value)
  const tag = `"${[Hash.string(text), Hash.string(`${text.length}${text}`)].map((part) => (part >>> 0).toString(36)).join("-")}"`
  const headers = ["cache-control", "private, no-cache", "x-content-type-options", "nosniff", "etag", tag]
  const isKnown = exchange
    .header("if-none-match")
    ?.split(",")
    .some((known) => known.trim().replace(/^W\//, "") === tag)
  if (isKnown === true) exchange.json(304, Buffer.alloc(0), headers)
  else exchange.json(200, Buffer.from(text), headers)
}
