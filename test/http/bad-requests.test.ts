import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { OutgoingHttpHeaders } from "node:http"
import { connect } from "node:net"
import { gzipSync } from "node:zlib"
import { parseJson, stringField } from "../../src/domain/Json.ts"
import { eventually, startRouter } from "../support/Router.ts"
import type { Router } from "../support/Router.ts"
import { shared } from "../support/Shared.ts"
import {
  abandonedWith,
  byHand,
  chunk,
  client,
  errorAnswer,
  HI,
  openStream,
  refusedWith,
  send,
  sendChat,
  sendRaw,
  servesOn,
  silence,
  startUpstream,
  succeeded
} from "../support/Upstream.ts"
import type { Question, Received, Upstream, Verdict } from "../support/Upstream.ts"

interface Case extends Question {
  readonly name: string
  readonly verdict: Partial<Verdict> & { readonly status: number }
  readonly allow?: string
}

const invalid = (param: string | null, code: string | null = null): Case["verdict"] => ({
  status: 400,
  type: "invalid_request_error",
  param,
  code
})

const NO_JSON = invalid(null, "invalid_json")
const NO_OBJECT = invalid(null)

const text = (name: string, body: string, verdict: Case["verdict"]): Case => ({ name, body, verdict })

/** A request that is good but for one field. */
const but = (field: string, value: unknown, param = field): Case =>
  text(`${field}: ${JSON.stringify(value)}`, JSON.stringify({ ...HI, [field]: value }), invalid(param))

const message = (value: unknown, param: string): Case => ({
  ...but("messages", [{ role: "user", content: "Hi" }, value], `messages[1]${param}`),
  name: `a second message ${JSON.stringify(value)}`
})

const content = (value: unknown, param: string): Case => ({
  ...but("messages", [{ role: "user", content: value }], `messages[0].content${param}`),
  name: `content: ${JSON.stringify(value)}`
})

const notJson: ReadonlyArray<Case> = [
  text("broken JSON", "{model: 'test/plain'}", NO_JSON),
  text("half JSON", JSON.stringify(HI).slice(0, 30), NO_JSON),
  text("two JSON values", `${JSON.stringify(HI)}${JSON.stringify(HI)}`, NO_JSON),
  text("a trailing comma", `${JSON.stringify(HI).slice(0, -1)},}`, NO_JSON),
  text("NaN", '{"model":"test/plain","messages":[{"role":"user"}],"top_p":NaN}', NO_JSON),
  text("no body", "", NO_JSON),
  text("blanks", " \n\t ", NO_JSON),
  text("a NUL byte", "\0", NO_JSON),
  text("a form", "model=test%2Fplain&messages=hi", NO_JSON),
  { name: "JSON in UTF-16", body: Buffer.from(JSON.stringify(HI), "utf16le"), verdict: NO_JSON },
  text("null", "null", NO_OBJECT),
  text("a list", "[]", NO_OBJECT),
  text("a text", '"text"', NO_OBJECT),
  text("a number", "12", NO_OBJECT),
  text("unclosed brackets, 100000 deep", "[".repeat(100_000), NO_JSON),
  text("closed brackets, 100000 deep", "[".repeat(100_000) + "]".repeat(100_000), NO_OBJECT)
]

const wrongTypes: ReadonlyArray<Case> = [
  ...[12, true, [], {}].map((value) => but("model", value)),
  ...["yes", 1, [], {}].map((value) => but("stream", value)),
  ...["Hi", 1, null, {}, []].map((value) => but("messages", value)),
  text(
    "no messages",
    JSON.stringify({ model: "test/plain" }),
    invalid("messages", "missing_required_parameter")
  ),
  ...[null, "Hi", 1, []].map((value) => message(value, "")),
  message({ content: "Hi" }, ".role"),
  message({ role: 12, content: "Hi" }, ".role"),
  message({ role: null, content: "Hi" }, ".role"),
  ...[12, true, {}].map((value) => content(value, "")),
  content([null], "[0]"),
  content([{ type: "text", text: "Hi" }, "Hi"], "[1]"),
  content([{}], "[0]"),
  content([{ type: 1 }], "[0]"),
  content([[]], "[0]")
]

const wrongHeads: ReadonlyArray<Case> = [
  {
    name: "a packed body",
    body: gzipSync(JSON.stringify(HI)),
    headers: { "content-encoding": "gzip" },
    verdict: { status: 415, code: "unsupported_media_type" }
  },
  ...["multipart/form-data; boundary=x", "text/html", "application/octet-stream", "nonsense"].map((type) => ({
    name: `a body of type ${type}`,
    body: JSON.stringify(HI),
    headers: { "content-type": type },
    verdict: { status: 415, code: "unsupported_media_type" }
  })),
  ...[
    "/v1",
    "/v1/chat",
    "/v1/chat/completions/more",
    "/v1/nothing",
    "/v1/chat/%2e%2e/nothing",
    "/%00",
    "/..%2f..%2fetc%2fpasswd",
    `/${"x".repeat(4000)}`
  ].map((path) => ({
    name: `a path with nothing behind it: ${path.slice(0, 40)}`,
    path,
    body: JSON.stringify(HI),
    verdict: { status: 404, code: "not_found" }
  })),
  {
    name: "a path that cannot be decoded",
    method: "GET",
    path: "/v1/models/%E0%A4%A",
    verdict: { status: 404 }
  },
  ...["GET", "PUT", "PATCH", "DELETE", "OPTIONS"].map((method) => ({
    name: `${method} where a POST belongs`,
    method,
    verdict: { status: 405, code: "method_not_allowed" },
    allow: "POST"
  })),
  ...["/v1/models", "/"].map((path) => ({
    name: `POST to ${path} where a GET belongs`,
    path,
    body: "{}",
    verdict: { status: 405, code: "method_not_allowed" },
    allow: "GET"
  }))
]

/** Nothing is tried again here, so that each case is one call. */
const ONE_TRY = { UPSTREAM_RETRIES: "0" }

/** A router and its provider, for all cases of a table. */
const startBoth = (lanes: boolean, env: { readonly [name: string]: string } = {}) =>
  Effect.gen(function* () {
    const upstream = yield* startUpstream
    return { upstream, router: yield* startRouter({ ...upstream.env, ...ONE_TRY, ...env }, { lanes }) }
  })

/** Every case on the fast lane and through the contract: they must not be told apart. */
const bothWays = (title: string, tests: (lanes: boolean) => void) => {
  for (const lanes of [true, false])
    describe(`${title}, ${lanes ? "on the fast lane" : "through the contract"}`, () => {
      describe.concurrent("each", () => tests(lanes))
    })
}

/** The same for cases that share a router, where only the good requests after them may reach the provider. */
const refusedBothWays = (
  title: string,
  env: { readonly [name: string]: string },
  tests: (start: Effect.Effect<{ readonly router: Router; readonly upstream: Upstream }>) => void
) => {
  for (const lanes of [true, false])
    describe(`${title}, ${lanes ? "on the fast lane" : "through the contract"}`, () => {
      const both = shared(startBoth(lanes, env))
      let cases = 0
      describe.concurrent("each", () => tests(Effect.tap(both, () => Effect.sync(() => cases++))))

      it.scopedLive("did not reach the provider", () =>
        Effect.map(both, ({ upstream }) => assert.strictEqual(upstream.received.length, cases))
      )
    })
}

for (const [title, cases] of [
  ["a body that is no JSON object", notJson],
  ["a field of the wrong type", wrongTypes],
  ["a request for something else", wrongHeads]
] as const)
  refusedBothWays(title, {}, (start) => {
    for (const { allow, name, verdict, ...question } of cases)
      it.scopedLive(`${name} is a ${verdict.status}`, () =>
        Effect.gen(function* () {
          const { router } = yield* start
          const got = yield* send(router, question)
          yield* refusedWith(router, got, { source: "client", type: "invalid_request_error", ...verdict })
          assert.strictEqual(got.headers.allow, allow)
        })
      )
  })

bothWays("a body that is too large", (lanes) => {
  const TOO_LARGE: Verdict = { status: 413, source: "client", code: "request_too_large" }
  const sized = (bytes: number): Buffer => {
    const [head = "", tail = ""] = JSON.stringify({ ...HI, pad: "|" }).split("|")
    return Buffer.concat([
      Buffer.from(head),
      Buffer.alloc(bytes - head.length - tail.length, "x"),
      Buffer.from(tail)
    ])
  }
  const framings: ReadonlyArray<readonly [string, OutgoingHttpHeaders]> = [
    ["with its length said", {}],
    ["in chunks", { "transfer-encoding": "chunked" }]
  ]
  const sizes: ReadonlyArray<readonly [string, number, Record<string, string>]> = [
    ["1.5 MB where MAX_BODY_MB=1", 1_500_000, { MAX_BODY_MB: "1" }],
    ["one byte more than MAX_BODY_MB=1", 1024 * 1024 + 1, { MAX_BODY_MB: "1" }],
    ...(lanes ? [["65 MB", 65 * 1024 * 1024, {}] as const] : [])
  ]
  for (const [size, bytes, env] of sizes)
    for (const [framing, headers] of framings)
      it.scopedLive(`${size} ${framing} is a 413 that the client can read`, () =>
        Effect.gen(function* () {
          const upstream = yield* startUpstream
          const router = yield* startRouter({ ...upstream.env, ...ONE_TRY, ...env }, { lanes })
          const got = yield* send(router, { body: sized(bytes), headers })
          yield* refusedWith(router, got, { ...TOO_LARGE, says: /MAX_BODY_MB/ })
          assert.strictEqual(upstream.received.length, 1)
        })
      )

  for (const [framing, headers] of framings)
    it.scopedLive(`a body of exactly MAX_BODY_MB ${framing} is taken whole`, () =>
      Effect.gen(function* () {
        const upstream = yield* startUpstream
        const router = yield* startRouter({ ...upstream.env, ...ONE_TRY, MAX_BODY_MB: "1" }, { lanes })
        const got = yield* send(router, { body: sized(1024 * 1024), headers })
        yield* succeeded(router, got)
        assert.strictEqual(upstream.received[0]?.body.length, 1024 * 1024)
      })
    )

  it.scopedLive("a client that announces too much and waits to be told to go on is told not to", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      const router = yield* startRouter({ ...upstream.env, ...ONE_TRY, MAX_BODY_MB: "1" }, { lanes })
      const got = yield* send(router, {
        headers: { "content-length": "2000000", expect: "100-continue" },
        unfinished: true
      })
      yield* refusedWith(router, got, TOO_LARGE)
    })
  )
})

bothWays("a body that does not come", (lanes) => {
  const slow: ReadonlyArray<readonly [string, Question]> = [
    ["at all", { headers: { "content-length": "100" }, body: "" }],
    ["to its end", { headers: { "content-length": "100" }, body: '{"model":' }],
    ["to its end, in chunks", { headers: { "transfer-encoding": "chunked" }, body: '{"model":' }]
  ]
  for (const [how, question] of slow)
    it.scopedLive(`${how} is a 408 that the client can read`, () =>
      Effect.gen(function* () {
        const upstream = yield* startUpstream
        const env = { ...upstream.env, ...ONE_TRY, HEADERS_TIMEOUT: "1", BODY_TIMEOUT: "300 millis" }
        const router = yield* startRouter(env, { lanes })
        const got = yield* send(router, { ...question, unfinished: true })
        yield* refusedWith(router, got, { status: 408, source: "client", code: "request_timeout" })
      })
    )

  it.scopedLive("may be waited for less long than a head", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      const env = { ...upstream.env, ...ONE_TRY, HEADERS_TIMEOUT: "15", BODY_TIMEOUT: "1" }
      const router = yield* startRouter(env, { lanes })
      yield* succeeded(router, yield* sendChat(router, HI))
    })
  )

  it.scopedLive("because its client hangs up leaves a cancelled row", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      const router = yield* startRouter({ ...upstream.env, ...ONE_TRY }, { lanes })
      const leaver = yield* client(router, {
        headers: { "content-length": "100" },
        body: '{"model":',
        unfinished: true
      })
      yield* eventually(router.rowsNow, (rows) => rows.length === 1)
      leaver.leave()
      yield* abandonedWith(router, 499)
      assert.strictEqual(upstream.received.length, 1)
    })
  )

  it.scopedLive("because its framing is broken is a 400, for the record too", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      const router = yield* startRouter({ ...upstream.env, ...ONE_TRY }, { lanes })
      const head = [
        "POST /v1/chat/completions HTTP/1.1",
        "host: localhost",
        "content-type: application/json",
        "transfer-encoding: chunked"
      ]
      const got = yield* sendRaw(router, `${head.join("\r\n")}\r\n\r\n5\r\n{"mod\r\nnonsense\r\n`)
      yield* refusedWith(router, got, { status: 400, source: "client", type: "invalid_request_error" })
    })
  )
})

describe.concurrent("bytes that are no HTTP request", () => {
  const host = "host: localhost\r\n"
  const cases: ReadonlyArray<readonly [string, string | Buffer, number]> = [
    ["words", "hello\r\n\r\n", 400],
    ["a TLS hello", Buffer.from("16030100a5010000a10303" + "00".repeat(160), "hex"), 400],
    ["an unknown version", `GET / HTTP/9.9\r\n${host}\r\n`, 400],
    ["an unknown method", `BREW /v1/models HTTP/1.1\r\n${host}\r\n`, 400],
    ["no Host header", "GET /v1/models HTTP/1.1\r\n\r\n", 400],
    ["a header without a colon", `GET /v1/models HTTP/1.1\r\n${host}nonsense\r\n\r\n`, 400],
    ["a NUL in a header", `GET /v1/models HTTP/1.1\r\n${host}x-api-key: a\0b\r\n\r\n`, 400],
    ["a negative length", `POST /v1/models HTTP/1.1\r\n${host}content-length: -1\r\n\r\n`, 400],
    [
      "two lengths",
      `POST /v1/models HTTP/1.1\r\n${host}content-length: 1\r\ncontent-length: 2\r\n\r\nab`,
      400
    ],
    [
      "a length and chunks",
      `POST /v1/models HTTP/1.1\r\n${host}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
      400
    ],
    [
      "an expectation nobody knows",
      `GET /v1/models HTTP/1.1\r\n${host}expect: miracles\r\nconnection: close\r\n\r\n`,
      417
    ],
    ["a head of 1 MB", `GET /v1/models HTTP/1.1\r\n${host}x: ${"x".repeat(1024 * 1024)}\r\n\r\n`, 431]
  ]
  const start = shared(startBoth(true))
  for (const [what, bytes, status] of cases)
    it.scopedLive(`${what} is answered with a ${status} in our shape`, () =>
      Effect.gen(function* () {
        const { router } = yield* start
        const got = yield* sendRaw(router, bytes)
        yield* servesOn(router, undefined)
        errorAnswer(got, { status })
      })
    )
})

describe("bytes that are no HTTP, behind a request whose answer is under way,", () => {
  const body = JSON.stringify({ ...HI, stream: true })
  const head = "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json"
  const request = `${head}\r\ncontent-length: ${body.length}\r\n\r\n${body}`
  for (const [where, further] of [
    ["at once", []],
    ["after another request", [request]]
  ] as const)
    it.scopedLive(`end the connection and are not answered in its midst, ${where}`, () =>
      Effect.gen(function* () {
        const { router, upstream } = yield* startBoth(true)
        const asked = byHand(upstream)
        const pieces: Array<Buffer> = []
        const { hostname, port } = new URL(router.url)
        const socket = connect(Number(port), hostname)
        const closed = new Promise((resolve) => socket.on("close", resolve))
        socket.on("data", (piece: Buffer) => pieces.push(piece)).on("error", () => {})
        socket.write(request)
        const answer = yield* asked
        openStream(answer)
        answer.write(chunk({ content: "Hello" }))
        const heard = Effect.sync(() => Buffer.concat(pieces).toString())
        yield* eventually(heard, (text) => text.includes("Hello"))
        upstream.answers(silence)
        for (const more of further) socket.write(more)
        yield* eventually(
          Effect.sync(() => upstream.received.length),
          (calls) => calls === 1 + further.length
        )
        socket.write("nonsense\r\n\r\n")
        yield* Effect.promise(() => closed)
        assert.strictEqual((yield* heard).match(/HTTP\/1\.1 /g)?.length, 1)
        yield* eventually(router.rowsNow, ([row]) => row?.state === "cancelled")
      })
    )
})

const KEY = 'k-it\'s "quoted"; --%00\\u0000'
const OTHER = "another-key-of-this-router"
const KEYS = { API_KEYS: `${KEY}, ${OTHER}` }
const GOOD = { authorization: `Bearer ${OTHER}` }
const basic = (pair: string) => `Basic ${Buffer.from(pair).toString("base64")}`

bothWays("a key", (lanes) => {
  const start = shared(startBoth(lanes, KEYS))

  const right: ReadonlyArray<readonly [string, OutgoingHttpHeaders]> = [
    ["as bearer token", { authorization: `Bearer ${KEY}` }],
    ["as bearer token in small letters", { authorization: `bearer ${KEY}` }],
    ["as bearer token in capitals, after blanks", { authorization: `BEARER   ${KEY}` }],
    ["as X-Api-Key", { "x-api-key": KEY }],
    ["as basic-auth password", { authorization: basic(`anybody:${KEY}`) }],
    ["as basic-auth password without a user", { authorization: basic(`:${OTHER}`) }],
    ["as basic-auth password in capitals", { authorization: basic(`a:${OTHER}`).replace("Basic", "BASIC") }],
    ["the other one", { "x-api-key": OTHER }]
  ]
  for (const [how, headers] of right)
    it.scopedLive(`that is right is taken ${how}`, () =>
      Effect.gen(function* () {
        const { router, upstream } = yield* start
        const { row } = yield* succeeded(router, yield* sendChat(router, HI, headers), { headers: GOOD })
        assert.match(row.key_id ?? "", /^env:[0-9a-f]{8}$/)
        const seen = JSON.stringify(upstream.received.map((request) => request.headers))
        for (const secret of [KEY, OTHER]) assert.notInclude(seen, secret)
      })
    )

  it.scopedLive("of 1 MB is refused, and the router goes on", () =>
    Effect.gen(function* () {
      const { router } = yield* start
      const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nx-api-key: `
      const got = yield* sendRaw(router, `${head}${"k".repeat(1024 * 1024)}\r\n\r\n`)
      yield* servesOn(router, undefined, { headers: GOOD })
      errorAnswer(got, { status: 431 })
    })
  )

  it.scopedLive("is not asked for where nothing is to be had", () =>
    Effect.gen(function* () {
      const { router } = yield* start
      assert.strictEqual((yield* send(router, { method: "GET", path: "/healthz" })).status, 200)
    })
  )
})

refusedBothWays("a key that is wrong", KEYS, (start) => {
  const wrong: ReadonlyArray<readonly [string, Question]> = [
    ["missing", {}],
    ["empty", { headers: { authorization: "Bearer " } }],
    ["empty as X-Api-Key", { headers: { "x-api-key": "" } }],
    ["unknown as bearer token", { headers: { authorization: "Bearer nobody's" } }],
    ["unknown as X-Api-Key", { headers: { "x-api-key": "nobody's" } }],
    ["unknown as basic-auth password", { headers: { authorization: basic("a:nobody's") } }],
    ["the basic-auth user", { headers: { authorization: basic(`${OTHER}:x`) } }],
    ["basic auth that is no base64", { headers: { authorization: "Basic %%%" } }],
    ["without a scheme", { headers: { authorization: OTHER } }],
    ["of an unknown scheme", { headers: { authorization: `Digest ${OTHER}` } }],
    ["half of it", { headers: { authorization: `Bearer ${OTHER.slice(0, -1)}` } }],
    ["in other letters", { headers: { authorization: `Bearer ${OTHER.toUpperCase()}` } }],
    ["both of them at once", { headers: { authorization: `Bearer ${KEY},${OTHER}` } }],
    ["an escaped NUL behind it", { headers: { "x-api-key": `${OTHER}%00` } }],
    ["SQL", { headers: { "x-api-key": "' OR '1'='1' --" } }],
    ["14 kB long", { headers: { "x-api-key": OTHER.repeat(540) } }],
    ["in the query", { path: `/v1/chat/completions?api_key=${OTHER}&key=${OTHER}` }],
    ["in a cookie", { headers: { cookie: `api_key=${OTHER}` } }],
    ["missing for a model list", { method: "GET", path: "/v1/models" }],
    ["missing for a model", { method: "GET", path: "/v1/models/test/plain" }]
  ]
  for (const [how, question] of wrong)
    it.scopedLive(`with a 401: ${how}`, () =>
      Effect.gen(function* () {
        const { router } = yield* start
        const got = yield* send(router, { body: JSON.stringify(HI), ...question })
        const verdict: Verdict = { status: 401, source: "client", code: "invalid_api_key" }
        const { row } = yield* refusedWith(router, got, verdict, { headers: GOOD })
        assert.isNull(row.key_id)
        assert.match(got.headers["www-authenticate"] ?? "", /^Bearer/)
        for (const secret of [KEY, OTHER]) assert.notInclude(got.text + JSON.stringify(row), secret)
      })
    )
})

bothWays("a model that is not here", (lanes) => {
  const cases: ReadonlyArray<readonly [string, string, boolean]> = [
    ["some/model", "no provider is configured", false],
    ["gpt-4o", "no provider is configured", false],
    ["openrouter:some/model", "no provider is configured", false],
    ["percept/nope", "no provider is configured", false],
    ["percept:nope", "no provider is configured", false],
    ["percept/nope", "OpenRouter is configured", true],
    ["openai:gpt-4o", "OpenRouter is configured", true],
    ["ollama:llama3", "OpenRouter is configured", true],
    ["percept/" + "x".repeat(10_000), "OpenRouter is configured", true],
    ["openai:" + "x".repeat(10_000), "OpenRouter is configured", true],
    ["x".repeat(10_000), "no provider is configured", false]
  ]
  const start = shared(startBoth(lanes))
  const startBare = shared(startRouter({}, { lanes }))
  for (const [model, where, configured] of cases)
    it.scopedLive(`is a 404: ${model.slice(0, 40)} where ${where}`, () =>
      Effect.gen(function* () {
        const { router: withProvider, upstream } = yield* start
        const router = configured ? withProvider : yield* startBare
        const got = yield* sendChat(router, { ...HI, model })
        const verdict: Verdict = { status: 404, source: "client", code: "model_not_found", param: "model" }
        assert.isBelow(got.text.length, 1000)
        const { error } = yield* refusedWith(router, got, verdict, {
          body: { ...HI, model: "percept/inspect" }
        })
        assert.include(error.message, model.replace("percept:", "").slice(0, 100))
        assert.strictEqual(upstream.received.length, 0)
      })
    )
})

refusedBothWays("a web page of somebody else at an open router", {}, (start) => {
  const foreign: ReadonlyArray<readonly [string, OutgoingHttpHeaders]> = [
    ["a foreign origin", { origin: "https://evil.example" }],
    ["an origin on another port of this machine", { origin: "http://localhost:1" }],
    ["the origin 'null'", { origin: "null" }],
    ["a foreign host name", { host: "evil.example" }],
    ["a foreign host name with a port", { host: "evil.example:8000" }],
    ["a host name that begins like ours", { host: "localhost.evil.example" }],
    ["a host name that begins like an address", { host: "127.0.0.1.evil.example" }],
    ["a foreign origin of the same foreign name", { host: "evil.example", origin: "http://evil.example" }]
  ]
  for (const [what, headers] of foreign)
    it.scopedLive(`with a 403: ${what}`, () =>
      Effect.gen(function* () {
        const { router } = yield* start
        const got = yield* sendChat(router, HI, headers)
        yield* refusedWith(router, got, { status: 403, source: "client", code: "foreign_origin" })
        assert.notProperty(got.headers, "access-control-allow-origin")
      })
    )
})

bothWays("a web page of somebody else", (lanes) => {
  const start = shared(startBoth(lanes))
  for (const host of ["localhost", "LOCALHOST:1", "127.0.0.1:9", "[::1]:8000", "app.localhost"])
    it.scopedLive(`is not what calls it ${host}`, () =>
      Effect.gen(function* () {
        const { router } = yield* start
        yield* succeeded(router, yield* sendChat(router, HI, { host }))
        yield* succeeded(router, yield* sendChat(router, HI, { host, origin: `http://${host}` }))
      })
    )

  const FRIEND = "https://chat.example.com"
  const preflight = (origin: string): Question => ({
    method: "OPTIONS",
    headers: {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization, x-my-header"
    }
  })

  it.scopedLive("gets no leave by default", () =>
    Effect.gen(function* () {
      const { router } = yield* start
      const got = yield* send(router, preflight(FRIEND))
      yield* refusedWith(router, got, { status: 405, source: "client" })
      for (const name of Object.keys(got.headers)) assert.notMatch(name, /^access-control-/)
    })
  )

  it.scopedLive("gets leave to ask where CORS_ORIGINS names it", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      const env = { ...upstream.env, ...ONE_TRY, CORS_ORIGINS: `https://other.example, ${FRIEND}` }
      const router = yield* startRouter(env, { lanes })
      const got = yield* send(router, preflight(FRIEND))
      assert.strictEqual(got.status, 204)
      assert.strictEqual(got.headers["access-control-allow-origin"], FRIEND)
      for (const method of ["GET", "POST", "DELETE"])
        assert.include(got.headers["access-control-allow-methods"], method)
      assert.strictEqual(got.headers["access-control-allow-headers"], "authorization, x-my-header")
      assert.strictEqual(got.headers.vary, "Origin")
      assert.strictEqual(got.text, "")
      yield* servesOn(router, undefined)
    })
  )

  it.scopedLive("gets an x-request-id with its leave, as with every answer", () =>
    Effect.gen(function* () {
      const router = yield* startRouter({ CORS_ORIGINS: FRIEND }, { lanes })
      assert.isString((yield* send(router, preflight(FRIEND))).headers["x-request-id"])
    })
  )

  it.scopedLive("reads answers and errors where CORS_ORIGINS names it", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      const env = { ...upstream.env, ...ONE_TRY, CORS_ORIGINS: FRIEND }
      const router = yield* startRouter(env, { lanes })
      const answer = yield* sendChat(router, HI, { origin: FRIEND })
      yield* succeeded(router, answer)
      const error = yield* sendChat(router, "{", { origin: FRIEND })
      yield* refusedWith(router, error, { status: 400, source: "client" })
      for (const { headers } of [answer, error]) {
        assert.strictEqual(headers["access-control-allow-origin"], FRIEND)
        for (const name of ["x-request-id", "x-total", "x-truncated"])
          assert.include(headers["access-control-expose-headers"], name)
        assert.strictEqual(headers.vary, "Origin")
      }
    })
  )

  it.scopedLive("gets neither leave nor answer where CORS_ORIGINS names others", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      const env = { ...upstream.env, ...ONE_TRY, CORS_ORIGINS: FRIEND }
      const router = yield* startRouter(env, { lanes })
      for (const origin of ["https://evil.example", `${FRIEND}.evil.example`, "http://chat.example.com"]) {
        const leave = yield* send(router, preflight(origin))
        yield* refusedWith(router, leave, { status: 405, source: "client" })
        const answer = yield* sendChat(router, HI, { origin })
        yield* refusedWith(router, answer, { status: 403, source: "client", code: "foreign_origin" })
        for (const { headers } of [leave, answer]) assert.notProperty(headers, "access-control-allow-origin")
      }
    })
  )

  it.scopedLive("needs a key, not an origin, where there are keys", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      const env = { ...upstream.env, ...ONE_TRY, API_KEYS: "a-key" }
      const router = yield* startRouter(env, { lanes })
      const headers = { authorization: "Bearer a-key" }
      const next = { headers }
      const got = yield* sendChat(router, HI, { ...headers, origin: "https://evil.example" })
      yield* succeeded(router, got, next)
      assert.notProperty(got.headers, "access-control-allow-origin")
      const none = yield* sendChat(router, HI, { origin: "https://evil.example" })
      yield* refusedWith(router, none, { status: 401, source: "client" }, next)
    })
  )
})

bothWays("a request nested 100000 deep", (lanes) => {
  const DEEP = "[".repeat(100_000) + "]".repeat(100_000)
  const messages = '"messages":[{"role":"user","content":"x"}]'
  const cases: ReadonlyArray<readonly [string, string]> = [
    ["for a provider", `{"model":"test/plain",${messages},"x":${DEEP}}`],
    ["for a provider that is named", `{"model":"openrouter:test/plain",${messages},"x":${DEEP}}`],
    ["with two models", `{"model":"test/free:free","model":"test/plain",${messages},"x":${DEEP}}`],
    ["without a model", `{${messages},"x":${DEEP}}`],
    ["beyond LOG_BODY_KB", `{"model":"test/plain",${messages},"x":${DEEP},"y":"${"y".repeat(300_000)}"}`],
    ["for percept/inspect", `{"model":"percept/inspect",${messages},"x":${DEEP}}`],
    [
      "within a message for percept/inspect",
      `{"model":"percept/inspect","messages":[{"role":"assistant","tool_calls":[${DEEP}]}]}`
    ]
  ]
  const start = shared(startBoth(lanes))
  for (const [how, body] of cases)
    it.scopedLive(`is taken or refused, but breaks nothing: ${how}`, () =>
      Effect.gen(function* () {
        const { router } = yield* start
        const got = yield* sendChat(router, body)
        if (got.status === 200) yield* succeeded(router, got)
        else yield* refusedWith(router, got, { status: 400, source: "client" })
      })
    )
})

bothWays("two models in one request", (lanes) => {
  const messages = '"messages":[{"role":"user","content":"MARK"}]'
  const cases: ReadonlyArray<readonly [string, string]> = [
    ["one after the other", `{"model":"test/free:free","model":"test/plain",${messages}}`],
    ["around the messages", `{"model":"test/free:free",${messages},"model":"test/plain"}`],
    ["the first one escaped", `{"mod\\u0065l":"test/free:free",${messages},"model":"test/plain"}`],
    ["the second one escaped", `{"model":"test/free:free",${messages},"\\u006dodel":"test/plain"}`],
    ["the first one of a wrong type", `{"model":12,${messages},"model":"test/plain"}`],
    ["the second one for another provider", `{"model":"percept/inspect","model":"test/plain",${messages}}`],
    ["the same twice", `{"model":"test/plain","model":"test/plain",${messages}}`]
  ]
  const start = shared(startBoth(lanes))
  for (const [how, body] of cases)
    it.scopedLive(`mean the one that is recorded, to the provider too: ${how}`, () =>
      Effect.gen(function* () {
        const { router, upstream } = yield* start
        const got = yield* sendChat(router, body.replace("MARK", how))
        const { row } = yield* succeeded(router, got)
        const [sent = "", ...others] = upstream.received.map(textOf).filter((text) => text.includes(how))
        assert.isEmpty(others)
        assert.strictEqual(stringField(parseJson(sent), "model"), "test/plain")
        assert.strictEqual(row.model_requested_by_client, "test/plain")
        assert.strictEqual(row.model_routed_to_openrouter, "test/plain")
        assert.deepStrictEqual([...new Set(modelsIn(sent))], ["test/plain"])
      })
    )
})

const textOf = ({ body }: Received): string => body.toString("utf8")

/** What every `model` in a JSON text says, however its name is escaped: parsers differ in which of them counts. */
const modelsIn = (json: string): ReadonlyArray<unknown> =>
  Array.from(json.matchAll(/("(?:[^"\\]|\\.)*")\s*:\s*("(?:[^"\\]|\\.)*"|[^,}]*)/g))
    .filter(([, key = ""]) => parseJson(key) === "model")
    .map(([, , value = ""]) => parseJson(value))
