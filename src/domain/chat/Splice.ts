import { elements, members, topLevelValues } from "../Json.ts"
import type { Stretch } from "../Json.ts"

/** Where to find a value: keys and places in arrays, from the top object down. */
export type Way = readonly [string, ...ReadonlyArray<string | number>]

/** A value that stands in the text of a JSON object; of a key said twice the last, as JSON.parse has it. */
export const stretchAt = (text: string, [first, ...rest]: Way): Stretch | undefined => {
  const top = topLevelValues(text, first).at(-1)
  let found: Stretch | undefined = top && { from: top[0], to: top[1] }
  for (const step of rest) {
    if (found === undefined) return undefined
    found = typeof step === "number" ? elements(text, found.from)[step] : memberAt(text, found.from, step)
  }
  return found
}

const memberAt = (text: string, open: number, key: string): Stretch | undefined => {
  const member = members(text, open).findLast((member) => member.key === key)
  return member && { from: member.valueFrom, to: member.to }
}

/** The same JSON text with some strings in it said otherwise; every other letter stays. */
export const withStrings = (
  text: string,
  strings: ReadonlyArray<readonly [way: Way, said: string]>
): string =>
  strings
    .flatMap(([way, said]) => {
      const stretch = stretchAt(text, way)
      return stretch === undefined ? [] : [{ ...stretch, said }]
    })
    .toSorted((a, b) => b.from - a.from)
    .reduce((text, { from, said, to }) => text.slice(0, from) + JSON.stringify(said) + text.slice(to), text)
