import { assert, describe, it } from "@effect/vitest"
import { AIMessage, AIMessageChunk, HumanMessage, SystemMessage, ToolMessage } from "@langchain/core/messages"
import { tool } from "@langchain/core/tools"
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai"
import { Effect } from "effect"
import { z } from "zod"
import { arrayField, field } from "../../src/domain/Json.ts"
import { all, askedOf, headed, raised, settled, silence, startLine } from "../support/Clients.ts"
import { eventually } from "../support/Router.ts"
import type { Router } from "../support/Router.ts"
import { film, makeClips, startSenses } from "../support/Senses.ts"
import { chunk, completion, json, stream, streamText, USAGE } from "../support/Upstream.ts"

const chain = ({ url }: Pick<Router, "url">, model = "test/plain") =>
  new ChatOpenAI({ model, apiKey: "sk-anything", maxRetries: 0, configuration: { baseURL: `${url}/v1` } })

const startChain = (lanes = true) =>
  Effect.map(startLine({ lanes }), ({ router, upstream }) => ({ router, upstream, llm: chain(router) }))

for (const lanes of [true, false])
  describe(lanes ? "LangChain on the fast lane" : "LangChain through the contract", () => {
    it.scopedLive("gets a text and its usage", () =>
      Effect.gen(function* () {
        const { llm, router, upstream } = yield* startChain(lanes)
        const answer = yield* Effect.promise(() =>
          llm.invoke([new SystemMessage("Be terse."), new HumanMessage("Hi")])
        )
        assert.strictEqual(answer.text, "Hello from upstream.")
        assert.deepInclude(Object(answer.usage_metadata), {
          input_tokens: 10,
          output_tokens: 5,
          total_tokens: 15
        })
        assert.strictEqual(answer.response_metadata["finish_reason"], "stop")
        assert.deepStrictEqual(field(askedOf(upstream), "messages"), [
          { role: "system", content: "Be terse." },
          { role: "user", content: "Hi" }
        ])
        const [row] = yield* settled(router, 1)
        assert.strictEqual(row?.cost_usd, 0.00014)
      })
    )

    it.scopedLive("reads a stream of text, with usage at its end", () =>
      Effect.gen(function* () {
        const { llm, upstream } = yield* startChain(lanes)
        upstream.once(stream(streamText(["Once ", "upon ", "a ", "tïme 😀"])))
        const pieces = yield* all(llm.stream("Tell"))
        assert.strictEqual(pieces.map(({ text }) => text).join(""), "Once upon a tïme 😀")
        assert.isTrue(pieces.some((piece) => field(piece.usage_metadata, "total_tokens") === 15))
        assert.strictEqual(field(askedOf(upstream), "stream"), true)
      })
    )

    it.scopedLive("calls a tool and brings its result back", () =>
      Effect.gen(function* () {
        const { llm, router, upstream } = yield* startChain(lanes)
        upstream.once(toolCall, completion("21 degrees."))
        const asker = llm.bindTools([weather])
        const question = new HumanMessage("Weather in Köln?")
        const first = yield* Effect.promise(() => asker.invoke([question]))
        const [call] = first.tool_calls ?? []
        assert.deepInclude(Object(call), { id: "call_1", name: "weather", args: { city: "Köln" } })
        const result = new ToolMessage({ tool_call_id: "call_1", content: '{"celsius":21}' })
        const last = yield* Effect.promise(() => asker.invoke([question, first, result]))
        assert.strictEqual(last.text, "21 degrees.")
        const [, said, told] = arrayField(askedOf(upstream, 1), "messages")
        assert.strictEqual(field(arrayField(said, "tool_calls")[0], "id"), "call_1")
        assert.deepInclude(Object(told), { role: "tool", tool_call_id: "call_1", content: '{"celsius":21}' })
        assert.strictEqual((yield* settled(router, 2)).length, 2)
      })
    )

    it.scopedLive("puts a tool's arguments together as they come", () =>
      Effect.gen(function* () {
        const { llm, upstream } = yield* startChain(lanes)
        upstream.once(streamedToolCall)
        const pieces = yield* all(llm.bindTools([weather]).stream("Weather in Köln?"))
        const deltas = pieces.flatMap((piece) => piece.tool_call_chunks ?? []).map(({ args }) => args)
        assert.strictEqual(deltas.join(""), '{"city":"Köln"}')
        assert.isAbove(deltas.length, 2)
        const whole = pieces.reduce((sum, piece) => sum.concat(piece), new AIMessageChunk(""))
        assert.deepInclude(Object(whole.tool_calls?.[0]), { name: "weather", args: { city: "Köln" } })
      })
    )

    it.scopedLive("gets objects by a schema, by a tool, and in JSON", () =>
      Effect.gen(function* () {
        const { llm, upstream } = yield* startChain(lanes)
        const told = '{"city":"Köln"}'
        upstream.once(completion(told), toolCall, completion(told))
        const city = { city: "Köln" }
        const ask = (method: "jsonSchema" | "functionCalling" | "jsonMode") =>
          Effect.promise(() => llm.withStructuredOutput(City, { method, name: "weather" }).invoke("A city"))
        assert.deepStrictEqual(yield* ask("jsonSchema"), city)
        assert.strictEqual(field(field(askedOf(upstream), "response_format"), "type"), "json_schema")
        assert.deepStrictEqual(yield* ask("functionCalling"), city)
        assert.strictEqual(field(field(askedOf(upstream, 1), "tool_choice"), "type"), "function")
        assert.deepStrictEqual(yield* ask("jsonMode"), city)
        assert.strictEqual(field(field(askedOf(upstream, 2), "response_format"), "type"), "json_object")
      })
    )
  })

describe("LangChain", () => {
  it.scopedLive("hears what is wrong, in the provider's words", () =>
    Effect.gen(function* () {
      const { llm, upstream } = yield* startChain()
      const ask = () => llm.invoke("Hi")
      upstream.once(json(400, { error: { message: "Wrong seed.", code: "invalid_value", param: "seed" } }))
      const refused = yield* raised(Error, ask)
      assert.strictEqual(field(refused, "status"), 400)
      assert.strictEqual(field(refused, "param"), "seed")
      assert.include(refused.message, "Wrong seed.")
      const busy = json(429, { error: { message: "Slow down.", code: 429 } })
      upstream.once(headed({ "retry-after": "3" }, busy))
      const limited = yield* raised(Error, ask)
      assert.strictEqual(field(limited, "status"), 429)
      assert.include(limited.message, "Slow down.")
    })
  )

  it.scopedLive("hears of a stream that broke off", () =>
    Effect.gen(function* () {
      const { llm, upstream } = yield* startChain()
      upstream.once(stream(chunk({ content: "Half" }), 'data: {"error":{"message":"Boom."}}\n\n'))
      const heard: Array<string> = []
      const error = yield* raised(Error, async () => {
        for await (const { text } of await llm.stream("Hi")) heard.push(text)
      })
      assert.deepStrictEqual(heard, ["Half"])
      assert.include(error.message, "Boom.")
    })
  )

  it.scopedLive("lets go, and the provider is let go of too", () =>
    Effect.gen(function* () {
      const { llm, router, upstream } = yield* startChain()
      upstream.once(silence)
      const stop = new AbortController()
      const asking = llm.invoke("Hi", { signal: stop.signal }).catch((error: unknown) => error)
      yield* eventually(
        Effect.sync(() => upstream.received.length),
        (count) => count > 0
      )
      stop.abort()
      assert.instanceOf(yield* Effect.promise(() => asking), Error)
      yield* eventually(
        Effect.sync(() => upstream.received[0]?.aborted),
        (aborted) => aborted === true
      )
      const [row] = yield* settled(router, 1)
      assert.strictEqual(row?.state, "cancelled")
    })
  )

  it.scopedLive("shows pictures, and pastes links", () =>
    Effect.gen(function* () {
      const { host, router, upstream } = yield* startSenses()
      const clips = yield* makeClips({ "card.mp4": film(), "card.png": PICTURE })
      const link = host.serve("/card.mp4", clips["card.mp4"])
      const url = `data:image/png;base64,${clips["card.png"].toString("base64")}`
      const content = [
        { type: "text" as const, text: "What is this?" },
        { type: "image_url" as const, image_url: { url } }
      ]
      yield* Effect.promise(() => chain(router, "test/eyes").invoke([new HumanMessage({ content })]))
      assert.deepStrictEqual(arrayField(arrayField(askedOf(upstream), "messages")[0], "content"), content)
      const shown = yield* Effect.promise(() =>
        chain(router, "percept/inspect").invoke(`What is in ${link.href} ?`)
      )
      assert.include(shown.text, link.href)
      assert.match(shown.text, /^\[image 1: jpeg 160x90, \d+ kB/m)
      assert.strictEqual(host.asked[0]?.path, "/card.mp4")
    })
  )

  it.scopedLive("keeps what a message of its own holds besides", () =>
    Effect.gen(function* () {
      const { llm, upstream } = yield* startChain()
      const said = new AIMessage({ content: "Hello.", name: "bot" })
      yield* Effect.promise(() => llm.invoke([new HumanMessage("Hi"), said, new HumanMessage("Bye")]))
      assert.deepStrictEqual(field(askedOf(upstream), "messages"), [
        { role: "user", content: "Hi" },
        { role: "assistant", name: "bot", content: "Hello." },
        { role: "user", content: "Bye" }
      ])
    })
  )

  it.scopedLive("embeds texts", () =>
    Effect.gen(function* () {
      const { router, upstream } = yield* startChain()
      upstream.once(json(200, { object: "list", data: [{ index: 0, embedding: [0.5, -0.25] }] }))
      const embeddings = new OpenAIEmbeddings({
        ...{ model: "test/plain", apiKey: "sk-anything", maxRetries: 0 },
        configuration: { baseURL: `${router.url}/v1` }
      })
      assert.deepStrictEqual(yield* Effect.promise(() => embeddings.embedQuery("Hi")), [0.5, -0.25])
      assert.strictEqual(upstream.received[0]?.path, "/v1/embeddings")
    })
  )
})

const City = z.object({ city: z.string() })

const weather = tool(({ city }) => JSON.stringify({ celsius: 21, city }), {
  name: "weather",
  description: "The weather of a city.",
  schema: City
})

const call = { id: "call_1", type: "function", function: { name: "weather", arguments: '{"city":"Köln"}' } }

const toolCall = completion("", {
  choices: [
    {
      index: 0,
      message: { role: "assistant", content: null, tool_calls: [call] },
      finish_reason: "tool_calls"
    }
  ]
})

const streamedToolCall = stream(
  chunk({ role: "assistant", content: null }),
  chunk({ tool_calls: [{ ...call, index: 0, function: { name: "weather", arguments: "" } }] }),
  ...['{"ci', 'ty":"Kö', 'ln"}'].map((piece) =>
    chunk({ tool_calls: [{ index: 0, function: { arguments: piece } }] })
  ),
  chunk({}, "tool_calls", { usage: USAGE }),
  "data: [DONE]\n\n"
)

const PICTURE = ["-f", "lavfi", "-i", "testsrc2=s=64x48", "-frames:v", "1"]
