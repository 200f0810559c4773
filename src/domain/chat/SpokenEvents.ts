import { encodeEvent, SseSplitter } from "../Sse.ts"
import type { JsonObject } from "../Json.ts"
import type { Spoken } from "./SpokenStream.ts"
import { withStrings } from "./Splice.ts"

/**
 * Events as they came, their chunks said as they are to be said now. Comments, other fields and line ends stay, and
 * so does every event that is not concerned. `rest` gives what must go out before the end of the stream.
 */
export const spokenEvents = (
  bytes: Buffer,
  spoken: ReadonlyArray<Spoken>,
  rest: () => JsonObject | undefined
): Buffer => {
  const out: Array<Buffer> = []
  const say = (chunk: JsonObject | undefined) => {
    if (chunk !== undefined) out.push(encodeEvent(JSON.stringify(chunk)))
  }
  let next = 0
  for (const { data, stretch } of stretchesOf(bytes)) {
    if (data === "[DONE]") say(rest())
    const now = data === undefined || data === "" || data === "[DONE]" ? undefined : spoken[next++]
    say(now?.before)
    if (now === undefined || now.chunk !== undefined)
      out.push(now === undefined || now.changes.length === 0 ? stretch : changedEvent(stretch, data, now))
  }
  // A chunk may come without an event of its own, such as an error that is told otherwise.
  for (const { before } of spoken.slice(next)) say(before)
  return Buffer.concat(out)
}

interface EventStretch {
  readonly stretch: Buffer
  /** Undefined where no event ends here. */
  readonly data: string | undefined
}

/** Events, and what stands between them. */
const stretchesOf = (bytes: Buffer): ReadonlyArray<EventStretch> => {
  const splitter = new SseSplitter()
  const found: Array<EventStretch> = []
  let from = 0
  for (let to = bytes.indexOf(LF); to >= 0; to = bytes.indexOf(LF, from)) {
    const { bytes: stretch, data } = splitter.push(bytes.subarray(from, to + 1))
    if (stretch !== undefined) found.push({ stretch, data: data[0] })
    from = to + 1
  }
  splitter.push(bytes.subarray(from))
  const { bytes: last, data } = splitter.rest()
  // Nothing may run into an event that was not ended.
  if (last !== undefined) found.push({ stretch: Buffer.concat([last, BLANK]), data: data[0] })
  return found
}

/** Changed strings have no line ends in JSON: as many lines come out as went in. */
const changedEvent = (stretch: Buffer, data: string | undefined, { changes }: Spoken): Buffer => {
  const payload = withStrings(data ?? "", changes).split("\n")
  const lines = stretch.toString("utf8").split(/(?<=\n)/)
  return Buffer.from(
    lines
      .map((line) => {
        const [, head, end] = DATA_LINE.exec(line) ?? []
        return head === undefined ? line : head + (payload.shift() ?? "") + (end ?? "")
      })
      .join("")
  )
}

const DATA_LINE = /^(data: ?)[^\r\n]*(\r?\n?)$/
const LF = 10
const BLANK = Buffer.from("\n\n")
