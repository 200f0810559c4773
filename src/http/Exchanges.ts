import { HttpServerResponse } from "@effect/platform"
import type { HttpServerRequest } from "@effect/platform"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { Duration, Effect } from "effect"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Failure, InvalidRequest } from "../domain/Errors.ts"
import { AppConfig } from "../services/AppConfig.ts"
import { Gateway } from "../services/gateway/Gateway.ts"
import { freshId } from "../services/tracking/freshId.ts"
import { NodeExchange } from "./NodeExchange.ts"

/** Makes exchanges of Node's requests, and lets handlers of the contract answer through them. */
export class Exchanges extends Effect.Service<Exchanges>()("percept/Exchanges", {
  effect: Effect.gen(function* () {
    const { bodyTimeout, maxBodyMb } = yield* AppConfig
    const gateway = yield* Gateway
    const limits = { bytes: maxBodyMb * 1024 * 1024, millis: Duration.toMillis(bodyTimeout) }

    const make = (request: IncomingMessage, response: ServerResponse): NodeExchange => {
      const exchange = new NodeExchange(freshId(), request, response, limits)
      underWay.set(request.socket, exchange)
      return exchange
    }

    const underWay = new WeakMap<object, NodeExchange>()
    const spoil = (socket: object, failure: InvalidRequest) =>
      underWay.get(socket)?.requestBody.spoil(failure) ?? false
    /** Whether anything more that is said on a connection would stand in the midst of an answer. */
    const isMidStream = (socket: object) => underWay.get(socket)?.isMidStream() ?? false

    /** Answers on Node's response; a failure becomes an error answer and a row. */
    const answered = (
      request: HttpServerRequest.HttpServerRequest,
      answer: (exchange: NodeExchange) => Effect.Effect<void, Failure>
    ) => {
      const response = NodeHttpServerRequest.toServerResponse(request)
      const exchange = make(NodeHttpServerRequest.toIncomingMessage(request), response)
      return answer(exchange).pipe(
        Effect.catchAll((failure) => Effect.exit(gateway.refuse(exchange, failure))),
        Effect.zipRight(ended(response)),
        Effect.as(HttpServerResponse.empty())
      )
    }

    return { make, answered, freshId, isMidStream, spoil }
  })
}) {}

/** The platform must not touch a response that is still being written. */
const ended = (response: ServerResponse): Effect.Effect<void> =>
  Effect.async((resume) => {
    if (response.writableEnded || response.destroyed) return resume(Effect.void)
    response.once("finish", () => resume(Effect.void)).once("close", () => resume(Effect.void))
  })
