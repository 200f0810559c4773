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
  private held: Array<Buffer> = []
  private heldBytes = 0

  /** The bytes of an unfinished event; the caller decides when they are too many. */
  get pending(): number {
    return this.heldBytes
  }

  push(chunk: Buffer): SseBatch {
    if (this.heldBytes > 0) {
      this.hold(chunk)
      if (chunk.indexOf(LF) < 0) return NOTHING
      chunk = this.release()
    }
    const { boundary, data } = scan(chunk)
    if (boundary === chunk.length) return { bytes: chunk, data }
    this.hold(chunk.subarray(boundary))
    return boundary === 0 ? NOTHING : { bytes: chunk.subarray(0, boundary), data }
  }

  /** What is left when the upstream closes: a last event without its blank line still counts. */
  rest(): SseBatch {
    if (this.heldBytes === 0) return NOTHING
    const bytes = this.release()
    return { bytes, data: scan(Buffer.concat([bytes, BLANK_LINE])).data }
  }

  private hold(bytes: Buffer) {
    this.held.push(bytes)
    this.heldBytes += bytes.length
  }

  private release(): Buffer {
    const bytes = this.held.length === 1 && this.held[0] ? this.held[0] : Buffer.concat(this.held)
    this.held = []
    this.heldBytes = 0
    return bytes
  }
}

export const encodeEvent = (data: string): Buffer => Buffer.from(`data: ${data}\n\n`)

/** Where the last whole event (or comment line between events) ends, and the payloads up to there. */
const scan = (bytes: Buffer): { readonly boundary: number; readonly data: ReadonlyArray<string> } => {
  const data: Array<string> = []
  let payload: string | undefined
  let between = true
  let boundary = 0
  let from = 0
  for (let to = bytes.indexOf(LF); to >= 0; to = bytes.indexOf(LF, from)) {
    const end = to > from && bytes[to - 1] === CR ? to - 1 : to
    if (end === from) {
      if (payload !== undefined) data.push(payload)
      payload = undefined
      between = true
      boundary = to + 1
    } else if (bytes[from] === COLON) {
      if (between) boundary = to + 1
    } else {
      between = false
      if (isData(bytes, from)) {
        const value = bytes.toString("utf8", from + (bytes[from + 5] === SPACE ? 6 : 5), end)
        payload = payload === undefined ? value : `${payload}\n${value}`
      }
    }
    from = to + 1
  }
  return { boundary, data }
}

const isData = (bytes: Buffer, at: number): boolean =>
  bytes[at] === 100 &&
  bytes[at + 1] === 97 &&
  bytes[at + 2] === 116 &&
  bytes[at + 3] === 97 &&
  bytes[at + 4] === COLON

const NOTHING: SseBatch = { bytes: undefined, data: [] }
const BLANK_LINE = Buffer.from("\n\n")
const LF = 10
const CR = 13
const SPACE = 32
const COLON = 58
