import { assert, describe, it } from "@effect/vitest"
import { Either } from "effect"
import { LATEST, readWishes } from "../../../src/domain/media/Wishes.ts"
import type { Wishes } from "../../../src/domain/media/Wishes.ts"

const fallback: Wishes = { policy: "auto", frames: undefined, window: undefined }

const wishes = (percept: unknown, header?: string) =>
  Either.getOrThrow(readWishes({ percept }, header, fallback))

describe("a request's own wishes", () => {
  it("are the router's where there are none", () => {
    assert.deepStrictEqual(Either.getOrThrow(readWishes({}, undefined, fallback)), fallback)
    assert.deepStrictEqual(wishes(null), fallback)
    assert.deepStrictEqual(wishes({ policy: null, frames: null, from: null, to: null }), fallback)
    assert.deepStrictEqual(wishes({ frames: "auto" }, " "), fallback)
  })

  it("stand in the body or in the header, and the body knows better", () => {
    assert.strictEqual(wishes({ policy: "describe" }).policy, "describe")
    assert.strictEqual(wishes({}, "reroute").policy, "reroute")
    assert.strictEqual(wishes({ policy: "off" }, "reroute").policy, "off")
  })

  it("name a number of pictures", () => {
    assert.strictEqual(wishes({ frames: 1 }).frames, 1)
    assert.strictEqual(wishes({ frames: 64 }).frames, 64)
    const set = { ...fallback, frames: 5 }
    assert.strictEqual(Either.getOrThrow(readWishes({}, undefined, set)).frames, 5)
    assert.strictEqual(
      Either.getOrThrow(readWishes({ percept: { frames: "auto" } }, undefined, set)).frames,
      undefined
    )
  })

  const WINDOWS: ReadonlyArray<readonly [unknown, unknown, Wishes["window"]]> = [
    [10, 20, { from: 10, to: 20 }],
    [undefined, 20.5, { from: 0, to: 20.5 }],
    [90, undefined, { from: 90, to: LATEST }],
    ["1:30", "1:02:03", { from: 90, to: 3723 }],
    ["5", "7.25", { from: 5, to: 7.25 }],
    [0, 1, { from: 0, to: 1 }]
  ]
  for (const [from, to, window] of WINDOWS)
    it(`name a stretch from ${String(from)} to ${String(to)}`, () =>
      assert.deepStrictEqual(wishes({ from, to }).window, window))

  const WRONG: ReadonlyArray<readonly [unknown, string | undefined, string]> = [
    ["auto", undefined, "percept"],
    [[], undefined, "percept"],
    [{ policy: "best" }, undefined, "percept.policy"],
    [{ policy: 1 }, undefined, "percept.policy"],
    [{}, "sometimes", "percept.policy"],
    [{ frames: 0 }, undefined, "percept.frames"],
    [{ frames: 65 }, undefined, "percept.frames"],
    [{ frames: 2.5 }, undefined, "percept.frames"],
    [{ frames: "all" }, undefined, "percept.frames"],
    [{ from: -1 }, undefined, "percept.from"],
    [{ from: "soon" }, undefined, "percept.from"],
    [{ from: "1:2:3:4" }, undefined, "percept.from"],
    [{ to: Number.NaN }, undefined, "percept.to"],
    [{ to: {} }, undefined, "percept.to"],
    [{ from: 20, to: 20 }, undefined, "percept.to"],
    [{ to: 0 }, undefined, "percept.to"]
  ]
  for (const [percept, header, param] of WRONG)
    it(`that make no sense are named: ${JSON.stringify(percept)} ${header ?? ""}`, () => {
      const problem = Either.getOrThrow(Either.flip(readWishes({ percept }, header, fallback)))
      assert.strictEqual(problem.param, param)
      assert.include(problem.message, `'${param}' must`)
    })
})
