import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { believable, fromDollars, perUnit, priced, toDollars } from "../../src/domain/Money.ts"

/** A decimal as a fraction of whole numbers, read with nothing but whole numbers. */
const fraction = (text: string): readonly [over: bigint, under: bigint] => {
  const [mantissa = "", exponent = "0"] = text.toLowerCase().split("e")
  const [whole = "", decimals = ""] = mantissa.replace(/^[+-]/, "").split(".")
  const sign = mantissa.startsWith("-") ? -1n : 1n
  const shift = Number(exponent) - decimals.length
  const digits = sign * BigInt(whole + decimals)
  return shift < 0 ? [digits, 10n ** BigInt(-shift)] : [digits * 10n ** BigInt(shift), 1n]
}

/** Nano-dollars, a half going away from zero. */
const rounded = ([over, under]: readonly [bigint, bigint]): bigint => {
  const size = over < 0n ? -over : over
  const nano = (2n * size * 1_000_000_000n + under) / (2n * under)
  return over < 0n ? -nano : nano
}

const sum = (
  [a, b]: readonly [bigint, bigint],
  [c, d]: readonly [bigint, bigint]
): readonly [bigint, bigint] => [a * d + c * b, b * d]

const exactly = (amount: string | number): string => rounded(fraction(String(amount))).toString()

const digits = (least: number, most: number) =>
  fc.string({ unit: fc.constantFrom(..."0123456789"), minLength: least, maxLength: most })

/** Decimals as a catalogue or a bill may write them. */
const decimal = fc
  .tuple(
    fc.constantFrom("", "", "-", "+"),
    digits(1, 6),
    fc.option(digits(0, 18)),
    fc.option(fc.tuple(fc.constantFrom("e", "E"), fc.integer({ min: -12, max: 0 })))
  )
  .map(
    ([sign, whole, decimals, exponent]) =>
      sign + whole + (decimals === null ? "" : `.${decimals}`) + (exponent === null ? "" : exponent.join(""))
  )

/** Halfway between two nano-dollars, or a hair beside it. */
const tie = fc
  .tuple(
    fc.constantFrom("", "-"),
    fc.nat(99),
    fc.nat(999_999_999),
    fc.constantFrom("5", "49999", "50001", "4", "6")
  )
  .map(([sign, whole, nano, rest]) => `${sign}${whole}.${String(nano).padStart(9, "0")}${rest}`)

describe("fromDollars", () => {
  it.prop("is exact for every decimal", [decimal], ([text]) => {
    assert.strictEqual(fromDollars(text)?.toString(), exactly(text).replace("-0", "0"))
  })

  it.prop(
    "rounds a half away from zero, and what is beside it to where it belongs",
    [tie],
    ([text]) => {
      assert.strictEqual(fromDollars(text)?.toString(), exactly(text))
      assert.strictEqual(fromDollars(Number(text))?.toString(), exactly(Number(text)))
    },
    { fastCheck: { numRuns: 2000 } }
  )

  it.prop(
    "is exact for every number, as the decimal it is written as",
    [
      fc.oneof(
        fc.double({ min: -1e5, max: 1e5, noNaN: true }).filter((number) => number >= 0 || number < -1e-30),
        fc.double({ min: 0, max: 1e-6, noNaN: true }),
        fc.integer({ min: -9_000_000, max: 9_000_000 }),
        fc.tuple(fc.nat(1_000_000), fc.nat(12)).map(([count, places]) => count / 10 ** places)
      )
    ],
    ([number]) => {
      assert.strictEqual(fromDollars(number)?.toString(), exactly(number).replace("-0", "0"))
    },
    { fastCheck: { numRuns: 1000 } }
  )

  it.prop("is exact however many digits there are", [digits(19, 40)], ([decimals]) => {
    assert.strictEqual(fromDollars(`0.${decimals}`)?.toString(), exactly(`0.${decimals}`))
  })

  const table: ReadonlyArray<readonly [string | number, number]> = [
    ["0", 0],
    [0, 0],
    ["0.00014", 140_000],
    [0.00014, 140_000],
    [0.1 + 0.2, 300_000_000],
    [1e-9, 1],
    ["4.9e-10", 0],
    ["5e-10", 1],
    [5e-10, 1],
    ["-5e-10", -1],
    [1.005, 1_005_000_000],
    [" 0.5\n", 500_000_000],
    ["1.", 1_000_000_000],
    [".5", 500_000_000],
    ["+1E+1", 10_000_000_000],
    ["0.4999999999999999999999999999", 500_000_000],
    ["0.0000000004999999999999999999999", 0]
  ]
  for (const [amount, nano] of table)
    it(`takes ${JSON.stringify(amount)} for ${nano}`, () => assert.strictEqual(fromDollars(amount), nano))

  const nonsense: ReadonlyArray<unknown> = [
    ...[undefined, null, true, {}, [], ["1"], NaN, Infinity, -Infinity, 1n],
    ...[
      "",
      " ",
      ".",
      "-",
      "+",
      "-.",
      "e",
      "e5",
      ".e5",
      "free",
      "NaN",
      "Infinity",
      "0x10",
      "1,5",
      "1_000",
      "$1"
    ],
    ...["1 2", "1.2.3", "--1", "1e", "1e1.5", "1e9999", "٣", "1\u0000"]
  ]
  for (const amount of nonsense)
    it(`says nothing to ${typeof amount === "string" ? JSON.stringify(amount) : String(amount)} (${typeof amount})`, () =>
      assert.isUndefined(fromDollars(amount)))

  it("says nothing to what is too much for a whole number", () => {
    for (const amount of ["9".repeat(400), "1e30", 1e30, -1e30, 1e12, Number.MAX_VALUE]) {
      const nano = fromDollars(amount)
      assert.isTrue(nano === undefined || Number.isSafeInteger(nano), `${amount} became ${nano}`)
    }
  })
})

describe("priced", () => {
  const price = fc.oneof(
    fc
      .tuple(fc.nat(9), digits(0, 12), fc.integer({ min: -6, max: 0 }))
      .map(([whole, decimals, exponent]) => `${whole}.${decimals}e${exponent}`),
    fc
      .tuple(fc.nat(1_000_000), fc.integer({ min: 6, max: 18 }))
      .map(([count, places]) => count / 10 ** places)
  )
  const items = fc.array(fc.tuple(fc.nat(200_000), price), { maxLength: 4 })

  it.prop(
    "is the exact sum, rounded once",
    [items],
    ([items]) => {
      const exact = items
        .map(([count, price]) => {
          const [over, under] = fraction(String(price))
          return [over * BigInt(count), under] as const
        })
        .reduce(sum, [0n, 1n])
      assert.strictEqual(priced(items)?.toString(), rounded(exact).toString())
    },
    { fastCheck: { numRuns: 300 } }
  )

  it("adds what single roundings would lose", () => {
    assert.strictEqual(priced([[1000, "0.0000000004"]]), 400)
    assert.strictEqual(
      priced([
        [1, "0.0000000004"],
        [1, "0.0000000004"]
      ]),
      1
    )
    assert.strictEqual(
      priced([
        [1_000_000, "0.000000000000001"],
        [1, "0"]
      ]),
      1
    )
  })

  it("costs nothing where nothing is counted, and knows nothing where a price is unknown", () => {
    assert.strictEqual(priced([]), 0)
    assert.strictEqual(priced([[0, "1"]]), 0)
    assert.strictEqual(priced([[7, "0"]]), 0)
    for (const unknown of [undefined, null, "", "free", NaN])
      assert.isUndefined(
        priced([
          [1, "1"],
          [0, unknown]
        ])
      )
  })
})

describe("priced, less a discount", () => {
  it("takes its share off the sum, and rounds once", () => {
    assert.strictEqual(priced([[3, "1e-9"]], "0.5"), 2)
    assert.strictEqual(priced([[1000, "0.0000000004"]], 0.25), 300)
    assert.strictEqual(priced([[1, "1"]], "0.3333333333"), 666_666_667)
    assert.strictEqual(priced([[7, "1"]], 1), 0)
  })

  it("knows nothing where the share is none, or a price is below nothing", () => {
    for (const discount of [-0.1, 1.1, "half", NaN, null]) assert.isUndefined(priced([[1, "1"]], discount))
    assert.isUndefined(priced([[1, "-1"]]))
    assert.isUndefined(priced([[0, "-1"]]))
  })
})

describe("believable", () => {
  it("is what a request may cost", () => {
    for (const nano of [0, 1, 1e13]) assert.strictEqual(believable(nano), nano)
    for (const nano of [undefined, -1, NaN, Infinity, 1e13 + 1]) assert.isUndefined(believable(nano))
  })
})

describe("toDollars", () => {
  it.prop(
    "writes what fromDollars reads back",
    [fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -2000, max: 2000 }))],
    ([nano]) => {
      const text = toDollars(nano)
      assert.match(text, /^(0|-?[1-9]\d*|-?(0|[1-9]\d*)\.\d{0,8}[1-9])$/)
      assert.strictEqual(fromDollars(text), nano)
    },
    { fastCheck: { numRuns: 1000 } }
  )

  const table: ReadonlyArray<readonly [number, string]> = [
    [0, "0"],
    [-0, "0"],
    [1, "0.000000001"],
    [-1, "-0.000000001"],
    [140_000, "0.00014"],
    [1_000_000_000, "1"],
    [-1_500_000_000, "-1.5"],
    [9_007_199_254_740_991, "9007199.254740991"]
  ]
  for (const [nano, text] of table)
    it(`writes ${nano} as ${text}`, () => assert.strictEqual(toDollars(nano), text))
})

describe("perUnit", () => {
  it.prop(
    "moves the point six places, whatever the float of a price is",
    [fc.nat({ max: 999_999 }), fc.nat({ max: 999_999 })],
    ([whole, millionths]) => {
      const price = Number(`${whole}.${String(millionths).padStart(6, "0")}`)
      const text = perUnit(price) ?? ""
      assert.match(text, /^(0|\d+\.?\d*[1-9])$/)
      const [over, under] = fraction(text)
      assert.strictEqual(over * 10n ** 12n, (BigInt(whole) * 1_000_000n + BigInt(millionths)) * under)
    },
    { fastCheck: { numRuns: 1000 } }
  )

  const table: ReadonlyArray<readonly [unknown, string | undefined]> = [
    [0, "0"],
    [-0, "0"],
    [0.1, "0.0000001"],
    [0.1 + 0.2, "0.0000003"],
    [3, "0.000003"],
    [15.75, "0.00001575"],
    [1e-7, "0.0000000000001"],
    [999_999.5, "0.9999995"],
    [-1, undefined],
    [NaN, undefined],
    [Infinity, undefined],
    ["0.1", undefined],
    [null, undefined]
  ]
  for (const [price, text] of table)
    it(`writes ${String(price)} a million as ${text}`, () => assert.strictEqual(perUnit(price), text))
})
