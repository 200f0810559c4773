import { Effect } from "effect"
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http"
import {
  BodyTimeout,
  BodyTooLarge,
  errorBody,
  InvalidRequest,
  UnsupportedMediaType
} from "../domain/Errors.ts"
import type { Failure } from "../domain/Errors.ts"
import type { BodyFailure, Exchange, HeaderList } from "../domain/Exchange.ts"
import { encodeEvent } from "../domain/Sse.ts"

export interface BodyLimits {
  readonly bytes: number
  readonly millis: number
}

/** An exchange over Node's own request and response: no stream library, no copies, one write per chunk. */
export class NodeExchange implements Exchange {
  readonly id: string
  readonly method: string
  readonly path: string
  private sent: number | undefined
  private streaming = false
  private readonly request: IncomingMessage
  private readonly response: ServerResponse
  private readonly limits: BodyLimits

  constructor(id: string, request: IncomingMessage, response: ServerResponse, limits: BodyLimits) {
    this.id = id
    this.request = request
    this.response = response
    this.limits = limits
    this.method = request.method ?? "GET"
    this.path = pathOf(request)
  }

  get clientIp(): string {
    return this.request.socket.remoteAddress ?? ""
  }

  header(name: string): string | undefined {
    const value = this.request.headers[name]
    return Array.isArray(value) ? value.join(", ") : value
  }

  headers(): IncomingHttpHeaders {
    return this.request.headers
  }

  status(): number | undefined {
    return this.sent
  }

  body(): Effect.Effect<Uint8Array, BodyFailure> {
    const refusal = this.refusal()
    return refusal === undefined ? this.readBody() : Effect.fail(refusal)
  }

  json(status: number, body: Uint8Array, headers: HeaderList = []): void {
    this.sent = status
    const head = [
      ...["content-type", "application/json", "content-length", String(body.length), "x-request-id", this.id],
      ...headers
    ]
    if (this.isStillSending()) this.answerEarly(status, [...head, "connection", "close"], body)
    else {
      this.response.writeHead(status, head)
      this.response.end(body)
    }
  }

  openStream(contentType: string, headers: HeaderList = []): void {
    this.sent = 200
    this.streaming = true
    this.response.writeHead(200, [
      ...["content-type", contentType, "cache-control", "no-cache", "x-accel-buffering", "no"],
      ...["x-request-id", this.id],
      ...headers
    ])
  }

  write(bytes: Uint8Array): boolean {
    return this.response.write(bytes)
  }

  onDrain(resume: () => void): void {
    this.response.once("drain", resume)
  }

  end(): void {
    this.response.end()
  }

  fail(failure: Failure): void {
    const body = JSON.stringify(errorBody(failure))
    if (this.sent === undefined) this.json(failure.status, Buffer.from(body), headersFor(failure))
    else if (this.streaming && !this.response.writableEnded) this.response.end(encodeEvent(body))
  }

  private isStillSending(): boolean {
    const { complete, headers } = this.request
    return (
      !complete && (headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0)
    )
  }

  private spoiled: ((failure: InvalidRequest) => void) | undefined

  /** The body turned out to be no HTTP; true if somebody was waiting for it and answers. */
  spoil(failure: InvalidRequest): boolean {
    const { spoiled } = this
    spoiled?.(failure)
    return spoiled !== undefined
  }

  private refusal(): BodyTooLarge | UnsupportedMediaType | undefined {
    const {
      "content-encoding": encoding,
      "content-length": length,
      "content-type": type
    } = this.request.headers
    if (encoding !== undefined && encoding !== "identity")
      return new UnsupportedMediaType({
        message: `Request bodies must not be encoded (content-encoding: ${encoding.slice(0, 40)}).`
      })
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

  private readBody(): Effect.Effect<Uint8Array, BodyFailure> {
    return Effect.async((resume) => {
      const { limits, request } = this
      const pieces: Array<Buffer> = []
      let size = 0
      const settle = (result: Effect.Effect<Uint8Array, BodyFailure>) => {
        clearTimeout(timer)
        this.spoiled = undefined
        request.off("data", onData).off("end", onEnd)
        resume(result)
      }
      const onData = (piece: Buffer) => {
        size += piece.length
        if (size > limits.bytes) settle(Effect.fail(this.tooLarge()))
        else pieces.push(piece)
      }
      const onEnd = () =>
        settle(Effect.succeed(pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces)))
      const onLate = () =>
        settle(Effect.fail(new BodyTimeout({ message: "The request body did not arrive in time." })))
      const timer = setTimeout(onLate, limits.millis)
      this.spoiled = (failure) => settle(Effect.fail(failure))
      request.on("data", onData).on("end", onEnd)
      return Effect.sync(() => {
        clearTimeout(timer)
        request.off("data", onData).off("end", onEnd)
      })
    })
  }

  /** Answers a client that is still sending: its bytes are swallowed for a while, so that it can read why. */
  private answerEarly(status: number, head: HeaderList, body: Uint8Array): void {
    const { request, response } = this
    response.writeHead(status, [...head])
    response.write(body)
    const stop = () => {
      clearTimeout(timer)
      response.end()
    }
    const timer = setTimeout(stop, LINGER)
    request.once("end", stop).once("close", stop)
    request.resume()
  }
}

/** The path alone; queries may hold anything. */
export const pathOf = (request: IncomingMessage): string => {
  const url = request.url ?? "/"
  const query = url.indexOf("?")
  return query < 0 ? url : url.slice(0, query)
}

/** Who is turned away for a while is told for how long. */
const waitOf = (failure: Failure) =>
  failure.retryAfter ?? (failure.status === 429 || failure.status === 503 ? 5 : undefined)

const headersFor = (failure: Failure): HeaderList => [
  ...(waitOf(failure) === undefined ? [] : ["retry-after", String(waitOf(failure))]),
  ...(failure.allow === undefined ? [] : ["allow", failure.allow]),
  ...(failure.status === 401 ? ["www-authenticate", 'Bearer realm="percept"'] : [])
]

/** What `curl -d` and careless clients send is taken too, if it is JSON. */
const JSON_TYPE = /^(application\/([\w.-]+\+)?json|text\/plain|application\/x-www-form-urlencoded)\s*(;|$)/i

/** Milliseconds. */
const LINGER = 3000
