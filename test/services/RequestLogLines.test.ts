import { assert, describe, it } from "@effect/vitest"
import Sqlite from "better-sqlite3"
import { Effect } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { eventually, startRouter } from "../support/Router.ts"
import type { Router } from "../support/Router.ts"
import { json, sendChat, startUpstream, stream, streamText } from "../support/Upstream.ts"

const linesOf = ({ dataDir }: Router, count: number) =>
  eventually(
    Effect.sync(() => {
      const file = join(dataDir, "router.log.json")
      const text = existsSync(file) ? readFileSync(file, "utf8") : ""
      return text
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line))
    }),
    (lines) => lines.length === count
  )

describe("a line of the request log", () => {
  it.scopedLive("says when, who, what, where to, how long, how much, and both texts", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      upstream.once(stream(streamText(["an ", "answer"])))
      const router = yield* startRouter(upstream.env)
      const image = Buffer.from("no real picture, but bytes".repeat(40)).toString("base64")
      const from = Date.now()
      const { headers } = yield* sendChat(router, {
        model: "test/plain",
        stream: true,
        messages: [{ role: "user", content: "a question" }],
        extra: { data: image }
      })
      const [line] = yield* linesOf(router, 1)
      assert.isAtLeast(Date.parse(line.time), from)
      assert.deepInclude(line, {
        id: headers["x-request-id"],
        kind: "main",
        parent: null,
        endpoint: "/v1/chat/completions",
        client: "127.0.0.1",
        model: "test/plain",
        routed_model: "test/plain",
        provider: "openrouter",
        state: "done",
        status: 200,
        stream: true,
        error: null
      })
      for (const time of ["duration_ms", "upstream_ms", "first_token_ms"])
        assert.isAtLeast(line[time], 0, time)
      assert.include(JSON.stringify(line.request), "a question")
      assert.notInclude(JSON.stringify(line), image.slice(0, 100))
      assert.include(JSON.stringify(line.response), "an answer")
      for (const name of ["key", "rule", "media", "prompt_tokens", "cost_usd", "cost_source", "trace"])
        assert.property(line, name)
    })
  )

  it.scopedLive("of an error has its kind, what the client was told, and its cause without secrets", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      const router = yield* startRouter({ ...upstream.env, UPSTREAM_RETRIES: "0" })
      upstream.once(json(401, { error: { message: "sk-canary0123456789abcdef is no good" } }))
      yield* sendChat(router, { model: "test/plain", messages: [{ role: "user", content: "Hi" }] })
      const [line] = yield* linesOf(router, 1)
      assert.strictEqual(line.state, "failed")
      assert.strictEqual(line.error.source, "upstream")
      assert.isString(line.error.message)
      assert.strictEqual(line.error.code, "upstream_auth_failed")
      assert.include(line.error.cause, "[redacted] is no good")
      assert.notInclude(JSON.stringify(line), "canary")
    })
  )

  it.scopedLive("does not wait for a database that is held by somebody else", () =>
    Effect.gen(function* () {
      const router = yield* startRouter({})
      const hello = { model: "percept/inspect", messages: [{ role: "user", content: "Hi" }] }
      const other = yield* Effect.acquireRelease(
        Effect.sync(() => new Sqlite(join(router.dataDir, "percept.db"), { timeout: 2000 })),
        (other) => Effect.sync(() => other.close())
      )
      other.exec("BEGIN EXCLUSIVE")
      for (let count = 1; count <= 3; count++) {
        yield* sendChat(router, hello)
        yield* linesOf(router, count)
      }
      other.exec("ROLLBACK")
      yield* eventually(
        router.rowsNow,
        (rows) => rows.length === 3 && rows.every(({ state }) => state === "done")
      )
    })
  )
})
