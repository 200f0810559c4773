/** Money is a whole number of nano-dollars: a float would lose cents over years, and unknown is not zero. */
export type NanoDollars = number

/** What a decimal in dollars is in nano-dollars, rounded half up; undefined where it is no decimal. */
export const fromDollars = (amount: unknown): NanoDollars | undefined => {
  const quick = typeof amount === "number" ? quickNano(amount) : undefined
  if (quick !== undefined) return quick
  const atto = attoDollars(amount)
  return atto === undefined ? undefined : toNano(atto)
}

/** A figure somebody may have charged for one request; less than nothing, or a fortune, is a mistake. */
export const believable = (nano: NanoDollars | undefined): NanoDollars | undefined =>
  nano !== undefined && nano >= 0 && nano <= FORTUNE ? nano : undefined

/**
 * The exact sum of counts times unit prices in decimal dollars, less a share of it, rounded once at the end. A price
 * below zero stands for one that is not known beforehand.
 */
export const priced = (
  items: ReadonlyArray<readonly [count: number, unitPrice: unknown]>,
  discount: unknown = 0
): NanoDollars | undefined => {
  const less = attoDollars(discount)
  if (less === undefined || less < 0n || less > ONE) return undefined
  let sum = 0n
  for (const [count, unitPrice] of items) {
    const price = attoDollars(unitPrice)
    if (price === undefined || price < 0n) return undefined
    sum += price * BigInt(count)
  }
  return less === 0n ? toNano(sum) : toNano(sum * (ONE - less), ONE * 1_000_000_000n)
}

/** Nano-dollars as a plain decimal, `0.00014`. */
export const toDollars = (nano: NanoDollars): string => {
  const digits = Math.abs(nano).toString().padStart(10, "0")
  const fraction = digits.slice(-9).replace(/0+$/, "")
  return `${nano < 0 ? "-" : ""}${digits.slice(0, -9)}${fraction === "" ? "" : `.${fraction}`}`
}

/** Dollars per million as a decimal of dollars for one: digits are moved, since a float would be divided wrongly. */
export const perUnit = (perMillion: unknown): string | undefined => {
  if (typeof perMillion !== "number" || !(perMillion >= 0 && perMillion < 1e6)) return undefined
  const digits = perMillion
    .toFixed(DIGITS)
    .replace(".", "")
    .padStart(DIGITS + 7, "0")
  const fraction = digits.slice(-DIGITS - 6).replace(/0+$/, "")
  return `${digits.slice(0, -DIGITS - 6).replace(/^0+(?=\d)/, "")}${fraction === "" ? "" : `.${fraction}`}`
}

const attoDollars = (amount: unknown): bigint | undefined => {
  if (typeof amount !== "string" && typeof amount !== "number") return undefined
  const match = DECIMAL.exec(String(amount).trim())
  if (match === null) return undefined
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = match
  const shift = 18 - fraction.length + Number(exponent)
  if (Math.abs(shift) > 64) return undefined
  const digits = BigInt(whole + fraction)
  const value = shift >= 0 ? digits * 10n ** BigInt(shift) : digits / 10n ** BigInt(-shift)
  return sign === "-" ? -value : value
}

/** Floats are good enough where they are not near the middle between two nano-dollars. */
const quickNano = (dollars: number): NanoDollars | undefined => {
  const nano = dollars * 1e9
  const whole = Math.floor(nano)
  const rest = nano - whole
  if (!(dollars >= 0 && nano < 1e14) || Math.abs(rest - 0.5) < 0.1) return undefined
  return rest < 0.5 ? whole : whole + 1
}

const toNano = (atto: bigint, inOne = 1_000_000_000n): NanoDollars | undefined => {
  const nano = Number(atto < 0n ? -divideHalfUp(-atto, inOne) : divideHalfUp(atto, inOne))
  return Number.isSafeInteger(nano) ? nano : undefined
}

const divideHalfUp = (value: bigint, by: bigint): bigint => (value + by / 2n) / by

const DECIMAL = /^([+-]?)(?=\.?\d)(\d*)(?:\.(\d*))?(?:e([+-]?\d{1,3}))?$/i

/** Decimals of a price per million that count; what stands behind them is a float's noise. */
const DIGITS = 9

/** In atto-dollars. */
const ONE = 10n ** 18n

/** Ten thousand dollars. */
const FORTUNE = 1e13
