import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { ServerResponse } from "node:http"
import { gzipSync } from "node:zlib"
import { corners } from "../support/Corner.ts"
import { eventually, startRouter } from "../support/Router.ts"
import {
  abandonedWith,
  brokenOffWith,
  byHand,
  chunk,
  client,
  HI,
  openStream,
  refusedWith,
  says,
  sendChat,
  silence,
  startUpstream,
  stream,
  streamText,
  succeeded,
  USAGE
} from "../support/Upstream.ts"
import type { Answer, Upstream, Verdict } from "../support/Upstream.ts"

/** Nothing is tried again here, so that each case is one call. */
const ONE_TRY = { UPSTREAM_RETRIES: "0" }
const SOON = { REQUEST_TIMEOUT: "400 millis", STREAM_IDLE_TIMEOUT: "300 millis" }
const STREAM = { ...HI, stream: true }

const start = (env: { readonly [name: string]: string } = {}, lanes = true) =>
  Effect.gen(function* () {
    const upstream = yield* startUpstream
    return { upstream, router: yield* startRouter({ ...upstream.env, ...ONE_TRY, ...env }, { lanes }) }
  })

/** One router for all cases that want nothing else of it, one that has no patience, and one without lanes. */
const usual = corners(start())
const hasty = corners(start(SOON))
const slow = corners(start({}, false))

const event = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`
const GOOD = chunk({ role: "assistant", content: "Hel" }) + chunk({ content: "lo" })
const END = chunk({}, "stop", { usage: USAGE }) + "data: [DONE]\n\n"
const COMMENT = ": OPENROUTER PROCESSING\n\n"
/** Where the two bytes of an `ö` are torn apart. */
const SPLIT_OE = Buffer.from(chunk({ content: "ö" })).indexOf(0xc3) + 1
const HALF = chunk({ content: "never to be seen" }).slice(0, -20)

const said = (error: unknown) => ({
  id: "gen-1",
  object: "chat.completion.chunk",
  error,
  choices: [{ index: 0, delta: { content: "" }, finish_reason: "error" }]
})

/** Sends the same again and again until the connection is gone. */
const again = (response: ServerResponse, text: string): void => {
  const beat = setInterval(() => response.write(text), 50)
  response.on("close", () => clearInterval(beat))
}

const hungUpOn = (upstream: Pick<Upstream, "received">) =>
  eventually(
    Effect.sync(() => upstream.received[0]?.aborted),
    (aborted) => aborted === true
  )

/** Sends a piece again and again as long as it is taken, and then the end; tells how many bytes are out. */
const pour = (response: ServerResponse, piece: Buffer, total: number): (() => number) => {
  let sent = 0
  const more = (): void => {
    while (sent < total) {
      if (response.destroyed) return
      sent += piece.length
      if (!response.write(piece)) return void response.once("drain", more)
    }
    response.end(END)
  }
  more()
  return () => sent
}

/** Waits until a number has not changed for half a second. */
const standsStill = (look: () => number) => {
  let last = -1
  let since = 0
  return eventually(
    Effect.sync(() => {
      const now = look()
      since = now === last ? since + 1 : 0
      last = now
      return since
    }),
    (since) => since >= 25
  )
}

/** The first of all, so that the memory it measures is its own. */
describe("a client that does not read", () => {
  const PIECE = Buffer.from(chunk({ content: "x".repeat(64 * 1024) }))
  const MEGABYTE = 1024 * 1024

  it.scopedLive("pauses the upstream, and costs no memory", () =>
    Effect.gen(function* () {
      const { router, upstream } = yield* start()
      const before = process.memoryUsage.rss()
      const answering = byHand(upstream)
      const asking = yield* client(router, { body: JSON.stringify(STREAM), deaf: true })
      const response = yield* answering
      openStream(response)
      const sent = pour(response, PIECE, 200 * MEGABYTE)
      yield* asking.head
      yield* standsStill(sent)
      assert.isBelow(sent(), 50 * MEGABYTE)
      assert.isBelow(process.memoryUsage.rss() - before, 150 * MEGABYTE)
      asking.leave()
      yield* hungUpOn(upstream)
      yield* abandonedWith(router, 200)
    })
  )

  it.scopedLive("and then does gets everything", () =>
    Effect.gen(function* () {
      const { router, upstream } = yield* start()
      const answering = byHand(upstream)
      const asking = yield* client(router, { body: JSON.stringify(STREAM), deaf: true })
      const response = yield* answering
      openStream(response)
      const sent = pour(response, PIECE, 40 * MEGABYTE)
      yield* asking.head
      yield* standsStill(sent)
      assert.isBelow(sent(), 40 * MEGABYTE)
      asking.listen()
      const got = yield* asking.answer
      assert.strictEqual(got.bytes.length, sent() + END.length)
      assert.isTrue(got.bytes.subarray(-END.length).equals(Buffer.from(END)))
      yield* succeeded(router, got)
    })
  )

  it.scopedLive("costs no memory where the upstream packs what it sends", () =>
    Effect.gen(function* () {
      const { router, upstream } = yield* start()
      const packed = gzipSync(Buffer.concat(Array.from({ length: 256 }, () => PIECE)))
      const before = process.memoryUsage.rss()
      const answering = byHand(upstream)
      const asking = yield* client(router, { body: JSON.stringify(STREAM), deaf: true })
      const response = yield* answering
      response.setHeader("content-encoding", "gzip")
      openStream(response)
      for (let times = 0; times < 13; times++) response.write(packed)
      yield* asking.head
      yield* standsStill(() => process.memoryUsage.rss() >> 23)
      assert.isBelow(process.memoryUsage.rss() - before, 150 * MEGABYTE)
      asking.leave()
      yield* abandonedWith(router, 200)
    })
  )

  it.scopedLive("does not hear the end of an event that never ends either", () =>
    Effect.gen(function* () {
      const { router, upstream } = yield* start()
      const before = process.memoryUsage.rss()
      const answering = byHand(upstream)
      const asking = yield* client(router, { body: JSON.stringify(STREAM) })
      const response = yield* answering
      openStream(response)
      response.write(`${GOOD}data: "`)
      const sent = pour(response, Buffer.alloc(64 * 1024, "x"), 200 * MEGABYTE)
      yield* brokenOffWith(router, yield* asking.answer, { ...NONSENSE, begun: GOOD })
      assert.isBelow(sent(), 50 * MEGABYTE)
      assert.isBelow(process.memoryUsage.rss() - before, 150 * MEGABYTE)
    })
  )
})

describe.concurrent("a good stream arrives byte for byte", () => {
  const text = streamText(["Hel", "lo ", "wörld ", "🎉"])
  const bytes = Buffer.from(text)
  const inPieces = (bytes: Buffer, size: number): ReadonlyArray<Buffer> =>
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
      bytes.subarray(index * size, (index + 1) * size)
    )
  const usageLast =
    GOOD + chunk({}, "stop") + event({ id: "gen-1", choices: [], usage: USAGE }) + "data: [DONE]\n\n"
  const toolCall = { tool_calls: [{ index: 0, id: "call_1", function: { name: "f", arguments: "{}" } }] }
  const two = (index: number, delta: object, finish_reason: string | null = null) =>
    event({ id: "gen-1", choices: [{ index, delta, finish_reason }] })

  const cases: ReadonlyArray<readonly [string, ReadonlyArray<string | Buffer>]> = [
    ["all in one packet", [text]],
    ["one event a packet", text.split(/(?<=\n\n)/)],
    ["several events a packet", text.split(/(?<=\n\n.*\n\n)/s)],
    ["one byte at a time", inPieces(bytes, 1)],
    ...[2, 3, 7, 61].map((size) => [`${size} bytes at a time`, inPieces(bytes, size)] as const),
    ["with CRLF", [text.replaceAll("\n", "\r\n")]],
    ["with CRLF, one byte at a time", inPieces(Buffer.from(text.replaceAll("\n", "\r\n")), 1)],
    ["with comments", [COMMENT + COMMENT, GOOD + COMMENT, COMMENT.trimEnd() + "\n", END + COMMENT]],
    ["with comments, one byte at a time", inPieces(Buffer.from(COMMENT + GOOD + COMMENT + END), 1)],
    ["with comments within events", [`: a\n${GOOD.replaceAll("\n\n", "\n: b\n\n")}`, END]],
    ["with names, numbers and delays", [`event: message\nid: 7\nretry: 10\n${GOOD}`, `id: 8\n\n${END}`]],
    ["without blanks after colons", [(GOOD + END).replaceAll("data: ", "data:")]],
    ["with data in several lines", [GOOD.replaceAll(",", ",\ndata: "), END]],
    [
      "with data in several lines, 5 bytes at a time",
      inPieces(Buffer.from(GOOD.replaceAll(",", ",\ndata:") + END), 5)
    ],
    ["with empty data", ["data:\n\n", GOOD, "data: \n\n", END]],
    ["with usage in a chunk without choices", [usageLast]],
    ["with tool calls", [chunk(toolCall), chunk({}, "tool_calls", { usage: USAGE }), "data: [DONE]\n\n"]],
    [
      "with fields nobody knows",
      [chunk({ content: "x", wild: { a: [null] } }, null, { provider: "P" }), END]
    ],
    [
      "with two choices",
      [two(0, { content: "a" }), two(1, { content: "b" }), two(1, {}, "stop"), two(0, {}, "length")]
    ],
    ["with an error that is null", [chunk({ content: "x" }, null, { error: null }), END]],
    ["with an event of 1 MB", [GOOD, chunk({ content: "x".repeat(1024 * 1024) }), END]],
    ["without [DONE] after its finish", [GOOD, chunk({}, "stop", { usage: USAGE })]],
    ["without [DONE] and the last line break", [GOOD, chunk({}, "stop", { usage: USAGE }).trimEnd()]],
    ["with [DONE] but without the last line break", [GOOD, END.trimEnd()]]
  ]
  for (const [how, pieces] of cases)
    it.scopedLive(how, () =>
      Effect.gen(function* () {
        const { router, streamed, upstream } = yield* usual
        upstream.once(stream(...pieces))
        const got = yield* sendChat(router, streamed)
        const sent = Buffer.concat(pieces.map((piece) => Buffer.from(piece)))
        assert.isTrue(got.bytes.equals(sent), got.text.slice(-600))
        assert.match(got.headers["content-type"] ?? "", /^text\/event-stream\b/)
        const { row } = yield* succeeded(router, got)
        assert.strictEqual(row.is_streaming, 1)
        if (got.text.includes('"usage"')) assert.strictEqual(row.total_tokens, USAGE.total_tokens)
      })
    )

  it.scopedLive("with comments that come before there is an event", () =>
    Effect.gen(function* () {
      const { router, streamed, upstream } = yield* usual
      const answering = byHand(upstream)
      const asking = yield* client(router, { body: JSON.stringify(streamed) })
      const response = yield* answering
      openStream(response)
      for (const comment of [COMMENT, ": still at it\n\n", ":\n\n"]) {
        response.write(comment)
        yield* asking.hears(comment)
      }
      response.end(GOOD + END)
      const got = yield* asking.answer
      assert.strictEqual(got.text, `${COMMENT}: still at it\n\n:\n\n${GOOD}${END}`)
      yield* succeeded(router, got)
    })
  )

  it.scopedLive("and ends with [DONE], though the upstream never closes", () =>
    Effect.gen(function* () {
      const { router, streamed, upstream } = yield* usual
      const answering = byHand(upstream)
      const asking = yield* client(router, { body: JSON.stringify(streamed) })
      const response = yield* answering
      openStream(response)
      response.write(GOOD + END)
      const got = yield* asking.answer
      assert.strictEqual(got.text, GOOD + END)
      yield* succeeded(router, got)
    })
  )

  it.scopedLive("and ends with [DONE], though the upstream goes on and on", () =>
    Effect.gen(function* () {
      const { router, streamed, upstream } = yield* usual
      upstream.once((_, response) => {
        openStream(response)
        response.write(GOOD + END)
        again(response, GOOD)
      })
      const got = yield* sendChat(router, streamed)
      assert.strictEqual(got.text, GOOD + END)
      yield* succeeded(router, got)
      yield* hungUpOn(upstream)
    })
  )
})

interface Break {
  readonly name: string
  /** What the client has got when it happens. */
  readonly begun: string
  readonly happens: (response: ServerResponse) => void
  readonly verdict?: Partial<Verdict>
  /** Where it happens; else it does where all do. */
  readonly where?: typeof usual
}

/** Says something more, and ends as if nothing were wrong. */
const then = (text: string | Buffer) => (response: ServerResponse) => void response.end(text)

/** Says something more, and closes the connection in the middle of the answer. */
const torn = (text: string | Buffer) => (response: ServerResponse) =>
  void response.write(text, () => response.socket?.end())

const BROKE_OFF: Partial<Verdict> = { code: "upstream_broke_off", type: "upstream_error", says: /broke off/ }
const NONSENSE: Partial<Verdict> = { code: "bad_upstream_answer", type: "upstream_error" }

const tears: ReadonlyArray<readonly [string, string | Buffer]> = [
  ["in the middle of an event", HALF],
  ["in the middle of a character", Buffer.from(chunk({ content: "ö" })).subarray(0, SPLIT_OE)],
  ["in the middle of the word 'data'", "da"],
  ["after the word 'data'", "data"],
  ["after a colon", "data: "],
  ["in the middle of a comment", ": OPENROU"],
  ["in the middle of another field", "event: mess"],
  ["between the lines of an event", 'data: {"id":"gen-1",\n'],
  ["in the middle of a CRLF between the lines of an event", 'data: {"id":"gen-1",\r']
]

const breaks: ReadonlyArray<Break> = [
  ...[GOOD, COMMENT, GOOD + COMMENT].flatMap((begun) => {
    const after = begun === GOOD ? "events" : begun === COMMENT ? "a comment" : "events and a comment"
    return [
      {
        name: `a reset after ${after}`,
        begun,
        happens: (response: ServerResponse) => void response.socket?.resetAndDestroy(),
        verdict: BROKE_OFF
      },
      { name: `an end without a finish after ${after}`, begun, happens: then(""), verdict: BROKE_OFF },
      { name: `a closed connection after ${after}`, begun, happens: torn(""), verdict: BROKE_OFF }
    ]
  }),
  ...tears.flatMap(([where, rest]) => [
    { name: `an end ${where}`, begun: GOOD, happens: then(rest), verdict: BROKE_OFF },
    { name: `a closed connection ${where}`, begun: GOOD, happens: torn(rest), verdict: BROKE_OFF }
  ]),
  {
    name: "an end where one of two choices has not finished",
    begun:
      event({ choices: [{ index: 0, delta: { content: "a" } }] }) +
      event({ choices: [{ index: 1, delta: { content: "b" } }] }) +
      event({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }),
    happens: then(""),
    verdict: BROKE_OFF
  },
  {
    name: "OpenRouter's error event",
    begun: GOOD,
    happens: then(
      event(said({ code: 502, message: "Provider disconnected", metadata: { provider_name: "P" } }))
    ),
    verdict: { says: /^Provider disconnected$/, type: "upstream_error" }
  },
  {
    name: "an error event with a word as code",
    begun: GOOD,
    happens: then(event({ error: { code: "server_error", message: "Broke", type: "oops", param: "p" } })),
    verdict: { says: /^Broke$/, code: "server_error", type: "oops", param: "p" }
  },
  {
    name: "an error event with CRLF",
    begun: GOOD,
    happens: then(event(said({ code: 502, message: "Broke" })).replaceAll("\n", "\r\n")),
    verdict: { says: /^Broke$/ }
  },
  {
    name: "an error event that blames the key",
    begun: GOOD,
    happens: then(event(said({ code: 401, message: "Invalid credentials" }))),
    verdict: { code: "upstream_auth_failed", says: /operator/ }
  },
  {
    name: "an error event, more events and [DONE]",
    begun: GOOD,
    happens: then(event(said({ code: 502, message: "Broke" })) + GOOD + END),
    verdict: { says: /^Broke$/ }
  },
  {
    name: "an error event after a comment",
    begun: COMMENT,
    happens: then(event(said({ message: "Broke" })))
  },
  { name: "an error event that is only a text", begun: GOOD, happens: then(event({ error: "Broke" })) },
  ...["{nope}", '{"choices":[', "<html>", "null", "[]", "12", '"text"', "[done]"].map((data) => ({
    name: `an event that says ${data}`,
    begun: GOOD,
    happens: then(`data: ${data}\n\n${GOOD}${END}`),
    verdict: NONSENSE
  })),
  {
    name: "an event of 5 MB",
    begun: GOOD,
    happens: then(chunk({ content: "x".repeat(5 * 1024 * 1024) }) + END),
    verdict: NONSENSE
  },
  {
    name: "an event of 5 MB in short lines",
    begun: GOOD,
    happens: then(`data: {"x":[0${`\ndata: ${",0".repeat(500)}`.repeat(5000)}]}\n\n${END}`),
    verdict: NONSENSE
  },
  {
    name: "silence",
    begun: GOOD,
    happens: () => {},
    verdict: { code: "upstream_timeout", type: "upstream_error" },
    where: hasty
  },
  {
    name: "silence in the middle of an event",
    begun: GOOD,
    happens: (response) => void response.write(HALF),
    verdict: { code: "upstream_timeout", type: "upstream_error" },
    where: hasty
  }
]

describe.concurrent("a stream that has begun ends with one error event after", () => {
  for (const { begun, happens, name, verdict, where = usual } of breaks)
    it.scopedLive(name, () =>
      Effect.gen(function* () {
        const { router, streamed, upstream } = yield* where
        const answering = byHand(upstream)
        const asking = yield* client(router, { body: JSON.stringify(streamed) })
        const response = yield* answering
        openStream(response)
        response.write(begun)
        yield* asking.hears(begun)
        happens(response)
        yield* brokenOffWith(router, yield* asking.answer, { ...verdict, begun })
        assert.strictEqual(upstream.received.length, 2)
      })
    )

  const inOnePacket: ReadonlyArray<readonly [string, string, Partial<Verdict>]> = [
    ["an error event", event(said({ message: "Broke" })), { says: /^Broke$/ }],
    ["an event that is no JSON", "data: {nope}\n\n", NONSENSE],
    ["half an event", HALF, BROKE_OFF],
    ["nothing", "", BROKE_OFF]
  ]
  for (const [what, bad, verdict] of inOnePacket)
    for (const [form, begun] of [
      ["good events", GOOD],
      ["good events with CRLF", GOOD.replaceAll("\n", "\r\n")],
      ["good events and comments", `${COMMENT}: a\n${GOOD}`],
      ["good events in several lines", GOOD.replaceAll(",", ",\ndata: ")]
    ] as const)
      it.scopedLive(`${what} in one packet with ${form}`, () =>
        Effect.gen(function* () {
          const { router, streamed, upstream } = yield* usual
          upstream.once(stream(begun + bad))
          yield* brokenOffWith(router, yield* sendChat(router, streamed), { ...verdict, begun })
        })
      )

  for (const [how, tail] of [
    ["without its line break", ""],
    ["without its blank line", "\n"],
    ["in the middle of its CRLF", "\r"],
    ["in the middle of the CRLF of its blank line", "\r\n\r"]
  ] as const)
    it.scopedLive(`an end after an event ${how}, and no finish`, () =>
      Effect.gen(function* () {
        const { router, streamed, upstream } = yield* usual
        upstream.once(stream(GOOD, chunk({ content: "!" }).trimEnd() + tail))
        const got = yield* sendChat(router, streamed)
        yield* brokenOffWith(router, got, BROKE_OFF)
        assert.strictEqual(got.text.slice(0, GOOD.length), GOOD)
      })
    )

  const endless: ReadonlyArray<readonly [string, string, string]> = [
    ["comments for ever", "", COMMENT],
    ["comments for ever after events", GOOD, COMMENT],
    ["an event that never ends, a little at a time", `${GOOD}data: {"x":"`, "x"],
    ["empty lines for ever", GOOD, "\n"]
  ]
  for (const [what, begun, more] of endless)
    it.scopedLive(what, () =>
      Effect.gen(function* () {
        const { router, streamed, upstream } = yield* hasty
        upstream.once((_, response) => {
          openStream(response)
          response.write(begun)
          again(response, more)
        })
        const got = yield* sendChat(router, streamed)
        yield* brokenOffWith(router, got, { source: "upstream", type: "upstream_error" })
        assert.isTrue(got.text.startsWith(begun.slice(0, GOOD.length)))
        yield* hungUpOn(upstream)
      })
    )
})

describe.concurrent("a stream whose first event is bad is no stream but", () => {
  interface First {
    readonly name: string
    readonly text: string
    readonly verdict: Omit<Verdict, "source">
    readonly retryAfter?: string
  }
  const firsts: ReadonlyArray<First> = [
    {
      name: "the status of its error",
      text: event(said({ code: 429, message: "Rate limited" })),
      verdict: { status: 429, says: /^Rate limited$/, type: "rate_limit_error" },
      retryAfter: "5"
    },
    {
      name: "the status in a string",
      text: event({ error: { code: "503", message: "Overloaded" } }) + "data: [DONE]\n\n",
      verdict: { status: 503, says: /^Overloaded$/ },
      retryAfter: "5"
    },
    {
      name: "a 400 for a refused prompt",
      text: event({ error: { code: 400, message: "Too long", param: "messages" } }),
      verdict: { status: 400, says: /^Too long$/, param: "messages" }
    },
    {
      name: "a 502 where the error has no code",
      text: event({ error: { message: "Broke" } }),
      verdict: { status: 502, says: /^Broke$/ }
    },
    {
      name: "a 502 where the key is blamed",
      text: event(said({ code: 401, message: "Invalid credentials" })),
      verdict: { status: 502, code: "upstream_auth_failed", says: /operator/ }
    },
    { name: "a 502 where it is no JSON", text: "data: {nope}\n\n", verdict: { status: 502, ...NONSENSE } },
    { name: "a 502 where it is torn", text: HALF, verdict: { status: 502, type: "upstream_error" } },
    { name: "a 502 where there is none", text: "", verdict: { status: 502, type: "upstream_error" } }
  ]
  for (const { name, retryAfter, text, verdict } of firsts)
    it.scopedLive(name, () =>
      Effect.gen(function* () {
        const { router, streamed, upstream } = yield* usual
        upstream.once(stream(text))
        const got = yield* sendChat(router, streamed)
        yield* refusedWith(router, got, { source: "upstream", ...verdict })
        assert.strictEqual(got.headers["retry-after"], retryAfter)
      })
    )
})

describe.concurrent("a stream that is nested 100000 deep harms nobody", () => {
  const DEEP = "[".repeat(100_000) + "]".repeat(100_000)
  const usage = GOOD + chunk({}, "stop") + `data: {"choices":[],"usage":{"cost":${DEEP}}}\n\ndata: [DONE]\n\n`
  const error = GOOD + `data: {"error":{"message":"deep","metadata":${DEEP}}}\n\n`
  const packed = { "content-type": "text/event-stream", "content-encoding": "gzip" }

  it.scopedLive("in its usage", () =>
    Effect.gen(function* () {
      const { router, streamed, upstream } = yield* usual
      upstream.once(stream(usage))
      const got = yield* sendChat(router, streamed)
      if (got.text.includes("[DONE]")) yield* succeeded(router, got)
      else yield* brokenOffWith(router, got, {})
    })
  )

  const errors: ReadonlyArray<readonly [string, Answer]> = [
    ["in its error", stream(error)],
    ["in its packed error", says(200, gzipSync(error), packed)]
  ]
  for (const [where, answer] of errors)
    it.scopedLive(where, () =>
      Effect.gen(function* () {
        const { router, streamed, upstream } = yield* usual
        upstream.once(answer)
        yield* brokenOffWith(router, yield* sendChat(router, streamed), {})
      })
    )
})

for (const lanes of [true, false])
  describe.concurrent(`a client that leaves ${lanes ? "the fast lane" : "the contract"}`, () => {
    const where = lanes ? usual : slow
    const before: ReadonlyArray<readonly [string, boolean, Answer]> = [
      ["while nothing has come for its stream", true, silence],
      ["while nothing has come for its request", false, silence],
      ["while its stream has only a head", true, (_, response) => openStream(response)],
      [
        "while half of its answer has come",
        false,
        (_, response) => {
          response.writeHead(200, { "content-type": "application/json" }).write('{"id":')
        }
      ]
    ]
    for (const [when, stream, answer] of before)
      it.scopedLive(`${when} cancels the call`, () =>
        Effect.gen(function* () {
          const { hi, router, upstream } = yield* where
          upstream.once(answer)
          const asking = yield* client(router, { body: JSON.stringify({ ...hi, stream }) })
          yield* eventually(
            Effect.sync(() => upstream.received.length),
            (calls) => calls === 1
          )
          asking.leave()
          yield* hungUpOn(upstream)
          yield* abandonedWith(router, 499)
        })
      )

    for (const [what, begun] of [
      ["an event", GOOD],
      ["a comment", COMMENT]
    ] as const)
      it.scopedLive(`after ${what} cancels the call`, () =>
        Effect.gen(function* () {
          const { router, streamed, upstream } = yield* where
          const answering = byHand(upstream)
          const asking = yield* client(router, { body: JSON.stringify(streamed) })
          const response = yield* answering
          openStream(response)
          response.write(begun)
          yield* asking.hears(begun)
          asking.leave()
          yield* hungUpOn(upstream)
          yield* abandonedWith(router, 200)
        })
      )
  })
