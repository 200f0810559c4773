import type { HttpBody } from "@effect/platform/HttpBody"
import { Duration, Effect, Random } from "effect"
import { Agent, request } from "undici"
import { steadyConnector } from "../SteadySocket.ts"
import type { Destination } from "./telemetryOptions.ts"

/** Why a collector did not take what it was sent. */
interface Refused {
  readonly why: string
  /** The same may be taken later. */
  readonly passing: boolean
  /** Seconds. */
  readonly retryAfter: number | undefined
}

/**
 * The way to one collector. What it does not take is tried again for a few seconds and then given up; the operator is
 * told once, and once more when it takes things again.
 */
export const makeDelivery = Effect.fnUntraced(function* (
  what: string,
  { headers, timeout, url }: Destination
) {
  const agent = yield* Effect.acquireRelease(
    Effect.sync(() => new Agent({ connect: steadyConnector({ timeout }), connections: 2 })),
    (agent) => Effect.promise(() => agent.destroy())
  )
  let isTroubled = false
  let isEnding = false

  const attempt = (body: Uint8Array): Effect.Effect<void, Refused> =>
    Effect.tryPromise({
      try: async (signal) => {
        const answer = await request(url, { method: "POST", dispatcher: agent, signal, headers, body })
        await answer.body.dump()
        return { status: answer.statusCode, wait: Number(answer.headers["retry-after"]) }
      },
      catch: (error): Refused => ({ why: codeOf(error), passing: true, retryAfter: undefined })
    }).pipe(
      Effect.timeoutFail({
        duration: Duration.millis(isEnding ? Math.min(timeout, LAST_WORDS) : timeout),
        onTimeout: (): Refused => ({ why: "no answer in time", passing: true, retryAfter: undefined })
      }),
      Effect.flatMap(({ status, wait }) =>
        status >= 200 && status < 300
          ? Effect.void
          : Effect.fail<Refused>({
              why: `status ${status}`,
              passing: PASSING.has(status),
              retryAfter: Number.isFinite(wait) ? wait : undefined
            })
      )
    )

  const again = (body: Uint8Array, tried: number): Effect.Effect<void, Refused> =>
    Effect.catchAll(attempt(body), (refused) => {
      // While it is known to be gone, one call a time is enough to see it come back.
      if (!refused.passing || tried >= MOST_TRIES || isTroubled || isEnding) return Effect.fail(refused)
      return Random.nextRange(0.5, 1).pipe(
        Effect.flatMap((jitter) =>
          Effect.sleep(
            Math.min((refused.retryAfter ?? 0) * 1000, LONGEST_WAIT) || FIRST_WAIT * 2 ** tried * jitter
          )
        ),
        Effect.zipRight(again(body, tried + 1))
      )
    })

  /** Whether the collector took it. */
  const deliver = (encoded: HttpBody): Effect.Effect<boolean> =>
    encoded._tag === "Uint8Array"
      ? Effect.matchEffect(again(encoded.body, 0), {
          onSuccess: () => Effect.as(recovered, true),
          onFailure: (refused) => Effect.as(troubled(refused), false)
        })
      : Effect.succeed(false)

  const recovered = Effect.suspend(() => {
    if (!isTroubled) return Effect.void
    isTroubled = false
    return Effect.logInfo(`The collector at ${url.origin} takes ${what} again.`)
  })

  const troubled = ({ why }: Refused) =>
    Effect.suspend(() => {
      if (isTroubled) return Effect.void
      isTroubled = true
      return Effect.logWarning(
        `The collector at ${url.origin} takes no ${what} (${why}); they are dropped until it does.`
      )
    })

  /** From now on one call has to do. */
  const hurry = (): void => {
    isEnding = true
  }

  return { deliver, hurry }
})

const codeOf = (error: unknown): string => {
  if (!(error instanceof Error)) return "no connection"
  return "code" in error && typeof error.code === "string" ? error.code : error.name
}

/** As the protocol has it. */
const PASSING = new Set([429, 502, 503, 504])

const MOST_TRIES = 3

/** Milliseconds. */
const FIRST_WAIT = 500
const LONGEST_WAIT = 10_000
const LAST_WORDS = 2000
