import { mkdir, open, rename, rm, stat } from "node:fs/promises"
import type { FileHandle } from "node:fs/promises"
import { dirname } from "node:path"
import { inTurn } from "./inTurn.ts"

/**
 * A file that lines are appended to, rotated before it grows beyond its limit: `x` becomes `x.1`, `x.1` becomes
 * `x.2`, and the oldest goes. It is opened for each batch, so that it may be moved away or deleted meanwhile, and
 * each write ends with a line, so that several processes may write to it.
 */
export const makeLogFile = (file: string, limit: number, files: number) => {
  // One buffer for all: lines joined to one great string would be new memory each time.
  const shared = Buffer.allocUnsafe(BUFFER_BYTES)
  let endsWhole = false

  /** Tells of the lines that are in the file; whatever it fails with, the others are not. */
  return async (lines: ReadonlyArray<string>, wrote: (lines: number) => void): Promise<void> => {
    let handle = await openOrMake(file)
    try {
      let { size } = await handle.stat()
      let filled = 0
      let held = 0
      const put = async (bytes: Buffer, count: number) => {
        await write(handle, bytes)
        wrote(count)
      }
      const flush = async () => {
        if (held > 0) await put(shared.subarray(0, filled), held)
        filled = held = 0
      }
      if (!endsWhole && size > 0 && !(await endsWithLine(handle, size)))
        await write(handle, Buffer.from("\n"))
      endsWhole = true
      for (const line of lines) {
        const bytes = Buffer.byteLength(line) + 1
        if (size > 0 && size + bytes > limit) {
          await flush()
          await handle.close()
          await inTurn(`${file}.lock`, async () => {
            const now = await sizeOf(file)
            if (now > 0 && now + bytes > limit) await rotate(file, files)
          })
          handle = await openOrMake(file)
          size = (await handle.stat()).size
        }
        if (filled + bytes > shared.length) await flush()
        if (bytes > shared.length) await put(Buffer.from(`${line}\n`), 1)
        else {
          filled += shared.write(line, filled)
          shared[filled++] = LINE_FEED
          held++
        }
        size += bytes
      }
      await flush()
    } catch (error) {
      endsWhole = false
      throw error
    } finally {
      await handle.close().catch(() => {})
    }
  }
}

/** All of it, or nothing where that can be had: half a line would spoil the next one. */
const write = async (handle: FileHandle, bytes: Buffer): Promise<void> => {
  let done = 0
  try {
    while (done < bytes.length) done += (await handle.write(bytes, done)).bytesWritten
  } catch (error) {
    const { size } = await handle.stat()
    if (done > 0) await handle.truncate(size - done).catch(() => {})
    throw error
  }
}

/** What a process left that was killed while it wrote, or ran out of room. */
const endsWithLine = async (handle: FileHandle, size: number): Promise<boolean> => {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(1), 0, 1, size - 1)
  return bytesRead === 0 || buffer[0] === LINE_FEED
}

const openOrMake = (file: string): Promise<FileHandle> =>
  open(file, "a+", 0o600).catch(async (error: unknown) => {
    if (!isMissing(error)) throw error
    await mkdir(dirname(file), { recursive: true })
    return open(file, "a+", 0o600)
  })

const rotate = async (file: string, files: number): Promise<void> => {
  if (files === 1) return rm(file, { force: true })
  await rm(`${file}.${files - 1}`, { force: true })
  for (let age = files - 2; age >= 1; age--) await moveIfThere(`${file}.${age}`, `${file}.${age + 1}`)
  await moveIfThere(file, `${file}.1`)
}

const moveIfThere = (from: string, to: string): Promise<void> =>
  rename(from, to).catch((error: unknown) => {
    if (!isMissing(error)) throw error
  })

const sizeOf = (file: string): Promise<number> =>
  stat(file).then(
    ({ size }) => size,
    () => 0
  )

const isMissing = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ENOENT"

const BUFFER_BYTES = 64 * 1024
const LINE_FEED = 10
