import { Duration, Effect, Random, Scope } from "effect"
import { Agent, Pool, request as httpRequest } from "undici"
import type { Dispatcher } from "undici"
import type { ChatRequest } from "../../../domain/chat/ChatRequest.ts"
import type { EmbeddingsRequest } from "../../../domain/dialects/EmbeddingsRequest.ts"
import type { UpstreamFailure } from "../../../domain/Errors.ts"
import type { Exchange, HeaderList } from "../../../domain/Exchange.ts"
import { isOwnKey, keyIn } from "../../../domain/PresentedKey.ts"
import type { Reply } from "../../../domain/Reply.ts"
import { isObject, parseJson } from "../../../domain/Json.ts"
import type { JsonObject } from "../../../domain/Json.ts"
import { AppConfig } from "../../AppConfig.ts"
import { steadyConnector } from "../../SteadySocket.ts"
import { Redaction } from "../../tracking/Redaction.ts"
import type { Forward, Speech } from "../Provider.ts"
import * as Reading from "../Reading.ts"
import { UpstreamCall } from "../UpstreamCall.ts"
import type { CallLimits } from "../UpstreamCall.ts"
import { upstreamErrors } from "../UpstreamErrors.ts"
import { asForm } from "./sentForm.ts"
import type { SentBody } from "./sentForm.ts"

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
  /** Other calls have their addresses beside it. */
  readonly chatUrl: URL
  readonly headers: HeaderList
  /** Request headers of the client that this server understands. */
  readonly forwards: (header: string) => boolean
  /** It is the client's own key that goes there, so a key that is refused is the client's to mend. */
  readonly takesClientKeys?: boolean
}

/** One call: where it goes, what it says, how its answer is read. */
interface Call {
  readonly path: string
  readonly bytes: Uint8Array
  readonly reading: Reading.Reading
  /** What goes out in place of `bytes`, where that is not in memory. */
  readonly body?: SentBody
}

/** The shared client: one call, retried before its first byte, its answer handed on as it comes. */
export const make = Effect.fnUntraced(function* (upstream: Upstream) {
  const { maxAnswerMb, requestTimeout, streamIdleTimeout, traceUpstream, upstreamRetries } = yield* AppConfig
  const connections = yield* Connections
  const { scrub } = yield* Redaction
  const errors = upstreamErrors(upstream.name, scrub, upstream.takesClientKeys)
  const limits: CallLimits = {
    answerBytes: maxAnswerMb * 1024 * 1024,
    firstByte: Duration.toMillis(requestTimeout),
    silence: Duration.toMillis(streamIdleTimeout)
  }
  const pool = yield* connections.pool(upstream.chatUrl.origin)
  const chatPath = pathOf(upstream.chatUrl)
  const beside = (name: string) => {
    const url = new URL(upstream.chatUrl)
    url.pathname = url.pathname.replace(/(?:\/chat\/completions)?\/?$/, `/${name}`)
    return url
  }

  const attempt = ({ body, bytes, path, reading }: Call, reply: Reply, exchange: Exchange) =>
    Effect.async<void, UpstreamFailure>((resume) => {
      const call = new UpstreamCall(reading, reply, errors, limits, (exit) => resume(exit))
      pool.dispatch(
        {
          path,
          method: "POST",
          headers: [
            ...headersOf(upstream, body),
            ...forwarded(exchange, upstream.forwards),
            ...(traceUpstream ? traceOf(exchange) : [])
          ],
          body: body?.open(() => call.sending()) ?? bytes,
          // The call keeps its own time: the pool's timers cost more than all else it does.
          headersTimeout: 0,
          bodyTimeout: 0
        },
        call
      )
      return Effect.sync(() => call.abort())
    })

  /** Any call, to any path of this server, tried again while nothing of an answer has gone out. */
  const send = (call: Call, reply: Reply, exchange: Exchange) => {
    const once = attempt(call, reply, exchange)
    const again = (failure: UpstreamFailure, retry: number): Effect.Effect<void, UpstreamFailure> => {
      const asked = failure.retryAfter ?? 0
      if (!failure.retryable || retry > upstreamRetries || asked > LONGEST_WAIT || exchange.hasAnswered())
        return Effect.fail(failure)
      return Random.nextRange(0.5, 1).pipe(
        Effect.flatMap((jitter) => {
          const wait = Math.max(asked * 1000, FIRST_WAIT * 2 ** (retry - 1) * jitter)
          reply.again?.(failure, wait)
          return Effect.sleep(wait)
        }),
        Effect.zipRight(once),
        Effect.catchAll((next) => again(next, retry + 1))
      )
    }
    return Effect.catchAll(once, (failure) => again(failure, 1))
  }

  const answer = ({ bytes }: ChatRequest, reply: Reply, exchange: Exchange) =>
    send({ path: chatPath, bytes, reading: Reading.choices }, reply, exchange)

  const completions: Forward = (bytes, reply, exchange) =>
    send({ path: pathOf(beside("completions")), bytes, reading: Reading.choices }, reply, exchange)

  const embeddings = ({ bytes }: EmbeddingsRequest, reply: Reply, exchange: Exchange) =>
    send({ path: pathOf(beside("embeddings")), bytes, reading: Reading.vectors }, reply, exchange)

  const transcribe = (speech: Speech, reply: Reply, exchange: Exchange, body = asForm(speech)) => {
    const call = { path: pathOf(beside("audio/transcriptions")), bytes: NO_BYTES, body }
    return send({ ...call, reading: Reading.transcripts }, reply, exchange)
  }

  /** Asks for something now and then: a list, a description. */
  const ask = (url: URL, body?: JsonObject): Effect.Effect<JsonObject, UpstreamFailure> =>
    Effect.tryPromise({
      try: async (signal) => {
        const sent = body === undefined ? { method: "GET" } : { method: "POST", body: JSON.stringify(body) }
        const answer = await httpRequest(url, {
          ...sent,
          dispatcher: connections.agent,
          signal,
          headers: [...upstream.headers],
          headersTimeout: PATIENCE,
          bodyTimeout: PATIENCE
        })
        return { status: answer.statusCode, text: await textOf(answer.body, limits.answerBytes) }
      },
      catch: (error) =>
        errors.fromConnection(error instanceof Error ? error : new Error(String(error)), false)
    }).pipe(
      Effect.flatMap(({ status, text }) => {
        if (status !== 200) return Effect.fail(errors.fromStatus(status, text, undefined))
        const value = parseJson(text)
        return isObject(value)
          ? Effect.succeed(value)
          : Effect.fail(errors.broken("answered with something that is no JSON object."))
      })
    )

  return { answer, ask, beside, completions, embeddings, errors, send, transcribe }
})

export type Client = Effect.Effect.Success<ReturnType<typeof make>>

/** Where the chat of a server is, by its base address. */
export const chatUrlOf = (base: URL): URL => {
  const url = new URL(base)
  url.pathname = `${url.pathname.replace(/\/*(?:\/chat\/completions)?\/*$/, "")}/chat/completions`
  return url
}

const pathOf = ({ pathname, search }: URL): string => pathname + search

const textOf = async (body: AsyncIterable<Buffer>, most: number): Promise<string> => {
  const pieces: Array<Buffer> = []
  let bytes = 0
  for await (const piece of body) {
    bytes += piece.length
    if (bytes > most) throw new Error("the answer is too long")
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString("utf8")
}

const headersOf = ({ headers }: Upstream, body: SentBody | undefined): HeaderList => {
  if (body === undefined) return headers
  const others = headers.filter((_, at) => headers[at - (at % 2)] !== "content-type")
  return [...others, "content-type", body.type, "content-length", String(body.length)]
}

/** Only what is meant for the provider goes along; never the client's own credentials. */
const forwarded = (exchange: Exchange, forwards: (header: string) => boolean): ReadonlyArray<string> => {
  const found: Array<string> = []
  const headers = exchange.headers()
  for (const name in headers) {
    const value = headers[name]
    if (typeof value === "string" && forwards(name) && !isForUs(value)) found.push(name, value)
  }
  return found
}

/** Which trace the call belongs to, for providers that are to know. */
const traceOf = ({ trace }: Exchange): HeaderList =>
  trace === undefined
    ? []
    : [...["traceparent", trace.nextAttempt()], ...(trace.state === "" ? [] : ["tracestate", trace.state])]

/** A key that was made here is nobody else's business, even where clients' keys are passed on. */
const isForUs = (header: string): boolean => isOwnKey(keyIn(header) ?? "")

const NO_BYTES = Buffer.alloc(0)

/** Milliseconds. */
const PATIENCE = 15_000

/** Milliseconds before the first retry; doubled for each further one. */
const FIRST_WAIT = 300

/** Seconds; who asks for more patience than this gets its error passed on instead. */
const LONGEST_WAIT = 15
