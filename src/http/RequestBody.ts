import { Effect } from "effect"
import type { IncomingMessage } from "node:http"
import { BodyTimeout, BodyTooLarge, UnsupportedMediaType } from "../domain/Errors.ts"
import type { InvalidRequest } from "../domain/Errors.ts"
import type { BodyFailure } from "../domain/Exchange.ts"

export interface BodyLimits {
  readonly bytes: number
  readonly millis: number
}

/** A request's body: refused by its headers, or read within its limits, once. */
export class RequestBody {
  private readonly request: IncomingMessage
  private readonly limits: BodyLimits
  private arrived: Effect.Effect<Uint8Array, BodyFailure> | undefined
  private waiting: ((body: Effect.Effect<Uint8Array, BodyFailure>) => void) | undefined
  /** Ends the reading, while it goes on. */
  private settle: ((body: Effect.Effect<Uint8Array, BodyFailure>) => void) | undefined
  private clock: NodeJS.Timeout | undefined

  constructor(request: IncomingMessage, limits: BodyLimits) {
    this.request = request
    this.limits = limits
  }

  take(): Effect.Effect<Uint8Array, BodyFailure> {
    if (this.arrived !== undefined) return this.arrived
    const refusal = this.refusal()
    if (refusal !== undefined) return Effect.fail(refusal)
    return Effect.async((resume) => {
      if (this.waiting === undefined) {
        this.collect()
        this.startClock()
      }
      this.waiting = resume
    })
  }

  /**
   * Calls back when a small body is there, which it mostly is at once, or when this turn of the loop is over.
   * A fiber that starts after its body has one wait less.
   */
  takeEarly(ready: () => void): void {
    const length = Number(this.request.headers["content-length"] ?? Infinity)
    if (length > SMALL || this.refusal() !== undefined) return ready()
    const turnIsOver = setImmediate(() => {
      this.waiting = () => {}
      this.startClock()
      ready()
    })
    this.waiting = () => {
      clearImmediate(turnIsOver)
      ready()
    }
    this.collect()
  }

  /** The body turned out to be no HTTP; true if somebody was waiting for it and answers. */
  spoil(failure: InvalidRequest): boolean {
    const { settle } = this
    settle?.(Effect.fail(failure))
    return settle !== undefined
  }

  private refusal(): BodyTooLarge | UnsupportedMediaType | undefined {
    const { "content-length": length, "content-type": type } = this.request.headers
    const encoded = encodedRefusal(this.request)
    if (encoded !== undefined) return encoded
    if (type !== undefined && !JSON_TYPE.test(type))
      return new UnsupportedMediaType({
        message: "Send the request body as JSON, with content-type: application/json."
      })
    return Number(length ?? 0) > this.limits.bytes ? this.tooLarge() : undefined
  }

  private tooLarge(): BodyTooLarge {
    const megabytes = Math.floor(this.limits.bytes / 1024 / 1024)
    return new BodyTooLarge({
      message: `The request body is larger than the ${megabytes} MB this router takes (MAX_BODY_MB).`
    })
  }

  private collect(): void {
    const { limits, request } = this
    const pieces: Array<Buffer> = []
    let size = 0
    const settle = (result: Effect.Effect<Uint8Array, BodyFailure>) => {
      clearTimeout(this.clock)
      this.settle = undefined
      request.off("data", onData).off("end", onEnd).off("close", onGone)
      this.arrived = result
      this.waiting?.(result)
    }
    const onData = (piece: Buffer) => {
      size += piece.length
      if (size > limits.bytes) settle(Effect.fail(this.tooLarge()))
      else pieces.push(piece)
    }
    const onEnd = () =>
      settle(Effect.succeed(pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces)))
    // Whoever waits for the rest is interrupted elsewhere.
    const onGone = () => settle(Effect.never)
    this.settle = settle
    request.on("data", onData).on("end", onEnd).on("close", onGone)
  }

  private startClock(): void {
    const late = new BodyTimeout({ message: "The request body did not arrive in time." })
    this.clock = setTimeout(() => this.settle?.(Effect.fail(late)), this.limits.millis)
  }
}

export const encodedRefusal = ({ headers }: IncomingMessage): UnsupportedMediaType | undefined => {
  const { "content-encoding": encoding = "identity" } = headers
  return encoding === "identity"
    ? undefined
    : new UnsupportedMediaType({
        message: `Request bodies must not be encoded (content-encoding: ${encoding.slice(0, 40)}).`
      })
}

/** What `curl -d` and careless clients send is taken too, if it is JSON. */
const JSON_TYPE = /^(application\/([\w.-]+\+)?json|text\/plain|application\/x-www-form-urlencoded)\s*(;|$)/i

/** Bytes; no danger to hold, whoever sends them. */
const SMALL = 65_536
