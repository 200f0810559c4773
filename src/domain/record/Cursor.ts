import { Either, Encoding, Hash } from "effect"
import { isObject, parseJson } from "../Json.ts"

/** A place between two rows of a list, and which way to read on from there. */
export interface Place {
  readonly backwards: boolean
  /** What the row is sorted by, and its number, which tells equal ones apart. */
  readonly value: string | number | null
  readonly id: number
}

/** A place as a word, good for the same question alone: `question` is everything that decides what is listed, and how. */
export const encode = (question: string, { backwards, id, value }: Place): string =>
  Encoding.encodeBase64Url(
    JSON.stringify({ b: backwards ? 1 : 0, i: id, v: value, c: checkOf(question, backwards, id, value) })
  )

/** The place; undefined where the word is of another question, damaged or made up. */
export const decode = (question: string, word: string): Place | undefined => {
  const text = Either.getOrUndefined(Encoding.decodeBase64UrlString(word))
  const said = text === undefined ? undefined : parseJson(text)
  if (!isObject(said)) return undefined
  const { b, c, i: id, v: value } = said
  if (typeof id !== "number" || !Number.isSafeInteger(id) || id < 0) return undefined
  if (value !== null && typeof value !== "string" && typeof value !== "number") return undefined
  const backwards = b === 1
  return c === checkOf(question, backwards, id, value) ? { backwards, id, value } : undefined
}

const checkOf = (question: string, backwards: boolean, id: number, value: Place["value"]): string => {
  const text = JSON.stringify([question, backwards, id, value])
  return `${Hash.string(text)}.${Hash.string(`${text.length}${text}`)}`
}
