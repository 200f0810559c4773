import { HttpApiBuilder, HttpApiSwagger } from "@effect/platform"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Context, Data, Duration, Effect, Layer } from "effect"
import { createServer, STATUS_CODES } from "node:http"
import type { RequestListener, Server } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import { errorBody, InvalidRequest } from "../domain/Errors.ts"
import { AppConfig } from "../services/AppConfig.ts"
import { refusalToListen } from "../services/ApiKeys.ts"
import { Gateway } from "../services/gateway/Gateway.ts"
import { Api } from "./contract.ts"
import { makeCors } from "./Cors.ts"
import { drain } from "./Drain.ts"
import * as ErrorResponses from "./ErrorResponses.ts"
import { Exchanges } from "./Exchanges.ts"
import { withLanes } from "./FastLane.ts"
import type { Lane } from "./FastLane.ts"
import * as handlers from "./handlers.ts"

/** Why the server does not listen, in a sentence for the operator. */
export class CannotListen extends Data.TaggedError("CannotListen")<{ readonly message: string }> {}

/** The running server. */
export class HttpServer extends Context.Tag("percept/HttpServer")<HttpServer, { readonly url: string }>() {}

/** Listens until its scope closes, and then drains. Without lanes everything goes through the contract. */
const serve = (lanes: (gateway: Gateway) => ReadonlyMap<string, Lane>) =>
  Effect.gen(function* () {
    const config = yield* AppConfig
    const gateway = yield* Gateway
    const contract = yield* NodeHttpServer.makeHandler(yield* HttpApiBuilder.httpApp)
    const listener = yield* withLanes(lanes(gateway), contract)
    const refusal = refusalToListen(config)
    if (refusal !== undefined) return yield* new CannotListen({ message: refusal })

    const { freshId, spoil } = yield* Exchanges
    const cors = makeCors(config.corsOrigins, freshId)
    const onRequest: RequestListener = (request, response) => {
      if (!cors(request, response)) listener(request, response)
    }
    const server = createServer(
      {
        headersTimeout: Duration.toMillis(config.headersTimeout),
        requestTimeout:
          Math.max(Duration.toMillis(config.bodyTimeout), Duration.toMillis(config.headersTimeout)) + 10_000,
        connectionsCheckingInterval: 5_000,
        keepAliveTimeout: 65_000,
        maxHeaderSize: 16_384,
        requireHostHeader: false
      },
      onRequest
    )
    server.maxHeadersCount = 100
    server.on("clientError", answerGarbage(freshId, spoil))
    server.on("checkExpectation", (_request, response) => {
      const body = JSON.stringify(
        errorBody(new InvalidRequest({ message: "Only 100-continue can be expected.", code: null }))
      )
      response
        .writeHead(417, {
          "content-type": "application/json",
          "content-length": Buffer.byteLength(body),
          "x-request-id": freshId(),
          connection: "close"
        })
        .end(body)
    })
    yield* drain(server)
    const address = yield* listen(server, config.listenHost, config.listenPort)
    return HttpServer.of({ url: `http://${hostInUrl(config.listenHost)}:${address.port}` })
  })

const withApi = <A, E, R>(layer: Layer.Layer<A, E, R>) =>
  layer.pipe(
    Layer.provide(
      Layer.mergeAll(HttpApiSwagger.layer(), HttpApiBuilder.middlewareOpenApi(), ErrorResponses.layer)
    ),
    Layer.provide(HttpApiBuilder.api(Api)),
    Layer.provide(handlers.layer),
    Layer.provide([HttpApiBuilder.Router.Live, HttpApiBuilder.Middleware.layer]),
    Layer.provide(Exchanges.Default),
    Layer.provide(NodeHttpServer.layerContext)
  )

const CHAT = "/v1/chat/completions"

export const layer = withApi(
  Layer.scoped(
    HttpServer,
    serve((gateway) => new Map<string, Lane>([[CHAT, gateway.complete]]))
  )
)

/** The same server with every request going the long way, to prove that the lanes are no more than short cuts. */
export const layerWithoutLanes = withApi(
  Layer.scoped(
    HttpServer,
    serve(() => new Map())
  )
)

const listen = (server: Server, host: string, port: number) =>
  Effect.async<AddressInfo, CannotListen>((resume) => {
    const onError = (error: NodeJS.ErrnoException) => {
      const problem =
        error.code === "EADDRINUSE"
          ? `port ${port} is in use; set LISTEN_PORT to another one`
          : `${host}:${port}: ${error.message}`
      resume(Effect.fail(new CannotListen({ message: `Cannot listen: ${problem}.` })))
    }
    server.once("error", onError)
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off("error", onError)
      const address = server.address()
      if (typeof address === "object" && address !== null) resume(Effect.succeed(address))
    })
  })

/** What is no HTTP gets an answer all the same, in our shape. */
const answerGarbage =
  (freshId: () => string, spoil: (socket: object, failure: InvalidRequest) => boolean) =>
  (error: NodeJS.ErrnoException, socket: Socket): void => {
    if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy()
    const status =
      error.code === "HPE_HEADER_OVERFLOW" ? 431 : error.code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : 400
    const message =
      status === 431
        ? "The request head is too long."
        : status === 408
          ? "The request did not arrive in time."
          : "This is no HTTP request."
    const failure = new InvalidRequest({ message, code: null })
    if (error.code !== "HPE_INVALID_EOF_STATE" && spoil(socket, failure)) return
    const body = JSON.stringify(errorBody(failure))
    socket.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/json\r\nx-request-id: ${freshId()}\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`
    )
  }

const hostInUrl = (host: string): string =>
  host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host
