/** Dollars, as exact as they are of use: cents where there are some, else the first two digits that are not zero. */
export const money = (dollars: string | number | null | undefined): string => {
  if (dollars === null || dollars === undefined || dollars === "") return ""
  const amount = Number(dollars)
  if (!Number.isFinite(amount)) return ""
  if (amount === 0) return "$0"
  if (Math.abs(amount) >= 0.1) return inCents.format(amount)
  return Math.abs(amount) < 0.000001 ? "<$0.000001" : exact.format(amount)
}

const inCents = new Intl.NumberFormat("en", {
  style: "currency",
  currency: "USD",
  minimumFractionDigits: 2,
  maximumFractionDigits: 2
})

const exact = new Intl.NumberFormat("en", {
  style: "currency",
  currency: "USD",
  minimumSignificantDigits: 2,
  maximumSignificantDigits: 2
})
