import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../scripts/fresh.mjs"
import { arrayField, parseJson } from "../src/domain/Json.ts"
import { blocksOf } from "./support/Markdown.ts"
import { startMediaHost } from "./support/MediaHost.ts"
import { alsoInstall, installPackage, plainly } from "./support/Package.ts"
import type { Installed } from "./support/Package.ts"
import { launch, startProgram } from "./support/Program.ts"
import { eventually } from "./support/Router.ts"
import { linkWeights } from "./support/Weights.ts"
import { spoken, wordErrors } from "./support/Words.ts"

/** Milliseconds, on a machine that has much else to do. */
const SLOW = 90_000

const fixture = (...path: ReadonlyArray<string>) => join(root, "test", "fixtures", ...path)

/** Packed and installed once, for all that is asked of it. */
const scope = Effect.runSync(Scope.make())
let there: Installed

beforeAll(async () => {
  there = await Effect.runPromise(Scope.extend(installPackage, scope))
  linkWeights(join(there.folder, "data"))
  // Where there is no ffmpeg, the one that comes as an optional package.
  alsoInstall(there, "@ffmpeg-binary", "@ffprobe-installer", "@napi-rs")
}, 180_000)

afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

describe("the package", () => {
  it("holds what runs and what is read, and nothing of how it is made", () => {
    const names = there.files.map((name) => name.replace(/^package\//, ""))
    for (const needed of [
      "dist/main.js",
      "dist/workers/image.js",
      "dist/workers/read.js",
      "dist/workers/whisper.js"
    ])
      assert.include(names, needed)
    for (const needed of [
      "lib/library/media.js",
      "lib/library/media.d.ts",
      "lib/domain/Json.js",
      "README.md"
    ])
      assert.include(names, needed)
    const lib = (name: string) =>
      readFileSync(join(there.folder, "node_modules/percept/lib/services/database", name), "utf8")
    assert.strictEqual(lib("sqliteDriver.js"), lib("hostDriver.js"))
    assert.deepStrictEqual(
      names.filter((name) =>
        /^(src|test|scripts|node_modules|data)\/|\.map$|\.percept-built$|(?<!\.d)\.ts$/.test(name)
      ),
      []
    )
    assert.isTrue(names.some((name) => /^dist\/ui\/.+\.html$/.test(name)))
  })

  it.scopedLive("brings a few packages, and none of those that the command has in it", () =>
    Effect.gen(function* () {
      const names = readdirSync(join(there.folder, "node_modules"))
      assert.includeMembers(names, ["percept", "better-sqlite3", "sharp"])
      assert.notIncludeMembers(names, ["effect", "@effect", "lit", "esbuild"])
    })
  )

  it.scopedLive("says what this machine has, by npx percept doctor", () =>
    Effect.gen(function* () {
      const { code, err, out } = yield* there.run("npx", "--no", "percept", "doctor")
      assert.strictEqual(code, 0, err)
      for (const tool of ["ffmpeg", "ffprobe", "speech", "speech model", "images", "data folder", "database"])
        assert.match(out, new RegExp(`^✓ ${tool} `, "m"))
      assert.match(out, /^Percept \d+\.\d+\.\d+, Node /m)
    })
  )

  it.scopedLive("serves, and shows a page", () =>
    Effect.gen(function* () {
      const npx = { command: "npx", args: ["--no", "percept", "serve"], cwd: there.folder }
      const { url } = yield* startProgram(there.env, npx)
      const content = "Hello there!"
      const answer = yield* asked(url, "percept/inspect", content)
      assert.include(JSON.stringify(answer), content)
      const page = yield* Effect.promise(() => fetch(`${url}/ui/tracking`).then((page) => page.text()))
      assert.match(page, /<script[^>]+src="/)
      const rows = yield* Effect.promise(() =>
        fetch(`${url}/ui/tracking_data`).then((answer) => answer.json())
      )
      assert.include(JSON.stringify(rows), content)
    })
  )

  it.scopedLive(
    "watches and hears a file, by npx percept inspect",
    () =>
      Effect.gen(function* () {
        cpSync(fixture("video", "spoken.mp4"), join(there.folder, "clip.mp4"))
        const inspect = there.run("npx", "--no", "percept", "inspect", "clip.mp4", "--out", "frames/")
        const { code, err, out } = yield* inspect
        assert.strictEqual(code, 0, err)
        const files = readdirSync(join(there.folder, "frames"))
        const frames = files.filter((name) => name.endsWith(".jpg"))
        assert.isTrue(
          frames.every((name) => /^00-00-0\d\.\d{3}\.jpg$/.test(name)),
          files.join()
        )
        assert.strictEqual(out.match(/^\[image \d: jpeg 320x240/gm)?.length, frames.length)
        const heard = readFileSync(join(there.folder, "frames", "transcript.txt"), "utf8")
        assert.isAtMost(wordErrors(spoken.library, heard.replace(/^\[.*?\]/gm, "")), 0.1)
      }),
    SLOW
  )
})

describe("as a library", () => {
  beforeAll(() =>
    alsoInstall(
      there,
      "effect",
      ...Object.keys(peers).filter((name) => name !== "effect"),
      "@types",
      "undici-types"
    )
  )

  it.scopedLive("has types that hold for whoever writes against them", () =>
    Effect.gen(function* () {
      for (const name of readdirSync(join(root, "examples")))
        cpSync(join(root, "examples", name), join(there.folder, name))
      writeFileSync(join(there.folder, "documented.ts"), documented)
      const compilerOptions = {
        ...{ target: "ES2023", lib: ["ES2023"], module: "NodeNext", types: ["node"], noEmit: true },
        ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true }
      }
      writeFileSync(
        join(there.folder, "tsconfig.json"),
        JSON.stringify({ compilerOptions, include: ["*.ts"] })
      )
      const tsc = join(root, "node_modules", "typescript", "bin", "tsc")
      const { code, out } = yield* there.run(process.execPath, tsc, "-p", ".")
      assert.strictEqual(code, 0, out)
    })
  )

  it.scopedLive(
    "subtitles a folder",
    () =>
      Effect.gen(function* () {
        const folder = join(there.folder, "recordings")
        mkdirSync(folder)
        cpSync(fixture("audio", "speech.opus"), join(folder, "speech.opus"))
        cpSync(fixture("audio", "no-sound.mp4"), join(folder, "silent.mp4"))
        const { code, err, out } = yield* there.run(process.execPath, example("subtitles"), "recordings")
        assert.strictEqual(code, 0, err)
        assert.match(out, /silent\.mp4: There is no sound in it\.\n.*speech\.srt: \d lines\n$/)
        const cues = readFileSync(join(folder, "speech.srt"), "utf8")
        assert.match(cues, /^1\n00:00:00,\d{3} --> 00:00:0\d,\d{3}\n/)
        assert.isAtMost(wordErrors(spoken.library, cues.replace(/^(\d+|.* --> .*)$/gm, "")), 0.1)
        assert.sameMembers(readdirSync(folder), ["speech.opus", "speech.srt", "silent.mp4"])
      }),
    SLOW
  )

  it.scopedLive("looks at a file as the document says", () =>
    Effect.gen(function* () {
      cpSync(fixture("video", "slide.mp4"), join(there.folder, "clip.mp4"))
      const file = join(there.folder, "documented.ts")
      writeFileSync(file, documented)
      const { code, err, out } = yield* there.run(process.execPath, plainly(there, file, "documented.mjs"))
      assert.strictEqual(code, 0, err)
      assert.isAbove(arrayField(parseJson(out), "frames").length, 0, out)
    })
  )

  it.scopedLive(
    "watches a link, and remembers it",
    () =>
      Effect.gen(function* () {
        const host = yield* startMediaHost
        const link = host.serve("/seconds.mp4", fixture("video", "seconds.mp4"))
        const watch = Effect.gen(function* () {
          const program = yield* launch(
            { ...there.env, ...host.env, DATA_DIR: join(there.folder, "data") },
            { args: [example("watch"), link.href], cwd: there.folder }
          )
          assert.deepStrictEqual(yield* program.ended, { code: 0, signal: null }, program.output())
          return parseJson(program.output().replace(/^[^{]*/, "")) as {
            readonly remembered: boolean
            readonly seen: { readonly frames: ReadonlyArray<{ readonly time: number }> }
          }
        })
        const [first, second] = [yield* watch, yield* watch]
        assert.isAbove(first.seen.frames.length, 1)
        assert.deepStrictEqual([first.remembered, second.remembered], [false, true])
        assert.deepStrictEqual(second.seen, first.seen)
      }),
    SLOW
  )

  it.scopedLive("takes a provider of one's own", () =>
    Effect.gen(function* () {
      const env = { ...there.env, DATA_DIR: join(there.folder, "data"), LOG_LEVEL: "none" }
      const program = yield* launch(env, { args: [example("provider")], cwd: there.folder })
      const place = Effect.sync(() => /at (http:\S+?)\/v1/.exec(program.output())?.[1])
      const url = yield* eventually(place, (found) => found !== undefined)
      assert.include(JSON.stringify(yield* asked(url ?? "", "echo/loud", "Hello there!")), "HELLO THERE!")
      const models = yield* Effect.promise(() => fetch(`${url}/v1/models`).then((answer) => answer.text()))
      assert.include(models, '"echo/loud"')
      // Its workers and its page are found from here too.
      const look = (path: string) =>
        Effect.promise(() => fetch(`${url}${path}`).then((answer) => answer.text()))
      yield* eventually(look("/ui/tracking_data"), (rows) => rows.includes('"echo/loud"'))
      assert.match(yield* look("/ui/tracking"), /<script[^>]+src="/)
    })
  )

  it.scopedLive("is a part of another program", () =>
    Effect.gen(function* () {
      const { code, err, out } = yield* there.run(process.execPath, example("embedded"), "Good day!")
      assert.deepStrictEqual([code, out], [0, "[user]\nGood day!\n"], err)
    })
  )
})

/** The program of docs/library.md. */
const documented =
  blocksOf(readFileSync(join(root, "docs", "library.md"), "utf8")).find(({ language }) => language === "ts")
    ?.text ?? ""

const example = (name: string): string => plainly(there, join(root, "examples", `${name}.ts`), `${name}.mjs`)

const asked = (url: string, model: string, content: string): Effect.Effect<unknown> =>
  Effect.promise(() =>
    fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model, messages: [{ role: "user", content }] })
    }).then((answer) => answer.json())
  )

const { peerDependencies: peers } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly peerDependencies: { readonly [name: string]: string }
}
