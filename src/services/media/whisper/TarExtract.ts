import { createWriteStream } from "node:fs"
import { mkdir } from "node:fs/promises"
import { dirname } from "node:path"
import type { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import { createGunzip } from "node:zlib"

/** Where a file of the archive is to be written; undefined leaves it out. */
export type Target = (name: string) => string | undefined

/**
 * Reads a `.tar.gz` as it streams by and writes the files that are wanted; resolves with how many. Links, devices
 * and folders are passed over.
 */
export const extract = async (archive: Readable, target: Target): Promise<number> => {
  let files = 0
  await pipeline(archive, createGunzip(), async (bytes: AsyncIterable<Buffer>) => {
    const tape = new Tape(bytes[Symbol.asyncIterator]())
    let name: string | undefined
    for (let head = await tape.head(); head !== undefined; head = await tape.head()) {
      if (head.type === LONG_NAME) name = text(await tape.all(head.size))
      else if (head.type === EXTENSION) name = pathIn(await tape.all(head.size)) ?? name
      else {
        const path = FILES.has(head.type) ? target(name ?? head.name) : undefined
        if (path === undefined) await tape.skip(head.size)
        else {
          await write(tape, head, path)
          files++
        }
        // A global extension says nothing of the next file.
        if (head.type !== GLOBAL) name = undefined
      }
    }
    await tape.rest()
  })
  return files
}

const write = async (tape: Tape, { executable, size }: Head, path: string): Promise<void> => {
  await mkdir(dirname(path), { recursive: true })
  const file = createWriteStream(path, { mode: executable ? 0o755 : 0o644 })
  await pipeline(tape.parts(size), file)
}

interface Head {
  readonly name: string
  readonly size: number
  readonly type: string
  readonly executable: boolean
}

/** Blocks of 512 bytes, however the bytes come. */
class Tape {
  private held: Buffer = Buffer.alloc(0)
  private readonly bytes: AsyncIterator<Buffer>

  constructor(bytes: AsyncIterator<Buffer>) {
    this.bytes = bytes
  }

  /** Undefined at the end of the archive. */
  async head(): Promise<Head | undefined> {
    const block = await this.all(BLOCK)
    if (block.every((byte) => byte === 0)) return undefined
    const sum = block.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 32 : byte), 0)
    if (sum !== octal(block, 148, 8)) throw new Error("This is no tar archive.")
    const prefix = text(block.subarray(345, 500))
    const name = text(block.subarray(0, 100))
    return {
      name: prefix === "" ? name : `${prefix}/${name}`,
      size: octal(block, 124, 12),
      type: String.fromCharCode(block[156] ?? 0),
      executable: (octal(block, 100, 8) & 0o100) !== 0
    }
  }

  /** So many bytes, as they come, and the rest of their last block passed over. */
  async *parts(size: number): AsyncGenerator<Buffer> {
    for (let left = size; left > 0;) {
      const part = await this.next(left)
      left -= part.length
      yield part
    }
    for (let left = (BLOCK - (size % BLOCK)) % BLOCK; left > 0;) left -= (await this.next(left)).length
  }

  async all(size: number): Promise<Buffer> {
    if (size > MOST_IN_MEMORY) throw new Error("A header of the archive is too long.")
    const parts: Array<Buffer> = []
    for await (const part of this.parts(size)) parts.push(part)
    return Buffer.concat(parts)
  }

  async skip(size: number): Promise<void> {
    for await (const _ of this.parts(size)) continue
  }

  /** Whatever follows the end of the archive. */
  async rest(): Promise<void> {
    while ((await this.bytes.next()).done !== true) continue
  }

  private async next(most: number): Promise<Buffer> {
    while (this.held.length === 0) {
      const { done, value } = await this.bytes.next()
      if (done === true) throw new Error("The archive ends in the middle.")
      this.held = value
    }
    const part = this.held.subarray(0, most)
    this.held = this.held.subarray(part.length)
    return part
  }
}

const text = (bytes: Buffer): string => bytes.toString("utf8").replace(/\0.*$/s, "")

/** Numbers are octal digits, or for the largest a marked binary one. */
const octal = (block: Buffer, at: number, length: number): number => {
  if (((block[at] ?? 0) & 0x80) !== 0) return Number(block.readBigUInt64BE(at + length - 8))
  return Number.parseInt(text(block.subarray(at, at + length)).trim() || "0", 8)
}

/** The path in an extension: lines of `LENGTH KEY=VALUE`. */
const pathIn = (extension: Buffer): string | undefined =>
  /^\d+ path=(.*)$/m.exec(extension.toString("utf8"))?.[1]

const BLOCK = 512
const MOST_IN_MEMORY = 1024 * 1024

/** Types of entries. */
const FILES = new Set(["0", "\0", "7"])
const EXTENSION = "x"
const GLOBAL = "g"
const LONG_NAME = "L"
