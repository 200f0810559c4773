import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { estimate, pricingIn } from "../../src/domain/Pricing.ts"
import type { Pricing } from "../../src/domain/Pricing.ts"
import { fromAnswer } from "../../src/domain/Usage.ts"
import type { Usage } from "../../src/domain/Usage.ts"

const AT = "2026-11-20T12:00:00.000Z"

const usage = (promptTokens: number | undefined, completionTokens: number | undefined): Usage => ({
  totalTokens: undefined,
  cachedTokens: undefined,
  reasoningTokens: undefined,
  cost: undefined,
  promptTokens,
  completionTokens
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
    it(name, () => assert.strictEqual(estimate(usage, pricing, AT), cost))

  it.prop(
    "is exact for whole nano-dollars a token",
    [fc.nat(1_000_000), fc.nat(1_000_000), fc.nat(10_000), fc.nat(10_000)],
    ([prompt, completion, promptPrice, completionPrice]) => {
      const pricing = { prompt: `${promptPrice}e-9`, completion: `${completionPrice}e-9` }
      assert.strictEqual(
        estimate(usage(prompt, completion), pricing, AT),
        prompt * promptPrice + completion * completionPrice
      )
    }
  )
})

/** What this usage costs at these prices, both as a provider writes them. */
const costOf = (said: object, pricing: object, at = AT): number | undefined => {
  const used = fromAnswer(said)
  const read = pricingIn({ pricing })
  return used === undefined || read === undefined ? undefined : estimate(used, read, at)
}

describe("prices of a catalogue", () => {
  const said = (rest: object = {}) => ({
    prompt_tokens: 1000,
    completion_tokens: 100,
    total_tokens: 1100,
    ...rest
  })
  const base = { prompt: "0.000003", completion: "0.000015" }
  const plain = 3_000_000 + 1_500_000

  const table: ReadonlyArray<readonly [string, object, object, number | undefined]> = [
    [
      "what is read from a cache has its own price",
      { prompt_tokens_details: { cached_tokens: 600 } },
      { input_cache_read: "0.0000003" },
      plain - 600 * 2700
    ],
    [
      "without one it is a token like any other",
      { prompt_tokens_details: { cached_tokens: 600 } },
      {},
      plain
    ],
    [
      "and may be free",
      { prompt_tokens_details: { cached_tokens: 600 } },
      { input_cache_read: "0" },
      plain - 600 * 3000
    ],
    [
      "what is written to a cache too",
      { prompt_tokens_details: { cached_tokens: 600, cache_write_tokens: 300 } },
      { input_cache_read: "0.0000003", input_cache_write: "0.00000375" },
      plain - 600 * 2700 + 300 * 750
    ],
    [
      "and for an hour another",
      {
        prompt_tokens_details: { cache_write_tokens: 300 },
        cache_creation: { ephemeral_1h_input_tokens: 200 }
      },
      { input_cache_write: "0.00000375", input_cache_write_1h: "0.000006" },
      plain + 100 * 750 + 200 * 3000
    ],
    [
      "which is that of all writing where it is not told",
      {
        prompt_tokens_details: { cache_write_tokens: 300 },
        cache_creation: { ephemeral_1h_input_tokens: 200 }
      },
      { input_cache_write: "0.00000375" },
      plain + 300 * 750
    ],
    [
      "a cache beyond the prompt's count comes on top of it",
      { prompt_tokens_details: { cached_tokens: 5000 } },
      { input_cache_read: "0.0000003" },
      plain + 5000 * 300
    ],
    [
      "thoughts are words where they have no price",
      { completion_tokens_details: { reasoning_tokens: 80 } },
      { internal_reasoning: "0" },
      plain
    ],
    [
      "and have their own where there is one",
      { completion_tokens_details: { reasoning_tokens: 80 } },
      { internal_reasoning: "0.00003" },
      plain + 80 * 15_000
    ],
    [
      "thoughts counted beside the words are paid too",
      { total_tokens: 1180, completion_tokens_details: { reasoning_tokens: 80 } },
      {},
      plain + 80 * 15_000
    ],
    [
      "more thoughts than words stand beside them",
      { completion_tokens_details: { reasoning_tokens: 180 } },
      {},
      plain + 180 * 15_000
    ],
    ["a request has its price", {}, { request: "0.01" }, plain + 10_000_000],
    [
      "a search has its price",
      { server_tool_use_details: { web_search_requests: 2 } },
      { web_search: "0.01" },
      plain + 20_000_000
    ],
    [
      "sound that is heard",
      { prompt_tokens_details: { audio_tokens: 400 } },
      { audio: "0.00001" },
      plain + 400 * 7000
    ],
    [
      "sound that is spoken",
      { completion_tokens_details: { audio_tokens: 50 } },
      { audio_output: "0.0001" },
      plain + 50 * 85_000
    ],
    [
      "pictures",
      { prompt_tokens_details: { image_tokens: 400 } },
      { image_token: "0.000001" },
      plain - 400 * 2000
    ],
    ["a discount", {}, { discount: 0.25 }, (plain * 3) / 4],
    ["a discount as text", {}, { discount: "0.1" }, (plain * 9) / 10],
    ["all of it off is free, not unknown", {}, { discount: 1 }, 0],
    ["no discount", {}, { discount: null }, plain],
    ["a discount that is none makes it unknown", {}, { discount: "much" }, undefined],
    ["a discount beyond everything makes it unknown", {}, { discount: 1.5 }, undefined],
    [
      "a dynamic price of what is used",
      { prompt_tokens_details: { cached_tokens: 1 } },
      { input_cache_read: "-1" },
      undefined
    ],
    ["a price that is a number", {}, { prompt: 0.000003 }, plain],
    ["a fortune is a mistake", {}, { request: "20000" }, undefined]
  ]
  for (const [name, used, prices, cost] of table)
    it(name, () => assert.strictEqual(costOf(said(used), { ...base, ...prices }), cost))

  it("bills a cache once, in whichever form it is told", () => {
    const prices = { ...base, input_cache_read: "0.0000003", input_cache_write: "0.00000375" }
    const openAi = {
      prompt_tokens: 1000,
      completion_tokens: 100,
      prompt_tokens_details: { cached_tokens: 600, cache_write_tokens: 300 }
    }
    const anthropic = {
      input_tokens: 100,
      output_tokens: 100,
      cache_read_input_tokens: 600,
      cache_creation_input_tokens: 300
    }
    assert.strictEqual(costOf(openAi, prices), 100 * 3000 + 600 * 300 + 300 * 3750 + 100 * 15_000)
    assert.strictEqual(costOf(anthropic, prices), costOf(openAi, prices))
  })

  it("is none where the entry has none", () => {
    for (const pricing of [undefined, null, "free", []]) assert.isUndefined(pricingIn({ pricing }))
  })
})

describe("prices under conditions", () => {
  const used = (prompt: number) => ({ prompt_tokens: prompt, completion_tokens: 10 })
  const prices = (...overrides: ReadonlyArray<unknown>) => ({ prompt: "1e-9", completion: "1e-9", overrides })

  it("hold from a length of the prompt on", () => {
    const long = prices({ min_prompt_tokens: 100, prompt: "2e-9" })
    assert.strictEqual(costOf(used(99), long), 109)
    assert.strictEqual(costOf(used(100), long), 210)
  })

  it("leave alone what they do not name, and the later win", () => {
    const both = prices(
      { min_prompt_tokens: 100, prompt: "2e-9", completion: "3e-9" },
      { min_prompt_tokens: 200, prompt: "5e-9" }
    )
    assert.strictEqual(costOf(used(200), both), 200 * 5 + 10 * 3)
    assert.strictEqual(costOf(used(150), both), 150 * 2 + 10 * 3)
  })

  const windows: ReadonlyArray<readonly [unknown, unknown, string, boolean]> = [
    ["0900", "1700", "09:00:00", true],
    ["0900", "1700", "16:59:59", true],
    ["0900", "1700", "17:00:00", false],
    ["0900", "1700", "08:59:59", false],
    [900, 1700, "12:00:00", true],
    [30, 100, "00:45:00", true],
    [30, 100, "00:29:00", false],
    ["1630", "0030", "23:59:00", true],
    ["1630", "0030", "00:29:00", true],
    ["1630", "0030", "00:30:00", false],
    ["1630", "0030", "12:00:00", false],
    ["1800", "2400", "23:59:00", true],
    ["1800", "2400", "00:00:00", false],
    ["0000", "0000", "12:00:00", true],
    ["noon", "1700", "12:00:00", false],
    ["0960", "1700", "12:00:00", false],
    ["0900", undefined, "12:00:00", false]
  ]
  for (const [utc_start, utc_end, time, holds] of windows)
    it(`from ${String(utc_start)} to ${String(utc_end)} ${holds ? "hold" : "do not hold"} at ${time}`, () =>
      assert.strictEqual(
        costOf(used(10), prices({ utc_start, utc_end, prompt: "2e-9" }), `2026-11-20T${time}.000Z`),
        holds ? 30 : 20
      ))

  it("need all of their conditions, and none that nobody knows", () => {
    const both = prices({ min_prompt_tokens: 100, utc_start: "1100", utc_end: "1300", prompt: "2e-9" })
    assert.strictEqual(costOf(used(100), both), 210)
    assert.strictEqual(costOf(used(99), both), 109)
    assert.strictEqual(costOf(used(100), both, "2026-11-20T13:00:00.000Z"), 110)
    assert.strictEqual(costOf(used(100), prices({ on_full_moon: true, prompt: "2e-9" })), 110)
    assert.strictEqual(costOf(used(100), prices(null, "cheap", [])), 110)
  })
})
