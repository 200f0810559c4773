import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { arrayField, field, parseJson } from "../../src/domain/Json.ts"
import { startOllama } from "../support/OllamaUpstream.ts"
import { everyDatabase } from "../support/Postgres.ts"
import { bearer, openKeys } from "../support/Keys.ts"
import { eventually, startRouter, temporaryFolder } from "../support/Router.ts"
import { completion, HI, send, sendChat, startUpstream, USAGE } from "../support/Upstream.ts"

const NEVER_MADE = `pk-percept-${"A".repeat(43)}`

const errorIn = (text: string) => field(parseJson(text), "error")

for (const { fresh, name } of everyDatabase())
  describe(`a key in the database on ${name}`, () => {
    it.scopedLive("opens at once when it is made, and shuts the router to who has none", () =>
      Effect.gen(function* () {
        const upstream = yield* startUpstream
        const env = { ...(yield* fresh), ...upstream.env }
        const router = yield* startRouter(env)
        const keys = yield* openKeys(env)
        assert.strictEqual((yield* sendChat(router, HI)).status, 200)
        const { id, secret } = yield* keys.make({})
        for (const headers of [
          bearer(secret),
          { "x-api-key": secret },
          { authorization: `Basic ${Buffer.from(`me:${secret}`).toString("base64")}` }
        ])
          assert.strictEqual((yield* sendChat(router, HI, headers)).status, 200)
        yield* eventually(sendChat(router, HI), ({ status }) => status === 401)
        assert.strictEqual((yield* sendChat(router, HI, bearer("whatever"))).status, 401)
        assert.strictEqual((yield* sendChat(router, HI, bearer(NEVER_MADE))).status, 401)
        assert.strictEqual((yield* send(router, { method: "GET", path: "/v1/models" })).status, 401)
        assert.strictEqual((yield* send(router, { method: "GET", path: "/healthz" })).status, 200)
        const rows = yield* router.rows
        assert.deepStrictEqual(
          rows.map(({ key_id }) => key_id).filter((key) => key !== null),
          Array.from({ length: 3 }, () => `db:${id}`)
        )
      })
    )
  })

describe("a router with keys in its database", () => {
  it.scopedLive("has a key that is good until it is revoked or has expired; the router stays shut then", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      const env = { DB_PATH: `${yield* temporaryFolder}/kept.db`, ...upstream.env }
      const router = yield* startRouter(env)
      const keys = yield* openKeys(env)
      const one = yield* keys.make({ name: "one" })
      const other = yield* keys.make({ name: "other", expiresAt: Date.now() + 1500 })
      const ask = ({ secret }: { readonly secret: string }) => sendChat(router, HI, bearer(secret))
      assert.strictEqual((yield* ask(one)).status, 200)
      assert.strictEqual((yield* ask(other)).status, 200)
      yield* keys.revoke("one")
      const revoked = yield* eventually(ask(one), ({ status }) => status === 401, 5)
      const expired = yield* eventually(ask(other), ({ status }) => status === 401, 5)
      assert.include(revoked.text, "has been revoked")
      assert.include(expired.text, "has expired")
      yield* eventually(sendChat(router, HI), ({ status }) => status === 401, 5)
    })
  )

  it.scopedLive("may listen on every address, and takes the environment's keys beside them", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      const env = { DB_PATH: `${yield* temporaryFolder}/kept.db`, ...upstream.env }
      const keys = yield* openKeys(env)
      const { secret } = yield* keys.make({})
      const open = yield* startRouter({ ...env, LISTEN_HOST: "0.0.0.0" })
      assert.strictEqual((yield* sendChat(open, HI)).status, 401)
      assert.strictEqual((yield* sendChat(open, HI, bearer(secret))).status, 200)
      const both = yield* startRouter({ ...env, API_KEYS: "of-the-environment" })
      assert.strictEqual((yield* sendChat(both, HI, bearer("of-the-environment"))).status, 200)
      assert.strictEqual((yield* sendChat(both, HI, bearer(secret))).status, 200)
      assert.strictEqual((yield* sendChat(both, HI, bearer(NEVER_MADE))).status, 401)
    })
  )

  it.scopedLive("passes no key of its own on to an upstream that takes clients' keys", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      const env = { DB_PATH: `${yield* temporaryFolder}/kept.db`, UPSTREAM_URL: upstream.url }
      const keys = yield* openKeys(env)
      const { secret } = yield* keys.make({})
      const router = yield* startRouter(env)
      for (const headers of [
        bearer(secret),
        { authorization: `Basic ${Buffer.from(`me:${secret}`).toString("base64")}` }
      ])
        assert.strictEqual((yield* sendChat(router, HI, headers)).status, 200)
      assert.deepStrictEqual(
        upstream.received.map(({ headers }) => headers.authorization),
        [undefined, undefined]
      )
    })
  )

  it.scopedLive("keeps a key to its models, in requests and in lists", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      const env = {
        DB_PATH: `${yield* temporaryFolder}/kept.db`,
        ...{ ...upstream.env, ...(yield* startOllama).env },
        MODEL_MAP: JSON.stringify({ quick: "test/free:free", dear: "test/plain" })
      }
      const keys = yield* openKeys(env)
      const { secret } = yield* keys.make({ models: ["test/free*", "vendor/?"] })
      const router = yield* startRouter(env)
      const ask = (path: string, body: object) =>
        send(router, {
          path,
          body: JSON.stringify(body),
          headers: { ...bearer(secret), "content-type": "application/json" }
        })
      const chat = (model: string, more: object = {}) =>
        ask("/v1/chat/completions", { ...HI, model, ...more })
      for (const model of ["test/free:free", "quick", "vendor/x", "openrouter:test/free:free"])
        assert.strictEqual((yield* chat(model)).status, 200, model)
      const refused = [
        yield* chat("test/plain"),
        yield* chat("dear"),
        yield* chat("vendor/xy"),
        yield* chat("quick", { models: ["test/free:free", "test/plain"] }),
        yield* ask("/v1/completions", { model: "test/plain", prompt: "Hi" }),
        yield* ask("/v1/embeddings", { model: "test/plain", input: "Hi" })
      ]
      for (const { status, text } of refused) {
        assert.strictEqual(status, 403)
        assert.deepInclude(errorIn(text), {
          type: "invalid_request_error",
          code: "model_not_allowed",
          param: "model"
        })
      }
      const ollama = yield* ask("/api/chat", { ...HI, model: "test/plain" })
      assert.strictEqual(ollama.status, 403)
      assert.match(String(errorIn(ollama.text)), /may not use the model 'test\/plain'/)
      assert.strictEqual(upstream.received.length, 4)

      const get = (path: string, key = secret) => send(router, { method: "GET", path, headers: bearer(key) })
      const listed = parseJson((yield* get("/v1/models")).text)
      const ids = (list: unknown, key: string) =>
        Array.isArray(list) ? list.map((entry) => field(entry, key)) : "no list"
      assert.deepStrictEqual(ids(field(listed, "data"), "id"), ["quick", "test/free:free"])
      assert.strictEqual((yield* get("/v1/models/test/plain")).status, 404)
      assert.strictEqual((yield* get("/v1/models/quick")).status, 200)
      const tags = parseJson((yield* get("/api/tags")).text)
      assert.strictEqual(ids(field(tags, "models"), "name").length, 2)

      const provided = (yield* keys.make({ name: "by provider", models: ["openrouter:test/pl*"] })).secret
      const few = parseJson((yield* get("/v1/models", provided)).text)
      assert.deepStrictEqual(ids(field(few, "data"), "id"), ["dear", "test/plain"])
      assert.strictEqual((yield* get("/v1/models/test/plain", provided)).status, 200)
      assert.strictEqual((yield* get("/v1/models/openrouter:test/plain", provided)).status, 200)
      assert.strictEqual((yield* get("/v1/models/quick", provided)).status, 404)
      const show = (model: string) =>
        send(router, { path: "/api/show", body: JSON.stringify({ model }), headers: bearer(provided) })
      assert.strictEqual((yield* show("test/plain")).status, 200)
      assert.strictEqual((yield* show("dear")).status, 200)
      const hidden = yield* show("quick")
      assert.deepStrictEqual(
        [hidden.status, parseJson(hidden.text)],
        [404, { error: "model 'quick' not found" }]
      )

      const local = (yield* keys.make({ name: "local", models: ["ollama:*"] })).secret
      for (const [key, loaded] of [
        [provided, 0],
        [local, 1]
      ] as const)
        assert.strictEqual(arrayField(parseJson((yield* get("/api/ps", key)).text), "models").length, loaded)
    })
  )

  it.scopedLive("holds a key to its requests and tokens of a minute, and says when to come back", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      const env = { DB_PATH: `${yield* temporaryFolder}/kept.db`, ...upstream.env }
      const keys = yield* openKeys(env)
      const few = yield* keys.make({ name: "few", rpm: 3 })
      const short = yield* keys.make({ name: "short", tpm: 1000 })
      const router = yield* startRouter(env)
      const got = yield* Effect.forEach(
        Array.from({ length: 10 }),
        () => sendChat(router, HI, bearer(few.secret)),
        { concurrency: "unbounded" }
      )
      const limited = got.filter(({ status }) => status === 429)
      assert.strictEqual(limited.length, 7)
      for (const { headers, text } of limited) {
        assert.deepInclude(errorIn(text), { type: "requests", code: "rate_limit_exceeded" })
        assert.include([58, 59, 60], Number(headers["retry-after"]))
      }
      const ollama = yield* send(router, {
        path: "/api/generate",
        body: JSON.stringify({ model: "test/plain", prompt: "Hi" }),
        headers: bearer(few.secret)
      })
      assert.deepStrictEqual([ollama.status, Object.keys(parseJson(ollama.text) ?? {})], [429, ["error"]])
      assert.strictEqual(upstream.received.length, 3)

      // What an answer has used counts, not what it was taken for.
      upstream.answers(completion("Long.", { usage: { ...USAGE, total_tokens: 970 } }))
      const small = { ...HI, max_tokens: 5 }
      assert.strictEqual((yield* sendChat(router, small, bearer(short.secret))).status, 200)
      yield* eventually(router.rowsNow, (rows) => rows.some(({ total_tokens }) => total_tokens === 970))
      const over = yield* sendChat(router, small, bearer(short.secret))
      assert.strictEqual(over.status, 429)
      assert.deepInclude(errorIn(over.text), { type: "tokens", code: "rate_limit_exceeded" })
      assert.isAbove(Number(over.headers["retry-after"]), 50)
    })
  )
})
