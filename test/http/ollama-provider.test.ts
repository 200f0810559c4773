import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { ServerResponse } from "node:http"
import { BadRequestError, NotFoundError } from "openai"
import { all, openAi, question, raised, settled, textOf } from "../support/Clients.ts"
import { quarters } from "../support/Images.ts"
import {
  asked,
  callsOf,
  chatDone,
  chatLine,
  chats,
  complains,
  lines,
  NDJSON,
  startOllama,
  toolCall
} from "../support/OllamaUpstream.ts"
import type { OllamaUpstream } from "../support/OllamaUpstream.ts"
import { eventually, startRouter } from "../support/Router.ts"
import type { Router } from "../support/Router.ts"
import {
  abandonedWith,
  brokenOffWith,
  byHand,
  client,
  closedPort,
  eventsOf,
  json,
  raw,
  refusedWith,
  reset,
  says,
  send,
  sendChat,
  silence,
  stream,
  succeeded
} from "../support/Upstream.ts"
import type { Answer, Got, Verdict } from "../support/Upstream.ts"

const MODEL = "llama3.2:latest"
const HI = question("Hi", MODEL)
/** The same for the native API. */
const ROOMY = { ...HI, options: { num_ctx: 8192 } }
const STREAM = { ...ROOMY, stream: true }
const NEXT = { body: ROOMY }

const start = (env: { readonly [name: string]: string } = {}) =>
  Effect.gen(function* () {
    const upstream = yield* startOllama
    const router = yield* startRouter({ ...upstream.env, UPSTREAM_RETRIES: "0", ...env })
    return { upstream, router, openai: openAi(router) }
  })

/** The path and the body of the only call there was. */
const onlyCall = ({ received }: Pick<OllamaUpstream, "received">) => {
  assert.strictEqual(received.length, 1)
  return received.map((call) => ({ path: call.path, body: asked(call) }))[0]
}

describe("a plain chat", () => {
  it.scopedLive("goes to the OpenAI side as it is, and so does its answer", () =>
    Effect.gen(function* () {
      const { router, upstream } = yield* start()
      const body = `{"messages":[ {"role":"user","content":"Hï"} ], "top_k":5, "model":"${MODEL}", "format":null}`
      const got = yield* sendChat(router, body)
      assert.strictEqual(upstream.received[0]?.path, "/v1/chat/completions")
      assert.strictEqual(upstream.received[0]?.body.toString("utf8"), body)
      assert.isUndefined(upstream.received[0]?.headers["authorization"])
      const { row } = yield* succeeded(router, got, { body: HI })
      assert.strictEqual(row.provider, "ollama")
      assert.strictEqual(row.prompt_tokens, 26)
      assert.strictEqual(row.cost_usd, 0)
    })
  )

  it.scopedLive("streams from there", () =>
    Effect.gen(function* () {
      const { openai, upstream } = yield* start()
      const chunks = yield* all(openai.chat.completions.create({ ...HI, stream: true }))
      assert.strictEqual(textOf(chunks), "Hello from Ollama.")
      assert.strictEqual(onlyCall(upstream)?.path, "/v1/chat/completions")
    })
  )
})

describe("a wish that only Ollama's own API takes", () => {
  it.scopedLive("goes there", () =>
    Effect.gen(function* () {
      const { openai, upstream } = yield* start()
      for (const [wish, native] of [
        [{ options: { num_ctx: 8192, top_k: 3 } }, { options: { num_ctx: 8192, top_k: 3 } }],
        [{ num_ctx: 8192 }, { options: { num_ctx: 8192 } }],
        [{ num_ctx: 8192, options: { top_k: 3 } }, { options: { num_ctx: 8192, top_k: 3 } }],
        [{ keep_alive: "10m" }, { keep_alive: "10m" }],
        [{ keep_alive: 0 }, { keep_alive: 0 }],
        [{ think: false }, { think: false }],
        [{ format: "json" }, { format: "json" }],
        [{ format: { type: "object" } }, { format: { type: "object" } }]
      ] as const) {
        const answer = yield* Effect.promise(() => openai.chat.completions.create({ ...HI, ...wish }))
        assert.strictEqual(answer.object, "chat.completion")
        const call = onlyCall({ received: upstream.received.splice(0) })
        assert.strictEqual(call?.path, "/api/chat", JSON.stringify(wish))
        const messages = [{ role: "user", content: "Hi" }]
        assert.deepStrictEqual(call?.body, { model: MODEL, messages, stream: false, ...native })
      }
    })
  )

  it.scopedLive("gets its answer as a chat completion", () =>
    Effect.gen(function* () {
      const { openai, router } = yield* start()
      const answer = yield* Effect.promise(() => openai.chat.completions.create(ROOMY))
      assert.strictEqual(answer.object, "chat.completion")
      assert.strictEqual(answer.model, MODEL)
      const [choice] = answer.choices
      assert.strictEqual(choice?.message.role, "assistant")
      assert.strictEqual(choice?.message.content, "Hello from Ollama.")
      assert.strictEqual(choice?.finish_reason, "stop")
      assert.strictEqual(answer.usage?.prompt_tokens, 26)
      assert.strictEqual(answer.usage?.completion_tokens, 298)
      assert.strictEqual(answer.usage?.total_tokens, 324)
      const [row] = yield* settled(router, 1)
      assert.strictEqual(row?.provider, "ollama")
      assert.strictEqual(row?.state, "done")
      assert.strictEqual(row?.prompt_tokens, 26)
      assert.strictEqual(row?.completion_tokens, 298)
      assert.strictEqual(row?.cost_usd, 0)
      assert.strictEqual(row?.is_streaming, 0)
    })
  )

  it.scopedLive("streams events, not lines", () =>
    Effect.gen(function* () {
      const { router, upstream } = yield* start()
      const got = yield* sendChat(router, STREAM)
      assert.match(got.headers["content-type"] ?? "", /^text\/event-stream\b/)
      assert.isTrue(got.text.endsWith("data: [DONE]\n\n"))
      for (const line of got.text.split("\n")) assert.match(line, /^(data: .*)?$/)
      assert.strictEqual(onlyCall(upstream)?.path, "/api/chat")
      assert.strictEqual(onlyCall(upstream)?.body["stream"], true)
      const { row } = yield* succeeded(router, got, NEXT)
      assert.strictEqual(row.is_streaming, 1)
      assert.strictEqual(row.prompt_tokens, 26)
      assert.strictEqual(row.completion_tokens, 298)
      assert.strictEqual(row.cost_usd, 0)
      assert.strictEqual(row.output_char_length, "Hello from Ollama.".length)
    })
  )

  it.scopedLive("streams to the official client", () =>
    Effect.gen(function* () {
      const { openai } = yield* start()
      const chunks = yield* all(openai.chat.completions.create({ ...ROOMY, stream: true }))
      assert.strictEqual(textOf(chunks), "Hello from Ollama.")
      assert.strictEqual(new Set(chunks.map(({ id }) => id)).size, 1)
      assert.deepStrictEqual(
        chunks.flatMap(({ choices }) => choices.flatMap(({ finish_reason }) => finish_reason ?? [])),
        ["stop"]
      )
    })
  )

  it.scopedLive("streams whatever pieces the lines come in", () =>
    Effect.gen(function* () {
      const { openai, upstream } = yield* start()
      const bytes = Buffer.from(chatLine({ content: "wörld " }) + chatLine({ content: "🎉" }) + chatDone())
      for (const size of [1, 7, bytes.length]) {
        const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
          bytes.subarray(at * size, (at + 1) * size)
        )
        upstream.once(lines(...pieces))
        const chunks = yield* all(openai.chat.completions.create({ ...ROOMY, stream: true }))
        assert.strictEqual(textOf(chunks), "wörld 🎉")
      }
    })
  )

  for (const streaming of [false, true])
    it.scopedLive(`can go with tools${streaming ? ", in a stream" : ""}`, () =>
      Effect.gen(function* () {
        const { openai, upstream } = yield* start()
        upstream.once(chats(toolCall("weather", { city: "Köln" })))
        const tools = [
          {
            type: "function" as const,
            function: {
              name: "weather",
              parameters: { type: "object", properties: { city: { type: "string" } } }
            }
          }
        ]
        const body = { ...ROOMY, tools }
        const { calls, finish } = yield* Effect.promise(async () => {
          if (streaming) {
            const { choices } = await openai.chat.completions
              .stream({ ...body, stream: true })
              .finalChatCompletion()
            return { calls: choices[0]?.message.tool_calls, finish: choices[0]?.finish_reason }
          }
          const { choices } = await openai.chat.completions.create(body)
          return { calls: choices[0]?.message.tool_calls, finish: choices[0]?.finish_reason }
        })
        assert.strictEqual(finish, "tool_calls")
        const call = calls?.[0]
        assert.strictEqual(calls?.length, 1)
        assert.strictEqual(call?.type, "function")
        assert.isNotEmpty(call?.id)
        assert.deepStrictEqual(call?.type === "function" ? call.function.name : "", "weather")
        assert.deepStrictEqual(JSON.parse(call?.type === "function" ? call.function.arguments : "{}"), {
          city: "Köln"
        })
        assert.deepStrictEqual(onlyCall(upstream)?.body["tools"], tools)
      })
    )

  it.scopedLive("can go with the answers of tools", () =>
    Effect.gen(function* () {
      const { openai, upstream } = yield* start()
      const call = {
        id: "call_1",
        type: "function" as const,
        function: { name: "weather", arguments: '{"city":"Köln"}' }
      }
      yield* Effect.promise(() =>
        openai.chat.completions.create({
          ...ROOMY,
          messages: [
            { role: "user", content: "Weather?" },
            { role: "assistant", content: null, tool_calls: [call] },
            { role: "tool", tool_call_id: "call_1", content: "rain" }
          ]
        })
      )
      const messages = JSON.parse(JSON.stringify(onlyCall(upstream)?.body["messages"]))
      assert.deepStrictEqual(messages[1].tool_calls[0].function.arguments, { city: "Köln" })
      assert.strictEqual(messages[1].tool_calls[0].function.name, "weather")
      assert.strictEqual(messages[2].role, "tool")
      assert.strictEqual(messages[2].content, "rain")
      assert.strictEqual(messages[2].tool_name, "weather")
    })
  )

  it.scopedLive("can go with images", () =>
    Effect.gen(function* () {
      const { openai, upstream } = yield* start()
      const picture = (yield* Effect.promise(() => quarters(64, 64).png().toBuffer())).toString("base64")
      yield* Effect.promise(() =>
        openai.chat.completions.create({
          ...ROOMY,
          model: "llava:7b",
          messages: [
            {
              role: "user",
              content: [
                { type: "text", text: "What is this?" },
                { type: "image_url", image_url: { url: `data:image/png;base64,${picture}` } }
              ]
            }
          ]
        })
      )
      const call = onlyCall(upstream)
      assert.strictEqual(call?.path, "/api/chat")
      const [message] = JSON.parse(JSON.stringify(call?.body["messages"]))
      assert.strictEqual(message.role, "user")
      assert.include(message.content, "What is this?")
      assert.strictEqual(message.images.length, 1)
      assert.match(message.images[0], /^[A-Za-z0-9+/]+=*$/)
    })
  )

  it.scopedLive("can be to think, and thoughts are no answer", () =>
    Effect.gen(function* () {
      const { openai } = yield* start()
      const answer = yield* Effect.promise(() =>
        openai.chat.completions.create({ ...HI, model: "qwen3:4b", ...{ think: true } })
      )
      assert.strictEqual(answer.choices[0]?.message.content, "Hello from Ollama.")
      assert.include(JSON.stringify(answer.choices[0]?.message), "Let me think.")
    })
  )
})

describe("a request in Ollama's own words", () => {
  const ask = (router: Router, path: string, body: object) =>
    send(router, { path, body: JSON.stringify(body) })

  /** The lines, but for the time: when an answer is given here is the router's to say. */
  const saidIn = ({ text }: Got): ReadonlyArray<unknown> =>
    text
      .trim()
      .split("\n")
      .map((line) => Object.assign(JSON.parse(line), { created_at: "" }))

  for (const [path, body] of [
    ["/api/chat", { messages: HI.messages, options: { num_ctx: 16384 }, keep_alive: "1h", unheard_of: [1] }],
    ["/api/generate", { prompt: "Why?", suffix: "Thus.", raw: true, context: [1, 2], options: { top_k: 1 } }]
  ] as const)
    it.scopedLive(`goes to ${path} with all of them, and so does its answer`, () =>
      Effect.gen(function* () {
        const { router, upstream } = yield* start()
        const direct = yield* send(
          { ...router, url: upstream.url },
          {
            path,
            body: JSON.stringify({ model: MODEL, ...body })
          }
        )
        upstream.received.splice(0)
        const got = yield* ask(router, path, { model: MODEL, ...body })
        const call = onlyCall(upstream)
        assert.strictEqual(call?.path, path)
        assert.deepStrictEqual(call?.body, { model: MODEL, ...body })
        assert.match(got.headers["content-type"] ?? "", /ndjson/)
        assert.deepStrictEqual(saidIn(got), saidIn(direct))
        const [row] = yield* settled(router, 1)
        assert.strictEqual(row?.prompt_tokens, 26)
        assert.strictEqual(row?.completion_tokens, 298)
        assert.strictEqual(row?.is_streaming, 1)
      })
    )

  it.scopedLive("gets its errors in such words, also in the middle of a stream", () =>
    Effect.gen(function* () {
      const { router, upstream } = yield* start()
      const body = { model: MODEL, messages: HI.messages }
      const missing = yield* ask(router, "/api/chat", { ...body, model: "nobody:7b" })
      assert.strictEqual(missing.status, 404)
      assert.deepStrictEqual(JSON.parse(missing.text), { error: "model 'nobody:7b' not found" })
      upstream.once(lines(chatLine({ content: "Hel" }), '{"error":"out of memory"}\n'))
      const got = yield* ask(router, "/api/chat", body)
      assert.strictEqual(got.status, 200)
      assert.deepStrictEqual(JSON.parse(got.text.trim().split("\n").at(-1) ?? ""), { error: "out of memory" })
    })
  )
})

describe("a server's other calls", () => {
  it.scopedLive("are its completions", () =>
    Effect.gen(function* () {
      const { openai, upstream } = yield* start()
      const asking = { model: MODEL, prompt: "Once upon" }
      const answer = yield* Effect.promise(() => openai.completions.create(asking))
      assert.strictEqual(answer.choices[0]?.text, "Hello from Ollama.")
      const chunks = yield* all(openai.completions.create({ ...asking, stream: true }))
      assert.strictEqual(chunks.map(({ choices }) => choices[0]?.text ?? "").join(""), "Hello from Ollama.")
      assert.deepStrictEqual(
        upstream.received.map(({ path }) => path),
        ["/v1/completions", "/v1/completions"]
      )
    })
  )

  it.scopedLive("are its embeddings, of texts alone", () =>
    Effect.gen(function* () {
      const { openai, router, upstream } = yield* start()
      const model = "nomic-embed-text"
      const answer = yield* Effect.promise(() => openai.embeddings.create({ model, input: ["a", "b"] }))
      assert.deepStrictEqual(
        answer.data.map(({ embedding, index }) => ({ embedding, index })),
        [
          { embedding: [0.5, -0.25, 0.125], index: 0 },
          { embedding: [0.5, -0.25, 0.125], index: 1 }
        ]
      )
      assert.strictEqual(answer.usage.prompt_tokens, 16)
      assert.deepStrictEqual(onlyCall(upstream), {
        path: "/api/embed",
        body: { model: "nomic-embed-text", input: ["a", "b"] }
      })
      const error = yield* raised(BadRequestError, () =>
        openai.embeddings.create({ model, input: [[1, 2, 3]] })
      )
      assert.strictEqual(error.param, "input")
      assert.match(error.message, /no tokens/)
      assert.strictEqual(upstream.received.length, 1)
      const missing = yield* raised(NotFoundError, () =>
        openai.embeddings.create({ model: "nobody:7b", input: "a" })
      )
      assert.include(missing.message, "model 'nobody:7b' not found")
      assert.strictEqual((yield* settled(router, 3))[0]?.prompt_tokens, 16)
    })
  )
})

/** How an Ollama server can fail before it says anything. */
interface Refusal {
  readonly name: string
  readonly answer: Answer
  readonly verdict: Verdict
}

const upstreamSays = (status: number, says: RegExp, code?: string): Verdict => ({
  status,
  source: "upstream",
  says,
  ...(code === undefined ? {} : { code })
})

const LINE = { "content-type": NDJSON }

const refusals: ReadonlyArray<Refusal> = [
  {
    name: "its own 400",
    answer: complains(400, "invalid option: num_ctx"),
    verdict: upstreamSays(400, /^invalid option: num_ctx$/)
  },
  {
    name: "its own 404",
    answer: complains(404, "model 'x' not found"),
    verdict: upstreamSays(404, /^model 'x' not found$/)
  },
  {
    name: "its own 500",
    answer: complains(500, "out of memory"),
    verdict: upstreamSays(500, /^out of memory$/)
  },
  { name: "its own 503", answer: complains(503, "server busy"), verdict: upstreamSays(503, /^server busy$/) },
  {
    name: "an error with status 200",
    answer: complains(200, "no luck"),
    verdict: upstreamSays(502, /^no luck$/)
  },
  {
    name: "a stream of an error alone",
    answer: says(200, '{"error":"crashed"}\n', LINE),
    verdict: upstreamSays(502, /^crashed$/)
  },
  { name: "a stream without a line", answer: says(200, "", LINE), verdict: upstreamSays(502, /broke off/) },
  {
    name: "a stream of half a line",
    answer: says(200, '{"message":{"ro', LINE),
    verdict: upstreamSays(502, /broke off/)
  },
  { name: "a stream of a page", answer: says(200, "<html>\n", LINE), verdict: upstreamSays(502, /not JSON/) },
  {
    name: "an answer that is not done",
    answer: says(200, chatLine({ content: "a" }), { "content-type": "application/json" }),
    verdict: upstreamSays(502, /no answer to this call/)
  },
  {
    name: "an answer of another kind",
    answer: json(200, { choices: [] }),
    verdict: upstreamSays(502, /no answer to this call/)
  },
  { name: "events", answer: stream("data: {}\n\n"), verdict: upstreamSays(502, /no answer to this call/) },
  { name: "a reset", answer: reset, verdict: upstreamSays(502, /cannot be reached/, "upstream_unreachable") },
  { name: "no HTTP", answer: raw("nonsense\r\n\r\n"), verdict: upstreamSays(502, /cannot be reached/) }
]

describe.concurrent("an Ollama server that answers with", () => {
  for (const { answer, name, verdict } of refusals)
    it.scopedLive(name, () =>
      Effect.gen(function* () {
        const { router, upstream } = yield* start()
        upstream.once(answer)
        yield* refusedWith(router, yield* sendChat(router, STREAM), verdict, NEXT)
      })
    )

  it.scopedLive("nothing in time", () =>
    Effect.gen(function* () {
      const { router, upstream } = yield* start({ REQUEST_TIMEOUT: "300 millis" })
      upstream.once(silence)
      const got = yield* sendChat(router, STREAM)
      yield* refusedWith(router, got, upstreamSays(504, /in time/, "upstream_timeout"), NEXT)
      yield* hungUpOn(upstream)
    })
  )

  it.scopedLive("nothing, because it is not there", () =>
    Effect.gen(function* () {
      const router = yield* startRouter({
        OLLAMA_BASE_URL: `http://127.0.0.1:${yield* closedPort}`,
        UPSTREAM_RETRIES: "0"
      })
      const got = yield* sendChat(router, { ...STREAM, model: "ollama:llama3.2" })
      const verdict = upstreamSays(502, /cannot be reached/)
      yield* refusedWith(router, got, verdict, { body: { ...HI, model: "percept/inspect" } })
    })
  )

  it.scopedLive("a model that is not there, in the client's own terms", () =>
    Effect.gen(function* () {
      const { openai } = yield* start()
      for (const body of [
        { ...HI, model: "nobody:7b" },
        { ...ROOMY, model: "nobody:7b" }
      ]) {
        const error = yield* raised(NotFoundError, () => openai.chat.completions.create(body))
        assert.include(error.message, "model 'nobody:7b' not found")
      }
    })
  )

  it.scopedLive("a model that cannot do it", () =>
    Effect.gen(function* () {
      const { openai } = yield* start()
      const error = yield* raised(BadRequestError, () =>
        openai.chat.completions.create({ ...HI, ...{ think: true } })
      )
      assert.include(error.message, "does not support thinking")
    })
  )

  it.scopedLive("an error first and then, asked again, an answer", () =>
    Effect.gen(function* () {
      const { router, upstream } = yield* start({ UPSTREAM_RETRIES: "2" })
      upstream.once(complains(503, "server busy"), says(200, '{"error":"crashed"}\n', LINE))
      const got = yield* sendChat(router, STREAM)
      yield* succeeded(router, got, NEXT)
      assert.isTrue(got.text.endsWith("data: [DONE]\n\n"))
      assert.strictEqual(callsOf(upstream, "/api/chat").length, 4)
    })
  )
})

/** Opens a stream of lines and says something. */
const begins = (response: ServerResponse, ...said: ReadonlyArray<string>): void => {
  response.writeHead(200, LINE)
  response.write(said.join(""))
}

const hungUpOn = (upstream: OllamaUpstream) =>
  eventually(
    Effect.sync(() => upstream.received[0]?.aborted),
    (aborted) => aborted === true
  )

interface Break {
  readonly name: string
  readonly happens: (response: ServerResponse) => void
  readonly verdict: Partial<Verdict>
}

const BROKE_OFF = { code: "upstream_broke_off", says: /broke off/ }

const breaks: ReadonlyArray<Break> = [
  {
    name: "an error",
    happens: (response) => void response.end('{"error":"model runner has unexpectedly stopped"}\n'),
    verdict: { says: /^model runner has unexpectedly stopped$/ }
  },
  {
    name: "an error, and the server never closes",
    happens: (response) => void response.write('{"error":"out of memory","status":500}\n'),
    verdict: { says: /^out of memory$/ }
  },
  { name: "an end that nobody announced", happens: (response) => void response.end(), verdict: BROKE_OFF },
  {
    name: "an end in the middle of a line",
    happens: (response) => void response.end(chatLine({ content: "never seen" }).slice(0, -9)),
    verdict: BROKE_OFF
  },
  {
    name: "an end in the middle of a character",
    happens: (response) => void response.end(Buffer.from('{"message":{"content":"ö').subarray(0, -1)),
    verdict: BROKE_OFF
  },
  { name: "a reset", happens: (response) => void response.socket?.resetAndDestroy(), verdict: BROKE_OFF },
  { name: "a closed connection", happens: (response) => void response.socket?.end(), verdict: BROKE_OFF },
  {
    name: "a line that is not JSON",
    happens: (response) => void response.write("<html>\n"),
    verdict: { code: "bad_upstream_answer", says: /not JSON/ }
  },
  {
    name: "a line that is too long",
    happens: (response) => void response.write(Buffer.alloc(5 * 1024 * 1024, "x")),
    verdict: { code: "bad_upstream_answer", says: /too long/ }
  },
  { name: "silence", happens: () => {}, verdict: { code: "upstream_timeout", says: /stopped/ } }
]

describe.concurrent("a native stream that ends in", () => {
  for (const { happens, name, verdict } of breaks)
    it.scopedLive(name, () =>
      Effect.gen(function* () {
        const { router, upstream } = yield* start({ STREAM_IDLE_TIMEOUT: "400 millis" })
        const answering = byHand(upstream)
        const asking = yield* client(router, { body: JSON.stringify(STREAM) })
        const response = yield* answering
        begins(response, chatLine({ content: "Hel" }), chatLine({ content: "lo" }))
        const begun = yield* asking.hears('"lo"')
        happens(response)
        const got = yield* asking.answer
        assert.isTrue(got.text.startsWith(begun))
        assert.notInclude(got.text, "never seen")
        yield* brokenOffWith(router, got, verdict, NEXT)
      })
    )

  it.scopedLive("its last line, though the server never closes", () =>
    Effect.gen(function* () {
      const { router, upstream } = yield* start()
      upstream.once((_, response) => begins(response, chatLine({ content: "Hello" }), chatDone()))
      const got = yield* sendChat(router, STREAM)
      assert.strictEqual(eventsOf(got.text).at(-1), "[DONE]")
      yield* succeeded(router, got, NEXT)
    })
  )
})

describe("a client that", () => {
  it.scopedLive("leaves ends the work within a second", () =>
    Effect.gen(function* () {
      const { router, upstream } = yield* start()
      const answering = byHand(upstream)
      const asking = yield* client(router, { body: JSON.stringify(STREAM) })
      begins(yield* answering, chatLine({ content: "Hel" }))
      yield* asking.hears("Hel")
      asking.leave()
      yield* eventually(
        Effect.sync(() => upstream.received[0]?.aborted),
        (aborted) => aborted === true,
        1
      )
      yield* abandonedWith(router, 200, NEXT)
    })
  )

  it.scopedLive("leaves before there is an answer does so too", () =>
    Effect.gen(function* () {
      const { router, upstream } = yield* start()
      const answering = byHand(upstream)
      const asking = yield* client(router, { body: JSON.stringify(STREAM) })
      yield* answering
      asking.leave()
      yield* eventually(
        Effect.sync(() => upstream.received[0]?.aborted),
        (aborted) => aborted === true,
        1
      )
      yield* abandonedWith(router, 499, NEXT)
    })
  )

  it.scopedLive("reads slowly makes the server wait, and gets everything", () =>
    Effect.gen(function* () {
      const { router, upstream } = yield* start()
      const answering = byHand(upstream)
      const asking = yield* client(router, { body: JSON.stringify(STREAM), deaf: true })
      const response = yield* answering
      response.writeHead(200, LINE)
      const piece = chatLine({ content: "x".repeat(64 * 1024) })
      let sent = 0
      const pour = (): void => {
        while (sent < PIECES) {
          sent += 1
          if (!response.write(piece)) return void response.once("drain", pour)
        }
        response.end(chatDone())
      }
      pour()
      yield* asking.head
      yield* standsStill(() => sent)
      assert.isBelow(sent, PIECES)
      asking.listen()
      const got = yield* asking.answer
      const said = eventsOf(got.text).slice(0, -1)
      assert.strictEqual(textOf(JSON.parse(JSON.stringify(said))).length, PIECES * 64 * 1024)
      yield* succeeded(router, got, NEXT)
    })
  )
})

const PIECES = 400

/** Waits until a number has not changed for a while. */
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

describe("a name of Ollama's", () => {
  it.scopedLive("is listed, and leads there", () =>
    Effect.gen(function* () {
      const { openai, router, upstream } = yield* start({
        UPSTREAM_URL: `http://127.0.0.1:${yield* closedPort}`
      })
      const listed = yield* all(openai.models.list())
      const found = listed.find(({ id }) => id === "llava:7b")
      assert.strictEqual(found?.owned_by, "ollama")
      assert.deepInclude(JSON.parse(JSON.stringify(found)), { object: "model", context_length: 4096 })
      for (const model of ["mistral:7b", "ollama:mistral:7b"])
        yield* Effect.promise(() => openai.chat.completions.create(question("Hi", model)))
      assert.deepStrictEqual(
        upstream.received.map((call) => asked(call)["model"]),
        ["mistral:7b", "mistral:7b"]
      )
      const rows = yield* settled(router, 2)
      assert.deepStrictEqual(
        rows.map(({ provider, route_rule }) => [provider, route_rule]),
        [
          ["ollama", "listed"],
          ["ollama", "explicit"]
        ]
      )
    })
  )
})
