import type { Effect } from "effect"
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http"
import { errorText, speaksOllama } from "../domain/Errors.ts"
import type { Failure } from "../domain/Errors.ts"
import type { BodyFailure, Exchange, HeaderList } from "../domain/Exchange.ts"
import { encodeEvent } from "../domain/Sse.ts"
import type { RequestTrace } from "../domain/TraceContext.ts"
import { RequestBody } from "./RequestBody.ts"
import type { BodyLimits } from "./RequestBody.ts"

/** An exchange over Node's own request and response: no stream library, no copies, one write per chunk. */
export class NodeExchange implements Exchange {
  readonly id: string
  readonly method: string
  readonly path: string
  readonly clientIp: string
  trace: RequestTrace | undefined
  private sent: number | undefined
  private streaming = false
  private answered = false
  private readonly request: IncomingMessage
  private readonly response: ServerResponse
  /** The body while it arrives. */
  readonly requestBody: RequestBody

  constructor(id: string, request: IncomingMessage, response: ServerResponse, limits: BodyLimits) {
    this.id = id
    this.request = request
    this.response = response
    this.requestBody = new RequestBody(request, limits)
    this.method = request.method ?? "GET"
    this.path = pathOf(request)
    this.clientIp = request.socket.remoteAddress ?? ""
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
    return this.requestBody.take()
  }

  json(status: number, body: Uint8Array, headers: HeaderList = []): void {
    this.text(status, "application/json", body, headers)
  }

  text(status: number, contentType: string, body: Uint8Array, headers: HeaderList = []): void {
    this.sent = status
    this.answered = true
    const head = [
      ...["content-type", contentType, "content-length", String(body.length), "x-request-id", this.id],
      ...this.traced(),
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
      ...this.traced(),
      ...headers
    ])
  }

  write(bytes: Uint8Array): boolean {
    this.answered = true
    return this.response.write(bytes)
  }

  aside(bytes: Uint8Array, contentType = "text/event-stream; charset=utf-8"): void {
    if (this.sent === undefined) this.openStream(contentType)
    if (this.streaming && !this.response.writableEnded) this.response.write(bytes)
  }

  hasAnswered(): boolean {
    return this.answered
  }

  /** Whether a stream is being written to its connection, its own or one before it. */
  isMidStream(): boolean {
    const { response } = this
    return !response.writableEnded && (this.streaming || response.socket === null)
  }

  onDrain(resume: () => void): void {
    this.response.once("drain", resume)
  }

  end(): void {
    this.response.end()
  }

  fail(failure: Failure): void {
    const body = errorText(this.path, failure)
    if (this.sent === undefined) this.json(failure.status, Buffer.from(body), headersFor(failure))
    else if (this.streaming && !this.response.writableEnded)
      this.response.end(speaksOllama(this.path) ? `${body}\n` : encodeEvent(body))
  }

  private traced(): HeaderList {
    return this.trace === undefined ? UNTRACED : ["x-trace-id", this.trace.traceId]
  }

  private isStillSending(): boolean {
    const { complete, headers } = this.request
    return (
      !complete && (headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0)
    )
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

const UNTRACED: HeaderList = []

/** Milliseconds. */
const LINGER = 3000
