import { Duration, Effect } from "effect"
import type { Server } from "node:http"
import type { Socket } from "node:net"
import { AppConfig } from "../services/AppConfig.ts"
import { Readiness } from "../services/Readiness.ts"
import { InFlight } from "../services/tracking/InFlight.ts"
import { LiveFeed } from "../services/tracking/LiveFeed.ts"

/**
 * Lets a server go down in order: no new connections, running answers to their end, and what is still running
 * after the grace is told so, recorded, and cut.
 */
export const drain = Effect.fnUntraced(function* (server: Server) {
  const { drainTimeout } = yield* AppConfig
  const inFlight = yield* InFlight
  const live = yield* LiveFeed
  const readiness = yield* Readiness

  const connections = new Set<Socket>()
  server.on("connection", (socket: Socket) => {
    connections.add(socket)
    socket.once("close", () => connections.delete(socket))
  })

  yield* Effect.addFinalizer(() =>
    Effect.gen(function* () {
      if (!server.listening) return
      readiness.drain()
      live.close()
      const closed = yield* Effect.fork(closing(server, connections))
      const inTime = yield* within(closed.await, drainTimeout)
      if (inTime) return
      for (const request of inFlight.all()) request.cutShort()
      yield* within(inFlight.awaitEmpty, LAST_WORDS)
      yield* within(closed.await, LAST_WORDS)
      server.closeAllConnections()
      yield* within(inFlight.awaitEmpty, LAST_WORDS)
    })
  )
})

/** Done when the last connection is closed; those that fall idle meanwhile are. */
const closing = (server: Server, connections: ReadonlySet<Socket>) =>
  Effect.async<void>((resume) => {
    const sweep = setInterval(() => {
      server.closeIdleConnections()
      // Node counts those that have never said a word among the busy.
      for (const socket of connections) if (socket.bytesRead === 0) socket.destroy()
    }, 50)
    server.close(() => {
      clearInterval(sweep)
      resume(Effect.void)
    })
    server.closeIdleConnections()
    return Effect.sync(() => clearInterval(sweep))
  })

/** Whether it happened in time; finalizers are uninterruptible, so the waiting is cut loose first. */
const within = <A>(waiting: Effect.Effect<A>, time: Duration.Duration): Effect.Effect<boolean> =>
  waiting.pipe(
    Effect.disconnect,
    Effect.interruptible,
    Effect.timeoutTo({ duration: time, onSuccess: () => true, onTimeout: () => false })
  )

const LAST_WORDS = Duration.seconds(2)
