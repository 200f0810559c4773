import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib"
import { parseJson, stringField } from "../../src/domain/Json.ts"
import { eventually, filesIn, startRouter } from "../support/Router.ts"
import type { Router } from "../support/Router.ts"
import { shared } from "../support/Shared.ts"
import {
  breaksOff,
  chunk,
  closedPort,
  completion,
  errorAnswer,
  finalRow,
  HI,
  json,
  raw,
  refusedWith,
  reset,
  says,
  sendChat,
  servesOn,
  silence,
  stalls,
  startUpstream,
  stream,
  streamText,
  succeeded,
  UPSTREAM_KEY
} from "../support/Upstream.ts"
import type { Answer, Next, Received, Verdict } from "../support/Upstream.ts"

interface Case {
  readonly name: string
  readonly answer: Answer
  readonly status: number
  readonly verdict?: Partial<Verdict>
  readonly retryAfter?: string
  /** Fields of the provider's error object that must reach the client as they are. */
  readonly kept?: object
  readonly env?: { readonly [name: string]: string }
}

const HTML = { "content-type": "text/html" }
const JSON_TYPE = { "content-type": "application/json" }
const EVENTS = { "content-type": "text/event-stream" }
const PAGE = "<!doctype html><html><body><h1>502 Bad Gateway</h1><script>alert(1)</script></body></html>"

const said = (error: unknown) => ({ error })
const BAD_ANSWER = { code: "bad_upstream_answer", type: "upstream_error" }
const NOT_REACHED = { code: "upstream_unreachable", type: "upstream_error" }
const TOO_LATE = { code: "upstream_timeout", type: "upstream_error" }
const NOT_OUR_KEY = { code: "upstream_auth_failed", type: "upstream_error", says: /operator/ }
const SOON = "300 millis"

const noAnswer: ReadonlyArray<Case> = [
  { name: "a web page", answer: says(200, PAGE, HTML), status: 502, verdict: BAD_ANSWER },
  {
    name: "a web page that claims to be JSON",
    answer: says(200, PAGE, JSON_TYPE),
    status: 502,
    verdict: BAD_ANSWER
  },
  { name: "nothing", answer: says(200, "", JSON_TYPE), status: 502, verdict: BAD_ANSWER },
  { name: "no content (204)", answer: says(204, ""), status: 502, verdict: BAD_ANSWER },
  { name: "an event stream with nothing in it", answer: says(200, "", EVENTS), status: 502 },
  {
    name: "half a JSON answer",
    answer: says(200, '{"id":"gen-1","choices":[{"ind', JSON_TYPE),
    status: 502,
    verdict: BAD_ANSWER
  },
  { name: "JSON without choices", answer: json(200, { id: "gen-1" }), status: 502, verdict: BAD_ANSWER },
  {
    name: "choices that are no list",
    answer: json(200, { choices: "none" }),
    status: 502,
    verdict: BAD_ANSWER
  },
  { name: "null", answer: json(200, null), status: 502, verdict: BAD_ANSWER },
  { name: "a list", answer: json(200, []), status: 502, verdict: BAD_ANSWER },
  { name: "a text in JSON", answer: json(200, "overloaded"), status: 502, verdict: BAD_ANSWER },
  {
    name: "an answer larger than MAX_ANSWER_MB",
    answer: completion("x".repeat(1_100_000)),
    status: 502,
    verdict: BAD_ANSWER,
    env: { MAX_ANSWER_MB: "1" }
  },
  {
    name: "an answer that is small on the wire and larger than MAX_ANSWER_MB unpacked",
    answer: says(200, gzipSync(Buffer.alloc(64 * 1024 * 1024, " ")), {
      ...JSON_TYPE,
      "content-encoding": "gzip"
    }),
    status: 502,
    verdict: BAD_ANSWER,
    env: { MAX_ANSWER_MB: "1" }
  },
  {
    name: "bytes that claim to be gzip",
    answer: says(200, "no gzip", { ...JSON_TYPE, "content-encoding": "gzip" }),
    status: 502,
    verdict: BAD_ANSWER
  },
  {
    name: "half a gzip answer",
    answer: says(200, gzipSync(JSON.stringify({ choices: [] })).subarray(0, 20), {
      ...JSON_TYPE,
      "content-encoding": "gzip"
    }),
    status: 502,
    verdict: BAD_ANSWER
  },
  ...["zstd", "constructor", "gzip, gzip"].map((encoding) => ({
    name: `the content-encoding '${encoding}'`,
    answer: says(200, "x", { ...JSON_TYPE, "content-encoding": encoding }),
    status: 502
  }))
]

const errorInGoodClothes: ReadonlyArray<Case> = [
  {
    name: "an error body with a number as code",
    answer: json(200, said({ code: 429, message: "Rate limited upstream" })),
    status: 429,
    verdict: { says: /^Rate limited upstream$/, type: "rate_limit_error", code: "rate_limit_exceeded" },
    retryAfter: "5"
  },
  {
    name: "an error body with a number in a string as code",
    answer: json(200, said({ code: "503", message: "Overloaded" })),
    status: 503,
    verdict: { says: /^Overloaded$/ },
    retryAfter: "5"
  },
  {
    name: "an error body with a word as code",
    answer: json(200, said({ code: "rate_limit_exceeded", message: "Slow down", type: "requests" })),
    status: 429,
    verdict: { says: /^Slow down$/, code: "rate_limit_exceeded", type: "requests" },
    retryAfter: "5"
  },
  {
    name: "an error body with a code that is no status",
    answer: json(200, said({ code: 12345, message: "Strange" })),
    status: 502,
    verdict: { says: /^Strange$/ }
  },
  {
    name: "an error body that blames the key",
    answer: json(200, said({ code: 401, message: "No auth credentials found" })),
    status: 502,
    verdict: NOT_OUR_KEY
  },
  {
    name: "an error that is only a text",
    answer: json(200, said("Model is overloaded")),
    status: 502,
    verdict: { says: /Model is overloaded/ }
  },
  {
    name: "an error body beside choices",
    answer: json(200, {
      choices: [{ index: 0, message: { content: "" } }],
      error: { code: 502, message: "Broke" }
    }),
    status: 502,
    verdict: { says: /^Broke$/ }
  }
]

const MODERATION = { reasons: ["violence"], flagged_input: "some words", provider_name: "OpenAI" }
const AVAILABILITY = { code: "no_endpoints", retryable: false, fallback_models: ["a/b"] }
const inTenSeconds = () => new Date(Date.now() + 10_000).toUTCString()

const errorStatus: ReadonlyArray<Case> = [
  {
    name: "400 with a JSON error",
    answer: json(
      400,
      said({
        message: "max_tokens is too large",
        type: "invalid_request_error",
        param: "max_tokens",
        code: "too_large",
        metadata: { provider_name: "P", error_type: "max_tokens_exceeded" },
        availability: AVAILABILITY
      })
    ),
    status: 400,
    verdict: {
      says: /^max_tokens is too large$/,
      type: "invalid_request_error",
      param: "max_tokens",
      code: "too_large"
    },
    kept: {
      metadata: { provider_name: "P", error_type: "max_tokens_exceeded" },
      availability: AVAILABILITY
    }
  },
  {
    name: "400 with an error that is only a text",
    answer: json(400, said("model 'x' not found, try pulling it first")),
    status: 400,
    verdict: { says: /try pulling it first/ }
  },
  {
    name: "400 with an error that has no words",
    answer: json(400, said({ message: "", code: 400 })),
    status: 400,
    verdict: { type: "invalid_request_error" }
  },
  {
    name: "400 with an error that has a number for a message",
    answer: json(400, said({ message: 7, type: 8, param: 9, code: 10 })),
    status: 400,
    verdict: { type: "invalid_request_error", param: null, code: null }
  },
  {
    name: "400 with a web page",
    answer: says(400, PAGE, HTML),
    status: 400,
    verdict: { type: "invalid_request_error" }
  },
  {
    name: "400 with the reason in metadata.raw",
    answer: json(
      400,
      said({
        message: "Provider returned error",
        code: 400,
        metadata: { raw: '{"error":{"message":"image too small"}}', provider_name: "P" }
      })
    ),
    status: 400,
    verdict: { says: /image too small/ },
    kept: { metadata: { raw: '{"error":{"message":"image too small"}}', provider_name: "P" } }
  },
  {
    name: "502 with a plain text in metadata.raw",
    answer: json(
      502,
      said({ message: "Provider returned error", code: 502, metadata: { raw: "CUDA out of memory" } })
    ),
    status: 502,
    verdict: { says: /CUDA out of memory/ }
  },
  {
    name: "401",
    answer: json(401, said({ message: "User not found.", code: 401 })),
    status: 502,
    verdict: NOT_OUR_KEY
  },
  {
    name: "403 for the key",
    answer: json(403, said({ message: "Your API key is disabled", code: 403 })),
    status: 502,
    verdict: NOT_OUR_KEY
  },
  { name: "403 with a web page", answer: says(403, PAGE, HTML), status: 502, verdict: NOT_OUR_KEY },
  {
    name: "403 for what the prompt says",
    answer: json(
      403,
      said({ message: "Your input was flagged", code: 403, metadata: MODERATION, type: "moderation" })
    ),
    status: 403,
    verdict: { says: /^Your input was flagged$/ },
    kept: { metadata: MODERATION }
  },
  {
    name: "402",
    answer: json(402, said({ message: "Insufficient credits", code: 402 })),
    status: 402,
    verdict: { says: /^Insufficient credits$/, type: "insufficient_quota", code: "insufficient_quota" }
  },
  {
    name: "404",
    answer: json(404, said({ message: "No endpoints found for x/y", code: 404 })),
    status: 404,
    verdict: { says: /^No endpoints found/, type: "invalid_request_error" }
  },
  {
    name: "408",
    answer: json(408, said({ message: "Timed out", code: 408 })),
    status: 408,
    verdict: { says: /^Timed out$/ }
  },
  {
    name: "413",
    answer: json(413, said({ message: "Payload too large", code: 413 })),
    status: 413,
    verdict: { says: /^Payload too large$/ }
  },
  {
    name: "422",
    answer: json(422, said({ message: "Unprocessable", code: 422 })),
    status: 422,
    verdict: { says: /^Unprocessable$/ }
  },
  {
    name: "429 with seconds to wait",
    answer: json(429, said({ message: "Rate limited", code: 429 }), { "retry-after": "17" }),
    status: 429,
    verdict: { says: /^Rate limited$/, code: "rate_limit_exceeded" },
    retryAfter: "17"
  },
  {
    name: "429 with a date to wait for",
    answer: (request, response) =>
      json(429, said({ message: "Rate limited", code: 429 }), { "retry-after": inTenSeconds() })(
        request,
        response
      ),
    status: 429,
    retryAfter: "9 or 10"
  },
  {
    name: "429 with its wait in the body",
    answer: json(429, said({ message: "Rate limited", code: 429, availability: { retry_after: 21 } })),
    status: 429,
    retryAfter: "21"
  },
  {
    name: "429 with a wait that is none",
    answer: json(429, said({ message: "Rate limited", code: 429 }), { "retry-after": "soon" }),
    status: 429,
    retryAfter: "5"
  },
  { name: "429 with nothing", answer: says(429, ""), status: 429, retryAfter: "5" },
  {
    name: "500 with a web page",
    answer: says(500, PAGE, HTML),
    status: 500,
    verdict: { type: "upstream_error" }
  },
  { name: "502 with a web page", answer: says(502, PAGE, HTML), status: 502 },
  { name: "503 with nothing", answer: says(503, ""), status: 503, retryAfter: "5" },
  {
    name: "529",
    answer: json(529, said({ message: "Overloaded", code: 529 })),
    status: 529,
    verdict: { says: /^Overloaded$/ }
  },
  {
    name: "a packed 429",
    answer: says(429, gzipSync(JSON.stringify(said({ message: "Rate limited", code: 429 }))), {
      ...JSON_TYPE,
      "content-encoding": "gzip",
      "retry-after": "17"
    }),
    status: 429,
    verdict: { says: /^Rate limited$/ },
    retryAfter: "17"
  },
  { name: "304", answer: says(304, ""), status: 502 }
]

const connection: ReadonlyArray<Case> = [
  { name: "a reset instead of an answer", answer: reset, status: 502, verdict: NOT_REACHED },
  {
    name: "bytes that are no HTTP",
    answer: raw("SSH-2.0-OpenSSH_9.6\r\n"),
    status: 502,
    verdict: NOT_REACHED
  },
  {
    name: "a head that never ends",
    answer: raw(`HTTP/1.1 200 OK\r\nx-long: ${"x".repeat(200_000)}`),
    status: 502,
    verdict: NOT_REACHED
  },
  { name: "half of a JSON body and its end", answer: breaksOff(200, '{"id":', JSON_TYPE), status: 502 },
  { name: "half of an error body and its end", answer: breaksOff(400, '{"error":', JSON_TYPE), status: 502 },
  {
    name: "silence",
    answer: silence,
    status: 504,
    verdict: TOO_LATE,
    env: { REQUEST_TIMEOUT: SOON }
  },
  {
    name: "half of a JSON body and then silence",
    answer: stalls(200, '{"id":', JSON_TYPE),
    status: 504,
    verdict: TOO_LATE,
    env: { STREAM_IDLE_TIMEOUT: SOON }
  },
  {
    name: "half of an event and then silence",
    answer: stalls(200, 'data: {"id":', EVENTS),
    status: 504,
    verdict: TOO_LATE,
    env: { STREAM_IDLE_TIMEOUT: SOON }
  }
]

const tables: ReadonlyArray<readonly [string, ReadonlyArray<Case>]> = [
  ["an upstream that answers with something that is no answer", noAnswer],
  ["an upstream that wraps an error in a good answer", errorInGoodClothes],
  ["an upstream that answers with an error", errorStatus],
  ["an upstream whose connection fails", connection]
]

/** Nothing is tried again here, so that each case is one call. */
const ONE_TRY = { UPSTREAM_RETRIES: "0" }

/** A provider that answers each case as it should, by the user its request names, and everybody else well. */
const startTable = (cases: ReadonlyArray<Case>, env: Case["env"] = {}) =>
  Effect.gen(function* () {
    const upstream = yield* startUpstream
    const answers = new Map(
      cases.flatMap(({ answer, name }) => [
        [userOf(name, false), answer],
        [userOf(name, true), answer]
      ])
    )
    const good = completion("Hello from upstream.")
    upstream.answers((request, response) => (answers.get(userIn(request)) ?? good)(request, response))
    return { upstream, router: yield* startRouter({ ...upstream.env, ...ONE_TRY, ...env }) }
  })

const userOf = (name: string, streams: boolean): string =>
  `${name} ${streams ? "for a stream" : "for a plain request"}`

const userIn = ({ body }: Received): string => stringField(parseJson(body.toString("utf8")), "user") ?? ""

for (const [title, cases] of tables) {
  describe(title, () => {
    const usual = shared(startTable(cases))
    describe.concurrent("each", () => {
      for (const { env, kept, name, retryAfter, status, verdict } of cases)
        for (const streams of [false, true])
          it.scopedLive(`${name} is a ${status} ${streams ? "for a stream" : "for a plain request"}`, () =>
            Effect.gen(function* () {
              const { router, upstream } = yield* env === undefined ? usual : startTable(cases, env)
              const user = userOf(name, streams)
              const next = { body: { ...HI, user: `after ${user}` } }
              const got = yield* sendChat(router, { ...HI, stream: streams, user })
              const { error } = yield* refusedWith(
                router,
                got,
                { status, source: "upstream", ...verdict },
                next
              )
              assert.notMatch(got.text, /<|127\.0\.0\.1|ECONN|UND_ERR|HPE_/)
              for (const sent of [user, next.body.user])
                assert.strictEqual(upstream.received.filter((call) => userIn(call) === sent).length, 1)
              for (const [key, value] of Object.entries(kept ?? {})) assert.deepStrictEqual(error[key], value)
              if (retryAfter === undefined) assert.notProperty(got.headers, "retry-after")
              else assert.include(retryAfter.split(" or "), got.headers["retry-after"])
            })
          )
    })
  })
}

describe.concurrent("an upstream that does not take this router's key", () => {
  for (const status of [401, 403])
    it.scopedLive(`does not make the caller think that his own key is wrong (${status})`, () =>
      Effect.gen(function* () {
        const upstream = yield* startUpstream
        const router = yield* startRouter({ ...upstream.env, ...ONE_TRY, API_KEYS: "the-caller's-key" })
        const headers = { authorization: "Bearer the-caller's-key" }
        upstream.once(
          json(status, said({ message: "Incorrect API key provided", code: "invalid_api_key" }), {
            "www-authenticate": "Bearer"
          })
        )
        const got = yield* sendChat(router, HI, headers)
        yield* refusedWith(router, got, { status: 502, source: "upstream", ...NOT_OUR_KEY }, { headers })
        assert.notInclude(got.text, "Incorrect")
        assert.notInclude(got.text, "invalid_api_key")
        assert.notProperty(got.headers, "www-authenticate")
      })
    )
})

describe.concurrent("an upstream that is not there", () => {
  for (const streams of [false, true])
    it.scopedLive(`is a 502 ${streams ? "for a stream" : "for a plain request"}`, () =>
      Effect.gen(function* () {
        const port = yield* closedPort
        const router = yield* startRouter({
          OPENROUTER_API_KEY: UPSTREAM_KEY,
          OPENROUTER_API_URL: `http://127.0.0.1:${port}/v1/chat/completions`,
          OPENROUTER_MODELS_API_URL: `http://127.0.0.1:${port}/v1/models`,
          ...ONE_TRY
        })
        const got = yield* sendChat(router, { ...HI, stream: streams })
        const next: Next = { body: { ...HI, model: "percept/inspect" } }
        yield* refusedWith(router, got, { status: 502, source: "upstream", ...NOT_REACHED }, next)
        assert.notInclude(got.text, String(port))
      })
    )
})

describe.concurrent("an upstream that redirects", () => {
  for (const status of [301, 302, 303, 307, 308])
    it.scopedLive(`is a 502, and where it points to is never called (${status})`, () =>
      Effect.gen(function* () {
        const upstream = yield* startUpstream
        const elsewhere = yield* startUpstream
        const router = yield* startRouter({ ...upstream.env, ...ONE_TRY })
        upstream.once(says(status, "", { location: `${elsewhere.url}/v1/chat/completions` }))
        const got = yield* sendChat(router, HI)
        yield* refusedWith(router, got, { status: 502, source: "upstream" })
        assert.strictEqual(elsewhere.received.length + elsewhere.listed.length, 0)
        assert.notProperty(got.headers, "location")
      })
    )
})

describe.concurrent("an upstream that packs its answers unasked", () => {
  const pack = { gzip: gzipSync, "x-gzip": gzipSync, deflate: deflateSync, br: brotliCompressSync }
  const answer = JSON.stringify({
    id: "gen-1",
    choices: [{ index: 0, message: { role: "assistant", content: "grüße" }, finish_reason: "stop" }]
  })
  const events = streamText(["Hel", "lo ", "wörld"])
  for (const [encoding, packed] of Object.entries(pack))
    for (const [what, text, type] of [
      ["an answer", answer, JSON_TYPE],
      ["a stream", events, EVENTS]
    ] as const)
      it.scopedLive(`${what} in ${encoding} comes out readable`, () =>
        Effect.gen(function* () {
          const upstream = yield* startUpstream
          const router = yield* startRouter({ ...upstream.env, ...ONE_TRY })
          upstream.once(says(200, packed(text), { ...type, "content-encoding": encoding }))
          const got = yield* sendChat(router, { ...HI, stream: type === EVENTS })
          yield* succeeded(router, got)
          assert.strictEqual(got.text, text)
          assert.notProperty(got.headers, "content-encoding")
          assert.strictEqual(upstream.received[0]?.headers["accept-encoding"], "identity")
        })
      )
})

describe.concurrent("an upstream that says what it cannot say", () => {
  it.scopedLive("a generation id that is no text for a header does not cost the answer", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      const router = yield* startRouter({ ...upstream.env, ...ONE_TRY })
      for (const streams of [false, true]) {
        const good = streams ? stream(streamText(["Hi"])) : completion("Hi")
        upstream.once((request, response) => {
          response.setHeader("x-generation-id", "gen-\u00e9")
          good(request, response)
        })
        yield* succeeded(router, yield* sendChat(router, { ...HI, stream: streams }))
      }
    })
  )

  for (const packed of [false, true])
    it.scopedLive(`${packed ? "a packed" : "an"} error nested 100000 deep harms nobody`, () =>
      Effect.gen(function* () {
        const upstream = yield* startUpstream
        const router = yield* startRouter({ ...upstream.env, ...ONE_TRY })
        const text = `{"error":{"message":"deep","code":400,"metadata":${"[".repeat(1e5)}${"]".repeat(1e5)}}}`
        upstream.once(
          packed
            ? says(400, gzipSync(text), { ...JSON_TYPE, "content-encoding": "gzip" })
            : says(400, text, JSON_TYPE)
        )
        const got = yield* sendChat(router, HI)
        assert.include([400, 502], got.status)
        yield* refusedWith(router, got, { status: got.status, source: "upstream" })
      })
    )
})

describe.concurrent("an upstream that echoes the router's key", () => {
  const echo = `wrong key ${UPSTREAM_KEY}, Bearer ${UPSTREAM_KEY}`
  const headers = {
    "x-generation-id": UPSTREAM_KEY,
    "www-authenticate": `Bearer ${UPSTREAM_KEY}`,
    "retry-after": UPSTREAM_KEY,
    "x-debug": UPSTREAM_KEY
  }
  const error = {
    message: echo,
    code: UPSTREAM_KEY,
    type: UPSTREAM_KEY,
    param: UPSTREAM_KEY,
    [UPSTREAM_KEY]: UPSTREAM_KEY,
    metadata: { raw: JSON.stringify({ error: { message: echo } }), headers: { authorization: UPSTREAM_KEY } }
  }
  const cases: ReadonlyArray<readonly [string, Answer]> = [
    ["in an error", json(400, said(error), headers)],
    [
      "in an error of the provider behind it",
      json(502, said({ ...error, message: "Provider returned error" }))
    ],
    ["in an error with status 200", json(200, said({ ...error, code: 500 }), headers)],
    ["in a refusal", json(401, said(error), headers)],
    ["in a text that is no JSON", says(500, `${PAGE} ${echo}`, { ...HTML, ...headers })],
    ["in something that is no answer", says(200, `{"ok":"${echo}"}`, { ...JSON_TYPE, ...headers })],
    [
      "in an error within a stream",
      (_, response) => {
        response.writeHead(200, { ...EVENTS, ...headers })
        response.end(`${chunk({ content: "Hi" })}data: ${JSON.stringify(said(error))}\n\n`)
      }
    ]
  ]
  for (const [where, answer] of cases)
    it.scopedLive(`${where} shows it to nobody`, () =>
      Effect.gen(function* () {
        const upstream = yield* startUpstream
        const router = yield* startRouter({ ...upstream.env, ...ONE_TRY })
        upstream.once(answer)
        const got = yield* sendChat(router, HI)
        assert.notInclude(got.text, UPSTREAM_KEY)
        assert.notInclude(JSON.stringify(got.headers), UPSTREAM_KEY)
        if (got.status === 200) assert.strictEqual((yield* finalRow(router, got)).state, "failed")
        else errorAnswer(got, { status: got.status })
        const row = yield* finalRow(router, got)
        assert.isAbove(row.error_message?.length ?? 0, 0)
        yield* servesOn(router, row)
        yield* logged(router, row.internal_request_id)
        assert.deepStrictEqual(filesWith(router, UPSTREAM_KEY), [])
      })
    )
})

/** Waits for the request's line in the log. */
const logged = (router: Router, id: string) =>
  eventually(
    Effect.sync(() => filesWith(router, id)),
    (files) => files.includes("router.log.json")
  )

const filesWith = (router: Router, secret: string): ReadonlyArray<string> =>
  filesIn(router.dataDir).flatMap(([name, content]) => (content.includes(secret) ? [name] : []))
