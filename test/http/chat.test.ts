import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { startRouter } from "../support/Router.ts"
import { json, startUpstream, stream, streamText, USAGE } from "../support/Upstream.ts"

for (const lanes of [true, false]) {
  describe(lanes ? "chat on the fast lane" : "chat through the contract", () => {
    it.scopedLive("answers are the upstream's bytes, and a row tells the story", () =>
      Effect.gen(function* () {
        const upstream = yield* startUpstream
        const router = yield* startRouter(upstream.env, { lanes })
        const answer = { id: "gen-1", choices: [{ message: { content: "Hällo" } }], usage: USAGE }
        upstream.once(json(200, answer))
        const response = yield* router.post({
          model: "test/plain",
          messages: [{ role: "user", content: "Hi" }]
        })
        assert.strictEqual(response.status, 200)
        assert.strictEqual(yield* Effect.promise(() => response.text()), JSON.stringify(answer))
        const [row] = yield* router.rows
        assert.strictEqual(row?.state, "done")
        assert.strictEqual(row?.cost_nano_usd, 140_000)
        assert.strictEqual(row?.cost_source, "provider")
      })
    )

    it.scopedLive("streams are the upstream's bytes", () =>
      Effect.gen(function* () {
        const upstream = yield* startUpstream
        const router = yield* startRouter(upstream.env, { lanes })
        const text = streamText(["Hel", "lo ", "wörld"])
        upstream.once(stream(text.slice(0, 33), text.slice(33, 400), text.slice(400)))
        const response = yield* router.post({
          model: "test/plain",
          stream: true,
          messages: [{ role: "user" }]
        })
        assert.strictEqual(yield* Effect.promise(() => response.text()), text)
        const [row] = yield* router.rows
        assert.strictEqual(row?.state, "done")
        assert.strictEqual(row?.output_char_length, 11)
        assert.strictEqual(row?.cost_nano_usd, 140_000)
      })
    )
  })
}
