/** What router and worker say to each other: a header, and bytes that belong to it. */
export interface Message {
  readonly header: unknown
  readonly body: Buffer
}

/** Both lengths, the header as JSON, the body as it is. */
export const encodeMessage = (header: unknown, ...body: ReadonlyArray<Uint8Array>): Buffer => {
  const json = Buffer.from(JSON.stringify(header))
  const lengths = Buffer.alloc(PREFIX)
  lengths.writeUInt32BE(json.length, 0)
  lengths.writeUInt32BE(
    body.reduce((sum, { length }) => sum + length, 0),
    4
  )
  return Buffer.concat([lengths, json, ...body])
}

/** Puts messages together from chunks as they come; throws where one could not have been meant. */
export class MessageReader {
  private held: Array<Buffer> = []
  private size = 0

  push(chunk: Uint8Array): ReadonlyArray<Message> {
    this.held.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
    this.size += chunk.byteLength
    const messages: Array<Message> = []
    for (let next = this.take(); next !== undefined; next = this.take()) messages.push(next)
    return messages
  }

  private take(): Message | undefined {
    if (this.size < PREFIX) return undefined
    const lengths = this.joined(PREFIX)
    const headerEnd = PREFIX + lengths.readUInt32BE(0)
    const end = headerEnd + lengths.readUInt32BE(4)
    if (headerEnd > MOST_HEADER || end > MOST) throw new Error("A message is larger than any may be.")
    if (this.size < end) return undefined
    const bytes = this.joined(this.size)
    this.held = [bytes.subarray(end)]
    this.size -= end
    return {
      header: JSON.parse(bytes.toString("utf8", PREFIX, headerEnd)),
      body: bytes.subarray(headerEnd, end)
    }
  }

  /** The first of the held bytes in one piece. */
  private joined(least: number): Buffer {
    const [first] = this.held
    if (first !== undefined && first.length >= least) return first
    const whole = Buffer.concat(this.held)
    this.held = [whole]
    return whole
  }
}

const PREFIX = 8
const MOST_HEADER = 64 * 1024
const MOST = 128 * 1024 * 1024
