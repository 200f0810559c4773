import { createHash } from "node:crypto"
import { Either } from "effect"
import { BodyTooLarge, InvalidRequest } from "../domain/Errors.ts"
import type { FormEvent } from "./Multipart.ts"

/** What a form holds: its texts, and one file. */
export interface Upload {
  readonly fields: Readonly<Record<string, string | ReadonlyArray<string>>>
  readonly file: UploadedFile
}

export interface UploadedFile {
  /** Absolute, and a name of our own. */
  readonly path: string
  /** What the client calls it, without folders; for the eye alone. */
  readonly filename: string
  readonly bytes: number
  readonly sha256: string
}

type Refusal = InvalidRequest | BodyTooLarge

/** What has come of a form so far. */
export class UploadForm {
  /** Bytes of the file that are not yet on disk. */
  readonly toWrite: Array<Buffer> = []
  private readonly fileLimit: number
  private readonly hash = createHash("sha256")
  private readonly texts: Array<{ readonly name: string; readonly pieces: Array<Buffer> }> = []
  private filename: string | undefined
  private fileBytes = 0
  private allBytes = 0
  private parts = 0
  private at: "file" | "text" | "nothing" = "nothing"
  private isOver = false

  constructor(fileLimit: number) {
    this.fileLimit = fileLimit
  }

  take(bytes: number, events: ReadonlyArray<FormEvent>): Refusal | undefined {
    this.allBytes += bytes
    for (const event of events) {
      const failure = this.takeOne(event)
      if (failure !== undefined) return failure
    }
    return this.allBytes - this.fileBytes > MOST_BESIDES
      ? new BodyTooLarge({ message: "What stands beside the file in the form is larger than 1 MB." })
      : undefined
  }

  finish(path: string): Either.Either<Upload, InvalidRequest> {
    if (!this.isOver) return Either.left(broken("it ends before its last boundary"))
    if (this.filename === undefined)
      return Either.left(wrong("file", "is missing.", "missing_required_parameter"))
    if (this.fileBytes === 0) return Either.left(wrong("file", "is empty."))
    const fields = new Map<string, string | ReadonlyArray<string>>()
    for (const { name, pieces } of this.texts) {
      const text = utf8(Buffer.concat(pieces))
      if (text === undefined) return Either.left(wrong(name, "is not text in UTF-8."))
      const before = fields.get(name)
      fields.set(name, before === undefined ? text : [before, text].flat())
    }
    const file = {
      path,
      filename: this.filename,
      bytes: this.fileBytes,
      sha256: this.hash.digest("hex")
    }
    return Either.right({ fields: Object.fromEntries(fields), file })
  }

  private takeOne(event: FormEvent): Refusal | undefined {
    switch (event._tag) {
      case "Malformed":
        return broken(event.why)
      case "End":
        this.isOver = true
        return undefined
      case "Part":
        if (++this.parts > MOST_PARTS) return broken(`it has more than ${MOST_PARTS} parts`)
        return event.filename === undefined
          ? this.beginText(event.name)
          : this.beginFile(event.name, event.filename)
      case "Data":
        return this.add(event.bytes)
    }
  }

  private beginText(name: string): Refusal | undefined {
    if (name === "file") return wrong("file", "is text; it must be a file with a filename.")
    this.at = "text"
    this.texts.push({ name, pieces: [] })
    return undefined
  }

  private beginFile(name: string, filename: string): Refusal | undefined {
    if (name !== "file") return wrong(name, "is a file; only 'file' may be one.")
    if (this.filename !== undefined) return wrong("file", "is there more than once.")
    this.at = "file"
    this.filename = shown(filename)
    return undefined
  }

  private add(bytes: Buffer): Refusal | undefined {
    if (this.at === "file") {
      this.fileBytes += bytes.length
      if (this.fileBytes > this.fileLimit) return tooLarge(this.fileLimit)
      this.hash.update(bytes)
      this.toWrite.push(bytes)
    } else this.texts.at(-1)?.pieces.push(bytes)
    return undefined
  }
}

/** The last part of what may be a whole path, without what cannot be seen. */
const shown = (filename: string): string =>
  (filename.split(/[/\\]/).at(-1) ?? "").replace(/[\p{Cc}\p{Cf}]/gu, "").slice(0, 200)

const utf8 = (bytes: Uint8Array): string | undefined => {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

export const broken = (why: string) =>
  new InvalidRequest({ message: `The form cannot be read: ${why}.`, param: null, code: null })

const wrong = (param: string, what: string, code: string | null = null) => {
  const name = param.slice(0, 100)
  return new InvalidRequest({ message: `'${name}' ${what}`, param: name, code })
}

export const tooLarge = (limit: number) =>
  new BodyTooLarge({
    message: `The file is larger than the ${Math.floor(limit / 1024 / 1024)} MB this router takes (AUDIO_MAX_MB).`
  })

const decoder = new TextDecoder("utf-8", { fatal: true })

const MOST_PARTS = 64

/** Bytes of a form that are not its file: heads, texts, and what stands around them. */
export const MOST_BESIDES = 1024 * 1024
