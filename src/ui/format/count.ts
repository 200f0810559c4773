/** What is no number has no words; Postgres gives its large numbers as text. */
export type Numeric = number | string | null | undefined

export const worded =
  (words: (value: number) => string) =>
  (value: Numeric): string =>
    value == null || value === "" || !Number.isFinite(Number(value)) ? "" : words(Number(value))

const formatted = (options: Intl.NumberFormatOptions) => {
  const { format } = new Intl.NumberFormat("en", options)
  return worded((value) => format(value))
}

/** A whole number with its thousands apart. */
export const count = formatted({ maximumFractionDigits: 0 })

/** So many of a kind. */
export const plural = (number: number, one: string): string =>
  `${count(number)} ${one}${number === 1 ? "" : "s"}`

/** The same in little room: `12.3K`. */
export const compact = formatted({ notation: "compact", maximumFractionDigits: 1 })

/** A share of one, in percent. */
export const percent = formatted({ style: "percent", maximumFractionDigits: 1 })

const DOLLARS = { style: "currency", currency: "USD" } as const
export const cents = formatted({ ...DOLLARS, minimumFractionDigits: 2, maximumFractionDigits: 2 })
export const exact = formatted({ ...DOLLARS, minimumSignificantDigits: 2, maximumSignificantDigits: 2 })
