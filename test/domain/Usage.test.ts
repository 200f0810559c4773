import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { estimate, fromAnswer } from "../../src/domain/Usage.ts"
import type { Pricing, Usage } from "../../src/domain/Usage.ts"

const UNKNOWN: Usage = {
  promptTokens: undefined,
  completionTokens: undefined,
  totalTokens: undefined,
  cachedTokens: undefined,
  reasoningTokens: undefined,
  cost: undefined
}

const usage = (promptTokens: number | undefined, completionTokens: number | undefined): Usage => ({
  ...UNKNOWN,
  promptTokens,
  completionTokens
})

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
      { promptTokens: 0, completionTokens: 0, totalTokens: 0, cachedTokens: 0, reasoningTokens: 0, cost: 0 }
    )
  })

  for (const count of [-1, 1.5, NaN, Infinity, 2 ** 53, "10", true, null, [10], {}])
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
      "the fee alone where that bill is not told",
      { cost: 0.01, is_byok: true, cost_details: null },
      10_000_000
    ],
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

describe("an estimate", () => {
  const table: ReadonlyArray<readonly [string, Usage, Pricing, number | undefined]> = [
    ["is tokens times price", usage(10, 5), { prompt: "0.000001", completion: "0.000002" }, 20_000],
    [
      "counts the price of a request once",
      usage(1, 1),
      { prompt: "0", completion: "0", request: "0.01" },
      10_000_000
    ],
    ["is zero for a free model", usage(1000, 1000), { prompt: "0", completion: "0" }, 0],
    ["is zero where nothing was used", usage(0, 0), { prompt: "1", completion: "1" }, 0],
    ["is unknown without the prompt's price", usage(10, 5), { completion: "0.1" }, undefined],
    ["is unknown without the completion's price", usage(10, 5), { prompt: "0.1" }, undefined],
    [
      "is unknown without the prompt's tokens",
      usage(undefined, 5),
      { prompt: "0", completion: "0" },
      undefined
    ],
    [
      "is unknown without the completion's tokens",
      usage(5, undefined),
      { prompt: "0", completion: "0" },
      undefined
    ],
    ["is unknown where the price is dynamic", usage(1, 1), { prompt: "-1", completion: "-1" }, undefined],
    ["is unknown where one price is dynamic", usage(1, 0), { prompt: "0", completion: " -1" }, undefined],
    [
      "is unknown where the request's price is dynamic",
      usage(1, 1),
      { prompt: "0", completion: "0", request: "-1" },
      undefined
    ],
    ["is unknown where a price is no number", usage(1, 1), { prompt: "free", completion: "0" }, undefined],
    ["is unknown where a price is an empty text", usage(1, 1), { prompt: "", completion: "0" }, undefined],
    [
      "does not look at the total",
      { ...usage(1, 1), totalTokens: 99 },
      { prompt: "1e-9", completion: "1e-9" },
      2
    ]
  ]
  for (const [name, usage, pricing, cost] of table)
    it(name, () => assert.strictEqual(estimate(usage, pricing), cost))

  it.prop(
    "is exact for whole nano-dollars a token",
    [fc.nat(1_000_000), fc.nat(1_000_000), fc.nat(10_000), fc.nat(10_000)],
    ([prompt, completion, promptPrice, completionPrice]) => {
      const pricing = { prompt: `${promptPrice}e-9`, completion: `${completionPrice}e-9` }
      assert.strictEqual(
        estimate(usage(prompt, completion), pricing),
        prompt * promptPrice + completion * completionPrice
      )
    }
  )
})
