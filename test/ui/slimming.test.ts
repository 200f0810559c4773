import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { gunzipSync, gzipSync } from "node:zlib"
import { gzipBest } from "../../scripts/page/gzip.mjs"
import { inlined } from "../../scripts/page/inline.mjs"
import { slimMarkup } from "../../scripts/page/slim.mjs"

/** Texts with much that was there before, and with nothing of the kind. */
const texts = fc.oneof(
  fc.array(fc.constantFrom("percept", "abc", "\u0000", "ü", "aaaaaaaa"), { maxLength: 100 }),
  fc.array(fc.string({ unit: "binary" }), { maxLength: 40 })
)

describe("our own gzip", () => {
  it("is read by everybody, whatever is in it", () => {
    fc.assert(
      fc.property(texts, (pieces) => {
        const bytes = Buffer.from(pieces.join(""))
        assert.isTrue(gunzipSync(gzipBest(bytes)).equals(bytes))
      }),
      { numRuns: 20 }
    )
  })

  it("copies what was there before, and is no larger than zlib makes it", () => {
    let seed = 7
    const noise = Buffer.from(
      Array.from({ length: 5000 }, () => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) >> 16)
    )
    const bytes = Buffer.concat([noise, noise.subarray(0, 700), Buffer.alloc(600, "y")])
    const gzip = gzipBest(bytes)
    assert.isTrue(gunzipSync(gzip).equals(bytes))
    assert.isAtMost(gzip.length, gzipSync(bytes, { level: 9 }).length)
  })
})

describe("what stands where it is used", () => {
  const result = (code: string): unknown => Function(code.replace("export default ", "return "))()
  const same: ReadonlyArray<readonly [what: string, code: string]> = [
    ["a function", "const f=(a)=>a+1;export default f(1)"],
    ["what another uses", "const a=[1,2],b=()=>a.length;export default b()"],
    ["a name that is hidden", "const x=1,f=0;const g=(x)=>x;export default g(x+2)"],
    ["a name that would catch another", "const k=2;const f=()=>k;export default ((k)=>f()+k)(5)"],
    ["a shorthand", 'const deep="long enough to matter";export default JSON.stringify({deep})'],
    ["what is used twice", 'const t="long enough to matter";export default t+t'],
    ["itself", "const f=(n)=>n?n*f(n-1):1;export default f(5)"]
  ]
  for (const [what, code] of same)
    it(`is the same as before: ${what}`, () => {
      assert.deepStrictEqual(result(inlined(code)), result(code))
    })

  it("is shorter", () => {
    assert.notInclude(inlined("const once=(a)=>a+1;const r=[once(1)];export default r"), "once")
  })
})

describe("markup", () => {
  it("loses what nobody sees, and keeps the space between words", () => {
    const pieces = [
      '\n  <p class="note">\n    one <b>two</b> ',
      " three\n  </p>\n  <ul>\n    <li>x</li>\n  </ul>\n"
    ]
    assert.deepStrictEqual(slimMarkup(pieces), ["<p class=note>one <b>two</b> ", " three<ul><li>x</ul>"])
  })

  it("keeps quotes where they are needed", () => {
    assert.deepStrictEqual(slimMarkup(['<a title="two words" href="/x" id="a">b</a>']), [
      '<a title="two words" href="/x" id=a>b</a>'
    ])
  })
})
