import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { novelty } from "../../../src/domain/media/Novelty.ts"
import { mergeSounds, strain } from "../../../src/domain/media/Speech.ts"

/** A piece from second 100 to 120, with something to hear all the time. */
const piece = { from: 100, to: 120, regions: [{ from: 100, to: 120 }] }

const claim = (text: string, from = 0, to = 4) => ({ from, to, text })

/** What is left of one claim: its words and the sounds in it. */
const left = (text: string) => {
  const { sounds, words } = strain(piece, [claim(text)])
  return { words: words.map((found) => found.text), sounds: sounds.map((found) => found.text) }
}

describe("what a model names in brackets", () => {
  it.each([
    ["[Music]", "(music)"],
    ["(upbeat music)", "(music)"],
    ["♪♪", "(music)"],
    ["♪", "(music)"],
    ["*piano playing softly*", "(music)"],
    ["[APPLAUSE]", "(applause)"],
    ["(laughs)", "(laughter)"],
    ["(motor running)", "(no speech: noise)"],
    ["[BEEP]", "(no speech: noise)"],
    ["(clippers buzzing) (clippers buzzing)", "(no speech: noise)"],
    ["(a thing nobody has a word for)", "(no speech: noise)"],
    ["[INAUDIBLE]", "(speech that was not understood)"],
    ["[speaking in foreign language]", "(speech that was not understood)"]
  ])("%s is a sound", (text, sound) => assert.deepStrictEqual(left(text), { words: [], sounds: [sound] }))

  it.each(["[BLANK_AUDIO]", "[ Silence ]", "(no audio)", "", " ... ", "-"])("%s is nothing", (text) =>
    assert.deepStrictEqual(left(text), { words: [], sounds: [] })
  )

  it.each([
    ["[Music] Good evening.", "Good evening.", ["(music)"]],
    ["♪ Row your boat ♪", "Row your boat", ["(music)"]],
    ["Well, (laughs) that was it.", "Well, that was it.", ["(laughter)"]],
    ["The file (the second one) is gone.", "The file (the second one) is gone.", []],
    ["It costs 3 * 4 coins.", "It costs 3 * 4 coins.", []]
  ])("%s keeps its words", (text, words, sounds) =>
    assert.deepStrictEqual(left(text), { words: [words], sounds })
  )

  it("lasts to the end of its piece where nobody speaks", () => {
    const { sounds } = strain(piece, [claim("(music)", 1, 3), claim("(applause)", 9, 10)])
    assert.deepStrictEqual(sounds, [
      { from: 100, to: 109, text: "(music)" },
      { from: 109, to: 120, text: "(applause)" }
    ])
  })

  it("lasts as long as it is said to where someone speaks", () => {
    const { sounds } = strain(piece, [claim("(music)", 1, 3), claim("Welcome.", 3, 5)])
    assert.deepStrictEqual(sounds, [{ from: 101, to: 103, text: "(music)" }])
  })
})

describe("what a model invents", () => {
  const mostlySilent = { from: 0, to: 29, regions: [{ from: 20, to: 29 }] }

  it("is dropped where there is nothing to hear", () => {
    assert.deepStrictEqual(strain(mostlySilent, [claim("Something else", 0, 19)]).words, [])
    assert.strictEqual(strain(mostlySilent, [claim("Something else", 10, 29)]).words.length, 1)
  })

  it.each([
    "you",
    "Thank you.",
    "Thanks for watching!",
    "Please subscribe.",
    "Subtitles by a friend",
    "Bye-bye."
  ])("%s over silence is dropped, and kept where someone may have said it", (text) => {
    assert.strictEqual(strain(mostlySilent, [claim(text, 0, 29)]).words.length, 1)
    const barely = { from: 0, to: 29, regions: [{ from: 22, to: 29 }] }
    assert.deepStrictEqual(strain(barely, [claim(text, 0, 29)]).words, [])
    assert.strictEqual(strain(barely, [claim("A sentence of their own", 0, 29)]).words.length, 1)
  })

  it("is known by a length beyond that of its piece", () => {
    const knock = { from: 10, to: 11, regions: [{ from: 10, to: 11 }] }
    assert.deepStrictEqual(strain(knock, [claim("Thank you.", 0, 29.98)]).words, [])
    assert.strictEqual(strain(knock, [claim("Thank you.", 0, 0.9)]).words.length, 1)
  })

  it("is the third time of the same, over pieces too", () => {
    const again = [
      claim("And then", 0, 2),
      claim("and then.", 2, 4),
      claim("And then", 4, 6),
      claim("Stop", 6, 8)
    ]
    assert.deepStrictEqual(
      strain(piece, again).words.map(({ text }) => text),
      ["And then", "and then.", "Stop"]
    )
    const before = [
      { from: 90, to: 92, text: "And then" },
      { from: 92, to: 94, text: "And then" }
    ]
    assert.deepStrictEqual(strain(piece, [claim("And then")], before).words, [])
    assert.strictEqual(strain(piece, [claim("And then")], [...before, claim("But")]).words.length, 1)
  })

  it("is a phrase that goes on and on", () => {
    assert.deepStrictEqual(left("So we have to go back to the ".repeat(8)).words, [])
    assert.strictEqual(left("No, no, no, no!").words.length, 1)
    const speech =
      "and so my fellow americans ask not what your country can do for you ask what you can do for your country"
    assert.strictEqual(left(speech).words.length, 1)
  })
})

describe("the measure of repetition", () => {
  it.each([
    ["", 1, 1],
    ["abc", 1, 1],
    ["ask not what your country can do for you ask what you can do for your country", 0.6, 1],
    ["the bus is late because the road is wet and the driver is new to this part of the town", 0.7, 1],
    ["you ".repeat(40), 0, 0.1],
    ["thanks for watching ".repeat(5), 0, 0.4]
  ])("puts %j where it belongs", (text, least, most) => {
    assert.isAtLeast(novelty(text), least)
    assert.isAtMost(novelty(text), most)
  })
})

describe("times", () => {
  it("stay within the piece", () => {
    const { words } = strain(piece, [claim("One", -1, 3), claim("two", 15, 40), claim("three", 50, 60)])
    assert.deepStrictEqual(words, [
      { from: 100, to: 103, text: "One" },
      { from: 115, to: 120, text: "two" },
      { from: 120, to: 120, text: "three" }
    ])
  })

  it("are in order and within the piece, whatever a model says", () => {
    const second = fc.double({ min: -5, max: 60, noNaN: true })
    const claims = fc.array(fc.tuple(second, second, fc.string({ minLength: 1 })), { maxLength: 12 })
    fc.assert(
      fc.property(claims, (said) => {
        const { sounds, words } = strain(
          piece,
          said.map(([from, to, text]) => ({ from, to, text }))
        )
        let before = piece.from
        for (const { from, text, to } of words) {
          assert.isAtLeast(from, before)
          assert.isAtLeast(to, from)
          assert.isAtMost(to, piece.to)
          assert.match(text, /[\p{L}\p{N}]/u)
          before = from
        }
        for (const { from, to } of sounds) assert.isTrue(from >= piece.from && to <= piece.to)
      })
    )
  })
})

describe("sounds", () => {
  const music = (from: number, to: number) => ({ from, to, text: "(music)" })

  it("become one line as long as they go on", () => {
    assert.deepStrictEqual(mergeSounds([music(0, 5), music(5, 10), music(12, 15), music(30, 31)], []), [
      music(0, 15),
      music(30, 31)
    ])
  })

  it("are parted by words and by other sounds", () => {
    const applause = { from: 5, to: 6, text: "(applause)" }
    assert.deepStrictEqual(mergeSounds([applause, music(0, 5), music(6, 9)], []), [
      music(0, 5),
      applause,
      music(6, 9)
    ])
    assert.deepStrictEqual(mergeSounds([music(0, 5), music(7, 9)], [{ from: 5, to: 7, text: "Hello" }]), [
      music(0, 5),
      music(7, 9)
    ])
  })
})
