import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { buildSync } from "esbuild"
import { root } from "../../scripts/fresh.mjs"
import { makeLogFile } from "../../src/services/tracking/LogFile.ts"
import { temporaryFolder } from "../support/Router.ts"

const linesIn = (file: string): ReadonlyArray<string> => {
  const text = readFileSync(file, "utf8")
  assert.isTrue(text.endsWith("\n"), "the last line is whole")
  return text.slice(0, -1).split("\n")
}

/** Every file of a log, whatever its age. */
const filesOf = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder)
    .filter((name) => name.startsWith("log"))
    .map((name) => join(folder, name))

const append = (file: string, lines: ReadonlyArray<string>, limit = 1e6, files = 100) =>
  Effect.promise(() => makeLogFile(file, limit, files)(lines, () => {}))

/** A process that writes to a log of its own accord: `who` is in each of its lines. */
const writer = (folder: string) => {
  const program = join(folder, "writer.mjs")
  buildSync({
    stdin: {
      contents: `
        import { makeLogFile } from "./src/services/tracking/LogFile.ts"
        const [file, who, batches] = process.argv.slice(2)
        const append = makeLogFile(file, 300_000, 100)
        let index = 0
        for (let batch = 0; batch < Number(batches); batch++)
          await append(Array.from({ length: 4 }, () =>
            JSON.stringify({ who, index, filling: who.repeat(index++ % 10 === 0 ? 100_000 : 900) })), () => {})`,
      resolveDir: root,
      loader: "ts"
    },
    outfile: program,
    bundle: true,
    platform: "node",
    format: "esm"
  })
  return (file: string, who: string, batches: number) =>
    Effect.async<void, Error>((resume) => {
      execFile(process.execPath, [program, file, who, String(batches)], (error) =>
        resume(error === null ? Effect.void : Effect.fail(error))
      )
    })
}

describe("a log file", () => {
  it.scopedLive("of several processes loses no line, breaks none, and is rotated by one of them", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      mkdirSync(join(folder, "logs"))
      const file = join(folder, "logs", "log")
      const write = writer(folder)
      yield* Effect.all(
        ["a", "b", "c"].map((who) => write(file, who, 40)),
        { concurrency: "unbounded" }
      )
      const found = new Map<string, Array<number>>()
      for (const name of filesOf(join(folder, "logs"))) {
        assert.isAtMost(statSync(name).size, 2 * 300_000, name)
        for (const line of linesIn(name)) {
          const { index, who } = JSON.parse(line)
          found.set(who, [...(found.get(who) ?? []), index])
        }
      }
      const all = Array.from({ length: 160 }, (_, index) => index)
      for (const who of ["a", "b", "c"])
        assert.deepStrictEqual(
          found.get(who)?.toSorted((one, other) => one - other),
          all
        )
      assert.isFalse(existsSync(`${file}.lock`))
      assert.isAtMost(filesOf(join(folder, "logs")).length, 40)
    })
  )

  it.scopedLive("that a killed process left in the middle of a line goes on with the next one", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "log")
      writeFileSync(file, 'whole\n{"half": ')
      yield* append(file, ["next", "and next"])
      assert.deepStrictEqual(linesIn(file), ["whole", '{"half": ', "next", "and next"])
    })
  )

  it.scopedLive("is rotated though a process died that was about to", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "log")
      writeFileSync(`${file}.lock`, "")
      yield* append(file, ["x".repeat(600), "y".repeat(600)], 1000)
      assert.deepStrictEqual(linesIn(file), ["y".repeat(600)])
      assert.deepStrictEqual(linesIn(`${file}.1`), ["x".repeat(600)])
      assert.isFalse(existsSync(`${file}.lock`))
    })
  )

  it.scopedLive("says which lines it has taken when it takes no more", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "log")
      let written = 0
      const write = makeLogFile(file, 1000, 2)
      yield* Effect.promise(() => write(["x".repeat(600)], (lines) => (written += lines)))
      mkdirSync(join(`${file}.1`, "full"), { recursive: true })
      const failed = yield* Effect.promise(() =>
        write(["z".repeat(100), "y".repeat(600), "w"], (lines) => (written += lines)).then(
          () => false,
          () => true
        )
      )
      assert.isTrue(failed)
      assert.strictEqual(written, 2)
      assert.deepStrictEqual(linesIn(file), ["x".repeat(600), "z".repeat(100)])
    })
  )
})
