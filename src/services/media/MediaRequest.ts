import { Duration, Effect } from "effect"
import type { Scope } from "effect"
import { isIP } from "node:net"
import type { Socket } from "node:net"
import { connect as secureOver } from "node:tls"
import { Client } from "undici"
import type { Dispatcher } from "undici"
import { header } from "../../domain/media/HttpFacts.ts"
import type { Headers } from "../../domain/media/HttpFacts.ts"
import { AppConfig } from "../AppConfig.ts"
import { steady } from "../SteadySocket.ts"
import { AddressGuard, NotConnected } from "./AddressGuard.ts"
import { codeOf, cutOff, misled, noAnswer, unreachable } from "./MediaFaults.ts"
import type { Fault } from "./MediaFaults.ts"

/** What a server answered, its body still on the way: it is read piece by piece and never further than asked. */
export interface Answer {
  /** After all redirects. */
  readonly url: URL
  readonly status: number
  readonly headers: Headers
  /** Undefined at the end. */
  readonly next: Effect.Effect<Uint8Array | undefined, Fault>
}

export type Get = (
  url: URL,
  headers: Readonly<Record<string, string>>
) => Effect.Effect<Answer, Fault, Scope.Scope>

/**
 * Asks servers that users point at. Every hop of a redirect passes the guard anew and has a connection of its own, which
 * carries one request, no cookies and no credentials, and is closed with the scope.
 */
export const make: Effect.Effect<Get, never, AddressGuard | AppConfig> = Effect.gen(function* () {
  const { fetchConnectTimeout, fetchIdleTimeout, fetchMaxRedirects } = yield* AppConfig
  const guard = yield* AddressGuard
  const silence = Duration.toMillis(fetchIdleTimeout)

  const get: Get = Effect.fnUntraced(function* (url, headers) {
    const seen = new Set<string>()
    for (let here = url; ;) {
      seen.add(pageOf(here))
      const { answer, hangUp } = yield* hop(here, headers)
      if (!REDIRECTS.has(answer.status)) return answer
      yield* hangUp
      here = yield* follow(here, header(answer.headers, "location"))
      if (seen.has(pageOf(here))) return yield* misled(here, "redirects in a circle")
      if (seen.size > fetchMaxRedirects) return yield* misled(here, "redirects too often")
    }
  })

  const hop = Effect.fnUntraced(function* (url: URL, headers: Readonly<Record<string, string>>) {
    const plain = yield* Effect.mapError(guard.dial(url), unreachable)
    const socket = url.protocol === "https:" ? yield* Effect.mapError(secure(plain, url), unreachable) : plain
    const client = yield* clientOver(socket, url)
    const asked = {
      method: "GET",
      path: url.pathname + url.search,
      headers: { ...MANNERS, ...headers },
      reset: true
    } as const
    const response = yield* Effect.tryPromise({
      try: (signal) => client.request({ ...asked, signal }),
      catch: (error) => noAnswer(url, error)
    })
    const hangUp = Effect.promise(() => client.destroy())
    return { answer: answerOf(url, response), hangUp }
  })

  const secure = (socket: Socket, url: URL) =>
    Effect.async<Socket, NotConnected>((resume) => {
      const host = url.hostname.replace(/^\[|\]$/g, "")
      const servername = isIP(host) === 0 ? host : ""
      const secured = secureOver({
        socket,
        host,
        servername,
        ALPNProtocols: ["http/1.1"],
        rejectUnauthorized: true
      })
      secured
        .once("secureConnect", () => resume(Effect.succeed(secured)))
        .on("error", (error) =>
          resume(new NotConnected({ where: url.host, why: codeOf(error), transient: false }))
        )
    }).pipe(
      Effect.timeoutFail({
        duration: fetchConnectTimeout,
        onTimeout: () => new NotConnected({ where: url.host, why: "no handshake in time", transient: true })
      })
    )

  /** One connection, which has been let through already; where it is gone, the client may not open another. */
  const clientOver = (socket: Socket, url: URL) =>
    Effect.acquireRelease(
      Effect.sync(
        () =>
          new Client(url.origin, {
            // A client that is answered at once does not notice.
            connect: (_, callback) =>
              queueMicrotask(() =>
                socket.destroyed ? callback(GONE, null) : callback(null, steady(socket))
              ),
            headersTimeout: silence,
            bodyTimeout: silence,
            maxHeaderSize: 16_384
          })
      ),
      (client) => Effect.promise(() => client.destroy())
    )

  return get
})

const answerOf = (url: URL, { body, headers, statusCode }: Dispatcher.ResponseData): Answer => {
  // Told to nobody once the answer has been left.
  body.on("error", () => {})
  const pieces: AsyncIterator<Uint8Array, undefined> = body[Symbol.asyncIterator]()
  return {
    url,
    status: statusCode,
    headers,
    next: Effect.tryPromise({
      try: async () => (await pieces.next()).value,
      catch: (error) => cutOff(url, error)
    })
  }
}

const follow = (from: URL, location: string | undefined): Effect.Effect<URL, Fault> => {
  const to = location !== undefined && URL.canParse(location, from.href) ? new URL(location, from) : undefined
  if (to === undefined) return misled(from, "redirects to nowhere")
  return from.protocol === "https:" && to.protocol === "http:"
    ? misled(from, "redirects from https to http")
    : Effect.succeed(to)
}

const pageOf = (url: URL): string => url.origin + url.pathname + url.search

const MANNERS = {
  "user-agent": "percept/0.1.0 (Percept media fetcher)",
  accept: "*/*",
  "accept-encoding": "identity"
}
const REDIRECTS = new Set([301, 302, 303, 307, 308])
const GONE = Object.assign(new Error("the connection is gone"), { code: "ECONNRESET" })
