/** What the next bytes of a form hold, in their order. */
export type FormEvent =
  | { readonly _tag: "Part"; readonly name: string; readonly filename: string | undefined }
  | { readonly _tag: "Data"; readonly bytes: Buffer }
  | { readonly _tag: "End" }
  | { readonly _tag: "Malformed"; readonly why: string }

/**
 * Reads multipart/form-data (RFC 7578) as it arrives: whatever its chunking, the same bytes give the same events.
 * Nothing is held but what may be the beginning of a boundary, and the head of a part.
 */
export class MultipartReader {
  private readonly delimiter: Buffer
  private state: "before" | "delimiter" | "head" | "body" | "over" = "before"
  /** A first boundary has no line before it, but is read as if it had. */
  private held: Buffer = CRLF

  constructor(boundary: string) {
    this.delimiter = Buffer.from(`\r\n--${boundary}`)
  }

  /** Nothing follows after the end, or after what is malformed. */
  push(chunk: Buffer): ReadonlyArray<FormEvent> {
    const events: Array<FormEvent> = []
    let rest: Buffer | undefined = this.held.length === 0 ? chunk : Buffer.concat([this.held, chunk])
    while (rest !== undefined && this.state !== "over") {
      this.held = rest
      if (this.state === "delimiter") rest = this.readDelimiter(rest, events)
      else if (this.state === "head") rest = this.readHead(rest, events)
      else rest = this.readBody(rest, events)
    }
    return events
  }

  /** Each of these takes from the bytes what it can, and gives back what the next state is to read. */
  private readBody(bytes: Buffer, events: Array<FormEvent>): Buffer | undefined {
    const at = bytes.indexOf(this.delimiter)
    const end = at >= 0 ? at : Math.max(0, bytes.length - this.delimiter.length + 1)
    if (end > 0 && this.state === "body") events.push({ _tag: "Data", bytes: bytes.subarray(0, end) })
    if (at < 0) {
      this.held = bytes.subarray(end)
      return undefined
    }
    this.state = "delimiter"
    return bytes.subarray(at + this.delimiter.length)
  }

  private readDelimiter(bytes: Buffer, events: Array<FormEvent>): Buffer | undefined {
    if (bytes[0] === DASH && bytes[1] === DASH) return this.end(events, { _tag: "End" })
    let at = 0
    while (bytes[at] === SPACE || bytes[at] === TAB) at++
    if (at > LONGEST_HEAD) return this.malformed(events, "a boundary's line is too long")
    if (bytes.length < at + 2) return undefined
    if (bytes[at] !== CR || bytes[at + 1] !== LF)
      return this.malformed(events, "a boundary does not stand alone on its line")
    this.state = "head"
    return bytes.subarray(at)
  }

  /** Begins with the end of the boundary's line, so that a head without a line ends as any other. */
  private readHead(bytes: Buffer, events: Array<FormEvent>): Buffer | undefined {
    const end = bytes.indexOf(HEAD_END)
    if (end > LONGEST_HEAD || (end < 0 && bytes.length > LONGEST_HEAD))
      return this.malformed(events, "the head of a part is too long")
    if (end < 0) return undefined
    const part = partOf(bytes.toString("utf8", CRLF.length, end))
    if (typeof part === "string") return this.malformed(events, part)
    events.push({ _tag: "Part", ...part })
    this.state = "body"
    return bytes.subarray(end + HEAD_END.length)
  }

  private malformed(events: Array<FormEvent>, why: string): undefined {
    return this.end(events, { _tag: "Malformed", why })
  }

  private end(events: Array<FormEvent>, event: FormEvent): undefined {
    events.push(event)
    this.state = "over"
    this.held = NOTHING
  }
}

/** The boundary a content type names; undefined where it names none, or one that cannot be. */
export const boundaryIn = (contentType: string): string | undefined => {
  const [only, ...more] = contentType.matchAll(/;\s*boundary=(?:"([^"]*)"|([^;\s"]*))/gi)
  const boundary = only?.[1] ?? only?.[2]
  return boundary !== undefined && more.length === 0 && /^[ -~]{0,69}[!-~]$/.test(boundary)
    ? boundary
    : undefined
}

interface Part {
  readonly name: string
  readonly filename: string | undefined
}

/** What a head says of its part, or what is wrong with it. */
const partOf = (head: string): Part | string => {
  const fields = new Map<string, string>()
  for (const line of head === "" ? [] : head.split("\r\n")) {
    const [, name, value] = HEAD_LINE.exec(line) ?? []
    if (name === undefined || value === undefined) return "the head of a part cannot be read"
    if (fields.has(name.toLowerCase())) return `a part has two lines '${name.toLowerCase()}' in its head`
    fields.set(name.toLowerCase(), value)
  }
  if (!PLAIN_ENCODING.test(fields.get("content-transfer-encoding") ?? "binary"))
    return "a part is encoded for transfer; send its bytes as they are"
  const parameters = parametersOf(fields.get("content-disposition") ?? "")
  const name = parameters?.get("name")
  if (name === undefined) return "a part has no name (content-disposition: form-data; name=…)"
  return { name, filename: decoded(parameters?.get("filename*")) ?? parameters?.get("filename") }
}

const parametersOf = (disposition: string): ReadonlyMap<string, string> | undefined => {
  const found = new Map<string, string>()
  const start = /^form-data\s*/i.exec(disposition)
  if (start === null) return undefined
  for (let at = start[0].length; at < disposition.length;) {
    PARAMETER.lastIndex = at
    const [whole, name = "", quoted, bare = ""] = PARAMETER.exec(disposition) ?? []
    if (whole === undefined || found.has(name.toLowerCase())) return undefined
    found.set(name.toLowerCase(), quoted?.replace(/\\(["\\])/g, "$1") ?? bare)
    at += whole.length
  }
  return found
}

/** Of a name in the form `UTF-8''…` (RFC 5987), if it is one. */
const decoded = (encoded: string | undefined): string | undefined => {
  const [, text] = /^utf-8'[^']*'(.*)$/i.exec(encoded ?? "") ?? []
  try {
    return text === undefined ? undefined : decodeURIComponent(text)
  } catch {
    return undefined
  }
}

// oxlint-disable-next-line no-control-regex
const HEAD_LINE = /^([!#$%&'*+.^_`|~0-9a-z-]+):[ \t]*([^\0-\x08\x0a-\x1f\x7f]*?)[ \t]*$/i
const PARAMETER = /;\s*([!#$%&'*+.^_`|~0-9a-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([^;"\s]+))\s*/iy
const PLAIN_ENCODING = /^(7bit|8bit|binary)$/i

/** Bytes. */
const LONGEST_HEAD = 8192

const NOTHING = Buffer.alloc(0)
const CRLF = Buffer.from("\r\n")
const HEAD_END = Buffer.from("\r\n\r\n")
const TAB = 9
const LF = 10
const CR = 13
const SPACE = 32
const DASH = 45
