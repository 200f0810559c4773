import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as Csv from "../../../src/domain/record/Csv.ts"
import { readCsv } from "../../support/CsvReader.ts"

describe("a line of CSV", () => {
  it.each([
    [["plain", 12, null, -3, 0.5], "plain,12,,-3,0.5"],
    [["a,b", 'say "hi"', "two\nlines", "cr\rhere"], '"a,b","say ""hi""","two\nlines","cr\rhere"'],
    [["=1+1", "+1", "-1", "@SUM(A1)"], "'=1+1,'+1,'-1,'@SUM(A1)"],
    [["\ttab", "\rreturn", "\nbreak"], '\'\ttab,"\'\rreturn","\'\nbreak"'],
    [["＝1", "＋1", "－1", "＠x"], "'＝1,'＋1,'－1,'＠x"],
    [['=HYPERLINK("http://x","y")'], '"\'=HYPERLINK(""http://x"",""y"")"'],
    [["a=b", " =1", "'=1", "", "日本 🙂"], "a=b, =1,'=1,,日本 🙂"]
  ])("%j", (cells, text) => assert.strictEqual(Csv.line(cells), `${text}\r\n`))

  it("is read as what was written, whatever that was", () => {
    const cell = fc.oneof(
      fc.string({
        unit: fc.constantFrom("a", ",", '"', "\r", "\n", "=", "-", "+", "@", "\t", "'", " ", "é")
      }),
      fc.string({ unit: "grapheme" }),
      fc.integer(),
      fc.constant(null)
    )
    fc.assert(
      fc.property(fc.array(fc.array(cell, { minLength: 2, maxLength: 6 }), { minLength: 1 }), (lines) => {
        const read = readCsv(lines.map(Csv.line).join(""))
        assert.deepStrictEqual(
          read.map((cells) => cells.map(withoutApostrophe)),
          lines.map((cells) => cells.map((cell) => withoutApostrophe(String(cell ?? ""))))
        )
        for (const [at, cells] of read.entries())
          for (const [place, text] of cells.entries())
            if (typeof lines[at]?.[place] !== "number") assert.notMatch(text, /^[=+\-@\t\r]/)
      })
    )
  })
})

const withoutApostrophe = (text: string) => (/^'[=+\-@\t\r\n＝＋－＠]/.test(text) ? text.slice(1) : text)
