import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck } from "effect"
import { brotliCompressSync, gzipSync } from "node:zlib"
import { CLIENT_KEY, headed, settled, startLine } from "../support/Clients.ts"
import type { Line } from "../support/Clients.ts"
import { chunk, completion, json, openStream, stream, streamText, UPSTREAM_KEY } from "../support/Upstream.ts"
import type { Answer } from "../support/Upstream.ts"

for (const lanes of [true, false]) {
  describe(lanes ? "nothing is lost on the fast lane" : "nothing is lost through the contract", () => {
    for (const [what, text] of UNTOUCHED)
      it.scopedLive(`a request with ${what} arrives as it was sent`, () =>
        Effect.gen(function* () {
          const line = yield* startLine({ lanes })
          assertSameBytes(yield* forwarded(line, text), text)
        })
      )

    it.scopedLive("what a client does not say is not invented", () =>
      Effect.gen(function* () {
        const line = yield* startLine({ lanes })
        line.upstream.once(stream(streamText(["Hi"])))
        const text = '{"stream":true,"messages":[{"role":"user","content":"Hi"}],"model":"test/plain"}'
        assertSameBytes(yield* forwarded(line, text), text)
      })
    )

    for (const [what, before, after] of RENAMED)
      it.scopedLive(`a new name changes nothing but the name: ${what}`, () =>
        Effect.gen(function* () {
          const line = yield* startLine({ lanes })
          assertSameBytes(yield* forwarded(line, before), after)
          const [row] = yield* line.router.rows
          assert.strictEqual(row?.model_routed_to_openrouter, "test/plain")
          assert.strictEqual(row?.route_rule, "explicit")
        })
      )

    for (const [what, before, after] of UNNAMED)
      it.scopedLive(`a request ${what} gets the default model and keeps all else`, () =>
        Effect.gen(function* () {
          const line = yield* startLine({ lanes, env: { DEFAULT_TEXT_MODEL: "test/default" } })
          assertSameBytes(yield* forwarded(line, before), after)
          const [row] = yield* line.router.rows
          assert.isNull(row?.model_requested_by_client)
          assert.strictEqual(row?.model_routed_to_openrouter, "test/default")
          assert.strictEqual(row?.route_rule, "default")
        })
      )

    it.scopedLive("a name said twice means one model to everybody, and nothing else changes", () =>
      Effect.gen(function* () {
        for (const [first, second] of [
          ['"model"', '"model"'],
          ['"model"', '"mod\\u0065l"'],
          ['"mod\\u0065l"', '"model"'],
          ['"mod\\u0065l"', '"\\u006dodel"']
        ]) {
          const line = yield* startLine({ lanes })
          const text = `{${first}: "test/other" , "seed":12345678901234567890, "messages":[{"role":"user"}],${second}:"test/plain"}`
          const sent = (yield* forwarded(line, text)).toString("utf8")
          const [row] = yield* line.router.rows
          assert.strictEqual(row?.model_routed_to_openrouter, "test/plain")
          assert.notInclude(sent, "test/other")
          assert.include(sent, '"seed":12345678901234567890')
        }
      })
    )

    for (const [what, text] of ANSWERS)
      it.scopedLive(`an answer with ${what} comes back as it was sent`, () =>
        Effect.gen(function* () {
          const line = yield* startLine({ lanes })
          line.upstream.once(raw("application/json; charset=utf-8", text))
          const { bytes, response } = yield* asked(line, PLAIN)
          assert.strictEqual(response.status, 200)
          assertSameBytes(bytes, text)
          const [row] = yield* line.router.rows
          assert.strictEqual(row?.state, "done")
        })
      )

    it.scopedLive("a stream comes back as it was sent, however it is cut", () =>
      Effect.gen(function* () {
        const line = yield* startLine({ lanes })
        const sent = Buffer.from(ODD_STREAM)
        const cuts = FastCheck.array(FastCheck.integer({ min: 1, max: sent.length - 1 }), { maxLength: 24 })
        const property = FastCheck.asyncProperty(cuts, async (cuts) => {
          line.upstream.once(stream(...cutAt(sent, cuts)))
          const response = await fetch(`${line.router.url}/v1/chat/completions`, {
            method: "POST",
            body: STREAMED
          })
          assertSameBytes(Buffer.from(await response.arrayBuffer()), sent)
        })
        yield* Effect.promise(() => FastCheck.assert(property, { numRuns: 40 }))
        const rows = yield* settled(line.router, line.upstream.received.length)
        assert.isTrue(rows.every((row) => row.state === "done" && row.output_char_length === 12))
        assert.isTrue(rows.every((row) => row.cost_nano_usd === 140_000))
      })
    )

    it.scopedLive("a stream comes back as it was sent, byte by byte", () =>
      Effect.gen(function* () {
        const line = yield* startLine({ lanes })
        const sent = Buffer.from(ODD_STREAM)
        line.upstream.once(stream(...Array.from(sent, (byte) => Buffer.from([byte]))))
        const { bytes, response } = yield* asked(line, STREAMED)
        assert.match(response.headers.get("content-type") ?? "", /^text\/event-stream/)
        assertSameBytes(bytes, sent)
      })
    )

    for (const [what, text] of ENDINGS)
      it.scopedLive(`a stream that ends ${what} comes back as it was sent`, () =>
        Effect.gen(function* () {
          const line = yield* startLine({ lanes })
          line.upstream.once(stream(text))
          assertSameBytes((yield* asked(line, STREAMED)).bytes, text)
          const [row] = yield* line.router.rows
          assert.strictEqual(row?.state, "done")
        })
      )

    it.scopedLive(
      "a long stream to a slow reader comes back as it was sent",
      () =>
        Effect.gen(function* () {
          const line = yield* startLine({ lanes })
          const piece = chunk({ content: "wörd ".repeat(3000) })
          const text = piece.repeat(400) + chunk({}, "stop") + "data: [DONE]\n\n"
          line.upstream.once(raw("text/event-stream", text))
          assertSameBytes((yield* asked(line, STREAMED)).bytes, text)
        }),
      10_000
    )

    it.scopedLive("an answer that is compressed without our asking comes back readable", () =>
      Effect.gen(function* () {
        const line = yield* startLine({ lanes })
        const whole = '{ "choices":[ {"index":0,"message":{"role":"assistant","content":"é"}} ] }\n'
        const streamed = streamText(["Hel", "lo"])
        line.upstream.once(
          headed({ "content-encoding": "gzip" }, raw("application/json", gzipSync(whole))),
          headed({ "content-encoding": "br" }, raw("application/json", brotliCompressSync(whole))),
          headed({ "content-encoding": "gzip" }, raw("text/event-stream", gzipSync(streamed)))
        )
        assertSameBytes((yield* asked(line, PLAIN)).bytes, whole)
        assertSameBytes((yield* asked(line, PLAIN)).bytes, whole)
        assertSameBytes((yield* asked(line, STREAMED)).bytes, streamed)
        assert.strictEqual(line.upstream.received[0]?.headers["accept-encoding"], "identity")
      })
    )

    it.scopedLive("the client's credentials stay here, and the provider gets the router's", () =>
      Effect.gen(function* () {
        const line = yield* startLine({ lanes, env: { API_KEYS: CLIENT_KEY } })
        const ways = [
          { authorization: `Bearer ${CLIENT_KEY}` },
          { "x-api-key": CLIENT_KEY },
          { authorization: `Basic ${Buffer.from(`me:${CLIENT_KEY}`).toString("base64")}` }
        ]
        for (const [index, credentials] of ways.entries()) {
          const { response } = yield* asked(line, PLAIN, {
            ...credentials,
            cookie: "session=secret-cookie",
            "proxy-authorization": "Basic c2VjcmV0",
            "x-forwarded-for": "192.0.2.7",
            "openai-organization": "org-of-the-client",
            "x-stainless-lang": "js"
          })
          assert.strictEqual(response.status, 200)
          const { headers } = line.upstream.received[index] ?? {}
          assert.strictEqual(headers?.authorization, `Bearer ${UPSTREAM_KEY}`)
          const said = JSON.stringify(headers)
          for (const secret of [
            CLIENT_KEY,
            "secret-cookie",
            "c2VjcmV0",
            "192.0.2.7",
            "org-of-the",
            "stainless"
          ])
            assert.notInclude(said, secret)
          assert.notInclude(said, Buffer.from(`me:${CLIENT_KEY}`).toString("base64"))
        }
      })
    )

    it.scopedLive("the router's key never reaches the client, even where the provider repeats it", () =>
      Effect.gen(function* () {
        const line = yield* startLine({ lanes })
        const error = {
          code: 400,
          message: `Bad key ${UPSTREAM_KEY}`,
          metadata: { raw: JSON.stringify({ sent: `Bearer ${UPSTREAM_KEY}` }), [UPSTREAM_KEY]: 1 }
        }
        const leaks = { "set-cookie": `key=${UPSTREAM_KEY}`, "x-upstream-key": UPSTREAM_KEY }
        line.upstream.once(
          headed(leaks, completion("Hi")),
          headed(leaks, stream(streamText(["Hi"]))),
          headed(leaks, json(400, { error })),
          headed(leaks, json(401, { error: { ...error, code: 401 } })),
          headed(leaks, json(200, { error })),
          headed(leaks, raw("text/html", `<p>${UPSTREAM_KEY}</p>`)),
          headed(leaks, (_, response) => {
            response.writeHead(500, { "content-type": "text/plain" }).end(`boom ${UPSTREAM_KEY}`)
          }),
          headed(leaks, stream(chunk({ content: "Hi" }), `data: ${JSON.stringify({ error })}\n\n`))
        )
        for (let call = 0; call < 8; call++) {
          const { bytes, response } = yield* asked(line, call === 1 || call === 7 ? STREAMED : PLAIN)
          assert.notInclude(bytes.toString("utf8"), UPSTREAM_KEY)
          assert.notInclude(JSON.stringify(Array.from(response.headers)), UPSTREAM_KEY)
          assert.isNull(response.headers.get("set-cookie"))
        }
        const rows = yield* settled(line.router, 8)
        assert.notInclude(JSON.stringify(rows), UPSTREAM_KEY)
      })
    )

    it.scopedLive("headers meant for OpenRouter go along, and the generation's number comes back", () =>
      Effect.gen(function* () {
        const line = yield* startLine({
          lanes,
          env: { OPENROUTER_REFERER: "https://chat.example.com", OPENROUTER_X_TITLE: "My chat" }
        })
        line.upstream.once(headed({ "x-generation-id": "gen-42" }, completion("Hi")))
        const { response } = yield* asked(line, PLAIN, {
          "X-Session-Id": "session-1",
          "X-OpenRouter-Metadata": "enabled",
          "x-openrouter-cache": "true",
          "http-referer": "https://somewhere.example",
          "x-title": "Somebody",
          "x-other": "stays here"
        })
        const headers = line.upstream.received[0]?.headers ?? {}
        assert.strictEqual(headers["x-session-id"], "session-1")
        assert.strictEqual(headers["x-openrouter-metadata"], "enabled")
        assert.strictEqual(headers["x-openrouter-cache"], "true")
        assert.strictEqual(headers["http-referer"], "https://chat.example.com")
        assert.strictEqual(headers["x-title"], "My chat")
        assert.isUndefined(headers["x-other"])
        assert.match(headers["content-type"] ?? "", /^application\/json/)
        assert.strictEqual(response.headers.get("x-generation-id"), "gen-42")
        const [row] = yield* line.router.rows
        assert.strictEqual(row?.openrouter_request_id, "gen-42")
      })
    )

    it.scopedLive("a client names its own app where the settings name none", () =>
      Effect.gen(function* () {
        const line = yield* startLine({ lanes })
        yield* asked(line, PLAIN)
        assert.isUndefined(line.upstream.received[0]?.headers["http-referer"])
        assert.isUndefined(line.upstream.received[0]?.headers["x-title"])
        yield* asked(line, PLAIN, { "http-referer": "https://somewhere.example", "x-title": "Somebody" })
        assert.strictEqual(line.upstream.received[1]?.headers["http-referer"], "https://somewhere.example")
        assert.strictEqual(line.upstream.received[1]?.headers["x-title"], "Somebody")
      })
    )

    it.scopedLive("an app may have a name in any script", () =>
      Effect.gen(function* () {
        const line = yield* startLine({ lanes, env: { OPENROUTER_X_TITLE: "Gespräch – чат" } })
        const { response } = yield* asked(line, PLAIN)
        assert.strictEqual(response.status, 200)
        assert.strictEqual(line.upstream.received.length, 1)
      })
    )

    it.scopedLive("comments before the first event reach the client at once", () =>
      Effect.gen(function* () {
        const line = yield* startLine({ lanes })
        const rest = streamText(["Hi"])
        let goOn = () => {}
        line.upstream.once((_, response) => {
          openStream(response)
          response.write(": OPENROUTER PROCESSING\n\n")
          goOn = () => response.end(rest)
        })
        const response = yield* line.router.post(STREAMED)
        const text = yield* Effect.promise(async () => {
          let text = ""
          for await (const bytes of response.body ?? []) {
            text += Buffer.from(bytes).toString("utf8")
            if (text === ": OPENROUTER PROCESSING\n\n") goOn()
          }
          return text
        })
        assert.strictEqual(text, `: OPENROUTER PROCESSING\n\n${rest}`)
      })
    )
  })
}

const PLAIN = '{"model":"test/plain","messages":[{"role":"user","content":"Hi"}]}'
const STREAMED = '{"model":"test/plain","stream":true,"messages":[{"role":"user","content":"Hi"}]}'

const UNTOUCHED: ReadonlyArray<readonly [what: string, text: string]> = [
  [
    "odd spacing and a trailing newline",
    '\n\t { "model"  :\r\n"test/plain",\n\n"messages" : [ {"role":"user" , "content":"Hi"}\t] }  \r\n\n'
  ],
  [
    "keys in an odd order",
    '{"z":1,"messages":[{"content":"Hi","name":"a","role":"user"}],"10":1,"2":1,"model":"test/plain","a":1}'
  ],
  [
    "escapes that need none",
    '{"model":"test\\/plain","messages":[{"r\\u006fle":"user","content":"\\u00e9\\u0041\\/\\u2028\\ud83d\\ude00"}]}'
  ],
  [
    "numbers that no double holds",
    '{"model":"test/plain","seed":12345678901234567890,"temperature":1.0,"top_p":1,"a":1e2,"b":-0,"c":0.1000000000000000055511151231257827,"d":1E+400,"messages":[{"role":"user"}]}'
  ],
  [
    "unknown keys said twice",
    '{"model":"test/plain","x":1,"x":2,"messages":[{"role":"user","content":"Hi","y":null,"y":{}}],"x":3}'
  ],
  [
    "letters of many scripts",
    '{"model":"test/plain","messages":[{"role":"user","content":"äöü 漢字 😀 👩‍👩‍👧 \u2028 \u007f"}]}'
  ],
  [
    "lone surrogates",
    '{"model":"test/plain","messages":[{"role":"user","content":"\\ud800 and \\udfff and \\uDBFF"}]}'
  ],
  [
    "null where there may be null",
    '{"model":"test/plain","stream":null,"stop":null,"messages":[{"role":"user","content":null}]}'
  ],
  [
    "'__proto__' as a key",
    '{"model":"test/plain","__proto__":{"a":1},"messages":[{"role":"user","__proto__":null}]}'
  ],
  [
    "'model' in other places",
    '{"messages":[{"role":"user","model":"a","content":"\\"model\\":\\"b\\""}],"model":"test/plain","x":{"model":"c"}}'
  ]
]

const RENAMED: ReadonlyArray<readonly [what: string, before: string, after: string]> = [
  ...[
    ["at the beginning", '{"model":NAME,"messages":[{"role":"user","content":"Hi"}]}'],
    ["at the end, with odd spacing", ' {"messages":[{"role":"user"}] ,\n\t"model" \r\n:  NAME\t }\n'],
    [
      "beside things a parser would change",
      '{"seed":12345678901234567890,"t":1.0,"x":1,"x":2,"model":NAME,"messages":[{"role":"user","content":"\\ud800\\u00e9 😀"}],"u":"\\/"}\n'
    ],
    [
      "with 'model' in nested objects",
      '{"x":{"model":"openrouter:test/plain","y":[{"model":1}]},"messages":[{"role":"user","model":"m"}],"model":NAME,"z":[["model",{"model":{}}]]}'
    ],
    [
      "with 'model' in strings",
      '{"messages":[{"role":"user","content":"{\\"model\\":\\"openrouter:test/plain\\"} \\\\"}],"a":"model","b":"\\\\\\"model\\":","model":NAME}'
    ],
    ["with an escaped key", '{"mod\\u0065l":NAME,"messages":[{"role":"user","content":"model"}]}'],
    [
      "with a key of all escapes",
      '{"messages":[{"role":"user"}],"\\u006d\\u006f\\u0064\\u0065\\u006c":NAME}'
    ],
    [
      "after other scalars",
      '{"a":true,"b":null,"c":-1.5e-3,"d":"","e":[],"f":{},"model":NAME,"messages":[{"role":"user"}]}'
    ]
  ].map(
    ([what = "", text = ""]) =>
      [
        what,
        text.replace("NAME", () => '"openrouter:test/plain"'),
        text.replace("NAME", () => '"test/plain"')
      ] as const
  ),
  [
    "with a value full of escapes",
    '{"model":"open\\u0072outer:test\\/plain","messages":[{"role":"user","content":"\\/"}]}',
    '{"model":"test/plain","messages":[{"role":"user","content":"\\/"}]}'
  ]
]

const UNNAMED: ReadonlyArray<readonly [what: string, before: string, after: string]> = [
  [
    "without a model",
    ' { "seed":12345678901234567890,"x":{"model":"a"}, "messages":[{"role":"user","content":"{\\ud800"}] }\n',
    ' {"model":"test/default", "seed":12345678901234567890,"x":{"model":"a"}, "messages":[{"role":"user","content":"{\\ud800"}] }\n'
  ],
  [
    "with null as model",
    '{"t":1.0, "model" : null ,"messages":[{"role":"user"}]}',
    '{"t":1.0, "model" : "test/default" ,"messages":[{"role":"user"}]}'
  ],
  [
    "with an empty model",
    '{"t":1.0,"messages":[{"role":"user"}],"model":""}',
    '{"t":1.0,"messages":[{"role":"user"}],"model":"test/default"}'
  ]
]

const ANSWERS: ReadonlyArray<readonly [what: string, text: string]> = [
  [
    "odd spacing, big numbers and unknown fields",
    ' {"choices" : [ {"index":0,\n"message":{"role":"assistant","content":null,"x":{"y":[]}},"finish_reason":"stop"} ],"big":12345678901234567890,"one":1.0,"provider":"P","usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2,"cost":0.10}}\r\n'
  ],
  [
    "escapes, lone surrogates and keys said twice",
    '{"x":1,"x":2,"choices":[{"index":0,"message":{"role":"assistant","content":"\\u00e9\\ud800\\/ é 😀"}}],"error":null}'
  ],
  ["no usage and no id", '{"choices":[]}']
]

const ENDINGS: ReadonlyArray<readonly [what: string, text: string]> = [
  ["without [DONE]", chunk({ content: "Hi" }) + chunk({}, "stop")],
  ["without the last blank line", `${chunk({ content: "Hi" })}${chunk({}, "stop")}data: [DONE]`],
  ["with a last event that is not closed", (chunk({ content: "Hi" }) + chunk({}, "stop")).trimEnd()],
  ["with [DONE] and no space", `${chunk({ content: "Hi" })}${chunk({}, "stop")}data:[DONE]\n\n`]
]

/** Everything the format of event streams allows and providers do, in one stream. */
const ODD_STREAM =
  ": OPENROUTER PROCESSING\n\n" +
  "\n\r\n" +
  ":\n" +
  'event: message\r\nid: 7\r\nretry: 3000\r\ndata:  {"id" : "gen-1","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\r\n\r\n' +
  'data:{"choices":[{"index":0,"delta":{"content":"h\\u00e9 \\ud800"}}],"big":12345678901234567890,"one":1.0}\n\n' +
  ': between\n: two, then {"error":"of nobody"}\n\n' +
  'data: {"choices":[{"index":0,\ndata: "delta":{"content":"wörld 😀"}}]}\nunknown: field\ndata\n\n' +
  "event: ping\n\n" +
  "data:\n\n" +
  "data\n\n" +
  'id\ndata: {"choices":[],"error":null}\n: inside\n\n' +
  'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop","native_finish_reason":"STOP"}]}\r\n\r\n' +
  'data: {"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"cost":0.00014}}\n\n' +
  ": last words\n\n" +
  "data: [DONE]\r\n\r\n"

const raw =
  (type: string, body: string | Uint8Array): Answer =>
  (_, response) => {
    response.writeHead(200, { "content-type": type }).end(body)
  }

const asked = ({ router }: Line, body: string, headers: Record<string, string> = {}) =>
  Effect.gen(function* () {
    const response = yield* router.post(body, { headers: { "content-type": "application/json", ...headers } })
    return { response, bytes: Buffer.from(yield* Effect.promise(() => response.arrayBuffer())) }
  })

/** The bytes the upstream got for this request. */
const forwarded = (line: Line, body: string) =>
  Effect.gen(function* () {
    const { bytes, response } = yield* asked(line, body)
    assert.strictEqual(response.status, 200, bytes.toString("utf8"))
    assert.strictEqual(line.upstream.received.length, 1)
    return line.upstream.received[0]?.body ?? Buffer.alloc(0)
  })

/** One character a byte, so that a difference can be read. */
const assertSameBytes = (actual: Uint8Array, expected: Uint8Array | string): void => {
  assert.strictEqual(Buffer.from(actual).toString("latin1"), Buffer.from(expected).toString("latin1"))
}

const cutAt = (bytes: Buffer, cuts: ReadonlyArray<number>): ReadonlyArray<Buffer> => {
  const places = [0, ...new Set(cuts.toSorted((a, b) => a - b)), bytes.length]
  return places.slice(1).map((to, index) => bytes.subarray(places[index], to))
}
