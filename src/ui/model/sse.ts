/** An event of a stream, as it is dispatched. */
export interface ServerEvent {
  readonly name: string
  readonly data: string
}

/** Reads a stream of events however it is cut into pieces. The server is ours: a field has one line, which ends in one way. */
export class SseParser {
  /** What is told the server when the stream is opened anew. */
  lastEventId = ""
  /** Milliseconds that the server wants to be left alone for. */
  retry: number | undefined
  private rest = ""

  /** The events that this piece completes. */
  push(piece: string): ReadonlyArray<ServerEvent> {
    const blocks = (this.rest + piece).split("\n\n")
    this.rest = blocks.pop() ?? ""
    if (this.rest.length > LONGEST) throw new Error("An event is too long.")
    return blocks.flatMap((block) => {
      const [id, name, data, retry] = FIELDS.map((field) => field.exec(block)?.[1])
      this.lastEventId = id ?? this.lastEventId
      this.retry = Number(retry) || this.retry
      return name === undefined || data === undefined ? [] : [{ name, data }]
    })
  }
}

const FIELDS = [/^id: (.*)/m, /^event: (.*)/m, /^data: ([^\n]*)/m, /^retry: (\d{1,6})$/m]

/** Characters. */
const LONGEST = 8_000_000
