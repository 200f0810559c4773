import { Data } from "effect"

/** A command came to nothing. */
export class NotDone extends Data.TaggedError("NotDone")<{ readonly message: string }> {}

/** A time as people type it, `90m`, `12h`, `3d` or `2w`, in milliseconds. */
export const millisIn = (word: string): number | undefined => {
  const [, amount, unit = ""] = /^(\d{1,6})([mhdw])$/.exec(word) ?? []
  const millis = UNITS[unit]
  return amount === undefined || millis === undefined ? undefined : Number(amount) * millis
}

const UNITS: { readonly [unit: string]: number } = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }
