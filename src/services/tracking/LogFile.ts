import { mkdir, open, rename, rm } from "node:fs/promises"
import type { FileHandle } from "node:fs/promises"
import { dirname } from "node:path"

/**
 * A file that lines are appended to, rotated before it grows beyond its limit: `x` becomes `x.1`, `x.1` becomes
 * `x.2`, and the oldest goes. It is opened for each batch, so that it may be moved away or deleted meanwhile.
 */
export const makeLogFile = (file: string, limit: number, files: number) => {
  // One buffer for all: lines joined to one great string would be new memory each time.
  const buffer = Buffer.allocUnsafe(BUFFER_BYTES)

  return async (lines: ReadonlyArray<string>): Promise<void> => {
    let handle = await openOrMake(file)
    try {
      let size = (await handle.stat()).size
      let filled = 0
      const flush = async () => {
        if (filled > 0) await handle.appendFile(buffer.subarray(0, filled))
        filled = 0
      }
      for (const line of lines) {
        const bytes = Buffer.byteLength(line) + 1
        if (size > 0 && size + bytes > limit) {
          await flush()
          await handle.close()
          await rotate(file, files)
          handle = await openOrMake(file)
          size = 0
        }
        if (filled + bytes > buffer.length) await flush()
        if (bytes > buffer.length) await handle.appendFile(`${line}\n`)
        else {
          filled += buffer.write(line, filled)
          buffer[filled++] = LINE_FEED
        }
        size += bytes
      }
      await flush()
    } finally {
      await handle.close()
    }
  }
}

const openOrMake = (file: string): Promise<FileHandle> =>
  open(file, "a", 0o600).catch(async (error: unknown) => {
    if (!isMissing(error)) throw error
    await mkdir(dirname(file), { recursive: true })
    return open(file, "a", 0o600)
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

const isMissing = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ENOENT"

const BUFFER_BYTES = 64 * 1024
const LINE_FEED = 10
