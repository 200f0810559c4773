/** What a chunk of a stream completes: whole events, as they came, and their payloads. */
export interface SseBatch {
  /** Undefined where nothing was completed. */
  readonly bytes: Buffer | undefined
  /** What follows `data:` in each event; comments have none. */
  readonly data: ReadonlyArray<string>
}

/**
 * Cuts a byte stream at event boundaries, whatever its chunking. Bytes pass unchanged; half an event waits
 * for its other half, so that a stream that breaks off never leaves a torn line with the client.
 */
export class SseSplitter {
  /** What must wait for the end of its event, and of that the line under way. */
  private held: Array<Buffer> = []
  private heldBytes = 0
  private line: Array<Buffer> = []
  private payload: string | undefined
  private between = true

  /** The bytes of an unfinished event; the caller decides when they are too many. */
  get pending(): number {
    return this.heldBytes
  }

  push(chunk: Buffer): SseBatch {
    if (chunk.length === 0) return NOTHING
    const data: Array<string> = []
    let boundary = 0
    let from = 0
    for (let to = chunk.indexOf(LF); to >= 0; to = chunk.indexOf(LF, from)) {
      if (this.endsWithLine(chunk, from, to, data)) boundary = to + 1
      from = to + 1
    }
    if (from < chunk.length) this.line.push(chunk.subarray(from))
    if (boundary === 0) {
      this.hold(chunk)
      return NOTHING
    }
    const bytes = this.release(boundary === chunk.length ? chunk : chunk.subarray(0, boundary))
    if (boundary < chunk.length) this.hold(chunk.subarray(boundary))
    return { bytes, data }
  }

  /** What is left when the upstream closes: a last event without its blank line still counts. */
  rest(): SseBatch {
    const [last, ...more] = this.held
    if (last === undefined) return NOTHING
    const data: Array<string> = []
    this.endsWithLine(NO_BYTES, 0, 0, data)
    this.endsWithLine(NO_BYTES, 0, 0, data)
    this.held = []
    this.heldBytes = 0
    return { bytes: more.length === 0 ? last : Buffer.concat([last, ...more]), data }
  }

  /** Reads one more line; true where an event, or a comment between events, ends with it. */
  private endsWithLine(chunk: Buffer, from: number, to: number, data: Array<string>): boolean {
    if (this.line.length === 0) return this.read(chunk, from, to, data)
    const line = Buffer.concat([...this.line, chunk.subarray(from, to)])
    this.line = []
    return this.read(line, 0, line.length, data)
  }

  private read(bytes: Buffer, from: number, to: number, data: Array<string>): boolean {
    const end = to > from && bytes[to - 1] === CR ? to - 1 : to
    if (end === from) {
      if (this.payload !== undefined) data.push(this.payload)
      this.payload = undefined
      this.between = true
      return true
    }
    if (bytes[from] === COLON) return this.between
    this.between = false
    if (isData(bytes, from)) {
      const value = bytes.toString("utf8", from + (bytes[from + 5] === SPACE ? 6 : 5), end)
      this.payload = this.payload === undefined ? value : `${this.payload}\n${value}`
    }
    return false
  }

  private hold(bytes: Buffer) {
    this.held.push(bytes)
    this.heldBytes += bytes.length
  }

  private release(last: Buffer): Buffer {
    const bytes = this.held.length === 0 ? last : Buffer.concat([...this.held, last])
    this.held = []
    this.heldBytes = 0
    return bytes
  }
}

export const encodeEvent = (data: string): Buffer => Buffer.from(`data: ${data}\n\n`)

/** A line that clients skip. */
export const encodeComment = (text: string): Buffer => Buffer.from(`: ${text.replace(/[\r\n]+/g, " ")}\n\n`)

/** Whether this is nothing but lines that clients skip. */
export const isComment = (bytes: Buffer): boolean => bytes[0] === COLON && !bytes.includes("\ndata:")

const isData = (bytes: Buffer, at: number): boolean =>
  bytes[at] === 100 &&
  bytes[at + 1] === 97 &&
  bytes[at + 2] === 116 &&
  bytes[at + 3] === 97 &&
  bytes[at + 4] === COLON

const NOTHING: SseBatch = { bytes: undefined, data: [] }
const NO_BYTES = Buffer.alloc(0)
const LF = 10
const CR = 13
const SPACE = 32
const COLON = 58
