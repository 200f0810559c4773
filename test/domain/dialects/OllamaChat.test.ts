import { assert, describe, it } from "@effect/vitest"
import { Either } from "effect"
import * as fc from "effect/FastCheck"
import * as ChatRequest from "../../../src/domain/chat/ChatRequest.ts"
import { rewrite } from "../../../src/domain/chat/Rewrite.ts"
import { decode, loadAnswer, toBody } from "../../../src/domain/dialects/OllamaChat.ts"
import { fromChat, toChat } from "../../../src/domain/dialects/OllamaMessages.ts"
import { toOllama, toOpenAi } from "../../../src/domain/dialects/OllamaOptions.ts"
import { endpointOf } from "../../../src/domain/dialects/OllamaRequest.ts"
import type { JsonObject } from "../../../src/domain/Json.ts"
import {
  accepted,
  bytesOf,
  chatBody,
  commonBody,
  fullConversation,
  JPEG,
  linesOf,
  M4A,
  MP4,
  PNG,
  WAV
} from "./OllamaSayings.ts"

const asked = accepted(decode)
const HI = [{ role: "user", content: "hi" }]

/** The chat that a body with one message becomes, but for what every stream asks for. */
const bodyOf = (body: JsonObject): JsonObject => {
  const { messages: _, stream: __, stream_options: ___, ...rest } = asked({ messages: HI, ...body }).body
  return rest
}

describe("a chat of Ollama's", () => {
  it("comes back as the client wrote it, whatever the client wrote", () => {
    fc.assert(
      fc.property(chatBody, (body) => assert.deepStrictEqual(toBody(asked(body)), body)),
      { numRuns: 150 }
    )
  })

  it("is a chat that whoever reads chats can read", () => {
    fc.assert(
      fc.property(chatBody, (body) => {
        const request = asked(body)
        const parsed = Either.getOrThrow(ChatRequest.parse(request.bytes))
        assert.deepStrictEqual(parsed.body, JSON.parse(JSON.stringify(request.body)))
        assert.strictEqual(parsed.stream, request.stream)
        for (const key of Object.keys(parsed.body)) assert.include(CHAT_KEYS, key)
        for (const message of parsed.messages)
          for (const key of Object.keys(message)) assert.include(MESSAGE_KEYS, key)
      })
    )
  })

  it("means the same said once more from its chat alone", () => {
    fc.assert(
      fc.property(fullConversation, commonBody, (messages, body) => {
        assert.deepStrictEqual(fromChat(toChat(messages)), messages)
        assert.deepStrictEqual(toOllama(toOpenAi(body)), body)
      })
    )
  })

  it("streams unless it is told not to, and then asks for the counts", () => {
    for (const stream of [undefined, null, true]) {
      const { body, stream: streams } = asked({ model: "m", messages: HI, stream })
      assert.deepStrictEqual(body, {
        model: "m",
        stream: true,
        stream_options: { include_usage: true },
        messages: HI
      })
      assert.isTrue(streams)
    }
    const { body, stream } = asked({ model: "m", messages: HI, stream: false })
    assert.deepStrictEqual(body, { model: "m", stream: false, messages: HI })
    assert.isFalse(stream)
  })

  it("leaves the model to the router where it names none", () => {
    assert.isUndefined(asked({ messages: HI }).model)
    assert.isUndefined(asked({ messages: HI, model: "" }).model)
    assert.strictEqual(toBody(ChatRequest.withModel(asked({ messages: HI }), "m"))["model"], "m")
  })

  const mapped: ReadonlyArray<readonly [string, JsonObject, JsonObject]> = [
    [
      "options by the names others have for them",
      {
        options: {
          temperature: 0.5,
          top_p: 0.9,
          top_k: 40,
          min_p: 0.1,
          seed: 7,
          stop: ["a", "b"],
          num_predict: 12,
          presence_penalty: 0.1,
          frequency_penalty: 0.2,
          repeat_penalty: 1.1
        }
      },
      {
        temperature: 0.5,
        top_p: 0.9,
        top_k: 40,
        min_p: 0.1,
        seed: 7,
        stop: ["a", "b"],
        max_tokens: 12,
        presence_penalty: 0.1,
        frequency_penalty: 0.2,
        repetition_penalty: 1.1
      }
    ],
    ["no bound as no bound", { options: { num_predict: -1, temperature: null, num_ctx: 4096 } }, {}],
    ["JSON", { format: "json" }, { response_format: { type: "json_object" } }],
    ["no format", { format: "" }, {}],
    [
      "a schema",
      { format: { type: "object" } },
      {
        response_format: {
          type: "json_schema",
          json_schema: { name: "answer", schema: { type: "object" } }
        }
      }
    ],
    ["thinking", { think: true }, { reasoning: { enabled: true } }],
    ["no thinking", { think: false }, { reasoning: { enabled: false } }],
    ["some thinking", { think: "low" }, { reasoning_effort: "low" }],
    [
      "tools",
      { tools: [{ type: "function", function: { name: "f" } }] },
      { tools: [{ type: "function", function: { name: "f" } }] }
    ],
    ["no tools", { tools: [] }, {}],
    ["probabilities", { logprobs: true, top_logprobs: 3 }, { logprobs: true, top_logprobs: 3 }],
    ["no probabilities", { logprobs: false, top_logprobs: 3 }, {}],
    ["wishes for the router", { percept: { frames: 3 } }, { percept: { frames: 3 } }],
    ["nothing that only Ollama knows", { keep_alive: "5m", truncate: true, shift: false, x: 1 }, {}]
  ]
  for (const [what, body, expected] of mapped)
    it(`says ${what}`, () => assert.deepStrictEqual(bodyOf(body), expected))

  it("keeps the router's own wishes from Ollama", () => {
    assert.deepStrictEqual(toBody(asked({ messages: HI, percept: { frames: 3 }, keep_alive: 1 })), {
      messages: HI,
      keep_alive: 1
    })
  })

  const pictured: ReadonlyArray<readonly [string, string, JsonObject]> = [
    ["PNG", PNG, { type: "image_url", image_url: { url: `data:image/png;base64,${PNG}` } }],
    ["JPEG", JPEG, { type: "image_url", image_url: { url: `data:image/jpeg;base64,${JPEG}` } }],
    [
      "JPEG that calls itself PNG",
      `data:image/png;base64,${JPEG}`,
      { type: "image_url", image_url: { url: `data:image/jpeg;base64,${JPEG}` } }
    ],
    ["WAV", WAV, { type: "input_audio", input_audio: { data: WAV, format: "wav" } }],
    ["M4A", M4A, { type: "input_audio", input_audio: { data: M4A, format: "m4a" } }],
    ["MP4", MP4, { type: "video_url", video_url: { url: `data:video/mp4;base64,${MP4}` } }],
    ["unknown bytes", "AAAA", { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } }],
    [
      "unknown bytes that say what they are",
      "data:image/avif;base64,AAAA",
      { type: "image_url", image_url: { url: "data:image/avif;base64,AAAA" } }
    ],
    [
      "wrapped base64",
      `${PNG.slice(0, 8)}\n${PNG.slice(8)}\n`,
      { type: "image_url", image_url: { url: `data:image/png;base64,${PNG}` } }
    ],
    [
      "a link",
      "https://example.org/a.png",
      { type: "image_url", image_url: { url: "https://example.org/a.png" } }
    ],
    [
      "a data URL without base64",
      "data:image/svg+xml,<svg/>",
      { type: "image_url", image_url: { url: "data:image/svg+xml,<svg/>" } }
    ]
  ]
  for (const [what, image, part] of pictured)
    it(`shows ${what} after the words`, () => {
      const { messages } = asked({ messages: [{ role: "user", content: "look", images: [image] }] })
      assert.deepStrictEqual(messages, [{ role: "user", content: [{ type: "text", text: "look" }, part] }])
      const [message] = asked({ messages: [{ role: "user", content: "", images: [image] }] }).messages
      assert.deepStrictEqual(message, { role: "user", content: [part] })
    })

  it("takes calls and their answers along, with ids that are the same each time", () => {
    const said = {
      messages: [
        { role: "user", content: "weather?" },
        {
          role: "assistant",
          content: "",
          thinking: "two calls",
          tool_calls: [
            { function: { name: "weather", arguments: { city: "Rome" } } },
            { function: { name: "time" } },
            { id: "mine", function: { name: "weather", arguments: { city: "Oslo" } } }
          ]
        },
        { role: "tool", content: "noon", tool_name: "time" },
        { role: "tool", content: "sun" },
        { role: "tool", content: "snow", tool_name: "weather" },
        { role: "assistant", content: "and", tool_calls: [{ function: { name: "time", arguments: {} } }] },
        { role: "tool", content: "one", tool_name: "unheard of" },
        { role: "tool", content: "two" }
      ]
    }
    const { messages } = asked(said)
    const call = (id: string, name: string, args: string) => ({
      id,
      type: "function",
      function: { name, arguments: args }
    })
    assert.deepStrictEqual(messages, [
      { role: "user", content: "weather?" },
      {
        role: "assistant",
        content: null,
        reasoning: "two calls",
        tool_calls: [
          call("call_1_0", "weather", '{"city":"Rome"}'),
          call("call_1_1", "time", "{}"),
          call("mine", "weather", '{"city":"Oslo"}')
        ]
      },
      { role: "tool", tool_call_id: "call_1_1", content: "noon" },
      { role: "tool", tool_call_id: "call_1_0", content: "sun" },
      { role: "tool", tool_call_id: "mine", content: "snow" },
      { role: "assistant", content: "and", tool_calls: [call("call_5_0", "time", "{}")] },
      { role: "tool", tool_call_id: "call_5_0", content: "one" },
      { role: "tool", tool_call_id: "call_7", content: "two" }
    ])
    assert.deepStrictEqual(asked(said).messages, messages)
  })

  it("answers calls that were said one a message, in their order", () => {
    const calling = (name: string) => ({
      role: "assistant",
      tool_calls: [{ function: { name, arguments: {} } }]
    })
    const { messages } = asked({
      messages: [calling("a"), calling("b"), { role: "tool", content: "1" }, { role: "tool", content: "2" }]
    })
    assert.deepStrictEqual(
      messages.slice(2).map(({ tool_call_id }) => tool_call_id),
      ["call_0_0", "call_1_0"]
    )
  })

  it("keeps to the id an answer names", () => {
    const calls = [
      { id: "a", function: { name: "f" } },
      { id: "b", function: { name: "f" } }
    ]
    const { messages } = asked({
      messages: [
        { role: "assistant", tool_calls: calls },
        { role: "tool", content: "2", tool_call_id: "b", tool_name: "f" },
        { role: "tool", content: "1", tool_name: "f" }
      ]
    })
    assert.deepStrictEqual(
      messages.slice(1).map(({ tool_call_id }) => tool_call_id),
      ["b", "a"]
    )
  })

  it("waits no longer for old answers once the assistant calls anew", () => {
    const calling = (...ids: ReadonlyArray<string>) => ({
      role: "Assistant",
      tool_calls: ids.map((id) => ({ id, function: { name: "f" } }))
    })
    const { messages } = asked({
      messages: [
        calling("a", "b"),
        { role: "tool", content: "1" },
        calling("c"),
        { role: "tool", content: "2" },
        { role: "tool", content: "3", tool_call_id: "never called" }
      ]
    })
    assert.deepStrictEqual(
      messages.map(({ role, tool_call_id }) => tool_call_id ?? role),
      ["assistant", "a", "assistant", "c", "never called"]
    )
  })

  it("carries to Ollama what was put into its content on the way, and leaves the rest", () => {
    const said = {
      model: "asked",
      options: { num_ctx: 9 },
      messages: [
        { role: "system", content: "be brief", x: 1 },
        { role: "user", content: "look https://example.org/a.mp4", images: [MP4, PNG], y: 2 }
      ]
    }
    const seen = rewrite(asked(said), [
      {
        message: 1,
        replace: new Map([
          [
            1,
            [
              { type: "text", text: "frame 1" },
              { type: "image_url", image_url: { url: `data:image/jpeg;base64,${JPEG}` } }
            ]
          ]
        ]),
        append: [{ type: "text", text: "transcript" }]
      }
    ])
    assert.deepStrictEqual(toBody(ChatRequest.withModel(seen, "real")), {
      model: "real",
      options: { num_ctx: 9 },
      messages: [
        { role: "system", content: "be brief", x: 1 },
        {
          role: "user",
          content: "look https://example.org/a.mp4\nframe 1\ntranscript",
          images: [JPEG, PNG],
          y: 2
        }
      ]
    })
  })

  it("shows Ollama nothing where all pictures have become words", () => {
    const request = asked({ messages: [{ role: "user", content: "look", images: [PNG] }] })
    const described = rewrite(request, [
      { message: 0, replace: new Map([[1, [{ type: "text", text: "a cat" }]]]), append: [] }
    ])
    assert.deepStrictEqual(toBody(described)["messages"], [
      { role: "user", content: "look\na cat", images: [] }
    ])
  })

  it("is to be asked of the endpoint it came to, and answered in lines with the name it asked by", () => {
    const request = asked({ model: "m", messages: HI, think: false })
    assert.strictEqual(endpointOf(request), "/api/chat")
    assert.strictEqual(request.voice?.contentType, "application/x-ndjson")
    assert.deepStrictEqual(
      linesOf(request.voice?.chunk({ choices: [{ delta: { content: "a", reasoning: "b" } }] }) ?? ""),
      [{ model: "m", message: { role: "assistant", content: "a" }, done: false }]
    )
  })
})

describe("a request to load a model", () => {
  const table: ReadonlyArray<readonly [string, JsonObject, string | undefined]> = [
    ["no messages", { model: "m" }, "load"],
    ["none of them", { model: "m", messages: [], keep_alive: "5m" }, "load"],
    ["null", { model: "m", messages: null, stream: false }, "load"],
    ["keep_alive 0", { model: "m", messages: [], keep_alive: 0 }, "unload"],
    ["keep_alive 0s", { model: "m", messages: [], keep_alive: "0s" }, "unload"],
    ["keep_alive 10m", { model: "m", messages: [], keep_alive: "10m" }, "load"],
    ["a message", { model: "m", messages: HI }, undefined],
    ["something wrong", { model: 1 }, undefined]
  ]
  for (const [what, body, reason] of table)
    it(`is seen and answered: ${what}`, () => {
      const answer = loadAnswer(bytesOf(body))
      assert.deepStrictEqual(
        answer === undefined ? undefined : linesOf(answer),
        reason === undefined
          ? undefined
          : [{ model: "m", message: { role: "assistant", content: "" }, done: true, done_reason: reason }]
      )
      assert.strictEqual(Either.isRight(decode(bytesOf(body))), body["messages"] === HI)
    })

  it("is none where there is no JSON", () => assert.isUndefined(loadAnswer(Buffer.from("{"))))
})

describe("a wrong chat", () => {
  const user = (rest: JsonObject) => ({ messages: [{ role: "user", content: "x", ...rest }] })
  const call = (rest: unknown) => ({ messages: [...HI, { role: "assistant", tool_calls: [rest] }] })
  const table: ReadonlyArray<readonly [unknown, string]> = [
    [{ model: 1, messages: HI }, "'model' must be a string."],
    [{ messages: "hi" }, "'messages' must be an array of messages."],
    [{ messages: ["hi"] }, "'messages[0]' must be an object."],
    [{ messages: [{ content: "x" }] }, "'messages[0].role' must be a string."],
    [{ messages: [...HI, { role: 1 }] }, "'messages[1].role' must be a string."],
    [user({ content: [] }), "'messages[0].content' must be a string."],
    [user({ images: PNG }), "'messages[0].images' must be an array of strings of base64."],
    [user({ images: [1] }), "'messages[0].images' must be an array of strings of base64."],
    [user({ thinking: true }), "'messages[0].thinking' must be a string."],
    [user({ tool_name: 1 }), "'messages[0].tool_name' must be a string."],
    [user({ tool_call_id: 1 }), "'messages[0].tool_call_id' must be a string."],
    [user({ tool_calls: {} }), "'messages[0].tool_calls' must be an array of objects."],
    [call({}), "'messages[1].tool_calls[0].function' must be an object."],
    [call({ function: {} }), "'messages[1].tool_calls[0].function.name' must be a string."],
    [call({ id: 1, function: { name: "f" } }), "'messages[1].tool_calls[0].id' must be a string."],
    [
      call({ function: { name: "f", arguments: "{}" } }),
      "'messages[1].tool_calls[0].function.arguments' must be an object."
    ],
    [{ messages: HI, tools: {} }, "'tools' must be an array of objects."],
    [{ messages: HI, options: [] }, "'options' must be an object."],
    [{ messages: HI, options: { temperature: "hot" } }, "'options.temperature' must be a number."],
    [{ messages: HI, options: { stop: [1] } }, "'options.stop' must be a string or an array of strings."],
    [{ messages: HI, stream: "yes" }, "'stream' must be true or false."],
    [{ messages: HI, format: "xml" }, "'format' must be \"json\" or an object with a JSON schema."],
    [{ messages: HI, think: 1 }, "'think' must be true, false or a word such as \"low\"."],
    [{ messages: HI, think: "" }, "'think' must be true, false or a word such as \"low\"."],
    [
      { messages: HI, keep_alive: {} },
      "'keep_alive' must be a duration such as \"5m\" or a number of seconds."
    ],
    [{ messages: HI, logprobs: 1 }, "'logprobs' must be true or false."],
    [{ messages: HI, top_logprobs: "3" }, "'top_logprobs' must be a number."],
    [[], "The request body must be a JSON object."]
  ]
  for (const [body, message] of table)
    it(`is refused: ${message}`, () => {
      const failure = Either.getOrThrow(Either.flip(decode(bytesOf(body))))
      assert.strictEqual(failure.message, message)
      assert.strictEqual(failure.param, /^'(.*)'/.exec(message)?.[1] ?? null)
    })

  it("is refused where it is no JSON, or nests too deep", () => {
    const messageOf = (text: string) => Either.getOrThrow(Either.flip(decode(Buffer.from(text)))).message
    assert.strictEqual(messageOf("{"), "The request body is not valid JSON.")
    const deep = `{"messages":[{"role":"user","content":"x"}],"x":${"[".repeat(20_000)}${"]".repeat(20_000)}}`
    assert.strictEqual(messageOf(deep), "The request body nests deeper than 256 levels.")
  })
})

describe("a chat of anybody else's", () => {
  const asOllama = (body: JsonObject): JsonObject =>
    toBody(Either.getOrThrow(ChatRequest.parse(bytesOf({ model: "m", messages: HI, ...body }))))
  const table: ReadonlyArray<readonly [string, JsonObject, JsonObject]> = [
    ["no stream unless it is asked for", {}, {}],
    ["a stream", { stream: true, stream_options: { include_usage: true } }, { stream: true }],
    [
      "numbers",
      { temperature: 0, top_p: 1, seed: 3, max_tokens: 5, presence_penalty: 0, frequency_penalty: 1 },
      {
        options: {
          temperature: 0,
          top_p: 1,
          seed: 3,
          num_predict: 5,
          presence_penalty: 0,
          frequency_penalty: 1
        }
      }
    ],
    ["the newer bound first", { max_tokens: 5, max_completion_tokens: 6 }, { options: { num_predict: 6 } }],
    ["one word to stop at", { stop: "x", top_k: null }, { options: { stop: ["x"] } }],
    [
      "Ollama's own words before those for all",
      {
        temperature: 1,
        num_ctx: 10,
        options: { temperature: 2, num_gpu: 1 },
        keep_alive: 0,
        think: "high",
        reasoning_effort: "low"
      },
      { options: { temperature: 2, num_ctx: 10, num_gpu: 1 }, keep_alive: 0, think: "high" }
    ],
    [
      "other names",
      { repetition_penalty: 1.2, top_k: 4, min_p: 0.1 },
      { options: { repeat_penalty: 1.2, top_k: 4, min_p: 0.1 } }
    ],
    ["JSON", { response_format: { type: "json_object" } }, { format: "json" }],
    [
      "its own word for a form",
      { format: { a: 1 }, response_format: { type: "text" } },
      { format: { a: 1 } }
    ],
    ["text", { response_format: { type: "text" } }, {}],
    [
      "a schema",
      { response_format: { type: "json_schema", json_schema: { name: "n", schema: { a: 1 } } } },
      { format: { a: 1 } }
    ],
    ["effort", { reasoning_effort: "medium" }, { think: "medium" }],
    ["no effort", { reasoning_effort: "none" }, { think: false }],
    ["little effort", { reasoning_effort: "minimal" }, { think: "low" }],
    ["great effort", { reasoning: { effort: "xhigh" } }, { think: "max" }],
    ["reasoning", { reasoning: { enabled: true } }, { think: true }],
    ["no reasoning", { reasoning: { enabled: false, effort: "low" } }, { think: false }],
    ["so much reasoning", { reasoning: { max_tokens: 100 } }, { think: true }],
    ["tools", { tools: [{ type: "function" }], tool_choice: "auto" }, { tools: [{ type: "function" }] }],
    ["tools not to be used", { tools: [{ type: "function" }], tool_choice: "none" }, {}],
    ["probabilities", { logprobs: true, top_logprobs: 2, user: "u" }, { logprobs: true, top_logprobs: 2 }]
  ]
  for (const [what, body, expected] of table)
    it(`says to Ollama: ${what}`, () =>
      assert.deepStrictEqual(asOllama(body), { model: "m", messages: HI, stream: false, ...expected }))

  it("says its messages to Ollama", () => {
    const { messages } = asOllama({
      messages: [
        {
          role: "developer",
          content: [
            { type: "text", text: "be" },
            { type: "text", text: "brief" }
          ]
        },
        {
          role: "user",
          name: "me",
          content: [
            { type: "image_url", image_url: { url: `data:image/png;base64,${PNG}` } },
            { type: "text", text: "what?" },
            { type: "input_audio", input_audio: { data: WAV, format: "wav" } },
            { type: "file", file: { filename: "a.jpg", file_data: `data:image/jpeg;base64,${JPEG}` } },
            { type: "strange" }
          ]
        },
        {
          role: "assistant",
          content: null,
          reasoning_content: "hm",
          tool_calls: [
            { id: "1", type: "function", function: { name: "f", arguments: '{"a":[1]}' } },
            { id: "2", type: "function", function: { name: "g", arguments: "broken" } },
            { id: "3", type: "function", function: { name: "h", arguments: "" } }
          ]
        },
        { role: "tool", tool_call_id: "2", content: [{ type: "text", text: "done" }] }
      ]
    })
    assert.deepStrictEqual(messages, [
      { role: "system", content: "be\nbrief" },
      { role: "user", content: "what?", images: [PNG, WAV, JPEG] },
      {
        role: "assistant",
        content: "",
        thinking: "hm",
        tool_calls: [
          { id: "1", function: { index: 0, name: "f", arguments: { a: [1] } } },
          { id: "2", function: { index: 1, name: "g", arguments: { raw: "broken" } } },
          { id: "3", function: { index: 2, name: "h", arguments: {} } }
        ]
      },
      { role: "tool", content: "done", tool_name: "g", tool_call_id: "2" }
    ])
  })
})

const CHAT_KEYS = [
  ...[
    "model",
    "messages",
    "stream",
    "stream_options",
    "tools",
    "response_format",
    "max_tokens",
    "temperature"
  ],
  ...[
    "top_p",
    "top_k",
    "min_p",
    "seed",
    "stop",
    "presence_penalty",
    "frequency_penalty",
    "repetition_penalty"
  ],
  ...["reasoning", "reasoning_effort", "logprobs", "top_logprobs"]
]

const MESSAGE_KEYS = ["role", "content", "reasoning", "tool_calls", "tool_call_id"]
