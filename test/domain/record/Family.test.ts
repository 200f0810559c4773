import { assert, describe, it } from "@effect/vitest"
import { totalOf } from "../../../src/domain/record/Family.ts"

const told = (
  cost: number | null,
  source: "provider" | "estimated" | null = cost === null ? null : "provider"
) => ({
  cost_nano_usd: cost,
  cost_source: source,
  prompt_tokens: cost === null ? null : 10,
  completion_tokens: cost === null ? null : 5
})

describe("a request with its side calls", () => {
  it("costs what all of them cost", () => {
    assert.deepStrictEqual(totalOf([told(3), told(4), told(0)]), {
      ...{ cost: 7, unknown: 0, isEstimated: false },
      ...{ promptTokens: 30, completionTokens: 15, calls: 3 }
    })
  })

  it("is at least what is known of some, and unknown where nothing is known of any", () => {
    assert.deepInclude(totalOf([told(3), told(null)]), { cost: 3, unknown: 1, promptTokens: 10 })
    assert.deepInclude(totalOf([told(null), told(null)]), { cost: null, unknown: 2, promptTokens: null })
    assert.deepInclude(totalOf([]), { cost: null, calls: 0 })
  })

  it("is an estimate where one of them is", () => {
    assert.isTrue(totalOf([told(3), told(4, "estimated")]).isEstimated)
    assert.isFalse(totalOf([told(3), told(null)]).isEstimated)
  })
})
