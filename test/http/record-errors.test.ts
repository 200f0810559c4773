import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { eventually, startRouter } from "../support/Router.ts"

const HELLO = { model: "percept/inspect", messages: [{ role: "user", content: "Hi" }] }

const get = (url: string, headers: Record<string, string> = {}) =>
  Effect.promise(async () => {
    const response = await fetch(url, { headers })
    return { status: response.status, tag: response.headers.get("etag"), text: await response.text() }
  })

it.scopedLive("failures are answered over HTTP by their kinds, each with its newest request", () =>
  Effect.gen(function* () {
    const router = yield* startRouter({})
    const none = yield* get(`${router.url}/ui/tracking_errors?range=24h`)
    assert.strictEqual(none.text, '{"groups":[],"total_groups":0,"total_errors":0,"is_partial":false}')
    for (const model of ["no/such", "no/other", "percept/inspect", "no/such"])
      yield* router.post({ ...HELLO, model })
    yield* router.post("{")
    const rows = yield* router.rows
    const { tag, text } = yield* eventually(get(`${router.url}/ui/tracking_errors?range=24h`), ({ text }) =>
      text.includes('"total_errors":4')
    )
    const last = rows.findLast(({ status_code_returned_to_client }) => status_code_returned_to_client === 404)
    const { groups } = JSON.parse(text) as { readonly groups: ReadonlyArray<Record<string, unknown>> }
    assert.deepStrictEqual(
      groups.map(({ count, model, models, source, state, status }) => [
        state,
        source,
        status,
        count,
        models,
        model
      ]),
      [
        ["failed", "client", 404, 3, 2, "no/such"],
        ["failed", "client", 400, 1, 1, "(none)"]
      ]
    )
    assert.deepStrictEqual(groups[0]?.["newest"], {
      internal_request_id: last?.internal_request_id,
      timestamp: last?.timestamp,
      error_message: last?.error_message
    })
    const again = yield* get(`${router.url}/ui/tracking_errors?range=24h`, { "if-none-match": tag ?? "" })
    assert.deepStrictEqual([again.status, again.text], [304, ""])
    const narrowed = yield* get(`${router.url}/ui/tracking_errors?status=404&model=no%2Fother`)
    assert.include(narrowed.text, '"total_groups":1,"total_errors":1,')
  })
)

it.scopedLive("failures are told to nobody who may not see the record", () =>
  Effect.gen(function* () {
    const router = yield* startRouter({ API_KEYS: "secret-key" })
    const path = `${router.url}/ui/tracking_errors`
    const key = { authorization: "Bearer secret-key" }
    assert.strictEqual((yield* get(path)).status, 401)
    assert.strictEqual((yield* get(path, key)).status, 200)
    const wrong = yield* get(`${path}?status=abc`, key)
    assert.strictEqual(wrong.status, 400)
    assert.include(wrong.text, "'status' must be")
    const hostile = encodeURIComponent("'; DROP TABLE request_rollups; --")
    for (const name of ["model", "key", "provider", "ip"])
      assert.strictEqual((yield* get(`${path}?${name}=${hostile}`, key)).status, 200)
  })
)
