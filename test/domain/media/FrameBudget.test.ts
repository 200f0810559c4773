import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import type { Frame } from "../../../src/domain/media/Evidence.ts"
import { fit, tokensOf } from "../../../src/domain/media/FrameBudget.ts"

const frame = (time: number, bytes = 50_000, width = 1024, height = 576): Frame => ({
  ...{ time, mime: "image/jpeg", width, height, bytes },
  sha256: String(time)
})

const frames = (...times: ReadonlyArray<number>) => times.map((time) => frame(time))

const even = (count: number, bytes?: number) =>
  Array.from({ length: count }, (_, at) => frame(at * 10, bytes))

const times = ({ frames }: { readonly frames: ReadonlyArray<Frame> }) => frames.map(({ time }) => time)

const MB = 1_000_000

describe("room for pictures", () => {
  it("changes nothing where there is enough of it", () => {
    const all = even(16)
    assert.deepStrictEqual(fit(all, { contextTokens: 200_000, maxBytes: 4 * MB, px: 1024 }), {
      px: 1024,
      frames: all
    })
    assert.deepStrictEqual(fit(all, { maxBytes: 4 * MB, px: 1024 }), { px: 1024, frames: all })
    assert.deepStrictEqual(fit([], { contextTokens: 1, maxBytes: 1, px: 1024 }).frames, [])
  })

  it("counts by patches of 28 pixels", () => {
    assert.strictEqual(tokensOf(frame(0), 1024), 777)
    assert.strictEqual(tokensOf(frame(0), 768), 448)
    assert.strictEqual(tokensOf(frame(0), 640), 299)
    assert.strictEqual(tokensOf(frame(0, 1, 320, 180), 1024), 84)
  })

  it("of a quarter of the context makes pictures smaller, then fewer", () => {
    const px = (contextTokens: number) => fit(even(16), { contextTokens, maxBytes: 4 * MB, px: 1024 })
    assert.strictEqual(px(4 * 16 * 777).px, 1024)
    assert.strictEqual(px(4 * 16 * 777 - 1).px, 768)
    const least = fit(even(64), { contextTokens: 40_000, maxBytes: 4 * MB, px: 1024 })
    assert.strictEqual(least.px, 640)
    assert.strictEqual(least.frames.length, Math.floor(10_000 / 299))
  })

  it("of a small context is eight pictures of 768 pixels", () => {
    const small = fit(even(16), { contextTokens: 31_999, maxBytes: 4 * MB, px: 1024 })
    assert.strictEqual(small.px, 768)
    assert.strictEqual(small.frames.length, 8)
    assert.deepStrictEqual([small.frames.at(0)?.time, small.frames.at(-1)?.time], [0, 150])
    assert.strictEqual(fit(even(16), { contextTokens: 32_000, maxBytes: 4 * MB, px: 1024 }).frames.length, 16)
    assert.strictEqual(fit(even(4), { contextTokens: 31_999, maxBytes: 4 * MB, px: 512 }).px, 512)
  })

  it("in bytes is kept by area, then by number", () => {
    assert.strictEqual(fit(even(10, 600_000), { maxBytes: 4 * MB, px: 1024 }).px, 768)
    assert.strictEqual(fit(even(10, 1 * MB), { maxBytes: 4 * MB, px: 1024 }).px, 640)
    const huge = fit(even(10, 2 * MB), { maxBytes: 4 * MB, px: 1024 })
    assert.strictEqual(huge.px, 640)
    assert.strictEqual(huge.frames.length, 5)
  })

  it("costs the picture with the nearest neighbours first, and the ends last", () => {
    const drop = (count: number, ...at: ReadonlyArray<number>) =>
      times(fit(frames(...at), { maxBytes: 50_000 * (640 / 1024) ** 2 * count + 10, px: 1024 }))
    assert.deepStrictEqual(drop(4, 0, 10, 12, 14, 40), [0, 10, 14, 40])
    assert.deepStrictEqual(drop(3, 0, 10, 12, 14, 40), [0, 14, 40])
    assert.deepStrictEqual(drop(2, 0, 10, 12, 14, 40), [0, 40])
    assert.deepStrictEqual(drop(1, 0, 10, 12, 14, 40), [0])
    assert.deepStrictEqual(drop(0, 0, 10), [0])
  })

  const anyFrames = fc
    .array(fc.tuple(fc.nat(10_000), fc.integer({ min: 1, max: 3 * MB }), fc.integer({ min: 1, max: 2_000 })))
    .map((some) =>
      some
        .toSorted(([one], [other]) => one - other)
        .map(([time, bytes, side]) => frame(time, bytes, side, 700))
    )

  it.prop(
    "is kept, in order, with one picture at least, the same way every time",
    [anyFrames, fc.integer({ min: 1_000, max: 300_000 }), fc.integer({ min: 10_000, max: 8 * MB })],
    ([all, contextTokens, maxBytes]) => {
      const options = { contextTokens, maxBytes, px: 1024 }
      const { frames, px } = fit(all, options)
      assert.deepStrictEqual(fit(all, options), { frames, px })
      assert.include([1024, 768, 640], px)
      assert.deepStrictEqual(
        frames,
        all.filter((frame) => frames.includes(frame))
      )
      if (all.length > 0) assert.isAtLeast(frames.length, 1)
      const tokens = frames.reduce((sum, frame) => sum + tokensOf(frame, px), 0)
      assert.isTrue(tokens <= contextTokens / 4 || frames.length <= 1)
      if (contextTokens < 32_000) assert.isTrue(px <= 768 && frames.length <= 8)
    }
  )
})
