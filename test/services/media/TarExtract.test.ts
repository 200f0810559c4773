import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Readable } from "node:stream"
import { gzipSync } from "node:zlib"
import { extract } from "../../../src/services/media/whisper/TarExtract.ts"
import { temporaryFolder } from "../../support/Router.ts"
import { tarOf } from "../../support/Tar.ts"

const long = `${"folder/".repeat(20)}with-a-name-that-is-longer-than-a-hundred-signs-${"x".repeat(40)}.txt`

/** An archive made by tar itself. */
const archive = (format: string) =>
  Effect.map(temporaryFolder, (folder) => {
    mkdirSync(join(folder, "in", long, ".."), { recursive: true })
    writeFileSync(join(folder, "in", "plain.txt"), "plain")
    writeFileSync(join(folder, "in", "empty.txt"), "")
    writeFileSync(join(folder, "in", "block.bin"), Buffer.alloc(512, 1))
    writeFileSync(join(folder, "in", "large.bin"), Buffer.alloc(300_001, 2))
    writeFileSync(join(folder, "in", "run.sh"), "#!/bin/sh\n", { mode: 0o755 })
    symlinkSync("/etc/passwd", join(folder, "in", "link"))
    if (format !== "v7") writeFileSync(join(folder, "in", long), "long")
    const file = join(folder, "archive.tgz")
    const names = [
      "plain.txt",
      "empty.txt",
      "block.bin",
      "large.bin",
      "run.sh",
      "link",
      ...(format === "v7" ? [] : [long])
    ]
    execFileSync("tar", ["-czf", file, `--format=${format}`, "-C", join(folder, "in"), ...names])
    return { folder, bytes: readFileSync(file) }
  })

/** The archive in chunks of some size. */
const chunks = (bytes: Buffer, size: number) =>
  Readable.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
    })()
  )

const failure = (bytes: Buffer) =>
  Effect.promise(() =>
    extract(chunks(bytes, 1000), () => undefined).then(
      () => "nothing",
      (error: unknown) => String(error)
    )
  )

describe("an archive", () => {
  for (const format of ["posix", "gnu", "ustar", "v7"])
    it.scopedLive(`of the ${format} kind gives its files, and no links`, () =>
      Effect.gen(function* () {
        const { bytes, folder } = yield* archive(format)
        const out = (name: string) => join(folder, "out", name)
        const asked: Array<string> = []
        const files = yield* Effect.promise(() =>
          extract(chunks(bytes, 333), (name) => {
            asked.push(name)
            return name === "large.bin" ? undefined : out(name)
          })
        )
        assert.notInclude(asked, "link")
        assert.strictEqual(files, asked.length - 1)
        assert.strictEqual(readFileSync(out("plain.txt"), "utf8"), "plain")
        assert.strictEqual(readFileSync(out("empty.txt"), "utf8"), "")
        assert.deepStrictEqual(readFileSync(out("block.bin")), Buffer.alloc(512, 1))
        assert.strictEqual(statSync(out("run.sh")).mode & 0o777, 0o755)
        if (format !== "v7") assert.strictEqual(readFileSync(out(long), "utf8"), "long")
      })
    )

  it.scopedLive("that is cut off, or is none, is an error", () =>
    Effect.gen(function* () {
      const whole = tarOf([["file", Buffer.alloc(5000, 3)]])
      assert.strictEqual(yield* failure(gzipSync(whole)), "nothing")
      assert.include(yield* failure(gzipSync(whole.subarray(0, 3000))), "ends in the middle")
      assert.include(yield* failure(gzipSync(whole).subarray(0, 40)), "unexpected end of file")
      assert.include(yield* failure(gzipSync(Buffer.alloc(2048, 65))), "no tar archive")
      assert.include(yield* failure(whole), "incorrect header check")
    })
  )
})
