import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { Thinking, withoutThinking } from "../../src/domain/Thinking.ts"

/** What is said of an answer that comes in these pieces. */
const heard = (pieces: ReadonlyArray<string>): string => {
  const thinking = new Thinking()
  return pieces.map((piece) => thinking.add(piece)).join("") + thinking.end()
}

const cutAt = (text: string, cuts: ReadonlyArray<number>): ReadonlyArray<string> =>
  [...cuts, text.length].map((to, index) => text.slice(cuts[index - 1] ?? 0, to))

const samples: ReadonlyArray<readonly [what: string, answer: string, said: string]> = [
  ["nothing", "", ""],
  ["no tag", "1 < 2 > 0\n", "1 < 2 > 0\n"],
  ["a thought first", "<think>a</think>b", "b"],
  ["white space around a thought", " \n<think>\n a \n</think>\n\n b \n", " \n\n\n b \n"],
  ["a thought in the midst", "a <think>b</think> c", "a  c"],
  ["a thought at the end", "a<think>b</think>", "a"],
  ["an empty thought", "<think></think>a", "a"],
  ["several thoughts", "<think>a</think>b<think>c</think><think>d</think>e", "be"],
  ["a tag inside a thought", "<think>a <think> b</think>c</think>d", "c</think>d"],
  ["half a tag inside a thought", "<think></thin</think>a", "a"],
  ["a tag begun twice", "<<think>a<</think>b", "<b"],
  ["a closing tag alone", "a</think>b", "a</think>b"],
  ["a closing tag at the very beginning", "</think>a", "</think>a"],
  ["another tag", "<thinking>a</thinking>", "<thinking>a</thinking>"],
  ["a tag with an attribute", '<think a="b">c</think>', '<think a="b">c</think>'],
  ["a tag in capitals", "<Think>a</THINK>", "<Think>a</THINK>"],
  ["another closing tag", "<think>a</thinking>b</think>c", "c"],
  ["a thought cut short", "<think>a b", ""],
  ["a thought cut short in its closing tag", "\n<think>a</thin", "\n"],
  ["a second thought cut short before anything is said", "<think>a</think>\n<think>b", "\n"],
  ["a tag that is talked about", "Say <think> and go on.", "Say <think> and go on."],
  ["a tag that is talked about twice", "a <think> b <think> c </thin", "a <think> b <think> c </thin"],
  ["a tag that is talked about after a thought", "<think>a</think>b <think> c", "b <think> c"],
  ["half a tag at the end", "a <thi", "a <thi"],
  ["half a tag alone", "<think", "<think"],
  ["tags that only meet once a thought is out", "<thi<think>a</think>nk>b", "<think>b"],
  ["letters of two units", "😀<think>😀</think>😀", "😀😀"]
]

/** Blocks and the beginning as one expression, which is how a reader would say it. */
const BLOCK = "<think>(?:(?!</think>)[^])*</think>"
const reference = (text: string): string => {
  const blocks = new RegExp(BLOCK, "g")
  const [, before] = new RegExp(`^((?:\\s|${BLOCK})*)<think>(?![^]*</think>)`).exec(text) ?? []
  return (before ?? text).replace(blocks, "")
}

const tokens = fc.constantFrom(
  "<think>",
  "</think>",
  "<thi",
  "nk>",
  "</",
  "<",
  ">",
  "think",
  " ",
  "\n",
  "a",
  "bc",
  "😀"
)
const texts = fc.array(fc.oneof({ weight: 6, arbitrary: tokens }, fc.string({ maxLength: 4 })), {
  maxLength: 14
})
const answers = texts.map((pieces) => pieces.join(""))

describe("Thinking", () => {
  for (const [what, answer, said] of samples) {
    it(`hears ${what}`, () => {
      assert.strictEqual(withoutThinking(answer), said)
      assert.strictEqual(reference(answer), said)
    })

    it(`hears ${what} in pieces`, () => {
      assert.strictEqual(heard(Array.from({ length: answer.length }, (_, at) => answer.charAt(at))), said)
      for (let first = 0; first <= answer.length; first++)
        for (let second = first; second <= answer.length; second++)
          for (let third = second; third <= answer.length; third++)
            if (heard(cutAt(answer, [first, second, third])) !== said)
              assert.fail(`${answer} cut at ${first}, ${second}, ${third}`)
    })
  }

  it("hears the same in every way there is to cut a short answer", () => {
    for (const [, answer, said] of samples.filter(([, { length }]) => length > 0 && length <= 17))
      for (let way = 0; way < 1 << (answer.length - 1); way++) {
        const cuts = Array.from({ length: answer.length - 1 }, (_, at) => at + 1).filter(
          (at) => way & (1 << (at - 1))
        )
        if (heard(cutAt(answer, cuts)) !== said) assert.fail(`${answer} cut at ${cuts.join(", ")}`)
      }
  })

  it("says of any text what the plain expression says, however it is cut", () => {
    fc.assert(
      fc.property(answers, fc.array(fc.nat(), { maxLength: 12 }), (answer, places) => {
        const cuts = places.map((place) => place % (answer.length + 1)).toSorted((a, b) => a - b)
        assert.strictEqual(withoutThinking(answer), reference(answer))
        assert.strictEqual(heard(cutAt(answer, cuts)), reference(answer))
      }),
      { numRuns: 3000 }
    )
  })

  it("says at once what cannot be a thought any more", () => {
    const thinking = new Thinking()
    assert.strictEqual(thinking.add("a <thi"), "a ")
    assert.isTrue(thinking.isWaiting)
    assert.strictEqual(thinking.add("s"), "<this")
    assert.isFalse(thinking.isWaiting)
  })

  it("forgets a long thought while it lasts, and gives up on a block in the midst that is too long", () => {
    const long = "thought ".repeat(1000)
    const first = ["<think>", ...Array<string>(200).fill(long), "</think>b"]
    assert.strictEqual(heard(first), "b")
    const later = ["a<think>", ...Array<string>(200).fill(long)]
    const thinking = new Thinking()
    const said = later.map((piece) => thinking.add(piece))
    assert.isAbove(said.join("").length, 1_000_000)
    assert.strictEqual(said.join("") + thinking.end(), later.join(""))
    const whole = [...later, "</think>b"].join("")
    assert.strictEqual(withoutThinking(whole), whole)
    assert.strictEqual(heard(cutAt(whole, [8, 262_150, 262_152, 262_153, 900_000])), whole)
  })

  it("gives the same for a block around the longest, however it is cut", () => {
    for (const length of [262_134, 262_135, 262_136, 262_137, 262_138, 262_143, 262_144, 262_145]) {
      const answer = `a<think>${"x".repeat(length)}</think>b<think>c</think>d`
      const said = withoutThinking(answer)
      assert.strictEqual(said, length <= 262_136 ? "abd" : `${answer.slice(0, -17)}d`)
      for (let cut = 262_130; cut < answer.length; cut++)
        if (heard(cutAt(answer, [cut, cut + 1])) !== said) assert.fail(`${length} cut at ${cut}`)
    }
  })
})
