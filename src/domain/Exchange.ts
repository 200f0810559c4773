import type { Effect } from "effect"
import type { InvalidRequest, BodyTimeout, BodyTooLarge, Failure, UnsupportedMediaType } from "./Errors.ts"
import type { RequestTrace } from "./TraceContext.ts"

/** One client request and the way to answer it; services know HTTP by this alone. */
export interface Exchange {
  readonly id: string
  readonly method: string
  /** The path without its query. */
  readonly path: string
  readonly clientIp: string
  /** Its place in a trace, from when its record is opened; the answer names it. */
  trace?: RequestTrace | undefined
  /** A request header by its lower-case name. */
  header(name: string): string | undefined
  /** All request headers, lower-case names. */
  headers(): { readonly [name: string]: string | ReadonlyArray<string> | undefined }
  body(): Effect.Effect<Uint8Array, BodyFailure>
  /** The status the client got; undefined while the head of the answer has not gone out. */
  status(): number | undefined
  json(status: number, body: Uint8Array, headers?: HeaderList): void
  /** A whole answer that is not JSON. */
  text(status: number, contentType: string, body: Uint8Array, headers?: HeaderList): void
  openStream(contentType: string, headers?: HeaderList): void
  /** False asks the writer to pause until `onDrain` calls back. */
  write(bytes: Uint8Array): boolean
  onDrain(resume: () => void): void
  /** News for whoever waits, outside the answer: opens the stream, of events by default, where it is not open yet. */
  aside(bytes: Uint8Array, contentType?: string): void
  /** Whether any part of the answer itself has gone out. */
  hasAnswered(): boolean
  end(): void
  /** The error as JSON, or as the last event of a stream that has begun. */
  fail(failure: Failure): void
}

/** Why a body could not be had. */
export type BodyFailure = InvalidRequest | BodyTooLarge | BodyTimeout | UnsupportedMediaType

/** Names and values in turn, as they go on the wire. */
export type HeaderList = ReadonlyArray<string>
