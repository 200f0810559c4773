import { HttpApi, HttpApiBuilder, HttpServerRequest } from "@effect/platform"
import { Cause, Effect } from "effect"
import { Internal, InvalidRequest, MethodNotAllowed, PathNotFound } from "../domain/Errors.ts"
import type { Failure } from "../domain/Errors.ts"
import { Api } from "./contract.ts"
import { Exchanges } from "./Exchanges.ts"
import { pathOf } from "./NodeExchange.ts"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"

/** Everything the platform itself refuses takes the shape of all other errors, and leaves a row as they do. */
export const layer = HttpApiBuilder.middleware(
  Effect.gen(function* () {
    const { answered } = yield* Exchanges
    return (app) =>
      Effect.catchAllCause(app, (cause) =>
        Cause.isInterruptedOnly(cause)
          ? Effect.failCause(cause)
          : Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
              answered(request, () => Effect.fail(failureOf(cause, request)))
            )
      )
  }),
  { withContext: true }
)

const failureOf = (cause: Cause.Cause<unknown>, request: HttpServerRequest.HttpServerRequest): Failure => {
  const error = Cause.squash(cause)
  const tag = typeof error === "object" && error !== null && "_tag" in error ? error._tag : undefined
  if (tag === "RouteNotFound") return notFound(request)
  if (tag === "HttpApiDecodeError" || tag === "RequestError")
    return new InvalidRequest({ message: "The request cannot be read.", code: null })
  return new Internal({ detail: Cause.pretty(cause) })
}

const notFound = (request: HttpServerRequest.HttpServerRequest): Failure => {
  const path = pathOf(NodeHttpServerRequest.toIncomingMessage(request))
  if (MANAGING.test(path))
    return new PathNotFound({
      message: `Percept does not manage models: there is no ${path.slice(0, 200)}. Ask the provider that has them.`
    })
  const methods = methodsOf(path)
  return methods.length === 0 || methods.includes(request.method)
    ? new PathNotFound({ message: `There is nothing at ${path.slice(0, 200)}; see GET /docs.` })
    : new MethodNotAllowed({
        message: `${path.slice(0, 200)} takes ${methods.join(", ")}, not ${request.method}.`,
        allow: methods.join(", ")
      })
}

/** What an Ollama server does with the models it keeps. */
const MANAGING = /^\/api\/(?:pull|push|create|copy|delete|blobs)(?:\/|$)/

const methodsOf = (path: string): ReadonlyArray<string> =>
  ENDPOINTS.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method)

const endpoint = (method: string, path: string) => ({ method, pattern: patternOf(path) })

/** A star stands for anything, a name for one part. */
const patternOf = (path: string): RegExp =>
  new RegExp(`^${path.replaceAll(".", "\\.").replace(/\*$/, ".*").replace(/:\w+/g, "[^/]+")}$`)

const ENDPOINTS = [endpoint("GET", "/docs"), endpoint("GET", "/openapi.json")]
HttpApi.reflect(Api, {
  onGroup: () => {},
  onEndpoint: (found) => ENDPOINTS.push(endpoint(found.endpoint.method, found.endpoint.path))
})
