import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { bytes } from "../../src/ui/format/bytes.ts"
import { compact, count, percent } from "../../src/ui/format/count.ts"
import { duration } from "../../src/ui/format/duration.ts"
import { money } from "../../src/ui/format/money.ts"
import { fieldTime, fromField } from "../../src/ui/format/field-time.ts"
import { clock, full } from "../../src/ui/format/time.ts"

/** What is said of what. */
const says = <A>(format: (value: A) => string, ...cases: ReadonlyArray<readonly [A, string]>) => {
  for (const [value, text] of cases) assert.strictEqual(format(value), text)
}

describe("figures", () => {
  it("of time are as long as they need to be", () =>
    says(
      duration,
      [0, "0 ms"],
      [999.4, "999 ms"],
      [1000, "1.0 s"],
      [9949, "9.9 s"],
      [9950, "10 s"],
      [59_499, "59 s"],
      [59_500, "1 m 00 s"],
      [187_000, "3 m 07 s"],
      [7_500_000, "2 h 05 m"],
      ["1200", "1.2 s"],
      [null, ""],
      ["much", ""]
    ))

  it("of money never round something to nothing", () =>
    says(
      money,
      ["0", "$0"],
      ["0.000000001", "<$0.000001"],
      ["0.0000512", "$0.000051"],
      ["0.0123", "$0.012"],
      [0.25, "$0.25"],
      ["1234.5", "$1,234.50"],
      [null, ""],
      ["", ""]
    ))

  it("of things stand with their thousands apart, or short", () => {
    says(count, [33_334, "33,334"], ["5", "5"], [null, ""])
    says(compact, [999, "999"], [33_334, "33.3K"], [undefined, ""])
    says(percent, [0.0534, "5.3%"], [Number.NaN, ""])
  })

  it("of bytes count in thousands", () =>
    says(
      bytes,
      [0, "0 B"],
      [999, "999 B"],
      [999.6, "1.0 kB"],
      [12_345, "12 kB"],
      [3_400_000, "3.4 MB"],
      [null, ""]
    ))
})

describe("a moment", () => {
  const iso = "2026-03-29T01:30:00.123Z"

  it("of today is a time of day, any other has its day", () => {
    assert.strictEqual(clock(iso, true, Date.parse(iso) + 60_000), "01:30:00")
    assert.strictEqual(clock(iso, true, Date.parse(iso) + 86_400_000), "Mar 29 01:30:00")
    assert.strictEqual(clock("never", true), "never")
  })

  it("in whole has its zone", () => {
    assert.strictEqual(full(iso, true), iso)
    assert.match(full(iso, false), /^2026-03-\d\dT\d\d:\d\d:00\.123[+-]\d\d:\d\d$/)
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date("2100-01-01"), noInvalidDate: true }), (date) =>
        assert.strictEqual(Date.parse(full(date.toISOString(), false)), date.getTime())
      )
    )
  })

  it("goes into a field and comes out again, to the minute", () => {
    for (const utc of [true, false])
      assert.strictEqual(fromField(fieldTime(iso, utc), utc), "2026-03-29T01:30:00.000Z")
    assert.strictEqual(fieldTime(undefined, true), "")
    assert.isUndefined(fromField("", true))
  })
})
