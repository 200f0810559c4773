import { Duration, Effect, Random, Scope } from "effect"
import { Agent, Pool } from "undici"
import type { Dispatcher } from "undici"
import type { ChatRequest } from "../../../domain/chat/ChatRequest.ts"
import type { UpstreamFailure } from "../../../domain/Errors.ts"
import type { Exchange, HeaderList } from "../../../domain/Exchange.ts"
import type { Reply } from "../../../domain/Reply.ts"
import { AppConfig } from "../../AppConfig.ts"
import { steadyConnector } from "../../SteadySocket.ts"
import { Redaction } from "../../tracking/Redaction.ts"
import { UpstreamCall } from "../UpstreamCall.ts"
import type { CallLimits } from "../UpstreamCall.ts"
import { upstreamErrors } from "../UpstreamErrors.ts"

/** The connections to providers; nothing a client links to is ever fetched through them. */
export class Connections extends Effect.Service<Connections>()("percept/Connections", {
  scoped: Effect.gen(function* () {
    const connect = steadyConnector({ timeout: 10_000 })
    const options = { connect, keepAliveTimeout: 30_000, maxHeaderSize: 65_536 }
    const closing = <D extends Dispatcher>(dispatcher: D) => Effect.promise(() => dispatcher.destroy())
    /** For calls now and then, to any address. */
    const agent: Dispatcher = yield* Effect.acquireRelease(
      Effect.sync(() => new Agent(options)),
      closing
    )
    const scope = yield* Effect.scope
    /** For the busy calls to one server; an agent costs a fifth of a request's time on top. */
    const pool = (origin: string): Effect.Effect<Dispatcher> =>
      Effect.acquireRelease(
        Effect.sync(() => new Pool(origin, options)),
        closing
      ).pipe(Scope.extend(scope))
    return { agent, pool }
  })
}) {}

/** What sets one OpenAI-compatible server apart from another. */
export interface Upstream {
  readonly name: string
  readonly chatUrl: URL
  readonly headers: HeaderList
  /** Request headers of the client that this server understands. */
  readonly forwards: (header: string) => boolean
}

/** The shared client: one call, retried before its first byte, its answer handed on as it comes. */
export const make = Effect.fnUntraced(function* (upstream: Upstream) {
  const { maxAnswerMb, requestTimeout, streamIdleTimeout, upstreamRetries } = yield* AppConfig
  const connections = yield* Connections
  const { scrub } = yield* Redaction
  const errors = upstreamErrors(upstream.name, scrub)
  const limits: CallLimits = {
    answerBytes: maxAnswerMb * 1024 * 1024,
    firstByte: Duration.toMillis(requestTimeout),
    silence: Duration.toMillis(streamIdleTimeout)
  }
  const pool = yield* connections.pool(upstream.chatUrl.origin)
  const path = upstream.chatUrl.pathname + upstream.chatUrl.search

  const attempt = (request: ChatRequest, reply: Reply, exchange: Exchange) =>
    Effect.async<void, UpstreamFailure>((resume) => {
      const call = new UpstreamCall(reply, errors, limits, (exit) => resume(exit))
      pool.dispatch(
        {
          path,
          method: "POST",
          headers: [...upstream.headers, ...forwarded(exchange, upstream.forwards)],
          body: request.bytes,
          // The call keeps its own time: the pool's timers cost more than all else it does.
          headersTimeout: 0,
          bodyTimeout: 0
        },
        call
      )
      return Effect.sync(() => call.abort())
    })

  const answer = (request: ChatRequest, reply: Reply, exchange: Exchange) => {
    const once = attempt(request, reply, exchange)
    const again = (failure: UpstreamFailure, retry: number): Effect.Effect<void, UpstreamFailure> => {
      const asked = failure.retryAfter ?? 0
      if (!failure.retryable || retry > upstreamRetries || asked > LONGEST_WAIT || exchange.hasAnswered())
        return Effect.fail(failure)
      return Random.nextRange(0.5, 1).pipe(
        Effect.flatMap((jitter) =>
          Effect.sleep(Math.max(asked * 1000, FIRST_WAIT * 2 ** (retry - 1) * jitter))
        ),
        Effect.zipRight(once),
        Effect.catchAll((next) => again(next, retry + 1))
      )
    }
    return Effect.catchAll(once, (failure) => again(failure, 1))
  }

  return { answer, errors }
})

/** Only what is meant for the provider goes along; never the client's own credentials. */
const forwarded = (exchange: Exchange, forwards: (header: string) => boolean): ReadonlyArray<string> => {
  const found: Array<string> = []
  const headers = exchange.headers()
  for (const name in headers) {
    const value = headers[name]
    if (typeof value === "string" && forwards(name)) found.push(name, value)
  }
  return found
}

/** Milliseconds before the first retry; doubled for each further one. */
const FIRST_WAIT = 300

/** Seconds; who asks for more patience than this gets its error passed on instead. */
const LONGEST_WAIT = 15
