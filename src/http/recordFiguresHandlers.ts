import { HttpApiBuilder } from "@effect/platform"
import { Clock, Effect } from "effect"
import type { Exchange } from "../domain/Exchange.ts"
import * as RecordQuery from "../domain/record/RecordQuery.ts"
import { RecordAnswers } from "../services/tracking/RecordAnswers.ts"
import type { Answer, Subject } from "../services/tracking/workers/readMessages.ts"
import { Api } from "./contract.ts"
import { makeAnswering, PRIVATE } from "./recordHandlers.ts"

export const recordFigures = HttpApiBuilder.group(Api, "recordFigures", (handlers) =>
  Effect.gen(function* () {
    const answering = yield* makeAnswering
    const records = yield* RecordAnswers

    const about = (subject: Subject) =>
      answering((exchange, parameters) =>
        Effect.gen(function* () {
          const query = yield* RecordQuery.parse(parameters, yield* Clock.currentTimeMillis)
          sendUnlessKnown(exchange, yield* records.answer(subject, query))
        })
      )

    return handlers
      .handleRaw("stats", about("stats"))
      .handleRaw("series", about("series"))
      .handleRaw("facets", about("facets"))
      .handleRaw("errors", about("errors"))
      .handleRaw(
        "earlier",
        answering((exchange) =>
          Effect.gen(function* () {
            const everything = yield* RecordQuery.parse(new URLSearchParams(), yield* Clock.currentTimeMillis)
            const { bytes } = yield* records.answer("earlier", everything)
            exchange.json(200, bytes, PRIVATE)
          })
        )
      )
  })
)

/** Most questions are asked again and again by a page that is open, and most answers are the same. */
const sendUnlessKnown = (exchange: Exchange, { bytes, tag }: Answer): void => {
  const quoted = `"${tag}"`
  const headers = ["cache-control", "private, no-cache", "x-content-type-options", "nosniff", "etag", quoted]
  const isKnown = exchange
    .header("if-none-match")
    ?.split(",")
    .some((known) => known.trim().replace(/^W\//, "") === quoted)
  if (isKnown === true) exchange.json(304, Buffer.alloc(0), headers)
  else exchange.json(200, bytes, headers)
}
