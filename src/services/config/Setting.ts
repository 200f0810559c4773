import { Data, Duration, Either, Option, Redacted } from "effect"

/** How one environment variable is read: the table in the README and `.env.example` are made from these. */
export interface Setting<A> {
  readonly name: string
  /** Older names that are understood too. */
  readonly aliases: ReadonlyArray<string>
  readonly about: string
  readonly example: string
  /** As shown to people; empty where there is none. */
  readonly fallback: string
  readonly read: (text: string | undefined) => Either.Either<A, string>
}

interface Words {
  readonly about: string
  readonly example: string
  readonly aliases?: ReadonlyArray<string>
}

/** A value that stops the start, in one line that says what to do. */
export class InvalidSetting extends Data.TaggedError("InvalidSetting")<{
  readonly name: string
  readonly problem: string
  readonly example: string
}> {
  override get message() {
    return `${this.name} ${this.problem}, for example ${this.name}=${this.example}`
  }
}

/** A setting that always has a value. */
export const setting = <A>(
  name: string,
  parse: (text: string) => Either.Either<A, string>,
  words: Words & { readonly fallback: string }
): Setting<A> => ({
  ...words,
  name,
  aliases: words.aliases ?? [],
  read: (text) => parse(text ?? words.fallback)
})

/** A setting that may be absent. */
export const optional = <A>(
  name: string,
  parse: (text: string) => Either.Either<A, string>,
  words: Words
): Setting<A | undefined> => ({
  ...words,
  name,
  aliases: words.aliases ?? [],
  fallback: "",
  read: (text) => (text === undefined ? Either.right(undefined) : parse(text))
})

export const text = (value: string) => Either.right(value)

export const secret = (value: string) => Either.right(Redacted.make(value))

export const integer =
  (least: number, most: number) =>
  (value: string): Either.Either<number, string> => {
    const number = Number(value)
    return /^\d+$/.test(value) && number >= least && number <= most
      ? Either.right(number)
      : Either.left(`must be a whole number from ${least} to ${most}, not ${quoted(value)}`)
  }

export const flag = (value: string): Either.Either<boolean, string> => {
  const word = value.toLowerCase()
  if (["true", "1", "yes", "on"].includes(word)) return Either.right(true)
  if (["false", "0", "no", "off"].includes(word)) return Either.right(false)
  return Either.left(`must be true or false, not ${quoted(value)}`)
}

export const oneOf =
  <const Names extends ReadonlyArray<string>>(...names: Names) =>
  (value: string): Either.Either<Names[number], string> => {
    const found = names.find((name) => name === value.toLowerCase())
    return found === undefined
      ? Either.left(`must be one of ${names.join(", ")}, not ${quoted(value)}`)
      : Either.right(found)
  }

/** Seconds as a plain number, or a number with a unit: `90`, `1.5`, `500 millis`, `2 minutes`. */
export const duration = (value: string): Either.Either<Duration.Duration, string> => {
  const found = /^\d+(\.\d+)?$/.test(value)
    ? Duration.seconds(Number(value))
    : /^\d+ (milli|second|minute|hour|day)s?$/.test(value)
      ? Option.getOrUndefined(Duration.decodeUnknown(value))
      : undefined
  return found !== undefined && Duration.between(found, { minimum: Duration.millis(1), maximum: LONGEST })
    ? Either.right(found)
    : Either.left(`must be a number of seconds or a time such as "2 minutes", not ${quoted(value)}`)
}

export const url = (value: string): Either.Either<URL, string> => {
  const parsed = URL.canParse(value) ? new URL(value) : undefined
  return parsed !== undefined && (parsed.protocol === "http:" || parsed.protocol === "https:")
    ? Either.right(parsed)
    : Either.left(`must be an http or https address, not ${quoted(value)}`)
}

export const list = (value: string): Either.Either<ReadonlyArray<string>, string> =>
  Either.right(
    value
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== "")
  )

export const secretList = (value: string) =>
  Either.map(list(value), (items) => items.map((item) => Redacted.make(item)))

/** What Node's timers can hold; beyond it they go off at once. */
const LONGEST = Duration.millis(2 ** 31 - 1)

const quoted = (value: string) => JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
