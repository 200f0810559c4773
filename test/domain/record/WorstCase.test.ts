import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { estimate } from "../../../src/domain/Pricing.ts"
import type { Pricing } from "../../../src/domain/Pricing.ts"
import { demandOf, worstCase } from "../../../src/domain/record/WorstCase.ts"

const demand = (body: { readonly [key: string]: unknown }) =>
  demandOf({ body, bytes: Buffer.from(JSON.stringify(body)) })

const messages = (content: unknown) => ({ messages: [{ role: "user", content }] })
const pricing: Pricing = { prompt: "0.000001", completion: "0.000002" }
const listed = (entry: object) => ({ id: "m", provider: "openrouter", pricing, entry: { ...entry } })

describe("what a request may need", () => {
  it("is a token for three bytes, in any writing", () => {
    assert.closeTo(demand(messages("x".repeat(3000))).promptTokens, 1000, 20)
    assert.closeTo(demand(messages("語".repeat(1000))).promptTokens, 1000, 20)
  })

  it("is not what a picture is long", () => {
    const url = `data:image/png;base64,${"A".repeat(300_000)}`
    const { pictures, promptTokens } = demand(messages([{ type: "image_url", image_url: { url } }]))
    assert.strictEqual(pictures, 1)
    assert.isBelow(promptTokens, 2600)
    const data = "A".repeat(400_000)
    const sound = demand(messages([{ type: "input_audio", input_audio: { data, format: "mp3" } }]))
    assert.closeTo(sound.promptTokens, 1000, 50)
  })

  const answers: ReadonlyArray<readonly [object, number, number | undefined]> = [
    [messages("Hi"), 1, undefined],
    [{ ...messages("Hi"), max_tokens: 10, n: 3 }, 3, 10],
    [{ ...messages("Hi"), max_tokens: 10, max_completion_tokens: 20 }, 1, 20],
    [{ ...messages("Hi"), max_tokens: "10", n: -1 }, 1, undefined],
    [{ prompt: ["a", "b"], n: 2, best_of: 5 }, 10, undefined],
    [{ prompt: [1, 2, 3] }, 1, undefined],
    [{ input: ["a", "b"] }, 0, undefined]
  ]
  for (const [body, count, longest] of answers)
    it(`is ${count} answers of ${longest} tokens for ${JSON.stringify(body)}`, () =>
      assert.deepInclude(demand({ ...body }), { answers: count, answerTokens: longest }))
})

describe("the worst case", () => {
  const hi = demand(messages("Hi"))
  it("is as long as the client says, the model can, or its context has room", () => {
    const cost = (answer: number) => hi.promptTokens * 1000 + answer * 2000
    assert.strictEqual(worstCase({ ...hi, answerTokens: 100 }, pricing, undefined), cost(100))
    assert.strictEqual(worstCase(hi, pricing, listed({ context_length: 5000 })), cost(5000 - hi.promptTokens))
    const bounded = listed({ context_length: 5000, top_provider: { max_completion_tokens: 50 } })
    assert.strictEqual(worstCase(hi, pricing, bounded), cost(50))
    assert.strictEqual(worstCase({ ...hi, answerTokens: 1e9 }, pricing, bounded), cost(50))
  })

  it("is unknown without prices, and where they differ from request to request", () => {
    assert.isUndefined(worstCase(hi, undefined, undefined))
    assert.isUndefined(worstCase(hi, { prompt: "0.1" }, undefined))
    assert.isUndefined(worstCase(hi, { prompt: "-1", completion: "-1" }, undefined))
    assert.strictEqual(worstCase(hi, { prompt: "0", completion: "0" }, undefined), 0)
  })

  const price = fc.integer({ min: 0, max: 1000 }).map((nano) => (nano / 1e9).toFixed(9))
  const prices = fc.record(
    { input_cache_write: price, input_cache_read: price, internal_reasoning: price, request: price },
    { requiredKeys: [] }
  )
  it.prop(
    "is never less than what any usage within it costs",
    [price, price, prices, prices, fc.nat(500), fc.nat(500), fc.nat(500)],
    ([prompt, completion, more, dear, read, written, thought]) => {
      const pricing: Pricing = { prompt, completion, ...more, overrides: [{ ...dear, minPromptTokens: 100 }] }
      const [promptTokens, completionTokens] = [500, 500]
      const cached = Math.min(read, promptTokens)
      const usage = {
        promptTokens,
        completionTokens,
        totalTokens: undefined,
        cachedTokens: cached,
        reasoningTokens: thought,
        apart: {
          ...{ written: Math.min(written, promptTokens - cached), writtenForAnHour: 0 },
          ...{ heard: 0, seen: 0, spoken: 0, searches: 0 }
        },
        cost: undefined
      }
      const most = worstCase(
        { promptTokens, answerTokens: completionTokens, answers: 1, pictures: 0, searches: false },
        pricing,
        undefined
      )
      assert.isAtLeast(most ?? -1, estimate(usage, pricing, "2026-11-20T12:00:00.000Z") ?? Infinity)
    }
  )
})
