import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readCsv } from "../support/CsvReader.ts"
import { eventually, startRouter } from "../support/Router.ts"
import type { Router } from "../support/Router.ts"
import { everyDatabase } from "../support/Postgres.ts"
import { client, send, sendChat } from "../support/Upstream.ts"

const ask = (router: Router, path: string) =>
  send(router, { method: "GET", path: `/ui/tracking_export.${path}` })

const say = (router: Router, content: string) =>
  sendChat(router, { model: "percept/inspect", messages: [{ role: "user", content }] })

for (const { fresh, name } of everyDatabase())
  describe(`a file of the record, kept on ${name}`, () => {
    it.scopedLive("comes whole, named, counted, and as it was asked for", () =>
      Effect.gen(function* () {
        const router = yield* startRouter({ ...(yield* fresh), EXPORT_MAX_ROWS: "3" })
        yield* say(router, "one")
        yield* sendChat(router, { model: "=cmd|' /C calc'!A0", messages: [{ role: "user", content: "two" }] })
        yield* eventually(
          router.rowsNow,
          (rows) => rows.filter(({ state }) => state !== "running").length === 2
        )
        const table = yield* ask(router, "csv?sort_order=asc")
        assert.strictEqual(table.status, 200)
        assert.match(String(table.headers["content-type"]), /^text\/csv; charset=utf-8/)
        assert.match(
          String(table.headers["content-disposition"]),
          /^attachment; filename="percept-requests-\d{8}T\d{6}\.csv"$/
        )
        assert.strictEqual(table.headers["x-content-type-options"], "nosniff")
        assert.deepInclude(table.headers, { "x-total": "2", "x-truncated": "false" })
        const [head = [], ...lines] = readCsv(table.text)
        assert.deepStrictEqual(
          lines.map((line) => line[head.indexOf("model_requested_by_client")]),
          ["percept/inspect", "'=cmd|' /C calc'!A0"]
        )
        const texts = yield* ask(router, "jsonl?bodies=true&state=done&page=7&page_size=1")
        assert.strictEqual(texts.headers["x-total"], "1")
        const [line] = texts.text.trim().split("\n")
        assert.include((JSON.parse(line ?? "") as { readonly request_body: string }).request_body, "one")

        yield* say(router, "three")
        yield* say(router, "four")
        yield* eventually(router.rowsNow, (rows) => rows.filter(({ state }) => state === "done").length === 3)
        const cut = yield* ask(router, "jsonl")
        assert.deepInclude(cut.headers, { "x-total": "3", "x-truncated": "true" })
        assert.strictEqual(cut.text.trim().split("\n").length, 3)
        const empty = yield* ask(router, "jsonl?model=nobody")
        assert.deepStrictEqual([empty.status, empty.text, empty.headers["x-total"]], [200, "", "0"])
        assert.strictEqual(readCsv((yield* ask(router, "csv?model=nobody")).text).length, 1)
      })
    )
  })

describe("an export", () => {
  it.scopedLive("is refused in words where the question is wrong, or nobody may ask", () =>
    Effect.gen(function* () {
      const router = yield* startRouter({ API_KEYS: "a-good-key" })
      assert.strictEqual((yield* ask(router, "csv")).status, 401)
      const headers = { authorization: "Bearer a-good-key" }
      for (const [path, param] of [
        ["csv?bodies=true", "bodies"],
        ["jsonl?bodies=perhaps", "bodies"],
        ["csv?sort_by=password", "sort_by"],
        ["jsonl?status=abc", "status"],
        ["csv?range=1h&from=2026-01-01", "range"]
      ] as const) {
        const got = yield* send(router, { method: "GET", path: `/ui/tracking_export.${path}`, headers })
        assert.strictEqual(got.status, 400, path)
        assert.strictEqual((JSON.parse(got.text) as { error: { param: string } }).error.param, param)
      }
      const off = yield* startRouter({ UI_ENABLED: "false" })
      assert.strictEqual((yield* ask(off, "csv")).status, 404)
    })
  )

  it.scopedLive("waits for who reads slowly, and is not read on for who leaves", () =>
    Effect.gen(function* () {
      const router = yield* startRouter({ LOG_BODY_KB: "1024" })
      const words = "words and more ".repeat(60_000)
      yield* Effect.forEach(Array.from({ length: 16 }), () => say(router, words))
      yield* eventually(router.rowsNow, (rows) => rows.filter(({ state }) => state === "done").length === 16)
      const path = "/ui/tracking_export.jsonl?bodies=true"
      const slow = yield* Effect.forEach([1, 2, 3, 4], () =>
        client(router, { method: "GET", path, deaf: true })
      )
      for (const { head } of slow) assert.strictEqual((yield* head).statusCode, 200)
      const fifth = yield* send(router, { method: "GET", path })
      assert.strictEqual(fifth.status, 503)
      assert.include(fifth.text, "too_many_exports")
      for (const one of slow.slice(1)) one.leave()
      const whole = yield* eventually(send(router, { method: "GET", path }), ({ status }) => status === 200)
      slow[0]?.listen()
      const late = yield* slow[0]?.answer ?? Effect.dieMessage("nobody")
      assert.strictEqual(late.text, whole.text)
      assert.isAbove(whole.bytes.length, 13_000_000)
    })
  )
})
