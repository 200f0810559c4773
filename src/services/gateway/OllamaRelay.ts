import type { UpstreamFailure } from "../../domain/Errors.ts"
import { isObject, parseJson } from "../../domain/Json.ts"
import type { JsonObject } from "../../domain/Json.ts"
import type { Reply } from "../../domain/Reply.ts"
import { encodeEvent } from "../../domain/Sse.ts"
import type { Relay, StreamState } from "./StreamRelay.ts"
import type { UpstreamErrors } from "./UpstreamErrors.ts"

/**
 * Turns Ollama's lines of JSON into the events of a chat: a line with an error, a line that is not JSON, or an end
 * that nobody announced must not look like an answer.
 */
export class OllamaRelay implements Relay {
  flowing = true
  begun = false
  /** The line under way, as it came: a character may be torn, so it is read once it is whole. */
  private held: Array<Buffer> = []
  private heldBytes = 0
  private lastLineAt = performance.now()
  private readonly chunksOf: (line: JsonObject) => ReadonlyArray<JsonObject>
  private readonly reply: Reply
  private readonly errors: UpstreamErrors
  private readonly longestSilence: number

  /** `longestSilence`, in milliseconds, bounds how long bytes without a whole line keep a stream alive. */
  constructor(
    chunksOf: (line: JsonObject) => ReadonlyArray<JsonObject>,
    reply: Reply,
    errors: UpstreamErrors,
    longestSilence: number
  ) {
    this.chunksOf = chunksOf
    this.reply = reply
    this.errors = errors
    this.longestSilence = longestSilence
  }

  push(bytes: Buffer): StreamState {
    const lines: Array<string> = []
    let from = 0
    for (let to = bytes.indexOf(LF); to >= 0; to = bytes.indexOf(LF, from)) {
      const line = this.lineTo(bytes.subarray(from, to))
      if (line !== "") lines.push(line)
      from = to + 1
    }
    if (from < bytes.length) this.hold(bytes.subarray(from))
    if (this.heldBytes > LONGEST_LINE) return this.errors.broken("sent a line that is too long.")
    if (lines.length > 0) return this.pass(lines)
    return performance.now() - this.lastLineAt > this.longestSilence
      ? this.errors.broken("went on for too long without a whole line.")
      : "open"
  }

  close(): StreamState {
    const last = this.lineTo(NO_BYTES)
    const state = last === "" || parseJson(last) === undefined ? "open" : this.pass([last])
    return state === "open"
      ? this.errors.fromConnection(new Error("the stream ended before it was done"), true)
      : state
  }

  resumed(): void {
    this.lastLineAt = performance.now()
  }

  private pass(lines: ReadonlyArray<string>): StreamState {
    this.lastLineAt = performance.now()
    const chunks: Array<JsonObject> = []
    for (const text of lines) {
      const line = parseJson(text)
      const isError = isObject(line) && line["error"] !== undefined && line["error"] !== null
      if (isError || !isObject(line)) {
        this.send(chunks)
        return isError ? this.failureIn(line) : this.errors.broken("sent a line that is not JSON.")
      }
      chunks.push(...this.chunksOf(line))
      if (line["done"] === true) {
        this.send(chunks, DONE)
        this.reply.end()
        return "complete"
      }
    }
    this.send(chunks)
    return "open"
  }

  private failureIn({ error, status }: JsonObject): UpstreamFailure {
    const said = typeof error === "string" ? { message: error, code: status } : error
    return this.errors.fromObject(said, this.begun)
  }

  private send(chunks: ReadonlyArray<JsonObject>, end?: Buffer): void {
    const events = chunks.map((chunk) => encodeEvent(JSON.stringify(chunk)))
    if (end !== undefined) events.push(end)
    if (events.length === 0) return
    this.begun = true
    this.flowing = this.reply.events(Buffer.concat(events), chunks)
  }

  private lineTo(end: Buffer): string {
    if (this.held.length === 0) return end.toString("utf8").trim()
    const line = Buffer.concat([...this.held, end])
    this.held = []
    this.heldBytes = 0
    return line.toString("utf8").trim()
  }

  private hold(bytes: Buffer): void {
    this.held.push(bytes)
    this.heldBytes += bytes.length
  }
}

const LF = 10
const NO_BYTES = Buffer.alloc(0)
const DONE = encodeEvent("[DONE]")

/** Bytes; answers come in pieces a thousand times smaller. */
const LONGEST_LINE = 4 * 1024 * 1024
