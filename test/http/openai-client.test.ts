import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import {
  APIConnectionError,
  APIError,
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  ConflictError,
  InternalServerError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
  UnprocessableEntityError
} from "openai"
import type { ChatCompletionMessageParam, ChatCompletionTool } from "openai/resources/chat/completions"
import { field } from "../../src/domain/Json.ts"
import {
  all,
  askedOf,
  headed,
  openAi,
  question,
  raised,
  settled,
  silence,
  startLine,
  textOf
} from "../support/Clients.ts"
import { eventually, startRouter } from "../support/Router.ts"
import { chunk, completion, json, openStream, stream, streamText, USAGE } from "../support/Upstream.ts"

for (const lanes of [true, false]) {
  describe(lanes ? "the OpenAI client on the fast lane" : "the OpenAI client through the contract", () => {
    it.scopedLive("gets an answer to a chat", () =>
      Effect.gen(function* () {
        const { openai, upstream } = yield* startLine({ lanes })
        const answer = yield* Effect.promise(() => openai.chat.completions.create(question("Hi")))
        assert.strictEqual(answer.choices[0]?.message.content, "Hello from upstream.")
        assert.strictEqual(answer.choices[0]?.finish_reason, "stop")
        assert.strictEqual(answer.usage?.total_tokens, 15)
        assert.deepStrictEqual(askedOf(upstream), question("Hi"))
      })
    )

    it.scopedLive("reads a stream to its end", () =>
      Effect.gen(function* () {
        const { openai, router, upstream } = yield* startLine({ lanes })
        upstream.once(stream(streamText(["Once ", "upon ", "a ", "tïme 😀"])))
        const chunks = yield* all(openai.chat.completions.create({ ...question("Hi"), stream: true }))
        assert.strictEqual(textOf(chunks), "Once upon a tïme 😀")
        assert.strictEqual(chunks.at(-1)?.choices[0]?.finish_reason, "stop")
        const [row] = yield* router.rows
        assert.strictEqual(row?.state, "done")
        assert.strictEqual(row?.is_streaming, 1)
      })
    )

    it.scopedLive("gets the usage chunk it asked for", () =>
      Effect.gen(function* () {
        const { openai, router, upstream } = yield* startLine({ lanes })
        upstream.once(
          stream(
            chunk({ role: "assistant", content: "Hi" }, null, { usage: null }),
            chunk({}, "stop", { usage: null }),
            chunk({}, null, { choices: [], usage: USAGE }),
            "data: [DONE]\n\n"
          )
        )
        const request = { ...question("Hi"), stream: true as const, stream_options: { include_usage: true } }
        const chunks = yield* all(openai.chat.completions.create(request))
        assert.deepStrictEqual(askedOf(upstream), request)
        assert.deepStrictEqual(
          chunks.map((chunk) => chunk.usage),
          [null, null, USAGE]
        )
        assert.deepStrictEqual(chunks.at(-1)?.choices, [])
        const [row] = yield* router.rows
        assert.strictEqual(row?.total_tokens, 15)
        assert.strictEqual(row?.state, "done")
      })
    )

    it.scopedLive("gets no usage chunk where it asked for none and the provider sends none", () =>
      Effect.gen(function* () {
        const { openai, router, upstream } = yield* startLine({ lanes })
        upstream.once(stream(chunk({ content: "Hi" }), chunk({}, "stop"), "data: [DONE]\n\n"))
        const chunks = yield* all(openai.chat.completions.create({ ...question("Hi"), stream: true }))
        assert.deepStrictEqual(askedOf(upstream), { ...question("Hi"), stream: true })
        assert.strictEqual(chunks.length, 2)
        assert.isTrue(chunks.every((chunk) => chunk.usage === undefined))
        const [row] = yield* router.rows
        assert.isNull(row?.total_tokens)
        assert.isNull(row?.cost_nano_usd)
        assert.isNull(row?.cost_source)
      })
    )

    it.scopedLive("sends tools, and brings their results back", () =>
      Effect.gen(function* () {
        const { openai, router, upstream } = yield* startLine({ lanes })
        const call = {
          id: "call_1",
          type: "function" as const,
          function: { name: "weather", arguments: '{"city":"Köln"}' }
        }
        upstream.once(
          json(200, {
            id: "gen-1",
            object: "chat.completion",
            created: 1,
            model: "test/plain",
            choices: [
              {
                index: 0,
                message: { role: "assistant", content: null, tool_calls: [call] },
                finish_reason: "tool_calls"
              }
            ],
            usage: USAGE
          })
        )
        const messages: Array<ChatCompletionMessageParam> = [{ role: "user", content: "Weather in Köln?" }]
        const request = { model: "test/plain", tools: TOOLS, tool_choice: "auto" as const }
        const first = yield* Effect.promise(() => openai.chat.completions.create({ ...request, messages }))
        const said = first.choices[0]?.message
        assert.isNull(said?.content)
        assert.deepStrictEqual(said?.tool_calls, [call])
        assert.deepStrictEqual(askedOf(upstream), { ...request, messages })

        const next: Array<ChatCompletionMessageParam> = [
          ...messages,
          { role: "assistant", content: null, tool_calls: [call] },
          { role: "tool", tool_call_id: "call_1", content: '{"celsius":21}' }
        ]
        yield* Effect.promise(() => openai.chat.completions.create({ ...request, messages: next }))
        assert.deepStrictEqual(askedOf(upstream, 1), { ...request, messages: next })
        const rows = yield* settled(router, 2)
        assert.deepStrictEqual(
          rows.map((row) => row.state),
          ["done", "done"]
        )
      })
    )

    it.scopedLive("assembles streamed tool calls", () =>
      Effect.gen(function* () {
        const { openai, upstream } = yield* startLine({ lanes })
        const deltas = [
          [{ index: 0, id: "call_1", type: "function", function: { name: "weather", arguments: "" } }],
          [{ index: 0, function: { arguments: '{"ci' } }],
          [{ index: 1, id: "call_2", type: "function", function: { name: "weather", arguments: "" } }],
          [{ index: 0, function: { arguments: 'ty":"Köln"}' } }],
          [{ index: 1, function: { arguments: '{"city":"Oslo"}' } }]
        ]
        upstream.once(
          stream(
            chunk({ role: "assistant", content: null }),
            ...deltas.map((tool_calls) => chunk({ tool_calls })),
            chunk({}, "tool_calls"),
            "data: [DONE]\n\n"
          )
        )
        const answer = yield* Effect.promise(() =>
          openai.chat.completions.stream({ ...question("Weather?"), tools: TOOLS }).finalChatCompletion()
        )
        assert.strictEqual(answer.choices[0]?.finish_reason, "tool_calls")
        const calls = answer.choices[0]?.message.tool_calls ?? []
        assert.deepStrictEqual(
          calls.map((call) => [call.id, call.type === "function" ? call.function.arguments : undefined]),
          [
            ["call_1", '{"city":"Köln"}'],
            ["call_2", '{"city":"Oslo"}']
          ]
        )
      })
    )

    it.scopedLive("gets answers in a JSON schema parsed", () =>
      Effect.gen(function* () {
        const { openai, upstream } = yield* startLine({ lanes })
        upstream.once(completion('{"city":"Köln","people":1087353}'))
        const request = {
          ...question("Which city?"),
          response_format: {
            type: "json_schema" as const,
            json_schema: {
              name: "city",
              strict: true,
              schema: {
                type: "object",
                properties: { city: { type: "string" }, people: { type: "integer" } },
                required: ["city", "people"],
                additionalProperties: false
              }
            }
          }
        }
        const answer = yield* Effect.promise(() => openai.chat.completions.parse(request))
        assert.deepStrictEqual(answer.choices[0]?.message.parsed, { city: "Köln", people: 1087353 })
        assert.deepStrictEqual(askedOf(upstream), request)
      })
    )

    it.scopedLive("sends fields the router has never heard of, and gets such fields back", () =>
      Effect.gen(function* () {
        const { openai, upstream } = yield* startLine({ lanes })
        const unknown = {
          provider: { order: ["DeepInfra"], max_price: { prompt: "0.5" } },
          reasoning: { effort: "high", exclude: false },
          transforms: ["middle-out"],
          models: ["test/plain", "test/other"],
          x_deep: { a: [{ b: null, c: { d: "é" } }] }
        }
        const messages = [
          {
            role: "user" as const,
            content: [{ type: "text" as const, text: "Hi", cache_control: { type: "ephemeral" } }],
            x_note: { y: 1 }
          }
        ]
        const details = [{ type: "reasoning.text", text: "hm", signature: null, index: 0 }]
        const annotations = [
          { type: "url_citation", url_citation: { url: "https://example.com", title: "E" } }
        ]
        upstream.once(
          completion("", {
            provider: "DeepInfra",
            system_fingerprint: null,
            choices: [
              {
                index: 0,
                finish_reason: "stop",
                native_finish_reason: "STOP",
                message: { role: "assistant", content: "Hi", reasoning_details: details, annotations }
              }
            ]
          })
        )
        const request = { ...unknown, model: "test/plain", messages }
        const answer = yield* Effect.promise(() => openai.chat.completions.create(request))
        assert.deepStrictEqual(askedOf(upstream), request)
        assert.strictEqual(field(answer, "provider"), "DeepInfra")
        assert.isNull(field(answer, "system_fingerprint"))
        const [choice] = answer.choices
        assert.strictEqual(field(choice, "native_finish_reason"), "STOP")
        assert.deepStrictEqual(field(choice?.message, "reasoning_details"), details)
        assert.deepStrictEqual(field(choice?.message, "annotations"), annotations)
      })
    )

    it.scopedLive("gets unknown fields in the chunks of a stream", () =>
      Effect.gen(function* () {
        const { openai, upstream } = yield* startLine({ lanes })
        const reasoning_details = [{ type: "reasoning.text", text: "hm", index: 0 }]
        upstream.once(
          stream(
            ": OPENROUTER PROCESSING\n\n",
            chunk({ role: "assistant", content: "", reasoning: "hm", reasoning_details }, null, {
              provider: "DeepInfra"
            }),
            chunk({ content: "Hi", annotations: [] }),
            chunk({}, "stop", { usage: USAGE, openrouter_metadata: { attempts: 1 } }),
            "data: [DONE]\n\n"
          )
        )
        const chunks = yield* all(openai.chat.completions.create({ ...question("Hi"), stream: true }))
        assert.strictEqual(textOf(chunks), "Hi")
        assert.strictEqual(field(chunks[0], "provider"), "DeepInfra")
        assert.strictEqual(field(chunks[0]?.choices[0]?.delta, "reasoning"), "hm")
        assert.deepStrictEqual(field(chunks[0]?.choices[0]?.delta, "reasoning_details"), reasoning_details)
        assert.deepStrictEqual(field(chunks[1]?.choices[0]?.delta, "annotations"), [])
        assert.deepStrictEqual(field(chunks[2], "openrouter_metadata"), { attempts: 1 })
      })
    )

    it.scopedLive("gets null as content where the provider says null", () =>
      Effect.gen(function* () {
        const { openai, router, upstream } = yield* startLine({ lanes })
        const message = { role: "assistant", content: null, refusal: "I will not." }
        upstream.once(completion("", { choices: [{ index: 0, message, finish_reason: "stop" }] }))
        const answer = yield* Effect.promise(() => openai.chat.completions.create(question("Hi")))
        assert.deepStrictEqual<unknown>(answer.choices[0]?.message, message)
        const [row] = yield* router.rows
        assert.strictEqual(row?.output_char_length, 0)
      })
    )

    it.scopedLive("gets several choices, whole and streamed", () =>
      Effect.gen(function* () {
        const { openai, router, upstream } = yield* startLine({ lanes })
        const choice = (index: number, content: string) => ({
          index,
          message: { role: "assistant", content },
          finish_reason: "stop"
        })
        upstream.once(completion("", { choices: [choice(0, "one"), choice(1, "two")] }))
        const request = { ...question("Hi"), n: 2 }
        const answer = yield* Effect.promise(() => openai.chat.completions.create(request))
        assert.deepStrictEqual(askedOf(upstream), request)
        assert.deepStrictEqual(
          answer.choices.map((choice) => choice.message.content),
          ["one", "two"]
        )

        const piece = (index: number, delta: object, finish_reason: string | null = null) =>
          chunk({}, null, { choices: [{ index, delta, finish_reason }] })
        upstream.once(
          stream(
            piece(0, { role: "assistant", content: "o" }) + piece(1, { role: "assistant", content: "t" }),
            piece(1, { content: "wo" }),
            piece(1, {}, "length"),
            piece(0, { content: "ne" }),
            piece(0, {}, "stop"),
            "data: [DONE]\n\n"
          )
        )
        const streamed = yield* Effect.promise(() =>
          openai.chat.completions.stream(request).finalChatCompletion()
        )
        assert.deepStrictEqual(
          streamed.choices.map((choice) => [choice.message.content, choice.finish_reason]),
          [
            ["one", "stop"],
            ["two", "length"]
          ]
        )
        const rows = yield* settled(router, 2)
        assert.deepStrictEqual(
          rows.map((row) => [row.state, row.output_char_length]),
          [
            ["done", 6],
            ["done", 6]
          ]
        )
      })
    )

    it.scopedLive("gets log probabilities, whole and streamed", () =>
      Effect.gen(function* () {
        const { openai, upstream } = yield* startLine({ lanes })
        const token = { token: "Hi", logprob: -0.000012, bytes: [72, 105], top_logprobs: [] }
        const logprobs = { content: [token], refusal: null }
        const message = { role: "assistant", content: "Hi" }
        upstream.once(completion("", { choices: [{ index: 0, message, logprobs, finish_reason: "stop" }] }))
        const request = { ...question("Hi"), logprobs: true, top_logprobs: 0 }
        const answer = yield* Effect.promise(() => openai.chat.completions.create(request))
        assert.deepStrictEqual(askedOf(upstream), request)
        assert.deepStrictEqual(answer.choices[0]?.logprobs, logprobs)

        const delta = { content: "Hi" }
        upstream.once(
          stream(
            chunk({}, null, { choices: [{ index: 0, delta, logprobs, finish_reason: null }] }),
            chunk({}, "stop") + "data: [DONE]\n\n"
          )
        )
        const chunks = yield* all(openai.chat.completions.create({ ...request, stream: true }))
        assert.deepStrictEqual(chunks[0]?.choices[0]?.logprobs, logprobs)
      })
    )

    it.scopedLive("sees every header of an answer", () =>
      Effect.gen(function* () {
        const { openai, router, upstream } = yield* startLine({ lanes })
        upstream.once(
          headed({ "x-generation-id": "gen-77" }, completion("Hi")),
          headed({ "x-generation-id": "gen-78" }, stream(streamText(["Hi"])))
        )
        const whole = yield* Effect.promise(() =>
          openai.chat.completions.create(question("Hi")).withResponse()
        )
        assert.strictEqual(whole.response.headers.get("x-generation-id"), "gen-77")
        assert.match(whole.response.headers.get("content-type") ?? "", /^application\/json/)
        const streamed = yield* Effect.promise(() =>
          openai.chat.completions.create({ ...question("Hi"), stream: true }).withResponse()
        )
        assert.strictEqual(streamed.response.headers.get("x-generation-id"), "gen-78")
        assert.match(streamed.response.headers.get("content-type") ?? "", /^text\/event-stream/)
        assert.strictEqual(textOf(yield* all(Promise.resolve(streamed.data))), "Hi")
        const rows = yield* settled(router, 2)
        assert.deepStrictEqual(
          rows.map((row) => [row.internal_request_id, row.openrouter_request_id]),
          [
            [whole.request_id, "gen-77"],
            [streamed.request_id, "gen-78"]
          ]
        )
        assert.strictEqual(field(whole.data, "_request_id"), whole.request_id)
      })
    )

    it.scopedLive("hangs up before the first byte, and the provider hears of it", () =>
      Effect.gen(function* () {
        for (const streaming of [false, true]) {
          const { openai, router, upstream } = yield* startLine({ lanes })
          upstream.once(silence)
          const abort = new AbortController()
          const request = { ...question("Hi"), stream: streaming }
          const failing = yield* Effect.fork(
            raised(APIUserAbortError, () => openai.chat.completions.create(request, { signal: abort.signal }))
          )
          yield* eventually(
            Effect.sync(() => upstream.received.length),
            (count) => count === 1
          )
          abort.abort()
          yield* failing
          yield* eventually(
            Effect.sync(() => upstream.received[0]?.aborted),
            (aborted) => aborted === true,
            1
          )
          const [row] = yield* router.rows
          assert.strictEqual(row?.state, "cancelled")
          assert.strictEqual(row?.status_code_returned_to_client, 499)
          assert.isNull(row?.cost_nano_usd)
        }
      })
    )

    it.scopedLive("hangs up in the middle of a stream, and the provider hears of it", () =>
      Effect.gen(function* () {
        const { openai, router, upstream } = yield* startLine({ lanes })
        upstream.once((_, response) => {
          openStream(response)
          response.write(chunk({ role: "assistant", content: "Once upon" }))
        })
        const abort = new AbortController()
        const heard = yield* Effect.promise(async () => {
          let text = ""
          const request = { ...question("Hi"), stream: true as const }
          for await (const chunk of await openai.chat.completions.create(request, { signal: abort.signal })) {
            text += chunk.choices[0]?.delta.content ?? ""
            abort.abort()
          }
          return text
        })
        assert.strictEqual(heard, "Once upon")
        yield* eventually(
          Effect.sync(() => upstream.received[0]?.aborted),
          (aborted) => aborted === true,
          1
        )
        const [row] = yield* router.rows
        assert.strictEqual(row?.state, "cancelled")
        assert.strictEqual(row?.status_code_returned_to_client, 200)
        assert.strictEqual(row?.output_char_length, 9)
        assert.isNull(row?.cost_nano_usd)
      })
    )

    for (const { kind, name, status } of PASSED_ON)
      it.scopedLive(`raises ${name} for a provider's ${status}`, () =>
        Effect.gen(function* () {
          const { openai, router, upstream } = yield* startLine({ lanes })
          const metadata = { reasons: ["violence"], provider_name: "DeepInfra" }
          const answer = json(status, { error: { code: status, message: `No, ${status}.`, metadata } })
          upstream.once(answer, answer)
          const error = yield* raised(kind, () => openai.chat.completions.create(question("Hi")))
          assert.strictEqual(error.status, status)
          assert.include(error.message, `No, ${status}.`)
          assert.deepStrictEqual(field(error.error, "metadata"), metadata)
          assertShape(error)
          const streaming = yield* raised(kind, () =>
            openai.chat.completions.create({ ...question("Hi"), stream: true })
          )
          assert.strictEqual(streaming.status, status)
          const rows = yield* settled(router, 2)
          assert.deepStrictEqual(
            rows.map((row) => row.internal_request_id),
            [error.requestID, streaming.requestID]
          )
          for (const row of rows) {
            assert.strictEqual(row.state, "failed")
            assert.strictEqual(row.error_source, "upstream")
            assert.strictEqual(row.status_code_returned_to_client, status)
            assert.include(row.error_message ?? "", `No, ${status}.`)
          }
        })
      )

    it.scopedLive("raises RateLimitError, with the provider's time to wait", () =>
      Effect.gen(function* () {
        const { openai, router, upstream } = yield* startLine({ lanes })
        const refusal = {
          error: { code: 429, message: "Provider returned error", metadata: { raw: "slow down" } }
        }
        upstream.once(json(429, refusal, { "retry-after": "7" }), json(429, refusal))
        const error = yield* raised(RateLimitError, () => openai.chat.completions.create(question("Hi")))
        assert.strictEqual(error.headers.get("retry-after"), "7")
        assert.include(error.message, "slow down")
        assert.strictEqual(error.code, "rate_limit_exceeded")
        assertShape(error)
        const silent = yield* raised(RateLimitError, () => openai.chat.completions.create(question("Hi")))
        assert.match(silent.headers.get("retry-after") ?? "", /^\d+$/)
        const [row] = yield* settled(router, 2)
        assert.strictEqual(row?.internal_request_id, error.requestID)
        assert.strictEqual(row?.error_source, "upstream")
      })
    )

    it.scopedLive("raises InternalServerError where the provider does not take the router's key", () =>
      Effect.gen(function* () {
        const { openai, router, upstream } = yield* startLine({ lanes })
        for (const status of [401, 403]) {
          upstream.once(json(status, { error: { code: status, message: "User not found." } }))
          const error = yield* raised(InternalServerError, () =>
            openai.chat.completions.create(question("Hi"))
          )
          assert.strictEqual(error.status, 502)
          assert.notInclude(error.message, "User not found")
          assertShape(error)
        }
        const rows = yield* settled(router, 2)
        assert.isTrue(rows.every((row) => row.error_source === "upstream"))
      })
    )

    it.scopedLive("raises an error where a provider's 200 holds one", () =>
      Effect.gen(function* () {
        const { openai, router, upstream } = yield* startLine({ lanes })
        upstream.once(json(200, { error: { code: 429, message: "Slow down." } }))
        const error = yield* raised(RateLimitError, () => openai.chat.completions.create(question("Hi")))
        assert.include(error.message, "Slow down.")
        const [row] = yield* router.rows
        assert.strictEqual(row?.state, "failed")
      })
    )

    it.scopedLive("raises BadRequestError for what the router itself refuses", () =>
      Effect.gen(function* () {
        const { openai, router, upstream } = yield* startLine({ lanes })
        const error = yield* raised(BadRequestError, () =>
          openai.chat.completions.create({ model: "test/plain", messages: [] })
        )
        assert.strictEqual(error.param, "messages")
        assert.strictEqual(error.type, "invalid_request_error")
        assertShape(error)
        assert.strictEqual(upstream.received.length, 0)
        const [row] = yield* router.rows
        assert.strictEqual(row?.internal_request_id, error.requestID)
        assert.strictEqual(row?.error_source, "client")
        assert.strictEqual(row?.state, "failed")
      })
    )

    it.scopedLive("raises AuthenticationError for a wrong key, and none for the right one", () =>
      Effect.gen(function* () {
        const { openai, router, upstream } = yield* startLine({ lanes, env: { API_KEYS: "right-key" } })
        const error = yield* raised(AuthenticationError, () => openai.chat.completions.create(question("Hi")))
        assert.strictEqual(error.status, 401)
        assert.strictEqual(error.code, "invalid_api_key")
        assertShape(error)
        assert.strictEqual(upstream.received.length, 0)
        const admitted = openAi(router, { apiKey: "right-key" })
        const answer = yield* Effect.promise(() => admitted.chat.completions.create(question("Hi")))
        const rows = yield* settled(router, 2)
        assert.deepStrictEqual(
          rows.map((row) => [row.internal_request_id, row.state, row.key_id === null]),
          [
            [error.requestID, "failed", true],
            [answer._request_id, "done", false]
          ]
        )
      })
    )

    it.scopedLive("raises PermissionDeniedError on a web page of another origin", () =>
      Effect.gen(function* () {
        const { router, upstream } = yield* startLine({ lanes })
        const openai = openAi(router, { defaultHeaders: { origin: "https://evil.example" } })
        const error = yield* raised(PermissionDeniedError, () =>
          openai.chat.completions.create(question("Hi"))
        )
        assertShape(error)
        assert.strictEqual(upstream.received.length, 0)
        const [row] = yield* router.rows
        assert.strictEqual(row?.internal_request_id, error.requestID)
      })
    )

    it.scopedLive("raises NotFoundError for a provider that is not there", () =>
      Effect.gen(function* () {
        const { openai, router, upstream } = yield* startLine({ lanes })
        const error = yield* raised(NotFoundError, () =>
          openai.chat.completions.create(question("Hi", "ollama:llama3"))
        )
        assert.strictEqual(error.code, "model_not_found")
        assert.strictEqual(error.param, "model")
        assertShape(error)
        assert.strictEqual(upstream.received.length, 0)
        const [row] = yield* router.rows
        assert.strictEqual(row?.internal_request_id, error.requestID)
      })
    )

    it.scopedLive("raises APIError on an error event in the middle of a stream", () =>
      Effect.gen(function* () {
        const { openai, router, upstream } = yield* startLine({ lanes })
        const event = {
          id: "gen-1",
          object: "chat.completion.chunk",
          created: 1,
          model: "test/plain",
          error: { code: "server_error", message: "Provider disconnected", metadata: { error_type: "x" } },
          choices: [{ index: 0, delta: { content: "" }, finish_reason: "error" }]
        }
        upstream.once(
          stream(
            chunk({ content: "Once " }),
            chunk({ content: "upon" }),
            `data: ${JSON.stringify(event)}\n\n`
          )
        )
        const { error, text } = yield* broken(openai)
        assert.strictEqual(text, "Once upon")
        assert.include(error.message, "Provider disconnected")
        assert.strictEqual(error.code, "server_error")
        assertShape(error)
        const [row] = yield* router.rows
        assert.strictEqual(row?.internal_request_id, error.requestID)
        assert.strictEqual(row?.state, "failed")
        assert.strictEqual(row?.error_source, "upstream")
        assert.strictEqual(row?.status_code_returned_to_client, 200)
        assert.strictEqual(row?.output_char_length, 9)
      })
    )

    it.scopedLive("keeps in the record what a stream that ended in an error had used", () =>
      Effect.gen(function* () {
        const { openai, router, upstream } = yield* startLine({ lanes })
        const error = { code: 502, message: "Provider disconnected" }
        upstream.once(
          stream(
            chunk({ content: "Once" }),
            chunk({ content: "" }, "error", { error, usage: { ...USAGE, completion_tokens: 1 } })
          )
        )
        yield* broken(openai)
        const [row] = yield* router.rows
        assert.strictEqual(row?.state, "failed")
        assert.strictEqual(row?.prompt_tokens, 10)
        assert.strictEqual(row?.completion_tokens, 1)
        assert.strictEqual(row?.cost_nano_usd, 140_000)
      })
    )

    it.scopedLive("raises APIError where the provider breaks off, or ends without a finish", () =>
      Effect.gen(function* () {
        const { openai, router, upstream } = yield* startLine({ lanes })
        upstream.once(
          (_, response) => {
            openStream(response)
            response.write(chunk({ content: "Once" }), () => setImmediate(() => response.destroy()))
          },
          stream(chunk({ content: "Once" })),
          stream(chunk({ content: "Once" }), "data: {not json\n\n")
        )
        for (let times = 0; times < 3; times++) {
          const { error, text } = yield* broken(openai)
          assert.strictEqual(text, "Once")
          assertShape(error)
        }
        const rows = yield* settled(router, 3)
        assert.deepStrictEqual(
          rows.map((row) => [row.state, row.error_source]),
          [
            ["failed", "upstream"],
            ["failed", "upstream"],
            ["failed", "upstream"]
          ]
        )
      })
    )

    it.scopedLive("raises an error with a status where a stream fails before its first event", () =>
      Effect.gen(function* () {
        const { openai, router, upstream } = yield* startLine({ lanes })
        const error = { code: 529, message: "Overloaded." }
        upstream.once(stream(`data: ${JSON.stringify({ error })}\n\n`))
        const raisedError = yield* raised(InternalServerError, () =>
          openai.chat.completions.create({ ...question("Hi"), stream: true })
        )
        assert.strictEqual(raisedError.status, 529)
        assert.include(raisedError.message, "Overloaded.")
        const [row] = yield* router.rows
        assert.strictEqual(row?.status_code_returned_to_client, 529)
      })
    )

    it.scopedLive("raises APIConnectionError while the router is down", () =>
      Effect.gen(function* () {
        const url = yield* Effect.scoped(Effect.map(startRouter({}, { lanes }), (router) => router.url))
        yield* raised(APIConnectionError, () => openAi({ url }).chat.completions.create(question("Hi")))
      })
    )

    it.scopedLive("tries again by itself after a 503", () =>
      Effect.gen(function* () {
        const { router, upstream } = yield* startLine({ lanes })
        upstream.once(
          json(503, { error: { code: 503, message: "Overloaded." } }, { "retry-after": "0" }),
          completion("At last.")
        )
        const patient = openAi(router, { maxRetries: 1 })
        const answer = yield* Effect.promise(() => patient.chat.completions.create(question("Hi")))
        assert.strictEqual(answer.choices[0]?.message.content, "At last.")
        assert.strictEqual(upstream.received.length, 2)
        const rows = yield* settled(router, 2)
        assert.deepStrictEqual(
          rows.map((row) => [row.state, row.status_code_returned_to_client]),
          [
            ["failed", 503],
            ["done", 200]
          ]
        )
        assert.notStrictEqual(rows[0]?.internal_request_id, rows[1]?.internal_request_id)
        assert.strictEqual(rows[1]?.internal_request_id, answer._request_id)
      })
    )

    it.scopedLive("lists models page by page, and finds single ones", () =>
      Effect.gen(function* () {
        const { openai } = yield* startLine({ lanes })
        const ids = (yield* all(openai.models.list())).map((model) => model.id)
        assert.sameMembers(ids, ["test/plain", "test/free:free", "percept/inspect"])
        for (const id of ids) {
          const model = yield* Effect.promise(() => openai.models.retrieve(id))
          assert.strictEqual(model.id, id)
          assert.strictEqual(model.object, "model")
          assert.isNumber(model.created)
          assert.isString(model.owned_by)
        }
        const error = yield* raised(NotFoundError, () => openai.models.retrieve("test/none:free"))
        assert.strictEqual(error.code, "model_not_found")
        assertShape(error)
      })
    )
  })
}

const TOOLS: Array<ChatCompletionTool> = [
  {
    type: "function",
    function: {
      name: "weather",
      description: "The weather of a city.",
      parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] }
    }
  }
]

/** Errors of a provider that the caller gets under the provider's own status. */
const PASSED_ON = [
  { status: 400, name: "BadRequestError", kind: BadRequestError },
  { status: 402, name: "APIError", kind: APIError },
  { status: 403, name: "PermissionDeniedError", kind: PermissionDeniedError },
  { status: 404, name: "NotFoundError", kind: NotFoundError },
  { status: 409, name: "ConflictError", kind: ConflictError },
  { status: 422, name: "UnprocessableEntityError", kind: UnprocessableEntityError },
  { status: 429, name: "RateLimitError", kind: RateLimitError },
  { status: 500, name: "InternalServerError", kind: InternalServerError },
  { status: 502, name: "InternalServerError", kind: InternalServerError },
  { status: 503, name: "InternalServerError", kind: InternalServerError }
]

/** OpenAI's four fields, all there, and the number of the request. */
const assertShape = (error: APIError): void => {
  assert.isString(field(error.error, "message"))
  assert.isString(field(error.error, "type"))
  for (const name of ["param", "code"]) {
    const value = field(error.error, name)
    assert.isTrue(value === null || typeof value === "string", `${name}: ${JSON.stringify(value)}`)
  }
  assert.match(error.requestID ?? "", /^req_/)
}

/** What a stream said before it broke, and the error it broke with. */
const broken = (openai: ReturnType<typeof openAi>) =>
  Effect.gen(function* () {
    let text = ""
    const error = yield* raised(APIError, async () => {
      for await (const chunk of await openai.chat.completions.create({ ...question("Hi"), stream: true }))
        text += chunk.choices[0]?.delta.content ?? ""
    })
    return { error, text }
  })
