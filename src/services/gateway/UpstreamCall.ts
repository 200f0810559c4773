import { Exit } from "effect"
import type { Dispatcher } from "undici"
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib"
import type { UpstreamFailure } from "../../domain/Errors.ts"
import { field, isObject, parseJson } from "../../domain/Json.ts"
import type { Reply } from "../../domain/Reply.ts"
import type { Reading } from "./Reading.ts"
import type { Relay, StreamState } from "./StreamRelay.ts"
import type { UpstreamErrors } from "./UpstreamErrors.ts"

/** What a call may take: bytes of a whole answer, milliseconds to its first byte and between bytes. */
export interface CallLimits {
  readonly answerBytes: number
  readonly firstByte: number
  readonly silence: number
}

/** One call upstream: undici tells it what arrives, and it ends exactly once. */
export class UpstreamCall implements Dispatcher.DispatchHandler {
  private controller: Dispatcher.DispatchController | undefined
  private ended = false
  private status = 0
  private contentType = ""
  private retryAfter: string | undefined
  private relay: Relay | undefined
  private pieces: Array<Buffer> = []
  private size = 0
  private paused = false
  /** Runs while the provider has the word; one for the whole call, since most calls end long before it. */
  private timer: NodeJS.Timeout
  private heardAt = performance.now()
  private inflate: ReturnType<typeof createGunzip> | undefined
  private readonly reading: Reading
  private readonly reply: Reply
  private readonly errors: UpstreamErrors
  private readonly limits: CallLimits
  private readonly finish: (exit: Exit.Exit<void, UpstreamFailure>) => void

  constructor(
    reading: Reading,
    reply: Reply,
    errors: UpstreamErrors,
    limits: CallLimits,
    finish: UpstreamCall["finish"]
  ) {
    this.reading = reading
    this.reply = reply
    this.errors = errors
    this.limits = limits
    this.finish = finish
    this.timer = setTimeout(this.onSilence, Math.min(limits.firstByte, limits.silence))
  }

  abort(): void {
    this.ended = true
    clearTimeout(this.timer)
    this.inflate?.destroy()
    this.controller?.abort(new Error("no longer wanted"))
  }

  /** A long request is no silence of the provider's. */
  sending(): void {
    this.heardAt = performance.now()
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
    this.heardAt = performance.now()
    this.retryAfter = one(headers["retry-after"])
    const generation = one(headers["x-generation-id"])
    this.reply.opened(
      generation === undefined ? undefined : this.errors.scrub(generation),
      passedOn(headers).map(this.errors.scrub)
    )
    this.contentType = one(headers["content-type"]) ?? ""
    if (status < 300)
      this.relay = this.reading.relay(
        this.contentType,
        this.reply,
        this.errors,
        Math.max(this.limits.firstByte, this.limits.silence)
      )
    const encoding = one(headers["content-encoding"])
    if (encoding !== undefined && encoding !== "identity") this.decode(encoding)
  }

  onResponseData(_controller: Dispatcher.DispatchController, bytes: Buffer): void {
    if (this.ended) return this.abort()
    this.heardAt = performance.now()
    if (this.inflate === undefined) this.safely(() => this.take(bytes))
    else this.inflate.write(bytes)
  }

  onResponseEnd(): void {
    if (this.inflate === undefined) this.safely(() => this.close())
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
    this.relay.flowing = true
    this.settle(this.relay.push(bytes))
    if (!this.ended && !this.relay.flowing) this.pause()
  }

  /** The client reads slowly: nothing more is taken from the provider until it has caught up. */
  private pause(): void {
    if (this.paused) return
    this.paused = true
    clearTimeout(this.timer)
    this.controller?.pause()
    this.inflate?.pause()
    this.reply.onDrain(() => {
      if (this.ended) return
      this.paused = false
      this.heardAt = performance.now()
      this.timer = setTimeout(this.onSilence, this.limits.silence)
      this.relay?.resumed()
      this.controller?.resume()
      this.inflate?.resume()
    })
  }

  private readonly onSilence = (): void => {
    const limit = this.status === 0 ? this.limits.firstByte : this.limits.silence
    const left = limit - (performance.now() - this.heardAt)
    if (left > 0) this.timer = setTimeout(this.onSilence, Math.min(left, this.limits.silence))
    else this.fail(this.errors.timedOut(this.relay?.begun === true))
  }

  /** Nobody catches what is thrown in a parser's callback, so whatever a hostile answer breaks is a failure. */
  private safely(step: () => void): void {
    try {
      step()
    } catch (error) {
      this.fail(this.errors.broken("sent an answer that cannot be read.", String(error)))
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
    const isAnswer = isObject(value)
      ? this.reading.whole(this.reply, bytes, text, value)
      : this.reading.other?.(this.reply, { bytes, text, value, contentType: this.contentType })
    if (isAnswer !== true && text === "") return this.fail(this.errors.broken("answered with nothing."))
    if (isAnswer !== true)
      return this.fail(
        this.errors.broken("answered with something that is no answer to this call.", text.slice(0, 200))
      )
    this.succeed()
  }

  private settle(state: StreamState): void {
    if (state === "open") return
    if (state === "complete") this.succeed()
    else this.fail(state)
  }

  private succeed(): void {
    this.ended = true
    clearTimeout(this.timer)
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
    inflate.on("data", (bytes: Buffer) => (this.ended ? undefined : this.safely(() => this.take(bytes))))
    inflate.on("end", () => this.safely(() => this.close()))
    inflate.on("error", () => this.fail(this.errors.broken("sent a compressed answer that cannot be read.")))
    this.inflate = inflate
  }
}

/** What a provider's answer says to the client beside the answer itself. */
const passedOn = (headers: Record<string, string | Array<string> | undefined>): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (const name in headers) {
    const value = headers[name]
    if (typeof value === "string" && (PASSED_ON.has(name) || name.startsWith("x-openrouter-")))
      found.push(name, value)
  }
  return found
}

const PASSED_ON = new Set(["x-generation-id", "x-inference-provider"])

const one = (value: string | Array<string> | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value

const DECODERS: Record<string, (() => ReturnType<typeof createGunzip>) | undefined> = {
  gzip: createGunzip,
  "x-gzip": createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress
}
