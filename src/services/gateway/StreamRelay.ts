import type { UpstreamFailure } from "../../domain/Errors.ts"
import { arrayField, isObject, numberField, parseJson, stringField } from "../../domain/Json.ts"
import type { JsonObject } from "../../domain/Json.ts"
import type { Reply } from "../../domain/Reply.ts"
import { SseSplitter } from "../../domain/Sse.ts"
import type { SseBatch } from "../../domain/Sse.ts"
import type { UpstreamErrors } from "./UpstreamErrors.ts"

/** What became of a stream: still going, complete, or failed. */
export type StreamState = "open" | "complete" | UpstreamFailure

/** What a call knows of the stream it gets. */
export interface Relay {
  /** False asks the provider to pause. */
  flowing: boolean
  /** Whether any byte has gone to the client. */
  readonly begun: boolean
  push(bytes: Buffer): StreamState
  /** The provider has closed the stream. */
  close(): StreamState
  /** A client that made the provider wait is not the provider's silence. */
  resumed(): void
}

/**
 * Passes a provider's event stream on, bytes unchanged, and watches what it says: an error event, a broken
 * event or an end without a finish must not look like an answer.
 */
export class StreamRelay implements Relay {
  flowing = true
  begun = false
  /** Whether the reply has been told anything; comments say nothing. */
  private told = false
  private readonly splitter = new SseSplitter()
  private readonly openChoices = new Set<number>()
  private readonly finishedChoices = new Set<number>()
  private lastEventAt = performance.now()
  private readonly reply: Reply
  private readonly errors: UpstreamErrors
  private readonly longestSilence: number

  /** `longestSilence`, in milliseconds, bounds how long comments alone keep a stream alive. */
  constructor(reply: Reply, errors: UpstreamErrors, longestSilence: number) {
    this.reply = reply
    this.errors = errors
    this.longestSilence = longestSilence
  }

  push(bytes: Buffer): StreamState {
    const batch = this.splitter.push(bytes)
    if (this.splitter.pending > LONGEST_EVENT) return this.errors.broken("sent an event that is too long.")
    if (batch.data.length === 0 && performance.now() - this.lastEventAt > this.longestSilence)
      return this.errors.broken("went on for too long without a whole event.")
    return this.pass(batch)
  }

  resumed(): void {
    this.lastEventAt = performance.now()
  }

  close(): StreamState {
    const rest = this.splitter.rest()
    const torn = rest.data.some((data) => data !== "[DONE]" && parseJson(data) === undefined)
    const whole = rest.data.length > 0 && !torn
    const state = whole ? this.pass(rest) : "open"
    if (state !== "open") return state
    if (!torn && this.finishedChoices.size > 0 && this.openChoices.size === 0) return this.complete()
    if (whole) this.send(Buffer.from("\n\n"), [])
    return this.errors.fromConnection(new Error("the stream ended without a finish"), true)
  }

  private pass(batch: SseBatch): StreamState {
    if (batch.bytes === undefined) return "open"
    if (batch.data.length === 0) {
      this.send(batch.bytes, [])
      return "open"
    }
    this.lastEventAt = performance.now()
    const chunks: Array<JsonObject> = []
    for (const [index, data] of batch.data.entries()) {
      if (data === "") continue
      if (data === "[DONE]") {
        this.send(batch.bytes, chunks)
        return this.complete()
      }
      const chunk = parseJson(data)
      if (!isObject(chunk) || (chunk["error"] !== undefined && chunk["error"] !== null)) {
        const isFirst = !this.told && chunks.length === 0
        // What it says it used belongs into the record; its bytes do not go out.
        if (isObject(chunk)) chunks.push(chunk)
        if (index > 0 || this.begun) this.send(upTo(batch, index), chunks)
        return isObject(chunk)
          ? this.errors.fromObject(chunk["error"], !isFirst)
          : this.errors.broken("sent an event that is not JSON.")
      }
      this.note(chunk)
      chunks.push(chunk)
    }
    this.send(batch.bytes, chunks)
    return "open"
  }

  protected note(chunk: JsonObject): void {
    for (const choice of arrayField(chunk, "choices")) {
      const index = numberField(choice, "index") ?? 0
      if (stringField(choice, "finish_reason") !== undefined) {
        this.finishedChoices.add(index)
        this.openChoices.delete(index)
      } else if (!this.finishedChoices.has(index)) this.openChoices.add(index)
    }
  }

  private send(bytes: Buffer, chunks: ReadonlyArray<JsonObject>): void {
    this.begun = true
    this.told ||= chunks.length > 0
    this.flowing = this.reply.events(bytes, chunks)
  }

  private complete(): StreamState {
    this.reply.end()
    return "complete"
  }
}

/** The bytes of the events before the given one, found again by what they say. */
const upTo = (batch: SseBatch, index: number): Buffer => {
  const splitter = new SseSplitter()
  let from = 0
  let seen = 0
  const bytes = batch.bytes ?? Buffer.alloc(0)
  for (let to = bytes.indexOf(10); to >= 0 && seen < index; to = bytes.indexOf(10, to + 1)) {
    const { data } = splitter.push(bytes.subarray(from, to + 1))
    seen += data.length
    from = to + 1
  }
  return bytes.subarray(0, from)
}

/** Characters; answers come in pieces a thousand times smaller. */
const LONGEST_EVENT = 4 * 1024 * 1024
