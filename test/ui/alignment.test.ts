import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { aligned } from "../../src/ui/media/aligned.ts"

const at = (...times: ReadonlyArray<number>) => times.map((time) => ({ time }))
const line = (from: number, text = `at ${from}`, to = from + 1) => ({ from, to, text })

const told = (...given: Parameters<typeof aligned>) =>
  aligned(...given).map(({ from, picture, said }) => [
    picture === undefined ? "none" : from,
    said.map(({ text }) => text)
  ])

describe("words beside pictures", () => {
  it("stand with the picture that was last when they were said", () => {
    assert.deepStrictEqual(told(at(10, 0, 20), [line(25), line(3), line(12), line(18)]), [
      [0, ["at 3"]],
      [10, ["at 12", "at 18"]],
      [20, ["at 25"]]
    ])
  })

  it("stand behind a picture of the same second", () => {
    assert.deepStrictEqual(told(at(0, 10.8), [line(10.1)]), [
      [0, []],
      [10.8, ["at 10.1"]]
    ])
  })

  it("may come before the first picture, or have none at all", () => {
    assert.deepStrictEqual(told(at(10), [line(3), line(12)]), [
      ["none", ["at 3"]],
      [10, ["at 12"]]
    ])
    assert.deepStrictEqual(told([], [line(3)]), [["none", ["at 3"]]])
    assert.deepStrictEqual(told([], []), [])
  })

  it("join into lines of some seconds, but never with sounds or over a pause", () => {
    const words = [
      line(0, " One"),
      line(1, " two"),
      line(2, "(music)", 5),
      line(5, "three"),
      line(9, "four", 12)
    ]
    assert.deepStrictEqual(told(at(0), words), [[0, ["One two", "(music)", "three", "four"]]])
    const long = Array.from({ length: 40 }, (_, second) => line(second, "word"))
    const lines = aligned(at(0), long).flatMap(({ said }) => said)
    assert.isAbove(lines.length, 2)
    assert.isBelow(lines.length, 5)
    for (const { from, to } of lines) assert.isAtMost(to - from, 15)
  })

  it("have the chapters that begin with them", () => {
    const chapters = [
      { from: 0, title: "Start" },
      { from: 10.4, title: "Middle" },
      { from: 30, title: "End" }
    ]
    assert.deepStrictEqual(
      aligned(at(2, 10), [], chapters).map(({ chapters, picture }) => [picture?.time, chapters]),
      [
        [undefined, ["Start"]],
        [2, []],
        [10, ["Middle", "End"]]
      ]
    )
  })

  it("are each there once and in order, and so are the pictures", () => {
    const times = fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { maxLength: 12 })
    fc.assert(
      fc.property(times, times, (pictures, words) => {
        const moments = aligned(
          at(...pictures),
          words.map((from, index) => line(from, `word${index}`))
        )
        const said = moments.flatMap(({ said }) => said)
        assert.sameMembers(
          said.flatMap(({ text }) => text.split(" ")),
          words.map((_, index) => `word${index}`)
        )
        assert.deepStrictEqual(
          moments.flatMap(({ picture }) => picture?.time ?? []),
          pictures.toSorted((one, other) => one - other)
        )
        for (const [index, { said }] of moments.entries())
          for (const { from } of said) assert.isBelow(from, Math.ceil((moments[index + 1]?.from ?? 1000) + 1))
      })
    )
  })
})
