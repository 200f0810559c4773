import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createHash } from "node:crypto"
import { everyDatabase } from "../../support/Postgres.ts"
import { openRecord } from "../../support/Record.ts"
import { rowOf } from "../../support/Rows.ts"

const PARENT = "req_00000000000000000000000000000001"

for (const { fresh, name } of everyDatabase())
  describe(`one request of the record on ${name}`, () => {
    it.scopedLive("is told with its money to the last digit, its side calls and its texts", () =>
      Effect.gen(function* () {
        const { detail, repo } = yield* Effect.flatMap(fresh, openRecord)
        const long = JSON.stringify({ text: "ü".repeat(300_000) })
        yield* repo.save(
          [
            rowOf(PARENT, { cost_nano_usd: 1_234_567_890_123, total_tokens: 5_000_000_000 }),
            rowOf("req_child", { kind: "describe", parent_request_id: PARENT, cost_nano_usd: 1 }),
            rowOf("req_other", { cost_nano_usd: null })
          ],
          [{ internal_request_id: PARENT, request_body: long, response_body: '{"a":"é"}' }]
        )
        const found = yield* detail.find(PARENT)
        assert.deepInclude(found, { cost: "1234.567890123", total_tokens: 5_000_000_000, state: "done" })
        assert.deepStrictEqual(
          found?.children.map(({ cost, kind }) => [kind, cost]),
          [["describe", "0.000000001"]]
        )
        assert.deepInclude(found?.request, { text: long.slice(0, 262_144), truncated: true })
        assert.strictEqual(found?.request?.bytes, Buffer.byteLength(long))
        assert.deepStrictEqual(found?.response, { text: '{"a":"é"}', bytes: 10, truncated: false })

        assert.strictEqual((yield* detail.find(String(found?.id)))?.internal_request_id, PARENT)
        const other = yield* detail.find("req_other")
        assert.deepStrictEqual([other?.cost, other?.request, other?.children], [null, null, []])
        for (const id of ["0", "999", "req_none", "' OR 1=1 --", "%", "1 OR 1=1", "\u{1F600}"])
          assert.isUndefined(yield* detail.find(id), id)
      })
    )

    it.scopedLive("gives its whole text in pieces that fit together", () =>
      Effect.gen(function* () {
        const { detail, repo } = yield* Effect.flatMap(fresh, openRecord)
        const long = JSON.stringify("🙂ab".repeat(1_200_000))
        yield* repo.save(
          [rowOf("req_1")],
          [{ internal_request_id: "req_1", request_body: long, response_body: null }]
        )
        const body = yield* detail.body("req_1", "request")
        assert.strictEqual(body?.name, "req_1-request.json")
        const pieces: Array<string> = []
        for (let piece = body?.first ?? "", at = 1; piece !== ""; at++) {
          pieces.push(piece)
          piece = yield* body?.next(piece, at) ?? Effect.succeed("")
        }
        assert.isAbove(pieces.length, 1)
        assert.isTrue(pieces.join("") === long)
        assert.isUndefined(yield* detail.body("req_1", "response"))
        assert.isUndefined(yield* detail.body("req_2", "request"))
      })
    )

    it.scopedLive("shows pictures that are remembered, whole and of the kinds they say", () =>
      Effect.gen(function* () {
        const { detail, sql } = yield* Effect.flatMap(fresh, openRecord)
        const keep = Effect.fnUntraced(function* (mime: string, bytes: Buffer, size = bytes.length) {
          const sha256 = createHash("sha256").update(`${mime} ${size}`).update(bytes).digest("hex")
          const half = bytes.length >> 1
          for (const [part, piece] of [bytes.subarray(0, half), bytes.subarray(half)].entries())
            yield* sql`INSERT INTO media_blobs ${sql.insert({ sha256, part, mime, size, bytes: piece })}`
          return sha256
        })
        const webp = Buffer.from("RIFF1234WEBPVP8 and so on", "latin1")
        assert.deepStrictEqual(yield* detail.picture(yield* keep("image/webp", webp)), {
          mime: "image/webp",
          bytes: webp
        })
        const svg = Buffer.from("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>")
        for (const [mime, bytes, size] of [
          ["image/svg+xml", svg],
          ["text/html", svg],
          ["image/png", svg],
          ["image/png", webp],
          ["image/webp", webp, webp.length + 1]
        ] as const)
          assert.isUndefined(yield* detail.picture(yield* keep(mime, bytes, size)), mime)
        assert.isUndefined(yield* detail.picture("f".repeat(64)))
      })
    )
  })
