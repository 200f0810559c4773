import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { APIError } from "openai"
import type { ChatCompletionChunk } from "openai/resources/chat/completions"
import { field, stringField } from "../../src/domain/Json.ts"
import { all, openAi, raised, textOf } from "../support/Clients.ts"
import { noise } from "../support/Images.ts"
import { drip, status } from "../support/MediaHost.ts"
import { eventually } from "../support/Router.ts"
import { asked, gate, picturesOf, rowsOf, startSenses } from "../support/Senses.ts"
import {
  breaksOff,
  chunk,
  client,
  completion,
  eventsOf,
  finalRow,
  json,
  sendChat,
  stream,
  streamText,
  USAGE
} from "../support/Upstream.ts"

/** Large enough to come in pieces. */
const picture = Effect.promise(() => noise(60, 60).png().toBuffer())

/** A router whose medium does not come before it is let go. */
const start = (env: Record<string, string> = {}, options: { readonly lanes?: boolean } = {}) =>
  Effect.gen(function* () {
    const senses = yield* startSenses(env, options)
    const held = gate(yield* picture)
    const url = senses.host.behave("/a.png", held.behaviour).href
    const body = {
      model: "test/eyes",
      stream: true as const,
      messages: [{ role: "user" as const, content: `What is ${url} ?` }]
    }
    return { ...senses, held, url, body, openai: openAi(senses.router) }
  })

/** Lets the medium go as soon as the client has heard that it is being worked on. */
const heldUntil = (
  heard: () => number,
  { open, reached }: { open: () => void; reached: Effect.Effect<void> },
  times = 1
) =>
  reached.pipe(
    Effect.zipRight(eventually(Effect.sync(heard), (count) => count >= times)),
    Effect.zipRight(Effect.sync(open))
  )

const comments = (text: string): ReadonlyArray<string> => text.match(/^: percept .*$/gm) ?? []

describe("a client that streams", () => {
  it.scopedLive("hears at once that its media are worked on, and goes on hearing how far that is", () =>
    Effect.gen(function* () {
      const whole = yield* picture
      const { body, host, router, upstream } = yield* start()
      let release: (() => void) | undefined
      const slowly = drip(whole, Math.ceil(whole.length / 6), 600)
      host.behave("/a.png", (request, response) => {
        release = () => slowly(request, response)
      })
      const { answer, head, heard } = yield* client(router, { body: JSON.stringify(body) })
      const { headers, statusCode } = yield* head
      assert.strictEqual(statusCode, 200)
      assert.match(headers["content-type"] ?? "", /^text\/event-stream\b/)
      // The host has not handed out a byte yet: what is heard comes from the router.
      yield* eventually(Effect.sync(heard), (text) => comments(text).includes(": percept image 1/1 fetching"))
      yield* eventually(
        Effect.sync(() => release),
        (held) => held !== undefined
      )
      release?.()
      yield* eventually(Effect.sync(heard), (text) => /fetching [1-9]\d%/.test(text))
      assert.deepStrictEqual(upstream.received, [])

      const got = yield* answer
      const shares = comments(got.text).flatMap((line) => /fetching (\d+)%/.exec(line)?.[1] ?? [])
      assert.isAtLeast(shares.length, 2)
      assert.deepStrictEqual(
        shares.map(Number),
        shares.map(Number).toSorted((one, other) => one - other)
      )
      // Nothing but comments stands before the answer, which is the provider's own.
      const from = got.text.indexOf("data:")
      assert.match(got.text.slice(0, from), /^(?:: percept [^\n]*\n\n)+$/)
      assert.strictEqual(eventsOf(got.text).at(-1), "[DONE]")
      assert.strictEqual(stringField(eventsOf(got.text)[0], "model"), "test/eyes")
      const row = yield* finalRow(router, got)
      assert.strictEqual(row.state, "done")
      assert.strictEqual(row.is_streaming, 1)
      assert.strictEqual(row.cost_nano_usd, 140_000)
    })
  )

  it.scopedLive("with the official library is not disturbed by comments", () =>
    Effect.gen(function* () {
      const { body, held, openai, upstream } = yield* start()
      upstream.once(stream(streamText(["A te", "st card."])))
      const opened = openai.chat.completions.create(body)
      // The call is answered while the medium is still on its way.
      const coming = yield* Effect.promise(() => opened)
      yield* held.reached
      held.open()
      const chunks = yield* all(Promise.resolve(coming))
      assert.strictEqual(textOf(chunks), "A test card.")
      assert.strictEqual(chunks.at(-1)?.choices[0]?.finish_reason, "stop")
      assert.strictEqual(chunks.length, 3)
    })
  )

  it.scopedLive("reads what is done as thoughts where it asks for that, and the answer as ever", () =>
    Effect.gen(function* () {
      const { body, held, openai, router } = yield* start()
      const options = { headers: { "x-percept-progress": "reasoning" } }
      const chunks: Array<ChatCompletionChunk> = []
      const reading = Effect.promise(async () => {
        for await (const piece of await openai.chat.completions.create(body, options)) chunks.push(piece)
      })
      const thoughts = () =>
        chunks.map((piece) => stringField(piece.choices[0]?.delta, "reasoning_content") ?? "")
      // Before that it may hear that media are worked on, and no more.
      const isTold = () => (thoughts().includes("image 1/1 fetching\n") ? 1 : 0)
      yield* Effect.all([reading, heldUntil(isTold, held)], { concurrency: 2 })
      assert.strictEqual(textOf(chunks), "Hello from upstream.")
      assert.strictEqual(chunks.at(-1)?.choices[0]?.finish_reason, "stop")
      for (const piece of chunks) {
        assert.strictEqual(piece.object, "chat.completion.chunk")
        assert.strictEqual(piece.model, "test/eyes")
      }
      // What the router says itself is no part of the answer.
      const [row] = yield* rowsOf({ router }, 1)
      assert.strictEqual(row?.output_char_length, "Hello from upstream.".length)
    })
  )

  it.scopedLive(
    "whose medium cannot be had after all gets the error as an event, which the library raises",
    () =>
      Effect.gen(function* () {
        const { body, held, host, openai, router } = yield* start({ MEDIA_STRICT: "true" })
        const bad = host.behave("/bad.png", status(404)).href
        const messages = [{ role: "user" as const, content: `${body.messages[0]?.content} ${bad}` }]
        const { answer, heard } = yield* client(router, { body: JSON.stringify({ ...body, messages }) })
        yield* heldUntil(() => comments(heard()).length, held)
        const got = yield* answer
        assert.strictEqual(got.status, 200)
        const events = eventsOf(got.text)
        assert.strictEqual(events.length, 1)
        assert.strictEqual(stringField(field(events[0], "error"), "param"), "messages[0].content")
        assert.match(
          stringField(field(events[0], "error"), "message") ?? "",
          /^The medium at 'messages\[0\]\.content' cannot be used\./
        )
        assert.notInclude(got.text, "[DONE]")
        const row = yield* finalRow(router, got)
        assert.strictEqual(row.state, "failed")
        assert.strictEqual(row.error_source, "client")
        assert.strictEqual(row.status_code_returned_to_client, 200)

        const error = yield* raised(APIError, () =>
          openai.chat.completions.create({ ...body, messages }).then(async (events) => {
            for await (const _ of events) void _
          })
        )
        assert.match(error.message, /messages\[0\]\.content/)
      })
  )

  it.scopedLive("whose provider fails after that gets its error as an event, which the library raises", () =>
    Effect.gen(function* () {
      const { body, held, openai, router, upstream } = yield* start()
      upstream.answers(json(402, { error: { message: "Not enough credits", code: 402 } }))
      const error = yield* raised(APIError, () =>
        openai.chat.completions.create(body).then(async (events) => {
          held.open()
          for await (const _ of events) void _
        })
      )
      assert.match(error.message, /Not enough credits/)
      const [row] = yield* rowsOf({ router }, 1)
      assert.strictEqual(row?.state, "failed")
      assert.strictEqual(row?.error_source, "upstream")
    })
  )

  it.scopedLive("does not notice that a provider had to be asked twice", () =>
    Effect.gen(function* () {
      const { body, held, router, upstream } = yield* start({ UPSTREAM_RETRIES: "1" })
      upstream.once(json(503, { error: { message: "overloaded", code: 503 } }))
      const { answer, heard } = yield* client(router, { body: JSON.stringify(body) })
      yield* heldUntil(() => comments(heard()).length, held)
      const got = yield* answer
      assert.strictEqual(upstream.received.length, 2)
      assert.strictEqual(upstream.received[1]?.body.toString(), upstream.received[0]?.body.toString())
      const events = eventsOf(got.text)
      assert.strictEqual(events.at(-1), "[DONE]")
      assert.strictEqual(events.filter((event) => field(event, "error") !== undefined).length, 0)
      assert.strictEqual((yield* finalRow(router, got)).state, "done")
    })
  )

  it.scopedLive("is not asked for twice where the answer itself had begun", () =>
    Effect.gen(function* () {
      const { body, held, router, upstream } = yield* start({ UPSTREAM_RETRIES: "1" })
      upstream.once(breaksOff(200, chunk({ content: "A te" }), { "content-type": "text/event-stream" }))
      const { answer, heard } = yield* client(router, { body: JSON.stringify(body) })
      yield* heldUntil(() => comments(heard()).length, held)
      const got = yield* answer
      assert.strictEqual(upstream.received.length, 1)
      assert.strictEqual(stringField(field(eventsOf(got.text).at(-1), "error"), "code"), "upstream_broke_off")
    })
  )

  it.scopedLive("gets a whole answer in pieces where its provider does not stream", () =>
    Effect.gen(function* () {
      const { body, held, openai, router, upstream } = yield* start()
      const call = { id: "call_1", type: "function", function: { name: "look", arguments: "{}" } }
      const message = { role: "assistant", content: "A test card.", tool_calls: [call] }
      upstream.once(completion("", { choices: [{ index: 0, message, finish_reason: "tool_calls" }] }))
      const coming = yield* Effect.promise(() => openai.chat.completions.create(body))
      held.open()
      const chunks = yield* all(Promise.resolve(coming))
      assert.strictEqual(textOf(chunks), "A test card.")
      assert.strictEqual(chunks[0]?.choices[0]?.delta.tool_calls?.[0]?.function?.name, "look")
      assert.strictEqual(chunks[0]?.choices[0]?.delta.tool_calls?.[0]?.index, 0)
      assert.strictEqual(chunks.at(-1)?.choices[0]?.finish_reason, "tool_calls")
      assert.deepStrictEqual({ ...chunks.at(-1)?.usage }, { ...USAGE })
      const [row] = yield* rowsOf({ router }, 1)
      assert.strictEqual(row?.state, "done")
      assert.strictEqual(row?.cost_nano_usd, 140_000)
    })
  )

  it.scopedLive("hears and gets the same through the contract", () =>
    Effect.gen(function* () {
      const { body, held, router, upstream } = yield* start({}, { lanes: false })
      const text = streamText(["A te", "st card."])
      upstream.once(stream(text))
      const { answer, heard } = yield* client(router, { body: JSON.stringify(body) })
      yield* heldUntil(() => comments(heard()).length, held)
      const got = yield* answer
      assert.match(got.headers["content-type"] ?? "", /^text\/event-stream\b/)
      assert.strictEqual(got.text.replace(/^: percept .*\n\n/gm, ""), text)
      assert.strictEqual((yield* finalRow(router, got)).state, "done")
    })
  )

  it.scopedLive("gets the whole answer as JSON where nothing had to be said before", () =>
    Effect.gen(function* () {
      const { router, upstream } = yield* startSenses()
      upstream.answers(completion("Hello"))
      const got = yield* sendChat(router, {
        model: "test/eyes",
        stream: true,
        messages: [{ role: "user", content: "Hi" }]
      })
      assert.match(got.headers["content-type"] ?? "", /^application\/json/)
    })
  )

  it.scopedLive("hears nothing but the answer where its media are known", () =>
    Effect.gen(function* () {
      const senses = yield* startSenses()
      const { host, router, upstream } = senses
      const url = host.serve("/a.png", yield* picture).href
      const body = { model: "test/eyes", stream: true, messages: [{ role: "user", content: url }] }
      yield* sendChat(router, body)
      const text = streamText(["Hel", "lo"])
      upstream.once(stream(text))
      const got = yield* sendChat(router, body)
      assert.match(String(got.headers["x-percept-media"]), /^image 1; 1 remembered; /)
      assert.strictEqual(got.text, text)
      assert.strictEqual(picturesOf(asked(senses)[1]).length, 1)
    })
  )

  it.scopedLive("and one that does not hear the same in the end", () =>
    Effect.gen(function* () {
      const { body, held, router } = yield* start()
      const { answer, heard } = yield* client(router, { body: JSON.stringify({ ...body, stream: false }) })
      yield* held.reached
      const other = yield* client(router, { body: JSON.stringify(body) })
      // By now whoever streams has heard of it.
      yield* heldUntil(() => comments(other.heard()).length, held)
      assert.strictEqual(heard(), "")
      const [whole, streamed] = [yield* answer, yield* other.answer]
      assert.match(whole.headers["content-type"] ?? "", /^application\/json/)
      assert.include(whole.text, '"content":"Hello from upstream."')
      assert.include(streamed.text, '"content":"Hello from upstream."')
    })
  )
})
