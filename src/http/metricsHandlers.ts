import { HttpApiBuilder } from "@effect/platform"
import { Effect } from "effect"
import { CONTENT_TYPES, formatFor } from "../services/metrics/exposition.ts"
import { MetricsReport } from "../services/MetricsReport.ts"
import { Api } from "./contract.ts"
import { makeAnswering, PRIVATE } from "./recordHandlers.ts"

/** `/metrics`, for whoever may look at the record. */
export const metrics = HttpApiBuilder.group(Api, "metrics", (handlers) =>
  Effect.gen(function* () {
    const answering = yield* makeAnswering
    const report = yield* MetricsReport
    return handlers.handleRaw(
      "metrics",
      answering((exchange) => {
        const format = formatFor(exchange.header("accept"))
        return Effect.map(report.text(format), (text) =>
          exchange.text(200, CONTENT_TYPES[format], Buffer.from(text), PRIVATE)
        )
      })
    )
  })
)
