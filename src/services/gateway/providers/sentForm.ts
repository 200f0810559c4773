import { createReadStream } from "node:fs"
import { randomUUID } from "node:crypto"
import { Readable } from "node:stream"
import type { Speech } from "../Provider.ts"

/** A body that is read from disk as it is sent: its length is known before, and it can be sent again. */
export interface SentBody {
  readonly type: string
  readonly length: number
  /** `onPiece` is told of every piece that goes out. */
  readonly open: (onPiece: () => void) => Readable
}

/** A form with its file in it. */
export const asForm = ({ fields, file }: Speech): SentBody => {
  const boundary = `percept-${randomUUID()}`
  const part = (head: string) => `--${boundary}\r\ncontent-disposition: form-data; ${head}\r\n`
  const texts = Object.entries(fields).flatMap(([name, said]) =>
    [said].flat().map((text) => `${part(`name="${quoted(name)}"`)}\r\n${text}\r\n`)
  )
  const head = part(`name="file"; filename="${quoted(file.filename)}"`)
  return around(
    `multipart/form-data; boundary=${boundary}`,
    Buffer.from(`${texts.join("")}${head}content-type: application/octet-stream\r\n\r\n`),
    { length: file.bytes, pieces: () => createReadStream(file.path) },
    Buffer.from(`\r\n--${boundary}--\r\n`)
  )
}

/** An object with its sound in it, as OpenRouter has it for what is too large for a form. */
export const asJson = ({ fields, file }: Speech): SentBody => {
  const said = Object.entries(fields).map(([name, text]) => [name.replace(/\[\]$/, ""), valueOf(name, text)])
  const sound = { data: MARK, format: file.format }
  const text = JSON.stringify({ ...Object.fromEntries(said), input_audio: sound })
  const [before = "", after = ""] = text.split(MARK)
  return around(
    "application/json",
    Buffer.from(before),
    { length: Math.ceil(file.bytes / 3) * 4, pieces: () => inBase64(createReadStream(file.path)) },
    Buffer.from(after)
  )
}

/** A form knows nothing but texts. */
const valueOf = (name: string, said: string | ReadonlyArray<string>): unknown => {
  if (name.endsWith("[]")) return [said].flat()
  if (name === "temperature") return Number(said)
  return said === "true" || said === "false" ? said === "true" : said
}

interface Middle {
  readonly length: number
  readonly pieces: () => AsyncIterable<Uint8Array>
}

const around = (type: string, before: Uint8Array, middle: Middle, after: Uint8Array): SentBody => ({
  type,
  length: before.length + middle.length + after.length,
  open: (onPiece) => {
    async function* all() {
      yield before
      for await (const piece of middle.pieces()) {
        onPiece()
        yield piece
      }
      yield after
    }
    return Readable.from(all())
  }
})

/** Three bytes are four letters, so what is left of a piece waits for the next. */
async function* inBase64(pieces: AsyncIterable<Buffer>) {
  let left = Buffer.alloc(0)
  for await (const piece of pieces) {
    const bytes = Buffer.concat([left, piece])
    const whole = bytes.length - (bytes.length % 3)
    left = bytes.subarray(whole)
    yield Buffer.from(bytes.toString("base64", 0, whole), "latin1")
  }
  if (left.length > 0) yield Buffer.from(left.toString("base64"), "latin1")
}

/** As browsers do it. */
const quoted = (name: string): string =>
  name.replaceAll('"', "%22").replaceAll("\r", "%0D").replaceAll("\n", "%0A")

/** Stands where the sound comes; a text cannot hold it by chance. */
const MARK = `\uE000${randomUUID()}\uE000`
