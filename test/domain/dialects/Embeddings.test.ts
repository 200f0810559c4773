import { assert, describe, it } from "@effect/vitest"
import { Either } from "effect"
import * as fc from "effect/FastCheck"
import { withModel } from "../../../src/domain/chat/ModelName.ts"
import {
  decode,
  inForm,
  numbersOf,
  textsOf,
  toBase64,
  withoutVectors
} from "../../../src/domain/dialects/Embeddings.ts"
import { arrayField, field } from "../../../src/domain/Json.ts"
import type { JsonObject } from "../../../src/domain/Json.ts"

const bytesOf = (body: unknown) => Buffer.from(typeof body === "string" ? body : JSON.stringify(body))

const request = (body: unknown) => Either.getOrThrow(decode(bytesOf(body)))

/** Why a body is refused: which field, and in which words. */
const refusal = (body: unknown) =>
  Either.match(decode(bytesOf(body)), {
    onLeft: ({ message, param, status }) => `${status} ${param}: ${message}`,
    onRight: () => "taken"
  })

describe("a request for embeddings", () => {
  const good: ReadonlyArray<readonly [what: string, input: unknown, inputs: ReadonlyArray<unknown>]> = [
    ["a text", "Hello", ["Hello"]],
    ["texts", ["a", "b"], ["a", "b"]],
    ["tokens, which are one input", [1, 2, 3], [[1, 2, 3]]],
    ["several lists of tokens", [[1], [2, 3]], [[1], [2, 3]]],
    ["the first token there is", [0], [[0]]],
    [
      "parts, as OpenRouter has them",
      [{ content: [{ type: "text", text: "a" }] }],
      [{ content: [{ type: "text", text: "a" }] }]
    ],
    ["as many inputs as OpenAI takes", Array(2048).fill("a"), Array(2048).fill("a")],
    ["more tokens than inputs", Array(3000).fill(7), [Array(3000).fill(7)]]
  ]
  for (const [what, input, inputs] of good)
    it(`takes ${what}`, () => assert.deepStrictEqual(request({ model: "m", input }).inputs, inputs))

  const IS = "must be a text, several texts, tokens, or several lists of tokens."
  const bad: ReadonlyArray<readonly [what: string, body: unknown, why: string]> = [
    ["no JSON", "{", "400 null: The request body is not valid JSON."],
    ["a list", [], "400 null: The request body must be a JSON object."],
    ["no input", { model: "m" }, "400 input: 'input' is missing."],
    ["an input that is null", { input: null }, "400 input: 'input' is missing."],
    ["an empty text", { input: "" }, "400 input: 'input' is empty."],
    ["an empty list", { input: [] }, `400 input: 'input' ${IS}`],
    ["an empty text among others", { input: ["a", ""] }, "400 input: 'input' has nothing at 1."],
    ["an empty list of tokens", { input: [[1], []] }, "400 input: 'input' has nothing at 1."],
    ["a number", { input: 7 }, `400 input: 'input' ${IS}`],
    ["texts and tokens at once", { input: ["a", 1] }, `400 input: 'input' ${IS}`],
    ["half a token", { input: [1.5] }, `400 input: 'input' ${IS}`],
    ["a token below 0", { input: [[-1]] }, `400 input: 'input' ${IS}`],
    ["an object that is no part", { input: [{}] }, `400 input: 'input' ${IS}`],
    [
      "one input too many",
      { input: Array(2049).fill("a") },
      "400 input: 'input' may hold no more than 2048 inputs; these are 2049."
    ],
    ["a model that is no name", { input: "a", model: 1 }, "400 model: 'model' must be a string."],
    [
      "another form of vectors",
      { input: "a", encoding_format: "int8" },
      "400 encoding_format: 'encoding_format' must be 'float' or 'base64'."
    ],
    [
      "no size at all",
      { input: "a", dimensions: 0 },
      "400 dimensions: 'dimensions' must be a whole number above 0."
    ],
    [
      "a body nested beyond all reason",
      `{"input":"a","x":${"[".repeat(300)}${"]".repeat(300)}}`,
      "400 null: The request body nests deeper than 256 levels."
    ]
  ]
  for (const [what, body, why] of bad) it(`refuses ${what}`, () => assert.strictEqual(refusal(body), why))

  it("wants numbers unless it says base64, and no other model than it names", () => {
    assert.strictEqual(request({ input: "a" }).format, "float")
    assert.strictEqual(request({ input: "a", encoding_format: null }).format, "float")
    assert.strictEqual(request({ input: "a", encoding_format: "float" }).format, "float")
    assert.strictEqual(request({ input: "a", encoding_format: "base64" }).format, "base64")
    assert.strictEqual(request({ input: "a", model: "openai:x" }).model, "openai:x")
    assert.isUndefined(request({ input: "a", model: "" }).model)
  })

  it("goes on as it came but for the name of the model", () => {
    const text = '{ "user":"\\u0075", "input" : ["a\\/b"],\n "x": 1.00, "model" :"openai:m" }'
    const named = withModel(request(text), "m")
    assert.strictEqual(Buffer.from(named.bytes).toString(), text.replace("openai:m", "m"))
    assert.strictEqual(named.model, "m")
    const kept = request('{"model":"m","input":"a"}')
    assert.strictEqual(withModel(kept, "m"), kept)
    assert.strictEqual(withModel(request('{"input":"a"}'), "m").text, '{"model":"m","input":"a"}')
  })

  it("has texts for who takes nothing else", () => {
    assert.deepStrictEqual(textsOf(request({ input: ["a", "b"] }), "X"), Either.right(["a", "b"]))
    const refused = Either.flip(textsOf(request({ input: [1, 2] }), "X"))
    const { message, param } = Either.getOrThrow(refused)
    assert.strictEqual(param, "input")
    assert.strictEqual(message, "'input' must be text for this model: X takes neither tokens nor pictures.")
  })
})

const float = fc.float({ noNaN: true })
const vector = fc.array(float, { minLength: 1, maxLength: 40 })
const rest = fc.dictionary(fc.string(), fc.jsonValue())
const itemOf = (
  [embedding, rest]: readonly [ReadonlyArray<number>, JsonObject],
  index: number
): JsonObject => ({
  ...rest,
  index,
  embedding
})

const answerOf = ([items, rest]: readonly [
  ReadonlyArray<readonly [ReadonlyArray<number>, JsonObject]>,
  JsonObject
]) => ({
  ...rest,
  data: items.map(itemOf)
})

const answers = fc.tuple(fc.array(fc.tuple(vector, rest), { maxLength: 5 }), rest).map(answerOf)

describe("vectors", () => {
  it("are written as their clients read them", () => {
    const bytes = Buffer.from(toBase64([1, -0.5, 1e-3]), "base64")
    assert.deepStrictEqual(Array.from(bytes.subarray(0, 8)), [0, 0, 0x80, 0x3f, 0, 0, 0, 0xbf])
    assert.strictEqual(toBase64([1]), "AACAPw==")
    const client = new Float32Array(new Uint8Array(bytes).buffer)
    assert.deepStrictEqual(Array.from(client), [1, -0.5, Math.fround(1e-3)])
  })

  it("keep their numbers and all that stands around them, there and back", () => {
    fc.assert(
      fc.property(answers, (answer) => {
        const written = inForm(answer, "base64")
        if (arrayField(answer, "data").length === 0) return assert.isUndefined(written)
        assert.isDefined(written)
        for (const item of arrayField(written, "data")) assert.isString(field(item, "embedding"))
        assert.deepStrictEqual(inForm(written ?? {}, "float"), answer)
        assert.isUndefined(inForm(written ?? {}, "base64"))
        assert.isUndefined(inForm(answer, "float"))
      })
    )
  })

  it("that are none stay what they are", () => {
    for (const embedding of [null, {}, ["a"], [[1]], 7, undefined])
      for (const format of ["float", "base64"] as const)
        assert.isUndefined(inForm({ data: [{ embedding }, null, "x"] }, format))
    // Five bytes are no numbers of four.
    assert.isUndefined(inForm({ data: [{ embedding: "AAAAAAA=" }] }, "float"))
    assert.isUndefined(inForm({}, "float"))
    assert.isUndefined(numbersOf(undefined))
  })

  it("are counted for the record, and not kept", () => {
    const kept = (...vectors: ReadonlyArray<unknown>) =>
      withoutVectors({
        object: "list",
        model: "m",
        usage: { prompt_tokens: 1 },
        data: vectors.map((embedding) => ({ embedding })),
        copies: vectors
      })
    const head = {
      id: undefined,
      object: "list",
      model: "m",
      provider: undefined,
      usage: { prompt_tokens: 1 }
    }
    assert.deepStrictEqual(kept([1, 2], [3, 4], [5, 6]), { ...head, data: "3 vectors of 2 numbers" })
    assert.deepStrictEqual(kept(toBase64([1, 2, 3])), { ...head, data: "1 vector of 3 numbers" })
    assert.deepStrictEqual(kept([1], [1, 2]), { ...head, data: "2 vectors" })
    assert.deepStrictEqual(kept(), { ...head, data: "0 vectors" })
  })
})
