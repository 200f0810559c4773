import { Effect } from "effect"
import type { Scope } from "effect"
import { createServer } from "node:http"
import type { IncomingHttpHeaders } from "node:http"
import type { AddressInfo } from "node:net"
import { metricsIn, spansIn } from "./Otlp.ts"
import type { MetricPoint, Span } from "./Otlp.ts"

/** One delivery as it came. */
export interface Delivery {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** A real server in this process that takes traces and metrics, in both forms, and reads them. */
export interface Collector {
  readonly url: string
  readonly deliveries: ReadonlyArray<Delivery>
  /** Every span so far, in the order they came. */
  readonly spans: Effect.Effect<ReadonlyArray<Span>>
  /** The points of the last delivery of metrics. */
  readonly metrics: Effect.Effect<ReadonlyArray<MetricPoint>>
  /** The statuses of the next answers, one each; after that 200 again. */
  readonly answers: (...statuses: ReadonlyArray<number>) => void
}

export const startCollector: Effect.Effect<Collector, never, Scope.Scope> = Effect.acquireRelease(
  Effect.async<Collector & { readonly stop: Effect.Effect<void> }>((resume) => {
    const deliveries: Array<Delivery> = []
    let statuses: ReadonlyArray<number> = []
    const server = createServer((request, response) => {
      const pieces: Array<Buffer> = []
      request.on("data", (piece: Buffer) => pieces.push(piece))
      request.on("end", () => {
        deliveries.push({
          path: request.url ?? "",
          headers: request.headers,
          body: Buffer.concat(pieces)
        })
        const [status = 200, ...later] = statuses
        statuses = later
        response.writeHead(status, { "content-type": "application/json" }).end("{}")
      })
    })
    const at = (path: string) => deliveries.filter((delivery) => delivery.path === path)
    server.listen(0, "127.0.0.1", () => {
      resume(
        Effect.succeed({
          url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
          deliveries,
          spans: Effect.sync(() => at("/v1/traces").flatMap(spansIn)),
          metrics: Effect.sync(() => at("/v1/metrics").slice(-1).flatMap(metricsIn)),
          answers: (...next) => {
            statuses = next
          },
          stop: Effect.async((resume) => {
            server.close(() => resume(Effect.void))
            server.closeAllConnections()
          })
        })
      )
    })
  }),
  ({ stop }) => stop
)
