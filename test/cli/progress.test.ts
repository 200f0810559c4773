import { assert, describe, it } from "@effect/vitest"
import { progressOn } from "../../src/cli/progress.ts"

/** What is written while a film is looked at. */
const written = (terminal: { readonly isTTY: boolean; readonly columns: number }) => {
  const pieces: Array<string> = []
  const write = (text: string | Uint8Array) => pieces.push(String(text)) > 0
  const { end, tell } = progressOn({ ...terminal, write })
  tell("fetching", 0)
  tell("fetching 50%", 0.5)
  tell("fetching 50%", 0.5)
  tell("looking 10%, listening 5%", 0.6)
  tell("listening 100%", 7)
  end()
  return pieces
}

describe("progress", () => {
  it("is a bar that grows on a terminal, and is gone at the end", () => {
    const [first, half, , full, gone, ...more] = written({ isTTY: true, columns: 80 })
    assert.strictEqual(first, `\r[${" ".repeat(25)}] fetching`)
    assert.strictEqual(half, `\r[${"#".repeat(13)}${" ".repeat(12)}] fetching 50%`)
    assert.match(full ?? "", /^\r\[#{25}\] listening 100% *$/)
    assert.match(gone ?? "", /^\r +\r$/)
    assert.deepStrictEqual(more, [])
  })

  it("never wraps, and covers what it has written before", () => {
    const lines = written({ isTTY: true, columns: 40 })
    for (const line of lines) assert.isAtMost(line.replaceAll("\r", "").length, 40)
    const [, , long = "", shorter = ""] = lines
    assert.isAtLeast(shorter.length, long.length)
  })

  it("is a line for each step elsewhere", () =>
    assert.deepStrictEqual(written({ isTTY: false, columns: 80 }), [
      "fetching\n",
      "looking, listening\n",
      "listening\n"
    ]))
})
