import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import type { Segment } from "../../../src/domain/media/Evidence.ts"
import { estimateTokens, thin, transcriptLines } from "../../../src/domain/media/TranscriptLines.ts"

const segment = (from: number, to: number, text: string): Segment => ({ from, to, text })

const cost = (lines: ReadonlyArray<Segment>) => lines.reduce((sum, { text }) => sum + estimateTokens(text), 0)

/** Speech without a pause: `count` segments of so many seconds. */
const speech = (count: number, seconds: number, text = (at: number) => `Word ${at}.`) =>
  Array.from({ length: count }, (_, at) => segment(at * seconds, (at + 1) * seconds, text(at)))

const anySpeech = fc
  .array(
    fc.tuple(fc.nat(6_000), fc.integer({ min: 100, max: 9_000 }), fc.constantFrom("so", "it ends.", "語")),
    {
      maxLength: 80
    }
  )
  .map((parts) => {
    let at = 0
    return parts.map(([pause, length, text]) => {
      const from = at + pause
      at = from + length
      return segment(from / 1000, at / 1000, text)
    })
  })

describe("lines of a transcript", () => {
  it("are 15 to 30 seconds long and end with a sentence where they can", () => {
    const lines = transcriptLines(speech(40, 4, (at) => (at % 3 === 2 ? "and ends." : "goes on")))
    assert.deepStrictEqual(lines[0], segment(0, 24, "goes on goes on and ends. goes on goes on and ends."))
    for (const { from, to } of lines.slice(0, -1)) assert.isTrue(to - from >= 15 && to - from <= 30)
  })

  it("without a sentence's end are as long as they may be", () => {
    assert.deepStrictEqual(
      transcriptLines(speech(10, 7, () => "on and")).map(({ from, to }) => [from, to]),
      [
        [0, 28],
        [28, 56],
        [56, 70]
      ]
    )
  })

  it("end at a pause", () => {
    const lines = transcriptLines([
      segment(0, 2, "One."),
      segment(4.9, 6, "Two."),
      segment(9.1, 10, "Three.")
    ])
    assert.deepStrictEqual(lines, [segment(0, 6, "One. Two."), segment(9.1, 10, "Three.")])
  })

  it("leave a long segment whole", () => {
    const long = segment(0, 95, "A reading.")
    assert.deepStrictEqual(transcriptLines([long, segment(95, 97, "End.")]), [long, segment(95, 97, "End.")])
  })

  it.prop(
    "hold every word once, in order, and never more than 30 seconds of joined speech",
    [anySpeech],
    ([segments]) => {
      const lines = transcriptLines(segments)
      const words = (some: ReadonlyArray<Segment>) => some.map(({ text }) => text).join(" ")
      assert.strictEqual(words(lines), words(segments))
      for (const line of lines)
        assert.isTrue(
          line.to - line.from <= 30 || segments.some(({ from, to }) => from === line.from && to === line.to)
        )
      assert.strictEqual(lines.at(0)?.from, segments.at(0)?.from)
      assert.strictEqual(lines.at(-1)?.to, segments.at(-1)?.to)
    }
  )
})

describe("a transcript that must fit", () => {
  const hour = speech(180, 20)

  it("is whole where there is room", () => {
    assert.deepStrictEqual(thin(hour, cost(hour)), { lines: hour, left: [], dropped: 0 })
    assert.deepStrictEqual(thin([], 0), { lines: [], left: [], dropped: 0 })
  })

  it("keeps its first and last minute and thins the rest evenly", () => {
    const { dropped, lines } = thin(hour, cost(hour) / 3)
    assert.deepStrictEqual(lines.slice(0, 3), hour.slice(0, 3))
    assert.deepStrictEqual(lines.slice(-3), hour.slice(-3))
    assert.strictEqual(dropped + lines.length, 180)
    assert.isAtLeast(lines.length, 55)
    const middle = lines.slice(3, -3).map(({ from }) => from)
    const steps = middle.slice(1).map((from, index) => from - (middle[index] ?? 0))
    assert.isAtMost(Math.max(...steps) - Math.min(...steps), 20)
    assert.isAbove(middle.at(-1) ?? 0, 3_400)
  })

  it("names what was left out, neighbours together", () => {
    const { left } = thin(speech(10, 20), cost(speech(7, 20)))
    assert.deepStrictEqual(left, [
      { from: 60, to: 80 },
      { from: 100, to: 140 }
    ])
  })

  it("with room for less than its ends keeps lines from both, and one in any case", () => {
    const four = thin(hour, cost(hour.slice(-4)))
    assert.deepStrictEqual(four.lines, [...hour.slice(0, 2), ...hour.slice(-2)])
    assert.deepStrictEqual(four.left, [{ from: 40, to: 3_560 }])
    assert.deepStrictEqual(thin(hour, 0).lines, hour.slice(0, 1))
  })

  it.prop("fits, in order, and accounts for every line", [anySpeech, fc.nat(600)], ([segments, tokens]) => {
    const all = transcriptLines(segments)
    const { dropped, left, lines } = thin(all, tokens)
    assert.isTrue(cost(lines) <= tokens || lines.length <= 1)
    assert.deepStrictEqual(
      lines,
      all.filter((line) => lines.includes(line))
    )
    assert.strictEqual(lines.length + dropped, all.length)
    for (const line of all)
      assert.strictEqual(
        left.some(({ from, to }) => from <= line.from && line.to <= to),
        !lines.includes(line)
      )
  })

  it("costs more in scripts that need more", () => {
    assert.isAbove(estimateTokens("語".repeat(40)), estimateTokens("a".repeat(40)))
    assert.strictEqual(estimateTokens("a".repeat(40)), 18)
  })
})
