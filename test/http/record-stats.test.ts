import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { eventually, startRouter } from "../support/Router.ts"

const HELLO = { model: "percept/inspect", messages: [{ role: "user", content: "Hi" }] }

type Json = { readonly [name: string]: never }

const get = (url: string, headers: Record<string, string> = {}) =>
  Effect.promise(async () => {
    const response = await fetch(url, { headers })
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) as Json }
  })

it.scopedLive("figures are answered over HTTP, and what is known already is not sent again", () =>
  Effect.gen(function* () {
    const router = yield* startRouter({})
    yield* Effect.all([router.post(HELLO), router.post(HELLO), router.post({ ...HELLO, model: "no/such" })])
    yield* router.rows

    const stats = yield* eventually(get(`${router.url}/ui/tracking_stats?range=24h`), ({ text }) =>
      text.includes('"totals":{"requests":3,"errors":1,')
    )
    assert.strictEqual(stats.status, 200)
    const tag = stats.headers.get("etag") ?? ""
    assert.match(tag, /^".+"$/)
    const again = yield* get(`${router.url}/ui/tracking_stats?range=24h`, {
      "if-none-match": `"x", W/${tag}`
    })
    assert.deepStrictEqual([again.status, again.text, again.headers.get("etag")], [304, "", tag])
    const other = yield* get(`${router.url}/ui/tracking_stats?range=24h&state=failed`, {
      "if-none-match": tag
    })
    assert.strictEqual(other.status, 200)

    const facets = yield* get(`${router.url}/ui/tracking_facets?state=failed`)
    assert.include(facets.text, '"state":[{"value":"done","count":2},{"value":"failed","count":1}]')
    assert.include(facets.text, '"endpoint":[{"value":"/v1/chat/completions","count":1}]')
    const series = yield* get(`${router.url}/ui/tracking_series?range=1h`)
    assert.include(series.text, '"unit":"minute"')
    assert.strictEqual(series.text.match(/"start":/g)?.length, 61)
  })
)

it.scopedLive("an earlier system's figures have their names", () =>
  Effect.gen(function* () {
    const router = yield* startRouter({})
    yield* router.post(HELLO)
    yield* Effect.promise(() =>
      fetch(`${router.url}/api/chat`, { method: "POST", body: JSON.stringify({ ...HELLO, stream: false }) })
    )
    yield* router.rows
    const { text } = yield* eventually(get(`${router.url}/api/stats`), ({ text }) =>
      text.startsWith('{"total_requests":2,')
    )
    assert.include(
      text,
      '{"total_requests":2,"openai_requests":1,"ollama_requests":1,"recent_requests":2,"inflight_requests":0,'
    )
    assert.include(text, '"last_24h":{"requests":2,')
  })
)

it.scopedLive(
  "what is wrong with a question is said with the parameter's name, and strangers learn nothing",
  () =>
    Effect.gen(function* () {
      const router = yield* startRouter({ API_KEYS: "secret-key" })
      const key = { authorization: "Bearer secret-key" }
      for (const path of ["/ui/tracking_stats", "/ui/tracking_series", "/ui/tracking_facets", "/api/stats"]) {
        assert.strictEqual((yield* get(`${router.url}${path}`)).status, 401)
        assert.strictEqual((yield* get(`${router.url}${path}`, key)).status, 200)
        if (path === "/api/stats") continue
        const { status, text } = yield* get(`${router.url}${path}?status=abc`, key)
        assert.strictEqual(status, 400)
        assert.include(text, "'status' must be")
        const hostile = encodeURIComponent("'; DROP TABLE request_rollups; --")
        assert.strictEqual(
          (yield* get(`${router.url}${path}?model=${hostile}&key=${hostile}`, key)).status,
          200
        )
      }
      const off = yield* startRouter({ UI_ENABLED: "false" })
      assert.strictEqual((yield* get(`${off.url}/ui/tracking_stats`)).status, 404)
    })
)
