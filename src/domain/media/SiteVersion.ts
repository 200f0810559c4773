/** Whether a program that is named after the day it was made (`2026.07.04`) is at least so new. */
export const isAtLeast = (version: string, least: string): boolean => {
  const found = numbersOf(version)
  const wanted = numbersOf(least)
  if (found === undefined || wanted === undefined) return false
  const length = Math.max(found.length, wanted.length)
  for (let index = 0; index < length; index++) {
    const difference = (found[index] ?? 0) - (wanted[index] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return true
}

/** What cannot be read is undefined: it is trusted by nobody. */
const numbersOf = (version: string): ReadonlyArray<number> | undefined =>
  /^\d{4}\.\d{1,2}\.\d{1,2}(?![\d])/.test(version) ? version.split(/[.\-+~]/).map(leading) : undefined

const leading = (part: string): number => Number(/^\d+/.exec(part)?.[0] ?? 0)
