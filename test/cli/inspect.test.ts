import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Schema } from "effect"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../../scripts/fresh.mjs"
import { wantIn } from "../../src/cli/inspect.ts"
import { arrayField, field, parseJson, stringField } from "../../src/domain/Json.ts"
import { Evidence } from "../../src/domain/media/Evidence.ts"
import { readColour } from "../support/Clips.ts"
import { quarters } from "../support/Images.ts"
import { startMediaHost } from "../support/MediaHost.ts"
import { percept } from "../support/Percept.ts"
import { launch } from "../support/Program.ts"
import { eventually, startRouter, temporaryFolder } from "../support/Router.ts"

/** Milliseconds, on a machine that has much else to do. */
const SLOW = 60_000

const video = (name: string) => join(root, "test", "fixtures", "video", name)

describe("percept inspect of a file", () => {
  it.scopedLive("prints what a model would see, and keeps frames by their times", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const words = ["--frames", "4", "--from", "0:30", "--to=60.5", "--out", "found"]
      const { code, err, out } = yield* percept(folder, {}, "inspect", video("seconds.mp4"), ...words)
      assert.strictEqual(code, 0, err)
      assert.match(out, /^\[user\]\n<media-evidence [^]*from seconds\.mp4[^]*Part asked for: 00:30-01:00/)
      assert.match(err, /^reading\nlooking, listening\n[^]*found\.\n$/)

      const files = readdirSync(join(folder, "found"))
      const frames = files.filter((name) => name.endsWith(".jpg"))
      assert.isTrue(frames.length > 1 && frames.length <= 4, files.join())
      for (const name of frames) {
        const [, minutes, seconds] = /^00-(\d\d)-(\d\d\.\d{3})\.jpg$/.exec(name) ?? []
        const time = Number(minutes) * 60 + Number(seconds)
        assert.isTrue(time >= 30 && time <= 60.5, name)
        const bytes = readFileSync(join(folder, "found", name))
        assert.strictEqual(yield* Effect.promise(() => readColour(bytes)), Math.floor(time), name)
        assert.include(out, createHash("sha256").update(bytes).digest("hex"))
      }
      const text = readFileSync(join(folder, "found", "evidence.json"), "utf8")
      const { seen } = Schema.decodeUnknownSync(Evidence)(parseJson(text))
      assert.strictEqual("frames" in seen ? seen.frames.length : 0, frames.length)
      // Nothing is to be heard in it, and nothing stays behind.
      assert.sameMembers(files, [...frames, "evidence.json"])
      assert.sameMembers(readdirSync(folder), ["data", "found"])
      assert.deepStrictEqual(readdirSync(join(folder, "data")), ["tmp"])
      assert.deepStrictEqual(readdirSync(join(folder, "data", "tmp")), [])
    })
  )

  it.scopedLive("says of a picture what it is, as JSON too", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      // A name is no more than a name.
      const name = "-o %03d.mp4"
      writeFileSync(join(folder, name), yield* Effect.promise(() => quarters(64, 48).png().toBuffer()))
      const { code, err, out } = yield* percept(folder, {}, "inspect", "--json", "--out=there", "--", name)
      assert.strictEqual(code, 0, err)
      const told = parseJson(out)
      assert.strictEqual(stringField(told, "kind"), "image")
      assert.include(arrayField(told, "pictures")[0], { width: 64, height: 48 })
      assert.match(
        stringField(told, "shown") ?? "",
        /^\[user\]\n\[image 1: (png|jpeg) 64x48, 1 kB, sha256 \w{64}\]$/
      )
      assert.deepStrictEqual(arrayField(told, "files"), readdirSync(join(folder, "there")))
    })
  )
})

describe("percept inspect of a link", () => {
  it.scopedLive(
    "prints to the letter what the router's own model answers, from the same memory",
    () =>
      Effect.gen(function* () {
        const host = yield* startMediaHost
        const link = host.serve("/slide.mp4", video("slide.mp4")).href
        const router = yield* startRouter(host.env)
        const body = { model: "percept/inspect", messages: [{ role: "user", content: link }] }
        const answer = yield* Effect.flatMap(router.post(body), (answer) =>
          Effect.promise(() => answer.json())
        )
        const calls = host.asked.length
        const env = { ...host.env, DATA_DIR: router.dataDir }
        const { code, err, out } = yield* percept(router.dataDir, env, "inspect", link)
        assert.strictEqual(code, 0, err)
        const choice = arrayField(answer, "choices")[0]
        assert.strictEqual(out, `${stringField(field(choice, "message"), "content")}\n`)
        assert.match(out, /^\[image \d: /m)
        assert.strictEqual(host.asked.length, calls)
        assert.strictEqual((yield* router.rowsNow).length, 1)
      }),
    SLOW
  )

  it.scopedLive("goes at once when it is told to, and takes along what it had", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const host = yield* startMediaHost
      const link = host.behave("/never.mp4", () => {})
      const args = [join(root, "dist", "main.js"), "inspect", link.href]
      const program = yield* launch({ ...host.env, HOME: folder }, { args, cwd: folder })
      yield* eventually(
        Effect.sync(() => host.open()),
        (open) => open > 0
      )
      program.kill("SIGINT")
      assert.deepStrictEqual(yield* program.ended, { code: 130, signal: null })
      assert.deepStrictEqual(readdirSync(join(folder, "data", "tmp")), [])
    })
  )
})

describe("percept inspect", () => {
  const wrong: ReadonlyArray<readonly [words: ReadonlyArray<string>, says: RegExp]> = [
    [["nothing.mp4"], /^There is no file nothing\.mp4, and it is no link either\.\n$/],
    [["words.mp4"], /^reading\nThe file is not a picture, video or sound that can be taken\.\n$/],
    [["http://127.0.0.1:1/clip.mp4"], /^fetching\nThe address .*127\.0\.0\.1:1 .*\n$/]
  ]
  it.scopedLive(
    "says in a line what cannot be had or done, and ends as what has failed",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        writeFileSync(join(folder, "words.mp4"), "no more than words\n")
        mkdirSync(join(folder, "data"))
        const told = yield* Effect.forEach(
          wrong,
          ([words, says]) =>
            Effect.map(percept(folder, {}, "inspect", ...words), (told) => ({ ...told, says })),
          { concurrency: 3 }
        )
        for (const { code, err, out, says } of told) {
          assert.deepStrictEqual([code, out], [1, ""])
          assert.match(err, says)
        }
        assert.isFalse(existsSync(join(folder, "data", "percept.db")))
      }),
    SLOW
  )

  it("asks for frames and a stretch by the rules of a request", () => {
    const nothing = { frames: undefined, from: undefined, to: undefined }
    const asked = (more: Partial<typeof nothing> | { readonly [name: string]: string }) =>
      Either.mapLeft(wantIn({ ...nothing, ...more }), ({ message }) => message)
    assert.deepStrictEqual(
      asked({}),
      Either.right({ frames: undefined, window: undefined, asksFrames: false })
    )
    assert.deepStrictEqual(
      asked({ frames: "12", from: "1:30", to: "100.5" }),
      Either.right({ frames: 12, window: { from: 90, to: 100.5 }, asksFrames: true })
    )
    assert.deepStrictEqual(
      asked({ frames: "auto" }),
      Either.right({ frames: undefined, window: undefined, asksFrames: true })
    )
    const wrong: ReadonlyArray<readonly [asked: { readonly [name: string]: string }, says: string]> = [
      [{ frames: "0" }, '--frames must be "auto" or a whole number from 1 to 64.'],
      [{ frames: "many" }, '--frames must be "auto" or a whole number from 1 to 64.'],
      [{ from: "late" }, '--from must be seconds, or a time such as "1:30".'],
      [{ from: "5", to: "3" }, "--to must be later than --from."]
    ]
    for (const [words, says] of wrong) assert.deepStrictEqual(asked(words), Either.left(says))
  })
})
