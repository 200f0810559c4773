import { Context, Duration, Effect, Exit, Layer, Random } from "effect"
import { Agent } from "undici"
import type { Dispatcher } from "undici"
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib"
import type { ChatRequest } from "../../../domain/chat/ChatRequest.ts"
import type { UpstreamFailure } from "../../../domain/Errors.ts"
import type { Exchange, HeaderList } from "../../../domain/Exchange.ts"
import { field, isObject, parseJson } from "../../../domain/Json.ts"
import type { Reply } from "../../../domain/Reply.ts"
import { AppConfig } from "../../AppConfig.ts"
import { Redaction } from "../../tracking/Redaction.ts"
import { StreamRelay } from "../StreamRelay.ts"
import type { StreamState } from "../StreamRelay.ts"
import { upstreamErrors } from "../UpstreamErrors.ts"
import type { UpstreamErrors } from "../UpstreamErrors.ts"

/** The connections to providers; nothing a client links to is ever fetched through them. */
export class UpstreamAgent extends Context.Tag("percept/UpstreamAgent")<UpstreamAgent, Dispatcher>() {
  static layer = Layer.scoped(
    UpstreamAgent,
    Effect.acquireRelease(
      Effect.sync(
        () => new Agent({ connect: { timeout: 10_000 }, keepAliveTimeout: 30_000, maxHeaderSize: 65_536 })
      ),
      (agent) => Effect.promise(() => agent.destroy())
    )
  )
}

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
  const agent = yield* UpstreamAgent
  const { scrub } = yield* Redaction
  const errors = upstreamErrors(upstream.name, scrub)
  const limits: Limits = {
    answerBytes: maxAnswerMb * 1024 * 1024,
    firstByte: Duration.toMillis(requestTimeout),
    silence: Duration.toMillis(streamIdleTimeout)
  }
  const origin = upstream.chatUrl.origin
  const path = upstream.chatUrl.pathname + upstream.chatUrl.search

  const attempt = (request: ChatRequest, reply: Reply, exchange: Exchange) =>
    Effect.async<void, UpstreamFailure>((resume) => {
      const call = new Call(reply, errors, limits, (exit) => resume(exit))
      agent.dispatch(
        {
          origin,
          path,
          method: "POST",
          headers: [...upstream.headers, ...forwarded(exchange, upstream.forwards)],
          body: request.bytes,
          headersTimeout: limits.firstByte,
          bodyTimeout: limits.silence
        },
        call
      )
      return Effect.sync(() => call.abort())
    })

  const answer = (request: ChatRequest, reply: Reply, exchange: Exchange) => {
    const once = attempt(request, reply, exchange)
    const again = (failure: UpstreamFailure, retry: number): Effect.Effect<void, UpstreamFailure> => {
      const asked = failure.retryAfter ?? 0
      if (
        !failure.retryable ||
        retry > upstreamRetries ||
        asked > LONGEST_WAIT ||
        exchange.status() !== undefined
      )
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

interface Limits {
  readonly answerBytes: number
  readonly firstByte: number
  readonly silence: number
}

/** One call upstream: undici tells it what arrives, and it ends exactly once. */
class Call implements Dispatcher.DispatchHandler {
  private controller: Dispatcher.DispatchController | undefined
  private ended = false
  private status = 0
  private retryAfter: string | undefined
  private relay: StreamRelay | undefined
  private pieces: Array<Buffer> = []
  private size = 0
  private inflate: ReturnType<typeof createGunzip> | undefined
  private readonly reply: Reply
  private readonly errors: UpstreamErrors
  private readonly limits: Limits
  private readonly finish: (exit: Exit.Exit<void, UpstreamFailure>) => void

  constructor(reply: Reply, errors: UpstreamErrors, limits: Limits, finish: Call["finish"]) {
    this.reply = reply
    this.errors = errors
    this.limits = limits
    this.finish = finish
  }

  abort(): void {
    this.ended = true
    this.controller?.abort(new Error("no longer wanted"))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller
    if (this.ended) controller.abort(new Error("no longer wanted"))
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | Array<string> | undefined>
  ): void {
    if (status < 200) return
    this.status = status
    this.retryAfter = one(headers["retry-after"])
    const generation = one(headers["x-generation-id"])
    if (generation !== undefined) this.reply.generation(generation)
    if (status < 300 && one(headers["content-type"])?.includes("text/event-stream"))
      this.relay = new StreamRelay(
        this.reply,
        this.errors,
        Math.max(this.limits.firstByte, this.limits.silence)
      )
    const encoding = one(headers["content-encoding"])
    if (encoding !== undefined && encoding !== "identity") this.decode(encoding)
  }

  onResponseData(_controller: Dispatcher.DispatchController, bytes: Buffer): void {
    if (this.ended) return this.abort()
    if (this.inflate === undefined) this.take(bytes)
    else this.inflate.write(bytes)
  }

  onResponseEnd(): void {
    if (this.inflate === undefined) this.close()
    else this.inflate.end()
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    this.fail(this.errors.fromConnection(error, this.status !== 0 && this.relay?.begun === true))
  }

  private take(bytes: Buffer): void {
    if (this.relay === undefined) {
      this.size += bytes.length
      if (this.size > this.limits.answerBytes)
        return this.fail(this.errors.broken("sent an answer that is too long."))
      this.pieces.push(bytes)
      return
    }
    this.settle(this.relay.push(bytes))
    if (!this.ended && !this.relay.flowing) {
      this.controller?.pause()
      this.reply.onDrain(() => this.controller?.resume())
    }
  }

  private close(): void {
    if (this.ended) return
    if (this.relay !== undefined) return this.settle(this.relay.close())
    const bytes = this.pieces.length === 1 && this.pieces[0] ? this.pieces[0] : Buffer.concat(this.pieces)
    const text = bytes.toString("utf8")
    if (this.status >= 300) return this.fail(this.errors.fromStatus(this.status, text, this.retryAfter))
    const value = parseJson(text)
    const error = field(value, "error")
    if (error !== undefined && error !== null) return this.fail(this.errors.fromObject(error))
    if (text === "") return this.fail(this.errors.broken("answered with nothing."))
    if (!isObject(value) || !Array.isArray(value["choices"]))
      return this.fail(
        this.errors.broken("answered with something that is no chat completion.", text.slice(0, 200))
      )
    this.reply.whole(bytes, text, value)
    this.succeed()
  }

  private settle(state: StreamState): void {
    if (state === "open") return
    if (state === "complete") this.succeed()
    else this.fail(state)
  }

  private succeed(): void {
    this.ended = true
    this.finish(Exit.void)
  }

  private fail(failure: UpstreamFailure): void {
    if (this.ended) return
    this.abort()
    this.finish(Exit.fail(failure))
  }

  /** We ask for no compression; some servers compress all the same. */
  private decode(encoding: string): void {
    const inflate = DECODERS[encoding]?.()
    if (inflate === undefined)
      return this.fail(this.errors.broken(`used the unknown encoding ${encoding.slice(0, 40)}.`))
    inflate.on("data", (bytes: Buffer) => (this.ended ? undefined : this.take(bytes)))
    inflate.on("end", () => this.close())
    inflate.on("error", () => this.fail(this.errors.broken("sent a compressed answer that cannot be read.")))
    this.inflate = inflate
  }
}

/** Only what is meant for the provider goes along; never the client's own credentials. */
const forwarded = (exchange: Exchange, forwards: (header: string) => boolean): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (const [name, value] of exchange.headers()) if (forwards(name)) found.push(name, value)
  return found
}

const one = (value: string | Array<string> | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value

const DECODERS: Record<string, (() => ReturnType<typeof createGunzip>) | undefined> = {
  gzip: createGunzip,
  "x-gzip": createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress
}

/** Milliseconds before the first retry; doubled for each further one. */
const FIRST_WAIT = 300

/** Seconds; who asks for more patience than this gets its error passed on instead. */
const LONGEST_WAIT = 15
