import { Effect, FiberRef, Runtime, RuntimeFlags } from "effect"
import type { IncomingMessage, RequestListener } from "node:http"
import { InvalidRequest } from "../domain/Errors.ts"
import type { Exchange } from "../domain/Exchange.ts"
import { Gateway } from "../services/gateway/Gateway.ts"
import { oneQueue } from "../services/lightFibers.ts"
import { Exchanges } from "./Exchanges.ts"
import { pathOf } from "./NodeExchange.ts"

/** Answers an exchange completely, whatever happens; how it ended is already in the record. */
export type Lane = (exchange: Exchange) => Effect.Effect<void, unknown>

/**
 * A short cut for the busiest paths: one fiber a request, straight on Node's response. The same paths are in
 * the contract and are served there just as well, only dearer, when a lane is taken away.
 */
export const withLanes = Effect.fnUntraced(function* (
  lanes: ReadonlyMap<string, Lane>,
  rest: RequestListener
) {
  const exchanges = yield* Exchanges
  const gateway = yield* Gateway
  const runtime = yield* Effect.runtime<never>()
  const fork = Runtime.runFork(
    runtime.pipe(
      Runtime.disableRuntimeFlag(RuntimeFlags.RuntimeMetrics),
      Runtime.setFiberRef(FiberRef.currentScheduler, oneQueue)
    )
  )

  const laneOf = (request: IncomingMessage): Lane | undefined => {
    if (request.headers.host === undefined && request.httpVersion === "1.1") return hostless
    return request.method === "POST" ? lanes.get(pathOf(request)) : undefined
  }
  const hostless: Lane = (exchange) =>
    gateway.refuse(exchange, new InvalidRequest({ message: "The Host header is missing.", code: null }))

  const listener: RequestListener = (request, response) => {
    const lane = laneOf(request)
    if (lane === undefined) {
      // For what the platform answers by itself; an exchange puts its own number over it.
      response.setHeader("x-request-id", exchanges.freshId())
      return rest(request, response)
    }
    const exchange = exchanges.make(request, response)
    exchange.requestBody.takeEarly(() => {
      const fiber = fork(lane(exchange))
      if (response.closed) fiber.unsafeInterruptAsFork(fiber.id())
      response.on("close", () => {
        if (!response.writableFinished) fiber.unsafeInterruptAsFork(fiber.id())
      })
    })
  }
  return listener
})
