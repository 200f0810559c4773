import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { field, parseJson } from "../../src/domain/Json.ts"
import { corners } from "../support/Corner.ts"
import { eventually, startRouter } from "../support/Router.ts"
import {
  abandonedWith,
  breaksOff,
  brokenOffWith,
  chunk,
  client,
  completion,
  json,
  openStream,
  raw,
  refusedWith,
  reset,
  says,
  send,
  sendChat,
  startUpstream,
  stream,
  streamText,
  succeeded
} from "../support/Upstream.ts"
import type { Answer } from "../support/Upstream.ts"

/** One router for all cases with the same `UPSTREAM_RETRIES`. */
const retrying = (env: { readonly [name: string]: string } = {}) =>
  corners(
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      return { upstream, router: yield* startRouter({ ...upstream.env, ...env }) }
    })
  )

const usual = retrying()
const never = retrying({ UPSTREAM_RETRIES: "0" })
const once = retrying({ UPSTREAM_RETRIES: "1" })
const twice = retrying({ UPSTREAM_RETRIES: "2" })

const failing = (status: number, error: object = {}, headers: Record<string, string> = {}): Answer =>
  json(status, { error: { code: status, message: "Not to be seen", ...error } }, headers)

const event = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`
const COMMENT = ": OPENROUTER PROCESSING\n\n"
const GOOD = chunk({ content: "Hello" })
const BROKEN = { error: { code: "server_error", message: "Gone" } }

/** The beginning of a call, half of its arguments. */
const CALL = chunk({
  tool_calls: [{ index: 0, id: "call_1", type: "function", function: { name: "find", arguments: '{"ci' } }]
})

/** The same answer, and when it was asked for. */
const noting =
  (times: Array<number>, answer: Answer): Answer =>
  (request, response) => {
    times.push(performance.now())
    answer(request, response)
  }

/** Without it a 429 or a 503 may be given more time than these tests have. */
const AT_ONCE = { "retry-after": "0" }
const OVERLOADED = { code: 503, message: "Not to be seen", availability: { retry_after: 0 } }

/** Faults that may pass, each before anything has gone to the client. */
const passing: ReadonlyArray<readonly [string, Answer]> = [
  ...[408, 500, 502, 504, 524, 529].map((status) => [`a ${status}`, failing(status)] as const),
  ...[429, 503].map((status) => [`a ${status}`, failing(status, {}, AT_ONCE)] as const),
  ["a web page with status 503", says(503, "<html>", { "content-type": "text/html", ...AT_ONCE })],
  ["a reset", reset],
  ["bytes that are no HTTP", raw("nonsense\r\n\r\n")],
  ["half a JSON answer", breaksOff(200, '{"id":', { "content-type": "application/json" })],
  [
    "a stream that breaks off before its first event",
    breaksOff(200, "", { "content-type": "text/event-stream" })
  ],
  ["half an event", breaksOff(200, 'data: {"id"', { "content-type": "text/event-stream" })],
  ["a 503 in a good answer", json(200, { error: OVERLOADED })],
  ["a 503 as first event", stream(event({ error: OVERLOADED }))]
]

describe.concurrent("what fails is tried again, and the client sees only the success, after", () => {
  for (const [what, fault] of passing)
    for (const streams of [false, true])
      it.scopedLive(`${what} ${streams ? "for a stream" : "for a plain request"}`, () =>
        Effect.gen(function* () {
          const { hi, router, streamed, upstream } = yield* once
          const text = streamText(["Hel", "lo"])
          upstream.once(fault, streams ? stream(text) : completion("Hello"))
          const got = yield* sendChat(router, streams ? streamed : hi)
          const rows = yield* router.rows
          const { row } = yield* succeeded(router, got)
          assert.deepStrictEqual(rows, [row])
          assert.notInclude(got.text, "Not to be seen")
          if (streams) assert.strictEqual(got.text, text)
          const [first, second] = upstream.received
          assert.strictEqual(upstream.received.length, 3)
          assert.deepStrictEqual(second?.body, first?.body)
          assert.deepStrictEqual(second?.headers, first?.headers)
        })
      )

  it.scopedLive("two faults of different kinds", () =>
    Effect.gen(function* () {
      const { hi, router, upstream } = yield* twice
      upstream.once(failing(500), reset)
      yield* succeeded(router, yield* sendChat(router, hi))
      assert.strictEqual(upstream.received.length, 4)
    })
  )

  it.scopedLive("a fault that bore a generation id, of which nothing is left", () =>
    Effect.gen(function* () {
      const { hi, router, upstream } = yield* once
      const good = completion("Hello")
      upstream.once(failing(500, {}, { "x-generation-id": "gen-bad" }), (request, response) => {
        response.setHeader("x-generation-id", "gen-good")
        good(request, response)
      })
      const got = yield* sendChat(router, hi)
      assert.strictEqual(got.headers["x-generation-id"], "gen-good")
      const { row } = yield* succeeded(router, got)
      assert.strictEqual(row.openrouter_request_id, "gen-good")
    })
  )

  it.scopedLive("a fault that bore a generation id, where the success bears none", () =>
    Effect.gen(function* () {
      const { hi, router, upstream } = yield* once
      upstream.once(
        failing(500, {}, { "x-generation-id": "gen-bad" }),
        completion("Hello", { id: "gen-good" })
      )
      const got = yield* sendChat(router, hi)
      assert.notProperty(got.headers, "x-generation-id")
      const { row } = yield* succeeded(router, got)
      assert.strictEqual(row.openrouter_request_id, "gen-good")
    })
  )
})

describe.concurrent("what will not pass is tried once", () => {
  const lasting: ReadonlyArray<readonly [string, Answer, number]> = [
    ...[400, 402, 404, 413, 422].map((status) => [`a ${status}`, failing(status), status] as const),
    ["a 401", failing(401), 502],
    ["a 403", failing(403), 502],
    ["a 503 that says it is of no use", failing(503, { availability: { retryable: false } }), 503],
    ["a 429 that says it is of no use", failing(429, { availability: { retryable: false } }), 429],
    ["something that is no answer", json(200, {}), 502],
    ["a 400 in a good answer", json(200, { error: { code: 400, message: "Wrong" } }), 400],
    ["a first event that is no JSON", stream("data: {nope}\n\n"), 502]
  ]
  for (const [what, answer, status] of lasting)
    it.scopedLive(what, () =>
      Effect.gen(function* () {
        const { hi, router, upstream } = yield* usual
        upstream.once(answer)
        const got = yield* sendChat(router, hi)
        assert.strictEqual(upstream.received.length, 1)
        yield* refusedWith(router, got, { status, source: "upstream" })
      })
    )

  it.scopedLive("a stream that has brought an event", () =>
    Effect.gen(function* () {
      const { router, streamed, upstream } = yield* usual
      upstream.once(breaksOff(200, GOOD, { "content-type": "text/event-stream" }))
      const got = yield* sendChat(router, streamed)
      assert.strictEqual(upstream.received.length, 1)
      yield* brokenOffWith(router, got, { begun: GOOD })
    })
  )

  it.scopedLive("a stream that has brought an event and then a 503", () =>
    Effect.gen(function* () {
      const { router, streamed, upstream } = yield* usual
      upstream.once(stream(GOOD, event({ error: { code: 503, message: "Overloaded" } })))
      const got = yield* sendChat(router, streamed)
      assert.strictEqual(upstream.received.length, 1)
      yield* brokenOffWith(router, got, { begun: GOOD, says: /^Overloaded$/ })
    })
  )

  it.scopedLive("a stream that has brought a comment", () =>
    Effect.gen(function* () {
      const { router, streamed, upstream } = yield* usual
      upstream.once(breaksOff(200, COMMENT, { "content-type": "text/event-stream" }))
      const got = yield* sendChat(router, streamed)
      assert.strictEqual(upstream.received.length, 1)
      yield* brokenOffWith(router, got, { begun: COMMENT })
    })
  )

  for (const [what, sent] of [
    ["two pieces", [CALL, event(BROKEN)]],
    ["one piece", [CALL + event(BROKEN)]]
  ] as const)
    it.scopedLive(`a stream that has begun what an Ollama client is told at the end, in ${what}`, () =>
      Effect.gen(function* () {
        const { router, streamed, upstream } = yield* usual
        upstream.once(stream(...sent))
        const got = yield* send(router, { path: "/api/chat", body: JSON.stringify(streamed) })
        assert.strictEqual(upstream.received.length, 1)
        assert.deepStrictEqual([got.status, parseJson(got.text)], [502, { error: "Gone" }])
        const [row] = yield* router.rows
        assert.strictEqual(row?.state, "failed")
      })
    )

  it.scopedLive("anything, with UPSTREAM_RETRIES=0", () =>
    Effect.gen(function* () {
      const { hi, router, upstream } = yield* never
      upstream.once(failing(503))
      const got = yield* sendChat(router, hi)
      assert.strictEqual(upstream.received.length, 1)
      yield* refusedWith(router, got, { status: 503, source: "upstream" })
    })
  )
})

describe.concurrent("what goes on failing", () => {
  for (const [retries, where] of [
    [1, once],
    [2, twice]
  ] as const)
    it.scopedLive(`is given up after UPSTREAM_RETRIES=${retries}, with the last error`, () =>
      Effect.gen(function* () {
        const { hi, router, upstream } = yield* where
        const faults = Array.from({ length: retries + 1 }, (_, index) =>
          failing(502, { message: `try ${index + 1}` })
        )
        upstream.once(...faults)
        const got = yield* sendChat(router, hi)
        assert.strictEqual(upstream.received.length, retries + 1)
        assert.strictEqual((yield* router.rows).length, 1)
        yield* refusedWith(router, got, {
          status: 502,
          source: "upstream",
          says: new RegExp(`^try ${retries + 1}$`)
        })
      })
    )

  it.scopedLive("is tried twice more where UPSTREAM_RETRIES is not set", () =>
    Effect.gen(function* () {
      const { hi, router, upstream } = yield* usual
      upstream.once(reset, reset, reset)
      const got = yield* sendChat(router, hi)
      assert.strictEqual(upstream.received.length, 3)
      yield* refusedWith(router, got, { status: 502, source: "upstream", code: "upstream_unreachable" })
    })
  )

  it.scopedLive("ends with a fault that will not pass", () =>
    Effect.gen(function* () {
      const { hi, router, upstream } = yield* usual
      upstream.once(failing(500), failing(400, { message: "Wrong" }))
      const got = yield* sendChat(router, hi)
      assert.strictEqual(upstream.received.length, 2)
      yield* refusedWith(router, got, { status: 400, source: "upstream", says: /^Wrong$/ })
    })
  )

  it.scopedLive("is left alone once its client has left", () =>
    Effect.gen(function* () {
      const { hi, router, upstream } = yield* usual
      const wait = { "retry-after": "1" }
      upstream.once(failing(503, {}, wait))
      const asking = yield* client(router, { body: JSON.stringify(hi) })
      yield* eventually(
        Effect.sync(() => upstream.received.length),
        (calls) => calls === 1
      )
      asking.leave()
      yield* abandonedWith(router, 499)
      // This one waits as long as the other would have, from later on.
      upstream.once(failing(503, {}, wait))
      yield* succeeded(router, yield* sendChat(router, hi))
      assert.strictEqual(upstream.received.length, 1 + 1 + 2 + 1)
    })
  )
})

describe.concurrent("Retry-After", () => {
  const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000).toUTCString()
  const waits: ReadonlyArray<readonly [string, () => Answer, number]> = [
    ["in seconds", () => failing(429, {}, { "retry-after": "1" }), 1000],
    // A date has whole seconds only.
    ["as a date", () => failing(503, {}, { "retry-after": inSeconds(2) }), 1000],
    ["in the body", () => failing(503, { availability: { retry_after: 1, retryable: true } }), 1000],
    ["on a 500", () => failing(500, {}, { "retry-after": "1" }), 1000]
  ]
  for (const [how, fault, wait] of waits)
    it.scopedLive(`${how} is waited for`, () =>
      Effect.gen(function* () {
        const { hi, router, upstream } = yield* usual
        const times: Array<number> = []
        upstream.once(noting(times, fault()), noting(times, completion("Hello")))
        yield* succeeded(router, yield* sendChat(router, hi))
        const [first = 0, second = 0] = times
        assert.isAtLeast(second - first, wait - 20)
      })
    )

  it.scopedLive("that is shorter than the usual wait does not hurry", () =>
    Effect.gen(function* () {
      const { hi, router, upstream } = yield* usual
      const times: Array<number> = []
      upstream.once(
        noting(times, failing(503, {}, { "retry-after": "0" })),
        noting(times, completion("Hello"))
      )
      yield* succeeded(router, yield* sendChat(router, hi))
      const [first = 0, second = 0] = times
      assert.isAtLeast(second - first, 100)
    })
  )

  for (const status of [429, 503])
    it.scopedLive(
      `that is not there is not made up: a ${status} is sooner tried again than one with 3 s`,
      () =>
        Effect.gen(function* () {
          const { hi, router, upstream } = yield* usual
          const order: Array<unknown> = []
          const first = (headers: Record<string, string>): Answer => failing(status, {}, headers)
          const second: Answer = (request, response) => {
            order.push(field(parseJson(request.body.toString("utf8")), "user"))
            completion("Hello")(request, response)
          }
          upstream.once(first({ "retry-after": "3" }), first({}), second, second)
          const patient = yield* client(router, { body: JSON.stringify({ ...hi, user: "patient" }) })
          yield* eventually(
            Effect.sync(() => upstream.received.length),
            (calls) => calls === 1
          )
          const hasty = yield* client(router, { body: JSON.stringify({ ...hi, user: "hasty" }) })
          yield* patient.answer
          yield* succeeded(router, yield* hasty.answer)
          assert.deepStrictEqual(order, ["hasty", "patient"])
        })
    )

  const patience: ReadonlyArray<readonly [string, Record<string, string>]> = [
    ["an hour", { "retry-after": "3600" }],
    ["an hour, as a date", { "retry-after": inSeconds(3600) }]
  ]
  for (const [what, headers] of patience)
    for (const status of [429, 503])
      it.scopedLive(`of ${what} is not waited for but passed on (${status})`, () =>
        Effect.gen(function* () {
          const { hi, router, upstream } = yield* usual
          upstream.once(failing(status, {}, headers))
          const got = yield* sendChat(router, hi)
          assert.strictEqual(upstream.received.length, 1)
          const wait = Number(got.headers["retry-after"])
          assert.isAtMost(wait, 3600)
          assert.isAtLeast(wait, 3500)
          yield* refusedWith(router, got, { status, source: "upstream" })
        })
      )

  it.scopedLive("of a stream's first event is waited for too", () =>
    Effect.gen(function* () {
      const { router, streamed, upstream } = yield* usual
      const times: Array<number> = []
      const fault = event({ error: { code: 429, message: "x", availability: { retry_after: 1 } } })
      upstream.once(
        noting(times, (_, response) => {
          openStream(response)
          response.end(fault)
        }),
        noting(times, stream(streamText(["Hello"])))
      )
      yield* succeeded(router, yield* sendChat(router, streamed))
      const [first = 0, second = 0] = times
      assert.isAtLeast(second - first, 980)
    })
  )
})
