import { Either } from "effect"

/** The new name where the pattern fits the start of a name; undefined where it does not, or nothing is left. */
export type Rename = (name: string) => string | undefined

/**
 * A pattern and what becomes of the names it fits, both as Python's `re.match` and `expand` have them; `$1` and
 * `$<name>` are understood beside `\1` and `\g<name>`. A left says what the entry ought to have instead.
 */
export const compile = (source: string, target: string): Either.Either<Rename, string> =>
  Either.gen(function* () {
    const pattern = yield* regExp(source)
    const pieces = yield* template(target, groupsOf(pattern))
    return (name) => {
      pattern.lastIndex = 0
      const match = pattern.exec(name)
      if (match === null) return undefined
      const renamed = pieces.map((piece) => textOf(piece, match)).join("")
      return renamed === "" ? undefined : renamed
    }
  })

/** What of a target stands as it is, and what is taken from the match. */
type Piece = { readonly text: string } | { readonly group: number | string }

interface Groups {
  readonly count: number
  readonly names: ReadonlySet<string>
}

const textOf = (piece: Piece, match: RegExpExecArray): string =>
  "text" in piece
    ? piece.text
    : ((typeof piece.group === "number" ? match[piece.group] : match.groups?.[piece.group]) ?? "")

const regExp = (source: string): Either.Either<RegExp, string> => {
  const [, flags = ""] = FLAGS.exec(source) ?? []
  return Either.try({
    // Sticky is what Python calls a match: from the start, and not necessarily to the end.
    try: () => new RegExp(inJavaScript(source.slice(flags === "" ? 0 : flags.length + 3)), `y${flags}`),
    catch: (error) => `a pattern that can be read: ${reasonOf(error)}`
  })
}

/** Python's way to write what both know. */
const inJavaScript = (source: string): string =>
  source.replace(/\\[\s\S]|\(\?P<|\(\?P=(\w+)\)|\[(?:\\[\s\S]|[^\]\\])*\]/g, (found, name?: string) =>
    found === "(?P<"
      ? "(?<"
      : name !== undefined
        ? `\\k<${name}>`
        : found === "\\A"
          ? "(?<![\\s\\S])"
          : found === "\\Z"
            ? "(?![\\s\\S])"
            : found
  )

/** With nothing as another choice every pattern fits the empty text, and the match has a place for each group. */
const groupsOf = (pattern: RegExp): Groups => {
  const match = new RegExp(`${pattern.source}|`).exec("")
  return { count: (match?.length ?? 1) - 1, names: new Set(Object.keys(match?.groups ?? {})) }
}

const template = (target: string, groups: Groups): Either.Either<ReadonlyArray<Piece>, string> =>
  Either.gen(function* () {
    const pieces: Array<Piece> = []
    let at = 0
    for (const match of target.matchAll(REFERENCE)) {
      pieces.push({ text: target.slice(at, match.index) })
      pieces.push(...(yield* referenceOf(match, groups)))
      at = match.index + match[0].length
    }
    return [...pieces, { text: target.slice(at) }].filter((piece) => !("text" in piece && piece.text === ""))
  })

const referenceOf = (match: RegExpExecArray, groups: Groups): Either.Either<ReadonlyArray<Piece>, string> => {
  const [found, , , digits = ""] = match
  const named = match[1] ?? match[2]
  if (found === "$$" || found === "\\\\") return Either.right([{ text: found.slice(1) }])
  if (named !== undefined && !/^\d+$/.test(named))
    return groups.names.has(named) ? Either.right([{ group: named }]) : Either.left(missing(found))
  if (named === undefined && digits === "")
    return Either.left(`a target without ${JSON.stringify(found)}, which means nothing there`)
  const number = Number(named ?? digits)
  if (number <= groups.count) return Either.right([{ group: number }])
  // `$12` is the first group and a 2 where there are no twelve.
  const first = Number(digits.slice(0, 1))
  return found.startsWith("$") && digits.length === 2 && first > 0 && first <= groups.count
    ? Either.right([{ group: first }, { text: digits.slice(1) }])
    : Either.left(missing(found))
}

const missing = (reference: string): string =>
  `a group for ${JSON.stringify(reference)}, which its target refers to`

/** Without the pattern, which the entry shows anyway. */
const reasonOf = (error: unknown): string => {
  const message = error instanceof Error ? error.message : String(error)
  return message.slice(message.lastIndexOf(": ") + 2).toLowerCase()
}

/** A dollar that stands for nothing is a dollar; a backslash is always the start of something. */
const REFERENCE = /\$\$|\\\\|\\g<([^>]*)>|\$<([^>]*)>|[\\$](\d{1,2})|\\[\s\S]?/g

/** Flags that Python takes at the head of a pattern and that mean the same here. */
const FLAGS = /^\(\?([ims]+)\)/
