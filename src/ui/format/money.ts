import { cents, exact, worded } from "./count.ts"

/** Dollars, as exact as they are of use: cents where there are some, else the first two digits that are not zero. */
export const money = worded((dollars) => {
  const size = Math.abs(dollars)
  if (size === 0) return "$0"
  return size >= 0.1 ? cents(dollars) : size < 0.000001 ? "<$0.000001" : exact(dollars)
})
