import * as Options from "@effect/cli/Options"
import { Data, Option } from "effect"

/** A command came to nothing. */
export class NotDone extends Data.TaggedError("NotDone")<{ readonly message: string }> {}

/** What was typed is no command. */
export class Misused extends Data.TaggedError("Misused")<{ readonly message: string }> {
  readonly exitCode = 2
}

/** What others have written may have many lines, and signs that are made for a terminal. */
export const oneLine = (text: string): string =>
  text
    .replace(/[\p{Cc}\s]+/gu, " ")
    .trim()
    .slice(0, 1000)

/** A time as people type it, `90m`, `12h`, `3d` or `2w`, in milliseconds. */
export const millisIn = (word: string): number | undefined => {
  const [, amount, unit = ""] = /^(\d{1,6})([mhdw])$/.exec(word) ?? []
  const millis = UNITS[unit]
  return amount === undefined || millis === undefined ? undefined : Number(amount) * millis
}

/** An option that may be left out: its words are read by the command, which can say best what is wrong with them. */
export const said = (name: string, about: string): Options.Options<string | undefined> =>
  Options.text(name).pipe(
    Options.withDescription(about),
    Options.optional,
    Options.map(Option.getOrUndefined)
  )

const UNITS: { readonly [unit: string]: number } = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }
