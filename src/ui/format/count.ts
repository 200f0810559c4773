/** A whole number with its thousands apart. */
export const count = (value: number | string | null | undefined): string =>
  isNumber(value) ? whole.format(Number(value)) : ""

/** The same in little room: `12.3K`. */
export const compact = (value: number | string | null | undefined): string =>
  isNumber(value) ? short.format(Number(value)) : ""

/** A share of one, in percent. */
export const percent = (share: number): string => (Number.isFinite(share) ? inPercent.format(share) : "")

/** Postgres gives its large numbers as text. */
const isNumber = (value: number | string | null | undefined): value is number | string =>
  value !== null && value !== undefined && value !== "" && Number.isFinite(Number(value))

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 })
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 })
const inPercent = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 1 })
