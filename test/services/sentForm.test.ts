import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { randomBytes } from "node:crypto"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { field, parseJson } from "../../src/domain/Json.ts"
import { bodyOf } from "../../src/services/gateway/providers/openRouterSpeech.ts"
import { asForm, asJson } from "../../src/services/gateway/providers/sentForm.ts"
import type { SentBody } from "../../src/services/gateway/providers/sentForm.ts"
import type { Speech } from "../../src/services/gateway/Provider.ts"
import { temporaryFolder } from "../support/Router.ts"

/** A sound on disk, in a form of its own. */
const speechOf = (bytes: Uint8Array, fields: Speech["fields"] = {}, filename = "a.mp3") =>
  Effect.map(temporaryFolder, (folder): Speech => {
    const path = join(folder, "upload")
    writeFileSync(path, bytes)
    return { fields, file: { path, filename, bytes: bytes.length, format: "mp3" } }
  })

const read = (body: SentBody, onPiece = () => {}) =>
  Effect.promise(async () => {
    const pieces: Array<Uint8Array> = []
    for await (const piece of body.open(onPiece)) pieces.push(piece)
    return Buffer.concat(pieces)
  })

// Below, at and above what is read at once, and of every remainder by three.
const SIZES = [1, 2, 3, 65_535, 65_536, 65_537, 200_000]

describe("a sound in JSON", () => {
  for (const size of SIZES)
    it.scopedLive(`of ${size} bytes is as long as it was said to be, each time it is read`, () =>
      Effect.gen(function* () {
        const sound = randomBytes(size)
        const body = asJson(yield* speechOf(sound))
        let told = 0
        for (let times = 0; times < 2; times++) {
          const bytes = yield* read(body, () => told++)
          assert.strictEqual(bytes.length, body.length)
          const heard = field(parseJson(bytes.toString()), "input_audio")
          assert.strictEqual(field(heard, "data"), sound.toString("base64"))
          assert.strictEqual(field(heard, "format"), "mp3")
        }
        assert.isAtLeast(told, 2)
      })
    )

  it.scopedLive("has its fields beside it, as what they are", () =>
    Effect.gen(function* () {
      const fields = {
        ...{ model: 'a "m"', temperature: "0.5", stream: "true", prompt: "1" },
        ...{ "timestamp_granularities[]": ["word", "segment"], "include[]": "logprobs" }
      }
      const body = asJson(yield* speechOf(Buffer.from("x"), fields))
      assert.strictEqual(body.type, "application/json")
      assert.deepStrictEqual(parseJson((yield* read(body)).toString()), {
        ...{ model: 'a "m"', temperature: 0.5, stream: true, prompt: "1" },
        ...{ timestamp_granularities: ["word", "segment"], include: ["logprobs"] },
        input_audio: { data: "eA==", format: "mp3" }
      })
    })
  )
})

describe("a sound in a form", () => {
  for (const size of SIZES)
    it.scopedLive(`of ${size} bytes is as long as it was said to be`, () =>
      Effect.gen(function* () {
        const sound = randomBytes(size)
        const name = 'a"; name="model\r\nx: y'
        const body = asForm(yield* speechOf(sound, { 'm"\r\n': "é", two: ["1", "2"] }, name))
        const bytes = yield* read(body)
        assert.strictEqual(bytes.length, body.length)
        const form = yield* Effect.promise(() =>
          new Response(new Uint8Array(bytes), { headers: { "content-type": body.type } }).formData()
        )
        const sent = form.get("file")
        if (sent === null || typeof sent === "string") return assert.fail("no file")
        assert.isTrue(Buffer.from(yield* Effect.promise(() => sent.arrayBuffer())).equals(sound))
        assert.deepStrictEqual(Array.from(form.keys()), ['m"\r\n', "two", "two", "file"])
        assert.deepStrictEqual(form.getAll("two"), ["1", "2"])
      })
    )
})

describe("OpenRouter", () => {
  it.scopedLive("gets what is too large for its forms in JSON", () =>
    Effect.gen(function* () {
      const { fields, file } = yield* speechOf(Buffer.from("x"))
      const typeAt = (megabytes: number) => {
        const { type } = bodyOf({ fields, file: { ...file, bytes: megabytes * 1024 * 1024 } })
        return type.replace(/;.*/, "")
      }
      assert.deepStrictEqual([24, 25].map(typeAt), ["multipart/form-data", "application/json"])
    })
  )
})
