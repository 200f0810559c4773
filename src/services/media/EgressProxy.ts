import { Duration, Effect, FiberSet } from "effect"
import { randomBytes, timingSafeEqual } from "node:crypto"
import { createServer, request as httpRequest, STATUS_CODES } from "node:http"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Socket } from "node:net"
import { pipeline } from "node:stream"
import type { Duplex } from "node:stream"
import { passedOn, plainTarget, tunnelTarget } from "../../domain/media/ProxyWire.ts"
import { AppConfig } from "../AppConfig.ts"
import { AddressGuard } from "./AddressGuard.ts"

/** What one job may take through its proxy. */
export interface Budget {
  readonly bytes: number
  readonly timeout: Duration.Duration
}

export interface Egress {
  /** With the credential of this job alone. */
  readonly url: string
  /** Targets that were not to be called, or could not be. */
  readonly refused: () => number
  /** Bytes that went through, both ways. */
  readonly used: () => number
}

/**
 * The way out for programs we do not trust with addresses: a proxy on loopback, one for each job, that calls only
 * what the guard lets it call. Every refusal and every failed call looks the same from inside.
 */
export class EgressProxy extends Effect.Service<EgressProxy>()("percept/EgressProxy", {
  effect: Effect.gen(function* () {
    const { fetchIdleTimeout } = yield* AppConfig
    const guard = yield* AddressGuard
    const idle = Duration.toMillis(fetchIdleTimeout)

    /** It lives as long as its scope; after that nothing of it is left. */
    const open = Effect.fn("EgressProxy.open")(function* ({ bytes, timeout }: Budget) {
      const run = yield* FiberSet.makeRuntime<never>()
      const places = yield* Effect.makeSemaphore(MOST_AT_ONCE)
      const clients = new Set<Socket>()
      const count = { used: 0, refused: 0 }
      let isOver = false

      const cutOff = () => {
        isOver = true
        for (const client of clients) client.destroy()
      }
      const spend = (piece: Uint8Array) => {
        count.used += piece.length
        if (count.used > bytes) cutOff()
      }

      const password = randomBytes(24).toString("base64url")
      const credential = Buffer.from(`Basic ${Buffer.from(`${USER}:${password}`).toString("base64")}`)
      const isOurs = ({ headers }: IncomingMessage): boolean => {
        const given = Buffer.from(headers["proxy-authorization"] ?? "")
        return given.length === credential.length && timingSafeEqual(given, credential)
      }

      const { port, server } = yield* listening(clients, idle)
      yield* Effect.forkScoped(Effect.delay(Effect.sync(cutOff), timeout))

      const dial = (target: URL | undefined) =>
        isOver || target === undefined || Number(target.port) === port
          ? Effect.fail(new Error(isOver ? "over budget" : "not a target"))
          : guard.dial(target)

      /** Calls the target and stays between the two until the client has all of it, or leaves. */
      const serve = (
        client: Duplex | ServerResponse,
        target: URL | undefined,
        connect: (upstream: Socket) => void,
        refuse: () => void
      ) => {
        const work = Effect.flatMap(dial(target), (upstream) => {
          connect(upstream)
          return Effect.never
        })
        const given = Effect.flatten(places.withPermitsIfAvailable(1)(Effect.raceFirst(work, closed(client))))
        run(
          Effect.catchAll(Effect.scoped(given), ({ message }) => {
            count.refused++
            refuse()
            return Effect.logInfo(`A program was refused its way out: ${message}`)
          })
        )
      }

      server.on("connect", (request, client, head) => {
        if (!isOurs(request)) return client.end(refusal(407, CHALLENGE))
        const connect = (upstream: Socket) => {
          client.write(ESTABLISHED)
          spend(head)
          upstream.write(head)
          upstream.on("data", spend).pipe(client)
          client.on("data", spend).pipe(upstream)
          upstream.once("close", () => (upstream.readableEnded ? undefined : client.destroy()))
        }
        serve(client, tunnelTarget(request.url), connect, () => client.end(refusal(403)))
      })

      server.on("request", (request, response) => {
        response.sendDate = false
        const answer = (status: number, extra?: Readonly<Record<string, string>>) => {
          if (response.headersSent) response.destroy()
          else response.writeHead(status, { ...CLOSING, ...extra }).end()
        }
        if (!isOurs(request)) return answer(407, CHALLENGE)
        const target = plainTarget(request.method, request.url)
        const refuse = () => answer(403)
        const connect = (upstream: Socket) => {
          const outgoing = httpRequest({
            createConnection: () => upstream,
            method: request.method,
            path: `${target?.pathname}${target?.search}`,
            headers: ["Host", `${target?.host}`, ...passedOn(request.rawHeaders, "host")]
          })
          outgoing.on("error", () => {
            count.refused++
            refuse()
          })
          outgoing.on("response", (incoming) => {
            const { rawHeaders, statusCode = 502, statusMessage } = incoming
            response.writeHead(statusCode, statusMessage, passedOn(rawHeaders))
            pipeline(incoming.on("data", spend), response, () => {})
          })
          if (request.method === "POST") request.on("data", spend).pipe(outgoing)
          else outgoing.end()
        }
        serve(response, target, connect, refuse)
      })

      return {
        url: `http://${USER}:${password}@127.0.0.1:${port}`,
        refused: () => count.refused,
        used: () => count.used
      } satisfies Egress
    })

    return { open }
  })
}) {}

/** A server on a free port of loopback, and every connection made to it; all of it goes with the scope. */
const listening = (clients: Set<Socket>, idle: number) =>
  Effect.acquireRelease(
    Effect.async<{ readonly server: ReturnType<typeof createServer>; readonly port: number }>((resume) => {
      const server = createServer()
      server.maxConnections = MOST_AT_ONCE * 2
      // For requests; the one below is for tunnels, which the server forgets.
      server.timeout = idle
      server.on("connection", (client) => {
        clients.add(client)
        client.on("close", () => clients.delete(client))
        // Whoever breaks off hears nothing more; the connection's end is told by its closing.
        client.on("error", () => {})
        client.setTimeout(idle, () => client.destroy())
      })
      server.on("error", (error) => resume(Effect.die(error)))
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        resume(Effect.succeed({ server, port }))
      })
    }),
    ({ server }) =>
      Effect.async((resume) => {
        server.close(() => resume(Effect.void))
        for (const client of clients) client.destroy()
      })
  )

const closed = (client: Duplex | ServerResponse): Effect.Effect<void> =>
  Effect.async((resume) => {
    if (client.destroyed) return resume(Effect.void)
    const done = () => resume(Effect.void)
    client.once("close", done)
    return Effect.sync(() => client.off("close", done))
  })

const refusal = (status: 403 | 407, extra: Readonly<Record<string, string>> = {}): string =>
  [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    ...Object.entries({ ...CLOSING, ...extra }).map(([name, value]) => `${name}: ${value}`),
    "\r\n"
  ].join("\r\n")

const ESTABLISHED = "HTTP/1.1 200 Connection established\r\n\r\n"

const CLOSING = { "Content-Length": "0", Connection: "close" }

const CHALLENGE = { "Proxy-Authenticate": 'Basic realm="egress"' }

const USER = "percept"

/** Connections of one job that are open side by side. */
const MOST_AT_ONCE = 32
