/** An event of a stream, as it is dispatched. */
export interface ServerEvent {
  readonly name: string
  readonly data: string
}

/** Reads the text of a stream of server-sent events, however it is cut into pieces. */
export class SseParser {
  /** What is told the server when the stream is opened anew. */
  lastEventId = ""
  /** Milliseconds that the server wants to be left alone for. */
  retry: number | undefined
  private rest = ""
  private afterReturn = false
  private id = ""
  private name = ""
  private data: string | undefined

  /** The events that this piece completes. */
  push(piece: string): ReadonlyArray<ServerEvent> {
    const events: Array<ServerEvent> = []
    const text = this.rest + (this.afterReturn && piece.startsWith("\n") ? piece.slice(1) : piece)
    if (piece !== "") this.afterReturn = piece.endsWith("\r")
    let start = 0
    END_OF_LINE.lastIndex = this.rest.length
    for (let end = END_OF_LINE.exec(text); end !== null; end = END_OF_LINE.exec(text)) {
      this.take(text.slice(start, end.index), events)
      start = END_OF_LINE.lastIndex
    }
    this.rest = text.slice(start)
    if (this.rest.length + (this.data?.length ?? 0) > LONGEST) throw new Error("An event is too long.")
    return events
  }

  private take(line: string, events: Array<ServerEvent>): void {
    if (line === "") return this.dispatch(events)
    const colon = line.indexOf(":")
    if (colon === 0) return
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1)
    if (name === "event") this.name = value
    else if (name === "data") this.data = this.data === undefined ? value : `${this.data}\n${value}`
    else if (name === "id" && !value.includes("\0")) this.id = value
    else if (name === "retry" && /^\d{1,6}$/.test(value)) this.retry = Number(value)
  }

  private dispatch(events: Array<ServerEvent>): void {
    const { data, name } = this
    this.lastEventId = this.id
    this.name = ""
    this.data = undefined
    if (data !== undefined) events.push({ name: name || "message", data })
  }
}

const END_OF_LINE = /\r\n|\r|\n/g

/** Characters. */
const LONGEST = 8_000_000
