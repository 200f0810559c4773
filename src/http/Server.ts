import { HttpApiBuilder } from "@effect/platform"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Context, Data, Duration, Effect, Layer } from "effect"
import { createServer } from "node:http"
import type { RequestListener, Server } from "node:http"
import type { AddressInfo } from "node:net"
import * as OllamaLoad from "../domain/dialects/OllamaLoad.ts"
import { AppConfig } from "../services/AppConfig.ts"
import { refusalToListen } from "../services/ApiKeys.ts"
import { KeyRing } from "../services/KeyRing.ts"
import { Gateway } from "../services/gateway/Gateway.ts"
import * as ApiDocs from "./ApiDocs.ts"
import { answerBadHttp } from "./BadHttp.ts"
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
    const refusal = refusalToListen(config, (yield* KeyRing).peekClosed())
    if (refusal !== undefined) return yield* new CannotListen({ message: refusal })

    const exchanges = yield* Exchanges
    const cors = makeCors(config.corsOrigins, exchanges.freshId)
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
    answerBadHttp(server, exchanges)
    yield* drain(server)
    const address = yield* listen(server, config.listenHost, config.listenPort)
    return HttpServer.of({ url: `http://${hostInUrl(config.listenHost)}:${address.port}` })
  })

const withApi = <A, E, R>(layer: Layer.Layer<A, E, R>) =>
  layer.pipe(
    Layer.provide([ApiDocs.layer, ErrorResponses.layer]),
    Layer.provide(HttpApiBuilder.api(Api)),
    Layer.provide(handlers.layer),
    Layer.provide([HttpApiBuilder.Router.Live, HttpApiBuilder.Middleware.layer]),
    Layer.provide(Exchanges.Default),
    Layer.provide(NodeHttpServer.layerContext)
  )

/** What is called for every answer of a model. */
const lanesOf = ({ chat, complete }: Gateway): ReadonlyMap<string, Lane> =>
  new Map([
    ["/v1/chat/completions", complete],
    ["/api/chat", chat(OllamaLoad.decodeChat)],
    ["/api/generate", chat(OllamaLoad.decodeGenerate)]
  ])

export const layer = withApi(Layer.scoped(HttpServer, serve(lanesOf)))

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

const hostInUrl = (host: string): string =>
  host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host
