/** What can be searched of a request: its ids and names, what went wrong, and the beginning of what was said. */
export interface Told {
  readonly names: ReadonlyArray<string | null>
  /** Pieces of its bodies, as JSON; they may begin and end anywhere. */
  readonly pieces: ReadonlyArray<string | null>
}

/** One text of bounded length, each space a single one. */
export const searchable = ({ names, pieces }: Told): string =>
  [...names, ...pieces.flatMap((piece) => (piece === null ? [] : textsIn(piece)))]
    .filter((text) => text !== null && text !== "")
    .join("\n")
    .replaceAll(/[^\S\n]+/g, " ")
    .slice(0, LONGEST)

/** The words of a search: each must be found; a word too short to be looked up makes all of it one phrase. */
export const phrasesOf = (search: string): ReadonlyArray<string> => {
  const whole = search.replaceAll("\0", "").replaceAll(/\s+/g, " ").trim()
  const words = whole.split(" ")
  return words.every((word) => Array.from(word).length >= SHORTEST) ? words : [whole]
}

/** Whether an index of three signs each can know this. */
export const canBeLookedUp = (phrase: string): boolean => Array.from(phrase).length >= SHORTEST

const textsIn = (piece: string): ReadonlyArray<string> => {
  const cut = START.exec(piece)?.[1] ?? ""
  return [
    ...(cut.length < WORTH_KEEPING ? [] : [unescaped(cut)]),
    ...Array.from(piece.matchAll(SAID), ([, text = ""]) => unescaped(text))
  ]
}

const unescaped = (text: string): string => {
  try {
    return String(JSON.parse(`"${text}"`))
  } catch {
    return text
  }
}

/** A text that began before the piece. */
const START = /^((?:[^"\\]|\\.)*)"/s
const SAID =
  /"(?:content|text|prompt|input|response|reasoning|reasoning_content|thinking|arguments|message)"\s*:\s*"((?:[^"\\]|\\.)*)/gs
const WORTH_KEEPING = 200
const SHORTEST = 3
const LONGEST = 8500
