import { assert, describe, it } from "@effect/vitest"
import { fromAnswer, fromGeneration } from "../../src/domain/Usage.ts"
import type { Usage } from "../../src/domain/Usage.ts"

const UNKNOWN: Usage = {
  promptTokens: undefined,
  completionTokens: undefined,
  totalTokens: undefined,
  cachedTokens: undefined,
  reasoningTokens: undefined,
  apart: undefined,
  cost: undefined
}

describe("what an answer says it used", () => {
  it("is read whole", () => {
    assert.deepStrictEqual(
      fromAnswer({
        prompt_tokens: 10,
        completion_tokens: 5,
        total_tokens: 15,
        prompt_tokens_details: { cached_tokens: 8, audio_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 3 },
        cost: 0.00014,
        cost_details: { upstream_inference_cost: null },
        is_byok: false
      }),
      {
        promptTokens: 10,
        completionTokens: 5,
        totalTokens: 15,
        cachedTokens: 8,
        reasoningTokens: 3,
        apart: undefined,
        cost: 140_000
      }
    )
  })

  it("is unknown where nothing is said", () => {
    assert.deepStrictEqual(fromAnswer({}), UNKNOWN)
    assert.deepStrictEqual(
      fromAnswer({ prompt_tokens_details: null, completion_tokens_details: [] }),
      UNKNOWN
    )
    for (const nothing of [undefined, null, "usage", 7, [{ prompt_tokens: 1 }]])
      assert.isUndefined(fromAnswer(nothing))
  })

  it("may be nothing at all, which is not unknown", () => {
    assert.deepStrictEqual(
      fromAnswer({
        prompt_tokens: 0,
        completion_tokens: 0,
        total_tokens: 0,
        prompt_tokens_details: { cached_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 0 },
        cost: 0
      }),
      {
        promptTokens: 0,
        completionTokens: 0,
        totalTokens: 0,
        cachedTokens: 0,
        reasoningTokens: 0,
        apart: undefined,
        cost: 0
      }
    )
  })

  for (const count of [-1, 1.5, NaN, Infinity, 2 ** 53, 1e9 + 1, "10", true, null, [10], {}])
    it(`counts no tokens in ${typeof count} ${String(count)}`, () =>
      assert.deepStrictEqual(
        fromAnswer({
          prompt_tokens: count,
          completion_tokens: count,
          total_tokens: count,
          prompt_tokens_details: { cached_tokens: count },
          completion_tokens_details: { reasoning_tokens: count }
        }),
        UNKNOWN
      ))

  const costs: ReadonlyArray<readonly [string, object, number | undefined]> = [
    ["the provider's figure", { cost: 0.5 }, 500_000_000],
    ["a figure written as text", { cost: "0.000000001" }, 1],
    [
      "no upstream bill on top of our own",
      { cost: 0.5, cost_details: { upstream_inference_cost: 0.4 } },
      500_000_000
    ],
    [
      "the upstream's bill on top where the caller brought the key",
      { cost: 0.01, is_byok: true, cost_details: { upstream_inference_cost: 0.4 } },
      410_000_000
    ],
    [
      "nobody knows what where that bill is not told: the fee alone would hide it",
      { cost: 0, is_byok: true, cost_details: null },
      undefined
    ],
    [
      "nobody knows what where that bill is below nothing",
      { cost: 0.01, is_byok: true, cost_details: { upstream_inference_cost: -1 } },
      undefined
    ],
    ["nothing less than nothing", { cost: -0.5 }, undefined],
    ["no fortune", { cost: 1e6 }, undefined],
    ["no NaN", { cost: NaN }, undefined],
    ["a figure without the noise of floats", { cost: 0.1 + 0.2 }, 300_000_000],
    ["a figure of many digits", { cost: 0.00014000000000000001 }, 140_000],
    [
      "the upstream's bill on a fee of nothing",
      { cost: 0, is_byok: true, cost_details: { upstream_inference_cost: 1e-9 } },
      1
    ],
    [
      "no bill where is_byok is no true",
      { cost: 0, is_byok: "true", cost_details: { upstream_inference_cost: 1 } },
      0
    ],
    [
      "nothing where there is no figure",
      { is_byok: true, cost_details: { upstream_inference_cost: 1 } },
      undefined
    ],
    ["nothing where the figure is none", { cost: null }, undefined],
    ["nothing where the figure is an empty text", { cost: "" }, undefined]
  ]
  for (const [name, said, cost] of costs)
    it(`costs ${name}`, () => assert.strictEqual(fromAnswer(said)?.cost, cost))
})

describe("tokens of a cache", () => {
  it("are within the prompt in OpenAI's form", () => {
    const read = fromAnswer({
      prompt_tokens: 1000,
      completion_tokens: 5,
      prompt_tokens_details: { cached_tokens: 600, cache_write_tokens: 300 }
    })
    assert.deepInclude(read, { promptTokens: 1000, cachedTokens: 600 })
    assert.strictEqual(read?.apart?.written, 300)
  })

  it("are added to the prompt in Anthropic's form, which leaves them out", () => {
    const read = fromAnswer({
      input_tokens: 100,
      output_tokens: 5,
      cache_read_input_tokens: 600,
      cache_creation_input_tokens: 300,
      cache_creation: { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 200 }
    })
    assert.deepInclude(read, { promptTokens: 1000, completionTokens: 5, cachedTokens: 600 })
    assert.deepInclude(read?.apart, { written: 300, writtenForAnHour: 200 })
  })

  it("are not added again where the prompt has OpenAI's name", () => {
    const read = fromAnswer({ prompt_tokens: 1000, completion_tokens: 5, cache_read_input_tokens: 600 })
    assert.deepInclude(read, { promptTokens: 1000, cachedTokens: 600 })
  })

  it("are found under DeepSeek's name", () => {
    assert.strictEqual(fromAnswer({ prompt_tokens: 9, prompt_cache_hit_tokens: 8 })?.cachedTokens, 8)
  })
})

describe("what OpenRouter tells afterwards", () => {
  const told = {
    id: "gen-1",
    total_cost: 0.0015,
    usage: 0.0015,
    is_byok: false,
    upstream_inference_cost: 0.0012,
    tokens_prompt: 9,
    tokens_completion: 24,
    native_tokens_prompt: 10,
    native_tokens_completion: 25,
    native_tokens_cached: 3,
    native_tokens_reasoning: 5,
    cancelled: true
  }

  it("is in its native tokens, at its total", () => {
    assert.deepStrictEqual(fromGeneration(told), {
      promptTokens: 10,
      completionTokens: 25,
      totalTokens: 35,
      cachedTokens: 3,
      reasoningTokens: 5,
      cost: 1_500_000
    })
  })

  it("has the upstream's bill on top where the caller brought the key", () => {
    assert.strictEqual(fromGeneration({ ...told, is_byok: true })?.cost, 2_700_000)
  })

  it("may be that it cost nothing", () => {
    assert.strictEqual(fromGeneration({ ...told, total_cost: 0 })?.cost, 0)
  })

  it("falls back to normalised tokens, and knows no more than it is told", () => {
    const { native_tokens_completion: _, native_tokens_prompt: __, ...rest } = told
    assert.deepInclude(fromGeneration(rest), { promptTokens: 9, completionTokens: 24, totalTokens: 33 })
    assert.deepInclude(fromGeneration({ total_cost: 1 }), { promptTokens: undefined, totalTokens: undefined })
  })

  for (const nothing of [
    undefined,
    null,
    {},
    "late",
    { ...told, total_cost: null },
    { ...told, total_cost: -1 }
  ])
    it(`is not there yet in ${JSON.stringify(nothing)?.slice(0, 20)}`, () =>
      assert.isUndefined(fromGeneration(nothing)))
})
