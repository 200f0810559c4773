import { createOpenAICompatible } from "@ai-sdk/openai-compatible"
import { assert, describe, it } from "@effect/vitest"
import {
  APICallError,
  generateObject,
  generateText,
  Output,
  stepCountIs,
  streamObject,
  streamText,
  tool
} from "ai"
import type { ToolSet } from "ai"
import { Effect } from "effect"
import { z } from "zod"
import { arrayField, field } from "../../src/domain/Json.ts"
import { askedOf, headed, raised, settled, silence, startLine } from "../support/Clients.ts"
import { eventually } from "../support/Router.ts"
import type { Router } from "../support/Router.ts"
import { film, makeClips, startSenses } from "../support/Senses.ts"
import { chunk, completion, json, stream, streamText as eventsOf, USAGE } from "../support/Upstream.ts"

const sdk = (router: Pick<Router, "url">) =>
  createOpenAICompatible({
    name: "percept",
    baseURL: `${router.url}/v1`,
    apiKey: "sk-anything",
    includeUsage: true,
    supportsStructuredOutputs: true
  })

const startSdk = (lanes = true) =>
  Effect.map(startLine({ lanes }), ({ router, upstream }) => ({
    ...{ router, upstream },
    model: sdk(router)("test/plain")
  }))

/** Reads a stream of the SDK to its end. */
const gathered = <A>(parts: AsyncIterable<A>) =>
  Effect.promise(async () => {
    const found: Array<A> = []
    for await (const part of parts) found.push(part)
    return found
  })

for (const lanes of [true, false])
  describe(lanes ? "the Vercel AI SDK on the fast lane" : "the Vercel AI SDK through the contract", () => {
    it.scopedLive("gets a text and its usage", () =>
      Effect.gen(function* () {
        const { model, router, upstream } = yield* startSdk(lanes)
        const answer = yield* Effect.promise(() =>
          generateText({ model, system: "Be terse.", prompt: "Hi", temperature: 0.3, maxRetries: 0 })
        )
        assert.strictEqual(answer.text, "Hello from upstream.")
        assert.strictEqual(answer.finishReason, "stop")
        assert.deepInclude(answer.usage, { inputTokens: 10, outputTokens: 5, totalTokens: 15 })
        assert.deepStrictEqual(askedOf(upstream), {
          model: "test/plain",
          temperature: 0.3,
          messages: [
            { role: "system", content: "Be terse." },
            { role: "user", content: "Hi" }
          ]
        })
        const [row] = yield* settled(router, 1)
        assert.strictEqual(row?.total_tokens, 15)
        assert.strictEqual(row?.cost_usd, 0.00014)
      })
    )

    it.scopedLive("reads a stream of text, with usage at its end", () =>
      Effect.gen(function* () {
        const { model, upstream } = yield* startSdk(lanes)
        upstream.once(stream(eventsOf(["Once ", "upon ", "a ", "tïme 😀"])))
        const answer = streamText({ model, prompt: "Tell", maxRetries: 0 })
        assert.deepStrictEqual(yield* gathered(answer.textStream), ["Once ", "upon ", "a ", "tïme 😀"])
        const usage = yield* Effect.promise(async () => await answer.usage)
        assert.deepInclude(usage, { inputTokens: 10, outputTokens: 5 })
        assert.deepStrictEqual(field(askedOf(upstream), "stream_options"), { include_usage: true })
      })
    )

    it.scopedLive("calls a tool and brings its result back", () =>
      Effect.gen(function* () {
        const { model, router, upstream } = yield* startSdk(lanes)
        upstream.once(toolCall, completion("21 degrees."))
        const answer = yield* Effect.promise(() =>
          generateText({
            ...{ model, tools, maxRetries: 0 },
            prompt: "Weather in Köln?",
            stopWhen: stepCountIs(3)
          })
        )
        assert.strictEqual(answer.text, "21 degrees.")
        assert.deepStrictEqual(answer.steps[0]?.toolCalls[0]?.input, { city: "Köln" })
        assert.strictEqual(field(arrayField(askedOf(upstream), "tools")[0], "type"), "function")
        const [, said, result] = arrayField(askedOf(upstream, 1), "messages")
        assert.strictEqual(field(arrayField(said, "tool_calls")[0], "id"), "call_1")
        assert.deepInclude(Object(result), {
          role: "tool",
          tool_call_id: "call_1",
          content: JSON.stringify({ celsius: 21, city: "Köln" })
        })
        assert.strictEqual((yield* settled(router, 2)).length, 2)
      })
    )

    it.scopedLive("reads a tool's arguments as they come, and goes on with its result", () =>
      Effect.gen(function* () {
        const { model, upstream } = yield* startSdk(lanes)
        upstream.once(streamedToolCall, stream(eventsOf(["21 ", "degrees."])))
        const answer = streamText({
          ...{ model, tools, maxRetries: 0 },
          prompt: "Weather in Köln?",
          stopWhen: stepCountIs(3)
        })
        const parts = yield* gathered(answer.fullStream)
        const deltas = parts.flatMap((part) => (part.type === "tool-input-delta" ? [part.delta] : []))
        assert.strictEqual(deltas.join(""), '{"city":"Köln"}')
        assert.isAbove(deltas.length, 1)
        const results = parts.flatMap((part) => (part.type === "tool-result" ? [part.output] : []))
        assert.deepStrictEqual(results, [{ celsius: 21, city: "Köln" }])
        const text = yield* Effect.promise(async () => await answer.text)
        assert.strictEqual(text, "21 degrees.")
      })
    )

    it.scopedLive("gets objects by a schema, whole and in pieces", () =>
      Effect.gen(function* () {
        const { model, upstream } = yield* startSdk(lanes)
        upstream.once(
          completion('{"name":"Köln","people":1087863}'),
          stream(eventsOf(['{"name":"Kö', 'ln","people":', "1087863}"])),
          completion('{"name":"Bonn","people":1}')
        )
        const whole = yield* Effect.promise(() =>
          generateObject({ model, schema: City, prompt: "A city", maxRetries: 0 })
        )
        assert.deepStrictEqual(whole.object, { name: "Köln", people: 1087863 })
        const format = field(askedOf(upstream), "response_format")
        assert.strictEqual(field(format, "type"), "json_schema")
        assert.deepStrictEqual(field(field(field(format, "json_schema"), "schema"), "required"), [
          "name",
          "people"
        ])
        const pieces = streamObject({ model, schema: City, prompt: "A city", maxRetries: 0 })
        assert.deepStrictEqual((yield* gathered(pieces.partialObjectStream)).at(-1), whole.object)
        const output = Output.object({ schema: City })
        const newer = yield* Effect.promise(() =>
          generateText({ model, output, prompt: "A city", maxRetries: 0 })
        )
        assert.deepStrictEqual(newer.output, { name: "Bonn", people: 1 })
      })
    )
  })

describe("the Vercel AI SDK", () => {
  it.scopedLive("hears what is wrong, in the provider's words", () =>
    Effect.gen(function* () {
      const { model, upstream } = yield* startSdk()
      const ask = () => generateText({ model, prompt: "Hi", maxRetries: 0 })
      upstream.once(json(400, { error: { message: "Too long.", code: "context_length_exceeded" } }))
      const refused = yield* raised(APICallError, ask)
      assert.strictEqual(refused.statusCode, 400)
      assert.strictEqual(refused.message, "Too long.")
      assert.isFalse(refused.isRetryable)
      upstream.once(
        headed({ "retry-after": "3" }, json(429, { error: { message: "Slow down.", code: 429 } }))
      )
      const limited = yield* raised(APICallError, ask)
      assert.strictEqual(limited.statusCode, 429)
      assert.isTrue(limited.isRetryable)
      assert.strictEqual(limited.responseHeaders?.["retry-after"], "3")
    })
  )

  it.scopedLive("tries again by itself where that may help", () =>
    Effect.gen(function* () {
      const { model, router, upstream } = yield* startSdk()
      upstream.once(
        headed({ "retry-after-ms": "1", "retry-after": "0" }, json(503, { error: { message: "Busy." } }))
      )
      const answer = yield* Effect.promise(() => generateText({ model, prompt: "Hi", maxRetries: 1 }))
      assert.strictEqual(answer.text, "Hello from upstream.")
      assert.deepStrictEqual(
        (yield* settled(router, 2)).map(({ state }) => state),
        ["failed", "done"]
      )
    })
  )

  it.scopedLive("hears of a stream that broke off", () =>
    Effect.gen(function* () {
      const { model, upstream } = yield* startSdk()
      upstream.once(stream(chunk({ content: "Half" }), 'data: {"error":{"message":"Boom."}}\n\n'))
      const answer = streamText({ model, prompt: "Hi", maxRetries: 0, onError: () => {} })
      const parts = yield* gathered(answer.fullStream)
      assert.deepStrictEqual(
        parts.flatMap((part) => (part.type === "text-delta" ? [part.text] : [])),
        ["Half"]
      )
      const errors = parts.flatMap((part) => (part.type === "error" ? [JSON.stringify(part.error)] : []))
      assert.strictEqual(errors.length, 1)
      assert.include(errors[0], "Boom.")
    })
  )

  it.scopedLive("lets go, and the provider is let go of too", () =>
    Effect.gen(function* () {
      const { model, router, upstream } = yield* startSdk()
      upstream.once(silence)
      const stop = new AbortController()
      const asking = generateText({ model, prompt: "Hi", maxRetries: 0, abortSignal: stop.signal }).catch(
        (error: unknown) => error
      )
      yield* eventually(
        Effect.sync(() => upstream.received.length),
        (count) => count > 0
      )
      stop.abort()
      assert.strictEqual(field(yield* Effect.promise(() => asking), "name"), "AbortError")
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
      const provider = sdk(router)
      const ask = (model: string, content: Array<{ type: "text"; text: string } | Picture>) =>
        Effect.promise(() =>
          generateText({
            ...{ model: provider(model), maxRetries: 0 },
            messages: [{ role: "user", content }]
          })
        )
      const picture = { type: "image" as const, image: clips["card.png"], mediaType: "image/png" }
      yield* ask("test/eyes", [{ type: "text", text: "What is this?" }, picture])
      const parts = arrayField(arrayField(askedOf(upstream), "messages")[0], "content")
      const data = `data:image/png;base64,${clips["card.png"].toString("base64")}`
      assert.deepStrictEqual(parts, [
        { type: "text", text: "What is this?" },
        { type: "image_url", image_url: { url: data } }
      ])
      const shown = yield* ask("percept/inspect", [{ type: "text", text: `What is in ${link.href} ?` }])
      assert.include(shown.text, link.href)
      assert.match(shown.text, /^\[image 1: jpeg 160x90, \d+ kB/m)
      assert.strictEqual(host.asked[0]?.path, "/card.mp4")
    })
  )
})

type Picture = { readonly type: "image"; readonly image: Uint8Array; readonly mediaType: string }

const City = z.object({ name: z.string(), people: z.number() })

const tools: ToolSet = {
  weather: tool({
    description: "The weather of a city.",
    inputSchema: z.object({ city: z.string() }),
    execute: ({ city }) => Promise.resolve({ celsius: 21, city })
  })
}

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
  ...[{ ...call, function: { name: "weather", arguments: "" } }, ...['{"ci', 'ty":"Kö', 'ln"}']].map(
    (piece) =>
      chunk({
        tool_calls: [
          typeof piece === "string" ? { index: 0, function: { arguments: piece } } : { index: 0, ...piece }
        ]
      })
  ),
  chunk({}, "tool_calls", { usage: USAGE }),
  "data: [DONE]\n\n"
)

const PICTURE = ["-f", "lavfi", "-i", "testsrc2=s=64x48", "-frames:v", "1"]
