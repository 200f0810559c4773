import { assert, describe, it } from "@effect/vitest"
import { Either } from "effect"
import * as fc from "effect/FastCheck"
import * as Embeddings from "../../../src/domain/dialects/Embeddings.ts"
import { decode, decodeOld, fromAnswer, toBody } from "../../../src/domain/dialects/OllamaEmbed.ts"
import { numberField, parseJson } from "../../../src/domain/Json.ts"
import type { JsonObject } from "../../../src/domain/Json.ts"

const bytesOf = (body: unknown) => Buffer.from(JSON.stringify(body))
const request = (body: unknown) => Either.getOrThrow(decode(bytesOf(body)))
const old = (body: unknown) => Either.getOrThrow(decodeOld(bytesOf(body)))
const openAis = (body: unknown) => Either.getOrThrow(Embeddings.decode(bytesOf(body)))

const options = fc.dictionary(fc.stringMatching(/^[a-z_]{1,12}$/), fc.jsonValue(), { maxKeys: 4 })

/** Whatever an Ollama client can say. */
const bodies = fc.record(
  {
    model: fc.string({ minLength: 1 }),
    input: fc.oneof(fc.string({ minLength: 1 }), fc.array(fc.string(), { minLength: 1 })),
    truncate: fc.boolean(),
    dimensions: fc.integer({ min: 1, max: 4096 }),
    options,
    keep_alive: fc.oneof(fc.integer(), fc.constantFrom("5m", "-1", "1h30m"))
  },
  { requiredKeys: ["model", "input"] }
)

/** Whatever an Ollama server can answer. */
const answers = fc
  .record(
    {
      model: fc.string(),
      embeddings: fc.array(fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }))),
      prompt_eval_count: fc.nat(),
      total_duration: fc.nat(),
      load_duration: fc.nat(),
      something_new: fc.jsonValue()
    },
    { requiredKeys: ["model", "embeddings", "prompt_eval_count"] }
  )
  // What JSON does not tell apart is the same: a zero below zero is written as a zero.
  .map((answer): JsonObject => JSON.parse(JSON.stringify(answer)))

describe("Ollama's words for embeddings", () => {
  it("are all there again after a way through OpenAI's", () => {
    fc.assert(
      fc.property(bodies, (body) => {
        assert.deepStrictEqual(toBody(request(body)), JSON.parse(JSON.stringify(body)))
      })
    )
  })

  it("and so are those of an answer", () => {
    fc.assert(
      fc.property(answers, (answer) => {
        const said = request({ model: "m", input: "a" }).say?.(fromAnswer(answer)) ?? ""
        assert.deepStrictEqual(parseJson(said), answer)
      })
    )
  })

  it("stand beside what others understand", () => {
    const found = request({
      ...{ model: "m", input: ["a", "b"], truncate: false, dimensions: 8 },
      ...{ options: { num_ctx: 10 }, keep_alive: "5m" }
    })
    assert.deepStrictEqual(parseJson(found.text), { model: "m", input: ["a", "b"], dimensions: 8 })
    assert.strictEqual(Buffer.from(found.bytes).toString(), found.text)
    assert.deepStrictEqual(found.ollama, { truncate: false, options: { num_ctx: 10 }, keep_alive: "5m" })
    assert.deepStrictEqual(found.inputs, ["a", "b"])
    assert.strictEqual(found.format, "float")
  })

  it("say what OpenAI's clients ask, without what nobody but OpenAI knows", () => {
    const asked = { model: "m", input: ["a"], dimensions: 8, encoding_format: "base64", user: "u" }
    assert.deepStrictEqual(toBody(openAis(asked)), { model: "m", input: ["a"], dimensions: 8 })
    assert.deepStrictEqual(toBody(openAis({ model: "m", input: "a", dimensions: null })), {
      model: "m",
      input: "a"
    })
  })

  it("for an answer are OpenAI's, whose own words for it are there too", () => {
    const answer = {
      model: "m",
      embeddings: [
        [1, 2],
        [3, 4]
      ],
      total_duration: 5,
      load_duration: 6,
      prompt_eval_count: 7
    }
    assert.deepStrictEqual(fromAnswer(answer), {
      object: "list",
      data: [
        { object: "embedding", index: 0, embedding: [1, 2] },
        { object: "embedding", index: 1, embedding: [3, 4] }
      ],
      model: "m",
      usage: { prompt_tokens: 7, total_tokens: 7 },
      ollama: { total_duration: 5, load_duration: 6 }
    })
  })
})

describe("what Ollama's clients hear", () => {
  const answer = {
    object: "list",
    model: "m-2",
    data: [{ embedding: [0.5, 1] }, { embedding: Embeddings.toBase64([0.25, -1]) }],
    usage: { prompt_tokens: 3, total_tokens: 3 }
  }

  it("is numbers, whatever the provider gave, and how long it took", () => {
    const said = parseJson(request({ model: "m", input: ["a", "b"] }).say?.(answer) ?? "")
    const total = numberField(said, "total_duration") ?? -1
    assert.isTrue(Number.isSafeInteger(total) && total >= 0, String(total))
    assert.deepStrictEqual(said, {
      ...{
        model: "m-2",
        embeddings: [
          [0.5, 1],
          [0.25, -1]
        ]
      },
      ...{ total_duration: total, load_duration: 0, prompt_eval_count: 3 }
    })
  })

  it("is one vector where they ask in the older form", () => {
    const found = old({ model: "m", prompt: "a", keep_alive: 0, options: { seed: 1 } })
    assert.deepStrictEqual(parseJson(found.text), { model: "m", input: "a" })
    assert.deepStrictEqual(toBody(found), { model: "m", input: "a", keep_alive: 0, options: { seed: 1 } })
    assert.strictEqual(found.say?.(answer), '{"embedding":[0.5,1]}')
  })

  it("is nothing for nothing", () => {
    for (const input of ["", [], undefined, null])
      assert.deepStrictEqual(request({ model: "m", input }).inputs, [])
    for (const prompt of ["", undefined, null])
      assert.strictEqual(old({ model: "m", prompt }).say?.({ data: [] }), '{"embedding":[]}')
    assert.deepStrictEqual(old({ model: "m" }).inputs, [])
  })

  it("is why, where it cannot be", () => {
    const why = (body: unknown, read = decode) =>
      Either.match(read(bytesOf(body)), { onLeft: ({ message }) => message, onRight: () => "taken" })
    assert.strictEqual(why({ model: "m", input: [1, 2] }), "invalid input type")
    assert.strictEqual(why({ model: "m", input: { a: 1 } }), "invalid input type")
    assert.strictEqual(why({ model: 1, input: "a" }), "'model' must be a string.")
    assert.strictEqual(why({ model: "m", prompt: ["a"] }, decodeOld), "'prompt' must be a string.")
    assert.strictEqual(why([]), "The request body must be a JSON object.")
  })
})
