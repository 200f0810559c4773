import { assert, describe, it } from "@effect/vitest"
import { Either } from "effect"
import * as fc from "effect/FastCheck"
import * as ChatRequest from "../../../src/domain/chat/ChatRequest.ts"
import { rewrite } from "../../../src/domain/chat/Rewrite.ts"
import * as OllamaChat from "../../../src/domain/dialects/OllamaChat.ts"
import { decode, loadAnswer, toBody } from "../../../src/domain/dialects/OllamaGenerate.ts"
import { endpointOf } from "../../../src/domain/dialects/OllamaRequest.ts"
import type { JsonObject } from "../../../src/domain/Json.ts"
import { accepted, bytesOf, generateBody, JPEG, linesOf, PNG } from "./OllamaSayings.ts"

const asked = accepted(decode)

describe("a generate of Ollama's", () => {
  it("comes back as the client wrote it, whatever the client wrote", () => {
    fc.assert(
      fc.property(generateBody, (body) => assert.deepStrictEqual(toBody(asked(body)), body)),
      { numRuns: 150 }
    )
  })

  it("is a chat of what the system and the user say", () => {
    const { body, ollama } = asked({
      model: "m",
      system: "be brief",
      prompt: "why?",
      suffix: "end",
      template: "t",
      context: [1, 2],
      raw: true,
      options: { seed: 1, num_ctx: 5 },
      format: "json",
      think: true,
      keep_alive: -1,
      tools: [{}],
      stream: false
    })
    assert.deepStrictEqual(body, {
      model: "m",
      stream: false,
      response_format: { type: "json_object" },
      seed: 1,
      reasoning: { enabled: true },
      messages: [
        { role: "system", content: "be brief" },
        { role: "user", content: "why?" }
      ]
    })
    assert.strictEqual(ollama?.["endpoint"], "/api/generate")
  })

  it("has its pictures after its words", () => {
    assert.deepStrictEqual(asked({ prompt: "what?", system: "", images: [PNG] }).messages, [
      {
        role: "user",
        content: [
          { type: "text", text: "what?" },
          { type: "image_url", image_url: { url: `data:image/png;base64,${PNG}` } }
        ]
      }
    ])
  })

  it("carries to Ollama what was put into its content on the way", () => {
    const request = asked({ model: "m", system: "s", prompt: "look", images: [PNG], context: [1], raw: true })
    const seen = rewrite(request, [
      {
        message: 1,
        replace: new Map([
          [1, [{ type: "image_url", image_url: { url: `data:image/jpeg;base64,${JPEG}` } }]]
        ]),
        append: [{ type: "text", text: "transcript" }]
      },
      { message: 0, replace: new Map([[0, [{ type: "text", text: "S" }]]]), append: [] }
    ])
    assert.deepStrictEqual(toBody(ChatRequest.withModel(seen, "real")), {
      model: "real",
      system: "S",
      prompt: "look\ntranscript",
      images: [JPEG],
      context: [1],
      raw: true
    })
  })

  it("can be asked as a chat, and a chat as a generate", () => {
    const generate = asked({
      model: "m",
      system: "s",
      prompt: "p",
      images: [PNG],
      raw: true,
      options: { seed: 1 }
    })
    assert.deepStrictEqual(OllamaChat.toBody(generate), {
      model: "m",
      options: { seed: 1 },
      messages: [
        { role: "system", content: "s" },
        { role: "user", content: "p", images: [PNG] }
      ]
    })
    const chat = accepted(OllamaChat.decode)({
      tools: [{}],
      options: { seed: 1 },
      messages: [
        { role: "system", content: "s" },
        { role: "user", content: "a", images: [PNG] },
        { role: "user", content: "b" }
      ]
    })
    assert.deepStrictEqual(toBody(chat), {
      options: { seed: 1 },
      system: "s",
      prompt: "a\n\nb",
      images: [PNG]
    })
    const openAi = { model: "m", messages: [{ role: "user", content: "p" }], temperature: 1 }
    assert.deepStrictEqual(toBody(Either.getOrThrow(ChatRequest.parse(bytesOf(openAi)))), {
      model: "m",
      stream: false,
      options: { temperature: 1 },
      prompt: "p"
    })
  })

  it("is to be asked of the endpoint it came to, and answered in its words", () => {
    const request = asked({ model: "m", prompt: "p" })
    assert.strictEqual(endpointOf(request), "/api/generate")
    assert.deepStrictEqual(
      linesOf(request.voice?.chunk({ choices: [{ delta: { content: "a", reasoning: "b" } }] }) ?? ""),
      [{ model: "m", response: "a", thinking: "b", done: false }]
    )
  })

  const loads: ReadonlyArray<readonly [string, JsonObject, string | undefined]> = [
    ["no prompt", { model: "m" }, "load"],
    ["an empty prompt", { model: "m", prompt: "", images: [], stream: true }, "load"],
    ["keep_alive 0", { model: "m", prompt: "", keep_alive: 0 }, "unload"],
    ["a prompt", { model: "m", prompt: "p" }, undefined],
    ["a picture without words", { model: "m", images: [PNG] }, undefined],
    ["something wrong", { model: "m", prompt: 1 }, undefined]
  ]
  for (const [what, body, reason] of loads)
    it(`may only want a model loaded: ${what}`, () => {
      const answer = loadAnswer(bytesOf(body))
      assert.deepStrictEqual(
        answer === undefined ? undefined : linesOf(answer),
        reason === undefined ? undefined : [{ model: "m", response: "", done: true, done_reason: reason }]
      )
      if (reason !== undefined) assert.isTrue(Either.isLeft(decode(bytesOf(body))))
    })

  const wrong: ReadonlyArray<readonly [JsonObject, string]> = [
    [{ model: {}, prompt: "p" }, "'model' must be a string."],
    [{ prompt: ["p"] }, "'prompt' must be a string."],
    [{ prompt: "p", suffix: 1 }, "'suffix' must be a string."],
    [{ prompt: "p", system: 1 }, "'system' must be a string."],
    [{ prompt: "p", template: 1 }, "'template' must be a string."],
    [{ prompt: "p", context: ["1"] }, "'context' must be an array of numbers."],
    [{ prompt: "p", raw: "yes" }, "'raw' must be true or false."],
    [{ prompt: "p", images: [{}] }, "'images' must be an array of strings of base64."],
    [{ prompt: "p", options: { top_k: "1" } }, "'options.top_k' must be a number."],
    [{ model: "m" }, "'prompt' must not be empty."]
  ]
  for (const [body, message] of wrong)
    it(`is refused: ${message}`, () =>
      assert.strictEqual(Either.getOrThrow(Either.flip(decode(bytesOf(body)))).message, message))
})
