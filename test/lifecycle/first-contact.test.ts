import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../../scripts/fresh.mjs"
import { arrayField, field, stringField } from "../../src/domain/Json.ts"
import { nobodyWith } from "../support/Processes.ts"
import { startMediaHost } from "../support/MediaHost.ts"
import { launch, rowsIn, startProgram } from "../support/Program.ts"
import { eventually, temporaryFolder } from "../support/Router.ts"
import { isDeserted } from "../support/SlowMedia.ts"
import { BASICS, linkPrograms, LOCKS } from "../support/Toolbox.ts"
import { linkWeights } from "../support/Weights.ts"
import { spoken, wordErrors } from "../support/Words.ts"

/** Ten seconds, three scenes, one voice. */
const film = readFileSync(join(root, "test", "fixtures", "video", "spoken.mp4"))

const hasBundles = process.platform === "linux" && process.arch === "x64"

/** A machine that has just got Percept: no data but the weights of the speech model, and these programs on PATH. */
const machine = (programs: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const [path, data] = [join(folder, "path"), join(folder, "data")]
    mkdirSync(path)
    symlinkSync(process.execPath, join(path, "node"))
    linkPrograms(path, programs)
    linkWeights(data)
    const env = { PATH: path, HOME: folder, DATA_DIR: data }
    /** A command that is run to its end; its lines, without those of the log. */
    const told = (...words: ReadonlyArray<string>) =>
      Effect.gen(function* () {
        const program = yield* launch(env, { args: [mainFile, ...words], cwd: folder })
        assert.deepStrictEqual(yield* program.ended, { code: 0, signal: null }, program.output())
        return program
          .output()
          .trimEnd()
          .split("\n")
          .filter((line) => !line.startsWith("timestamp="))
      })
    return { data, env, folder, path, told }
  })

/** Hosts that have none of the tools media are worked on with. */
const HOSTS: ReadonlyArray<readonly [name: string, programs: ReadonlyArray<string>]> = [
  ["with a usual system, but no media tools", [...LOCKS, ...BASICS]],
  ["with nothing but node", []]
]

for (const [name, programs] of HOSTS)
  describe.skipIf(!hasBundles)(`a machine ${name}`, () => {
    it.scopedLive(
      "watches and listens to a linked video, with what came with the router",
      () =>
        Effect.gen(function* () {
          const { data, env, folder } = yield* machine(programs)
          const host = yield* startMediaHost
          const link = host.serve("/spoken.mp4", film)
          const program = yield* startProgram({ ...env, ...host.env }, { cwd: folder })

          const [, ready = "", missing = ""] =
            /^ {2}media {6}(.*?) {3}\(not ready: (.*); see: percept doctor\)$/m.exec(program.output()) ?? []
          for (const tool of ["ffmpeg", "ffprobe", "speech", "speech model", "images"])
            assert.include(ready.split(", "), tool, program.output())
          assert.include(missing.split(", "), "yt-dlp")

          const question = `What is said in ${link.href} and when?`
          const { body, head } = yield* asked(program.url, question)
          const shown = textIn(body)
          assert.match(head.get("x-percept-media") ?? "", /^video 1; \d+ ms$/)
          assert.strictEqual(shown.split("\n")[1], question)
          assert.include(shown, "Length: 00:10 | Picture: 320x240 | Sound: en")

          const words = Array.from(shown.matchAll(/^\[(\d\d:\d\d)-(\d\d:\d\d)\] (.*)$/gm))
          assert.isAbove(words.length, 0, shown)
          assert.isAtMost(wordErrors(spoken.library, words.map(([, , , text]) => text).join(" ")), 0.1)
          assert.strictEqual(words[0]?.[1], "00:00")
          assert.isTrue(words.every(([, from = "", to = ""]) => from < to && to <= "00:10"))

          const pictures = Array.from(shown.matchAll(/^\[00:(\d\d)\] \(picture \d\)$/gm), ([, at]) =>
            Math.floor(Number(at) / 3.3)
          )
          assert.deepStrictEqual(new Set(pictures), new Set([0, 1, 2]), "one of each scene")
          const images = Array.from(shown.matchAll(/^\[image \d: jpeg 320x240, \d+ kB, sha256 (\w{64})\]$/gm))
          assert.strictEqual(images.length, pictures.length)
          assert.strictEqual(new Set(images.map(([, sha256]) => sha256)).size, images.length)

          assert.match(shown, /^Seen: \d pictures at the times given, 3 of about 3 shots;/m)
          assert.include(shown, "Heard: 00:10 of 00:10 of sound; not heard: nothing.")

          const [row, ...more] = yield* eventually(
            Effect.sync(() => rowsIn(data)),
            (rows) => rows.length > 0 && rows.every(({ state }) => state !== "running")
          )
          assert.deepStrictEqual(more, [])
          assert.include(row, {
            state: "done",
            is_multimodal: 1,
            media_type_processed: "video",
            cache_hits: 0
          })

          yield* isDeserted(join(data, "tmp"))
          program.kill("SIGTERM")
          assert.deepStrictEqual(yield* program.ended, { code: 0, signal: null })
          yield* nobodyWith(data)
        }),
      60_000
    )

    it.scopedLive("knows from its doctor what came with the router and what is missing", () =>
      Effect.gen(function* () {
        const { data, folder, told } = yield* machine(programs)
        const lines = yield* told("doctor")
        const [ffmpeg, ffprobe, speech, model, sites, remedy, images, sandbox, end, ...more] = lines
        assert.match(ffmpeg ?? "", /^✓ ffmpeg {8}n7\.0\S* {2}\/.*\/ffmpeg \(bundled\)$/)
        assert.match(ffprobe ?? "", /^✓ ffprobe {7}\S+ {2}\/.*\/ffprobe \(bundled\)$/)
        assert.strictEqual(speech, "✓ speech        the bundled engine")
        const weights = join(data, "models", "ggml-base.en.bin")
        assert.strictEqual(model, `✓ speech model  base.en  ${weights}`)
        assert.match(
          sites ?? "",
          /^✗ yt-dlp {8}yt-dlp is neither on PATH nor in .*\/data\/bin\. Without it links /
        )
        assert.match(remedy ?? "", /^ {16}→ .*yt-dlp/)
        assert.strictEqual(images, "✓ images        sharp")
        assert.match(
          sandbox ?? "",
          programs.length === 0 ? /^✗ sandbox {7}decoders are not/ : /^[✓✗] sandbox {7}/
        )
        assert.strictEqual(end, "")
        assert.match(more[0] ?? "", /^✗ providers {5}none; percept\/inspect answers/)
        assert.sameMembers(readdirSync(folder), ["data", "path"])
      })
    )
  })

describe("a machine with tools of its own", () => {
  it.scopedLive("knows from its doctor that they go first", () =>
    Effect.gen(function* () {
      const { path, told } = yield* machine([...LOCKS, ...BASICS])
      for (const [name, said] of [
        ["ffmpeg", "ffmpeg version 6.1.1-3ubuntu5 Copyright"],
        ["ffprobe", "ffprobe version 6.1.1-3ubuntu5 Copyright"],
        ["whisper-cli", "whisper.cpp version: 1.8.2"],
        ["yt-dlp", "2026.07.04"]
      ] as const)
        writeFileSync(join(path, name), `#!/bin/sh\necho "${said}"\n`, { mode: 0o755 })
      const lines = yield* told("doctor")
      const on = (name: string) => `${join(path, name)} (PATH)`
      assert.strictEqual(lines[0], `✓ ffmpeg        6.1.1-3ubuntu5  ${on("ffmpeg")}`)
      assert.strictEqual(lines[1], `✓ ffprobe       6.1.1-3ubuntu5  ${on("ffprobe")}`)
      assert.strictEqual(lines[2], `✓ speech        1.8.2  ${on("whisper-cli")}`)
      assert.strictEqual(lines[4], `✓ yt-dlp        2026.07.04  ${on("yt-dlp")}`)
    })
  )
})

describe("the models command", () => {
  it.scopedLive("without more words says what it can do, and which models there are", () =>
    Effect.gen(function* () {
      const { folder, told } = yield* machine([])
      const lines = yield* told("models")
      assert.match(lines[0] ?? "", /^percept models list \[--provider name\] {2,}\S/)
      assert.match(lines[1] ?? "", /^percept models resolve \[name\] {2,}\S/)
      assert.match(lines[2] ?? "", /^percept models pull \[name\] {2,}\S/)
      assert.match(lines[3] ?? "", /^percept models build-engine {2,}\S/)
      const models = /^Speech models: (.*)$/.exec(lines[5] ?? "")?.[1]?.split(", ") ?? []
      assert.includeMembers(models, ["tiny", "base", "base.en", "small", "medium", "large-v3-turbo"])
      assert.strictEqual(lines.length, 6)
      assert.sameMembers(readdirSync(folder), ["data", "path"])
    })
  )

  it.scopedLive("says why it cannot do what it was told, and ends as what has failed", () =>
    Effect.gen(function* () {
      const { env, folder } = yield* machine([])
      const refusals = [
        [["fetch", "enormous"], /^There is no speech model called enormous\. .* one of tiny, .*\n$/],
        [["build-engine"], /^The speech engine could not be built\. .*cmake.*\n$/]
      ] as const
      for (const [words, said] of refusals) {
        const program = yield* launch(env, { args: [mainFile, "models", ...words], cwd: folder })
        assert.deepStrictEqual(yield* program.ended, { code: 1, signal: null })
        assert.match(program.output(), said)
      }
    })
  )

  it.scopedLive("fetches nothing that is there, and says where it is", () =>
    Effect.gen(function* () {
      const { data, told } = yield* machine([])
      assert.deepStrictEqual(yield* told("models", "fetch"), [join(data, "models", "ggml-base.en.bin")])
    })
  )
})

const asked = (url: string, content: string) =>
  Effect.promise(async () => {
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "percept/inspect", messages: [{ role: "user", content }] })
    })
    const body: unknown = await answer.json()
    assert.strictEqual(answer.status, 200, JSON.stringify(body))
    return { body, head: answer.headers }
  })

const textIn = (body: unknown): string =>
  stringField(field(arrayField(body, "choices")[0], "message"), "content") ?? ""

const mainFile = join(root, "dist", "main.js")
