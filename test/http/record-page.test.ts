import { assert, describe, it } from "@effect/vitest"
import Sqlite from "better-sqlite3"
import { Effect, Exit } from "effect"
import { join } from "node:path"
import * as ItemQuery from "../../src/domain/media/ItemQuery.ts"
import { isObject } from "../../src/domain/Json.ts"
import { everyDatabase } from "../support/Postgres.ts"
import { eventually, startRouter } from "../support/Router.ts"
import type { Router } from "../support/Router.ts"
import { client, send } from "../support/Upstream.ts"

const get = (router: Router, path: string, headers: { readonly [name: string]: string } = {}) =>
  Effect.promise(async () => {
    const response = await fetch(`${router.url}${path}`, { headers })
    const text = await response.text()
    return { status: response.status, headers: response.headers, text }
  })

const json = (router: Router, path: string, headers?: { readonly [name: string]: string }) =>
  Effect.map(get(router, path, headers), ({ status, text }) => ({ status, body: JSON.parse(text) }))

const ask = (router: Router, content: string, more: { readonly [name: string]: unknown } = {}) =>
  Effect.flatMap(
    router.post({ model: "percept/inspect", messages: [{ role: "user", content }], ...more }),
    (response) => Effect.promise(() => response.text())
  )

const basic = (name: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`
})

for (const { fresh, name } of everyDatabase())
  describe(`the record on ${name}, asked for what no database knows`, () => {
    it.scopedLive("has none of it", () =>
      Effect.gen(function* () {
        const router = yield* startRouter(yield* fresh)
        const nowhere = ItemQuery.encode({ id: "a\0", usedAt: Number.MAX_SAFE_INTEGER })
        for (const [status, path, method] of [
          [200, "/ui/tracking_data?min_ms=2147483647"],
          [400, "/ui/tracking_data?min_ms=2147483648"],
          [200, "/ui/tracking_data?q=%00"],
          [404, "/ui/tracking_data/%00"],
          [404, "/ui/tracking_data/%00/body/request"],
          [200, "/ui/media_data?q=%00"],
          [200, `/ui/media_data?cursor=${nowhere}`],
          [404, "/ui/media_data/%00"],
          [404, "/ui/media_data/%00", "DELETE"]
        ] as const)
          assert.strictEqual((yield* send(router, { method: method ?? "GET", path })).status, status, path)
      })
    )
  })

describe("the record, asked over HTTP", () => {
  it.scopedLive("lists requests as the first system did, and where to read on", () =>
    Effect.gen(function* () {
      const router = yield* startRouter({})
      for (const text of ["one", "two", "three"]) yield* ask(router, `say ${text}`)
      const rows = yield* eventually(router.rows, (rows) => rows.length === 3)
      const { body } = yield* json(router, "/ui/tracking_data?page_size=2")
      assert.deepInclude(body, {
        total_items: 3,
        page: 1,
        page_size: 2,
        total_pages: 2,
        total_is_capped: false
      })
      assert.isNull(body.prev_cursor)
      assert.deepStrictEqual(
        body.items.map((row: { preview: string }) => row.preview),
        ["say three", "say two"]
      )
      const [first] = body.items
      assert.deepInclude(first, {
        endpoint_called: "/v1/chat/completions",
        state: "done",
        cost: "0",
        cost_usd: 0
      })
      assert.includeMembers(Object.keys(first), Object.keys(rows[0] ?? {}))

      yield* ask(router, "say four")
      yield* eventually(router.rows, (rows) => rows.length === 4)
      const next = yield* json(router, `/api/ui/tracking_data?page_size=2&cursor=${body.next_cursor}`)
      assert.deepStrictEqual(
        next.body.items.map((row: { preview: string }) => row.preview),
        ["say one"]
      )
      assert.isNull(next.body.next_cursor)
      const second = yield* json(
        router,
        "/ui/tracking_data?page=2&page_size=3&sort_by=timestamp&sort_order=asc"
      )
      assert.strictEqual(second.body.items[0].preview, "say four")
    })
  )

  it.scopedLive("says what is wrong with a parameter, and records nothing of that", () =>
    Effect.gen(function* () {
      const router = yield* startRouter({})
      yield* ask(router, "only this")
      for (const [path, name] of [
        ["/ui/tracking_data?page=-1", "page"],
        ["/ui/tracking_data?page=300", "page"],
        ["/ui/tracking_data?page_size=1000", "page_size"],
        ["/ui/tracking_data?sort_by=1;DROP%20TABLE%20openrouter_requests", "sort_by"],
        ["/ui/tracking_data?cursor=forged", "cursor"],
        ["/api/logs?limit=0", "limit"],
        ["/api/logs?offset=x", "offset"],
        ["/api/logs?service_type=%27", "service_type"]
      ] as const) {
        const { body, status } = yield* json(router, path)
        assert.strictEqual(status, 400, path)
        assert.deepInclude(body.error, { type: "invalid_request_error", param: name })
        assert.include(body.error.message, name)
      }
      const SQL = encodeURIComponent("'; DROP TABLE openrouter_requests; --")
      for (const box of ["q", "model", "routed", "provider", "endpoint", "key", "media", "ip"]) {
        const { body, status } = yield* json(router, `/ui/tracking_data?${box}=${SQL}`)
        assert.deepStrictEqual([status, body.items], [200, []], box)
      }
      assert.strictEqual((yield* get(router, `/ui/tracking_data?q=${"x".repeat(1_000_000)}`)).status, 431)
      assert.strictEqual((yield* get(router, "/ui/tracking_data/nothing")).status, 404)
      assert.strictEqual((yield* get(router, "/ui/media/..%2f..%2fetc")).status, 404)
      const rows = yield* eventually(router.rows, (rows) => rows.some((row) => row.preview === "only this"))
      assert.deepStrictEqual(
        rows
          .map((row) => row.endpoint_called)
          .filter((path) => path.startsWith("/ui") || path.startsWith("/api")),
        []
      )
    })
  )

  it.scopedLive("gives one request with what was said, and its texts as files", () =>
    Effect.gen(function* () {
      const router = yield* startRouter({})
      yield* ask(router, "<script>alert(1)</script>")
      const [row] = yield* router.rows
      const id = row?.internal_request_id
      const { body } = yield* json(router, `/ui/tracking_data/${id}`)
      assert.deepInclude(body, { internal_request_id: id, cost: "0", children: [] })
      assert.include(body.request.text, "<script>")
      assert.include(body.response.text, "choices")
      const file = yield* get(router, `/ui/tracking_data/${row?.id}/body/request`)
      assert.strictEqual(file.text, body.request.text)
      assert.strictEqual(file.headers.get("content-disposition"), `attachment; filename="${id}-request.json"`)
      assert.strictEqual(file.headers.get("x-content-type-options"), "nosniff")
      assert.strictEqual((yield* get(router, `/ui/tracking_data/${id}/body/secrets`)).status, 404)
    })
  )

  it.scopedLive("gives no text for complete that it cannot read to the end", () =>
    Effect.gen(function* () {
      const router = yield* startRouter({})
      yield* ask(router, "a word")
      const [row] = yield* router.rows
      const database = new Sqlite(join(router.dataDir, "percept.db"), { timeout: 2000 })
      database.exec("UPDATE request_bodies SET request_body = printf('%.*c', 32000000, 'x')")
      const reading = yield* client(router, {
        method: "GET",
        path: `/ui/tracking_data/${row?.id}/body/request`,
        deaf: true
      })
      assert.strictEqual((yield* reading.head).statusCode, 200)
      database.exec("ALTER TABLE request_bodies RENAME TO elsewhere")
      database.close()
      reading.listen()
      const broken = yield* Effect.exit(reading.answer)
      assert.isTrue(Exit.isFailure(broken), "a whole answer")
      assert.match(reading.heard(), /^x+$/)
    })
  )

  it.scopedLive("keeps secrets out of previews, and texts out where none are kept", () =>
    Effect.gen(function* () {
      const router = yield* startRouter({ API_KEYS: "our-very-own-key" })
      const key = {
        headers: { authorization: "Bearer our-very-own-key", "content-type": "application/json" }
      }
      const text = `my key\n\n is our-very-own-key, sk-or-v1-0123456789abcdef and https://u:p@host/ ${"x".repeat(300)}`
      const body = { model: "percept/inspect", messages: [{ role: "user", content: text }] }
      yield* router.post(body, key)
      const [row] = yield* router.rows
      assert.match(
        row?.preview ?? "",
        /^my key is \[redacted\], \[redacted\] and https:\/\/\[redacted\]@host\/ x+$/
      )
      assert.strictEqual(row?.preview?.length, 160)

      const silent = yield* startRouter({ ENABLE_LOGGING: "false" })
      yield* ask(silent, "psst")
      assert.isNull((yield* silent.rows)[0]?.preview)
      const { body: detail } = yield* json(silent, `/ui/tracking_data/${(yield* silent.rows)[0]?.id}`)
      assert.deepStrictEqual([detail.request, detail.response], [null, null])
    })
  )

  it.scopedLive("is for those who have a key, or name and password", () =>
    Effect.gen(function* () {
      const paths = [
        ...[
          "/ui/tracking_data",
          "/api/ui/tracking_data",
          "/ui/tracking_data/1",
          "/ui/tracking_data/1/body/request"
        ],
        ...[`/ui/media/${"0".repeat(64)}`, "/api/logs", "/api/inflight"]
      ]
      const login = { UI_USERNAME: "admin", UI_PASSWORD: "pass:word" }
      const both = yield* startRouter({ API_KEYS: "a-key", ...login })
      const named = yield* startRouter(login)
      const keyed = yield* startRouter({ API_KEYS: "a-key" })
      const open = yield* startRouter({})
      const off = yield* startRouter({ API_KEYS: "a-key", UI_ENABLED: "false" })
      const bearer = { authorization: "Bearer a-key" }
      const asked = Effect.fnUntraced(function* (path: string) {
        const status = (router: Router, headers = {}) =>
          Effect.map(get(router, path, headers), ({ status }) => status)
        const withLogin = Effect.fnUntraced(function* (router: Router) {
          assert.strictEqual(yield* status(router), 401, path)
          assert.strictEqual(yield* status(router, basic("admin", "wrong")), 401)
          assert.strictEqual(yield* status(router, basic("admin", "")), 401)
          assert.strictEqual(yield* status(router, { authorization: "Basic !!!" }), 401)
          assert.notStrictEqual(yield* status(router, basic("admin", "pass:word")), 401)
        })
        yield* Effect.forEach([both, named], withLogin, { concurrency: 2 })
        assert.notStrictEqual(yield* status(both, bearer), 401)
        assert.notStrictEqual(yield* status(keyed, bearer), 401)
        assert.notStrictEqual(yield* status(keyed, basic("anybody", "a-key")), 401)
        assert.strictEqual(yield* status(keyed), 401)
        assert.strictEqual(yield* status(keyed, basic("admin", "pass:word")), 401)
        assert.notStrictEqual(yield* status(open), 401)
        assert.strictEqual(yield* status(off, bearer), 404)
      })
      // Who is wrong waits.
      yield* Effect.forEach(paths, asked, { concurrency: "unbounded" })
      const refused = yield* get(named, "/ui/tracking_data")
      assert.match(refused.headers.get("www-authenticate") ?? "", /^Basic /)
      const foreign = yield* get(open, "/ui/tracking_data", { origin: "https://evil.example" })
      assert.strictEqual(foreign.status, 403)
      assert.strictEqual((yield* get(off, "/healthz")).status, 200)
    })
  )

  it.scopedLive("is told to those who know an earlier system, done and under way", () =>
    Effect.gen(function* () {
      const router = yield* startRouter({})
      yield* ask(router, "one")
      yield* ask(router, "two")
      yield* Effect.promise(() =>
        fetch(`${router.url}/api/chat`, {
          method: "POST",
          body: JSON.stringify({ model: "percept/inspect", messages: [{ role: "user", content: "three" }] })
        }).then((response) => response.text())
      )
      yield* eventually(router.rows, (rows) => rows.length === 3)
      const { body } = yield* json(router, "/api/logs?limit=2")
      assert.deepStrictEqual(
        body.map((row: { service_type: string; path: string }) => [row.service_type, row.path]),
        [
          ["ollama", "/api/chat"],
          ["openai", "/v1/chat/completions"]
        ]
      )
      assert.containsAllKeys(body[0], [
        ...[
          "id",
          "timestamp",
          "source_ip",
          "method",
          "path",
          "service_type",
          "upstream_url",
          "original_model"
        ],
        ...["mapped_model", "duration_ms", "request_size", "response_size", "status_code", "completed_at"],
        "error_message"
      ])
      assert.isAbove(body[0].request_size, 10)
      const rest = yield* json(router, "/api/logs?service_type=openai&offset=1")
      assert.deepStrictEqual(
        rest.body.map((row: { id: number }) => row.id),
        [1]
      )

      const stuck = new AbortController()
      const sending = fetch(`${router.url}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: new ReadableStream({ start: (stream) => stream.enqueue(Buffer.from("{")) }),
        duplex: "half",
        signal: stuck.signal
      } as RequestInit)
      const [going] = yield* eventually(
        Effect.map(json(router, "/api/inflight"), ({ body }): ReadonlyArray<unknown> => body),
        (all) => all.length === 1
      )
      assert.isTrue(isObject(going) && typeof going["elapsed_ms"] === "number")
      assert.containsAllKeys(going, ["id", "timestamp", "source_ip", "method", "path", "service_type"])
      stuck.abort()
      yield* Effect.promise(() => sending.catch(() => undefined))
      yield* eventually(
        Effect.map(json(router, "/api/inflight"), ({ body }): ReadonlyArray<unknown> => body),
        (all) => all.length === 0
      )
    })
  )
})
