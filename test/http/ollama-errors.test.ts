import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Ollama } from "ollama"
import { gzipSync } from "node:zlib"
import { isObject, parseJson } from "../../src/domain/Json.ts"
import { CLIENT_KEY, raised, startLine } from "../support/Clients.ts"
import { startRouter } from "../support/Router.ts"
import type { Router } from "../support/Router.ts"
import { closedPort, finalRow, HI, json, send, sendRaw } from "../support/Upstream.ts"
import type { Got, Question } from "../support/Upstream.ts"

const CHAT = JSON.stringify(HI)
const GENERATE = '{"model":"test/plain","prompt":"Hi"}'

/** Every path that takes a body, and a good one for it. */
const POSTED: ReadonlyArray<readonly [path: string, body: string]> = [
  ["/api/chat", CHAT],
  ["/api/generate", GENERATE],
  ["/api/embed", '{"model":"test/plain","input":"Hi"}'],
  ["/api/embeddings", '{"model":"test/plain","prompt":"Hi"}'],
  ["/api/show", '{"model":"test/plain"}']
]

/** Those that have a lane. */
const CHATS = POSTED.slice(0, 2)

const ASKED = ["/api/tags", "/api/ps", "/api/version"]

for (const lanes of [true, false]) {
  const posted = lanes ? POSTED : CHATS
  describe(`what is wrong is said in a sentence${lanes ? "" : ", without lanes"}`, () => {
    it.scopedLive("where nobody is, or with another method", () =>
      Effect.gen(function* () {
        const router = yield* startRouter({}, { lanes })
        for (const path of ["/api/none", "/api/", "/api/chat/", "/api/tags/x", "/api/CHAT", "/api/%E0%A4%A"])
          yield* refused(router, { path, method: "GET" }, 404, /nothing at/)
        for (const [path] of posted)
          for (const method of ["GET", "DELETE", "PUT"]) {
            const got = yield* refused(router, { path, method }, 405, /takes POST/)
            assert.strictEqual(got.headers.allow, "POST")
          }
        for (const path of ASKED) {
          const got = yield* refused(router, { path, method: "POST", body: "{}" }, 405, /takes GET/)
          assert.strictEqual(got.headers.allow, "GET")
        }
      })
    )

    it.scopedLive("where models would be managed", () =>
      Effect.gen(function* () {
        const router = yield* startRouter({}, { lanes })
        const calls: ReadonlyArray<readonly [method: string, path: string]> = [
          ["POST", "/api/pull"],
          ["POST", "/api/push"],
          ["POST", "/api/create"],
          ["POST", "/api/copy"],
          ["DELETE", "/api/delete"],
          ["POST", "/api/blobs/sha256:29fdb92e57cf0827ded04ae6461b5931d01fa595843f55d36f5b275a52087dd2"]
        ]
        for (const [method, path] of calls) {
          const got = yield* refused(router, { method, path, body: '{"model":"x"}' }, 404, /manage/)
          assert.include(got.text, path)
        }
        const head = yield* send(router, { method: "HEAD", path: "/api/blobs/sha256:0" })
        assert.strictEqual(head.status, 404)
      })
    )

    it.scopedLive("where the body is none", () =>
      Effect.gen(function* () {
        const router = yield* startRouter({ MAX_BODY_MB: "1" }, { lanes })
        const large = JSON.stringify({ model: "x", prompt: "x".repeat(1_100_000) })
        for (const [path] of posted) {
          for (const body of [
            "",
            "{",
            "{model: 'x'}",
            '{"model":"x",}',
            `${CHAT}${CHAT}`,
            "[]",
            '"x"',
            "null"
          ])
            yield* refused(router, { path, body }, 400, /JSON/)
          const deep = `{"model":"x","a":${"[".repeat(300)}${"]".repeat(300)}}`
          yield* refused(router, { path, body: deep }, 400, /deeper than 256/)
          yield* refused(router, { path, body: large }, 413, /MAX_BODY_MB/)
          for (const type of ["image/png", "multipart/form-data; boundary=x", "application/x-ndjson"])
            yield* refused(router, { path, body: "{}", headers: { "content-type": type } }, 415, /JSON/)
          const packed = { path, body: gzipSync("{}"), headers: { "content-encoding": "gzip" } }
          yield* refused(router, packed, 415, /encoded/)
        }
      })
    )

    it.scopedLive("where a key is missing or wrong, or the page is another's", () =>
      Effect.gen(function* () {
        const keyed = yield* startRouter({ API_KEYS: CLIENT_KEY }, { lanes })
        const open = yield* startRouter({}, { lanes })
        const questions: ReadonlyArray<Question> = [
          ...posted.map(([path, body]) => ({ path, body })),
          ...ASKED.map((path) => ({ path, method: "GET" }))
        ]
        for (const question of questions) {
          const got = yield* refused(keyed, question, 401, /API key/)
          assert.match(got.headers["www-authenticate"] ?? "", /^Bearer/)
          yield* refused(keyed, { ...question, headers: { authorization: "Bearer wrong" } }, 401, /not known/)
          yield* refused(
            open,
            { ...question, headers: { origin: "https://evil.example" } },
            403,
            /CORS_ORIGINS/
          )
        }
        const headers = { authorization: `Bearer ${CLIENT_KEY}` }
        for (const path of ASKED)
          assert.strictEqual((yield* send(keyed, { method: "GET", path, headers })).status, 200)
      })
    )

    it.scopedLive("where a field is missing or wrong", () =>
      Effect.gen(function* () {
        const router = yield* startRouter({}, { lanes })
        for (const body of ["{}", '{"model":""}', '{"model":7}', '{"name":null}'])
          yield* refused(router, { path: "/api/show", body }, 400, /model/)
        for (const [path] of posted)
          yield* refused(router, { path, body: '{"model":7,"prompt":"x","messages":[]}' }, 400, /model/)
        const bodies = ['{"model":"x","messages":"Hi"}', '{"model":"x","messages":[{"content":"Hi"}]}']
        for (const body of bodies) yield* refused(router, { path: "/api/chat", body }, 400, /messages/)
        const stream = '{"model":"x","prompt":"Hi","stream":"yes"}'
        yield* refused(router, { path: "/api/generate", body: stream }, 400, /stream/)
      })
    )

    it.scopedLive("where there is no such model", () =>
      Effect.gen(function* () {
        const router = yield* startRouter({}, { lanes })
        for (const [path, body] of posted) {
          const named = body.replace("test/plain", "nope")
          yield* refused(router, { path, body: named }, 404, /'nope'/)
        }
      })
    )

    it.scopedLive("where the provider fails before it has said anything, streamed or not", () =>
      Effect.gen(function* () {
        const { router, upstream } = yield* startLine({ lanes })
        upstream.answers(json(402, { error: { message: "Not enough credits", code: 402 } }))
        for (const [path, body] of CHATS) {
          const whole = body.replace("{", '{"stream":false,')
          for (const said of [body, whole]) {
            const got = yield* refused(router, { path, body: said }, 402, /Not enough credits/)
            const row = yield* finalRow(router, got)
            assert.strictEqual(row.error_source, "upstream")
            assert.strictEqual(row.endpoint_called, path)
          }
        }
        upstream.answers(json(429, { error: { message: "Slow down" } }, { "retry-after": "7" }))
        const slow = yield* refused(router, { path: "/api/chat", body: CHAT }, 429, /Slow down/)
        assert.strictEqual(slow.headers["retry-after"], "7")
      })
    )
  })
}

describe("what is no proper HTTP", () => {
  it.scopedLive("is refused in a sentence as well, once its path is known", () =>
    Effect.gen(function* () {
      const router = yield* startRouter({})
      const host = "host: 127.0.0.1\r\nconnection: close\r\n"
      const got = yield* sendRaw(router, `GET /api/tags HTTP/1.1\r\n${host}expect: miracles\r\n\r\n`)
      assert.strictEqual(got.status, 417)
      sentenceIn(got, /100-continue/)
      const hostless = yield* sendRaw(router, "POST /api/chat HTTP/1.1\r\nconnection: close\r\n\r\n")
      assert.strictEqual(hostless.status, 400)
      sentenceIn(hostless, /Host/)
    })
  )
})

describe("JSON that is not called so", () => {
  it.scopedLive("is read all the same", () =>
    Effect.gen(function* () {
      const { router } = yield* startLine()
      const types = ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-8"]
      for (const [path, body] of POSTED.filter(([path]) => !path.startsWith("/api/embed"))) {
        for (const type of types) {
          const got = yield* send(router, { path, body, headers: { "content-type": type } })
          assert.strictEqual(got.status, 200, `${path} ${type}: ${got.text}`)
        }
        // Bytes are called nothing at all.
        const bytes = yield* Effect.promise(() =>
          fetch(`${router.url}${path}`, { method: "POST", body: Buffer.from(body) })
        )
        assert.strictEqual(bytes.status, 200, path)
        yield* Effect.promise(() => bytes.text())
      }
    })
  )
})

describe("the official client", () => {
  it.scopedLive("raises what it is told, with its status", () =>
    Effect.gen(function* () {
      const keyed = yield* startRouter({ API_KEYS: CLIENT_KEY })
      const open = yield* startRouter({})
      const client = new Ollama({ host: open.url })
      const stranger = new Ollama({ host: keyed.url })
      const calls: ReadonlyArray<readonly [number, RegExp, () => Promise<unknown>]> = [
        [404, /'nope'/, () => client.chat({ model: "nope", messages: [{ role: "user", content: "Hi" }] })],
        [404, /'nope'/, () => client.generate({ model: "nope", prompt: "Hi", stream: true })],
        [404, /^model 'nope' not found$/, () => client.show({ model: "nope" })],
        [404, /manage/, () => client.pull({ model: "llama3" })],
        [404, /manage/, () => client.create({ model: "a", from: "b", stream: true })],
        [404, /manage/, () => client.copy({ source: "a", destination: "b" })],
        [404, /manage/, () => client.delete({ model: "a" })],
        [401, /API key/, () => stranger.list()],
        [401, /API key/, () => stranger.chat({ model: "a", messages: [{ role: "user", content: "Hi" }] })]
      ]
      for (const [status, message, call] of calls) {
        const error = yield* raised(Error, call)
        assert.strictEqual(error.name, "ResponseError")
        assert.match(error.message, message)
        assert.strictEqual(Reflect.get(error, "status_code"), status)
      }
    })
  )

  it.scopedLive("hears of a provider that is not there", () =>
    Effect.gen(function* () {
      const router = yield* startRouter({
        UPSTREAM_URL: `http://127.0.0.1:${yield* closedPort}`,
        UPSTREAM_RETRIES: "0"
      })
      const client = new Ollama({ host: router.url })
      const error = yield* raised(Error, () => client.generate({ model: "x", prompt: "Hi", stream: true }))
      assert.strictEqual(Reflect.get(error, "status_code"), 502)
    })
  )
})

/** The answer is a status and a sentence, and the record has both. */
const refused = Effect.fnUntraced(function* (
  router: Router,
  question: Question,
  status: number,
  says: RegExp
) {
  const got = yield* send(router, question)
  assert.strictEqual(got.status, status, `${question.method} ${question.path}: ${got.text.slice(0, 300)}`)
  const sentence = sentenceIn(got, says)
  const row = yield* finalRow(router, got)
  assert.strictEqual(row.state, "failed")
  assert.strictEqual(row.status_code_returned_to_client, status)
  assert.strictEqual(row.error_message, sentence)
  return got
})

const sentenceIn = (got: Got, says: RegExp): unknown => {
  assert.strictEqual(got.headers["content-type"], "application/json")
  assert.match(String(got.headers["x-request-id"]), /^req_/)
  const body = parseJson(got.text)
  assert.deepStrictEqual(Object.keys(isObject(body) ? body : {}), ["error"], got.text)
  const sentence = isObject(body) ? body["error"] : undefined
  assert.isString(sentence)
  assert.match(String(sentence), says)
  return sentence
}
