import { Option, Schema } from "effect"

/** Whatever JSON.parse gives for `{…}`. */
export type JsonObject = { readonly [key: string]: unknown }

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The value under a key, if there is an object to look in. */
export const field = (value: unknown, key: string): unknown => (isObject(value) ? value[key] : undefined)

export const stringField = (value: unknown, key: string): string | undefined => {
  const found = field(value, key)
  return typeof found === "string" ? found : undefined
}

export const numberField = (value: unknown, key: string): number | undefined => {
  const found = field(value, key)
  return typeof found === "number" ? found : undefined
}

export const arrayField = (value: unknown, key: string): ReadonlyArray<unknown> => {
  const found = field(value, key)
  return Array.isArray(found) ? found : []
}

/** The parsed text, or undefined where it is not JSON (JSON itself has no undefined). */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Where the values of a top-level key stand in the text of a JSON object; usually one place, `[from, to)`. */
export const topLevelValues = (text: string, key: string): ReadonlyArray<readonly [number, number]> => {
  const found: Array<readonly [number, number]> = []
  let at = text.indexOf("{") + 1
  let depth = 1
  let name: string | undefined
  let valueFrom = -1
  const close = (end: number) => {
    if (name === key && valueFrom >= 0) found.push([valueFrom, trimmedEnd(text, end)])
    name = undefined
    valueFrom = -1
  }
  while (at < text.length && depth > 0) {
    const char = text.charCodeAt(at)
    if (char === QUOTE) {
      const end = endOfString(text, at)
      if (depth === 1 && name === undefined) name = JSON.parse(text.slice(at, end)) as string
      else if (valueFrom < 0) valueFrom = at
      at = end
      continue
    }
    if (char === OPEN_BRACE || char === OPEN_BRACKET) {
      if (valueFrom < 0) valueFrom = at
      depth++
    } else if (char === CLOSE_BRACE || char === CLOSE_BRACKET) {
      if (depth === 1) close(at)
      depth--
    } else if (char === COMMA) {
      if (depth === 1) close(at)
    } else if (char !== COLON && char > SPACE && valueFrom < 0) valueFrom = at
    at++
  }
  return found
}

/** A stretch of a text, `[from, to)`. */
export interface Stretch {
  readonly from: number
  readonly to: number
}

/** A key with its value, from the key's quote to the value's end. */
export interface Member extends Stretch {
  readonly key: string
  readonly valueFrom: number
}

/** Where the elements of an array stand in the text of valid JSON; the array's bracket stands at `open`. */
export const elements = (text: string, open: number): ReadonlyArray<Stretch> => {
  const found: Array<Stretch> = []
  let from = afterSpace(text, open + 1)
  while (from < text.length && text.charCodeAt(from) !== CLOSE_BRACKET) {
    const to = endOfValue(text, from)
    found.push({ from, to })
    from = nextItem(text, to)
  }
  return found
}

/** Where the members of an object stand in the text of valid JSON; the object's brace stands at `open`. */
export const members = (text: string, open: number): ReadonlyArray<Member> => {
  const found: Array<Member> = []
  let from = afterSpace(text, open + 1)
  while (from < text.length && text.charCodeAt(from) !== CLOSE_BRACE) {
    const keyEnd = endOfString(text, from)
    const valueFrom = afterSpace(text, afterSpace(text, keyEnd) + 1)
    const to = endOfValue(text, valueFrom)
    found.push({ key: JSON.parse(text.slice(from, keyEnd)) as string, from, valueFrom, to })
    from = nextItem(text, to)
  }
  return found
}

/** Whether arrays and objects nest deeper than anybody means them to; recursive code may then overflow. */
export const isDeeperThan = (text: string, limit: number): boolean => {
  if (occurrences(text, "[", limit) + occurrences(text, "{", limit) <= limit) return false
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char === QUOTE) at = endOfString(text, at) - 1
    else if (char === OPEN_BRACE || char === OPEN_BRACKET) {
      if (++depth > limit) return true
    } else if (char === CLOSE_BRACE || char === CLOSE_BRACKET) depth--
  }
  return false
}

/** How often a character occurs, counted no further than the limit. */
const occurrences = (text: string, char: string, limit: number): number => {
  let count = 0
  for (let at = text.indexOf(char); at >= 0 && count <= limit; at = text.indexOf(char, at + 1)) count++
  return count
}

const QUOTE = 34
const COMMA = 44
const COLON = 58
const OPEN_BRACKET = 91
const CLOSE_BRACKET = 93
const OPEN_BRACE = 123
const CLOSE_BRACE = 125
const SPACE = 32
const BACKSLASH = 92
const ENDS_WORD = new Set([COMMA, CLOSE_BRACKET, CLOSE_BRACE, SPACE, 9, 10, 13])

const endOfString = (text: string, from: number): number => {
  let quote = text.indexOf('"', from + 1)
  while (quote > 0 && isEscaped(text, quote)) quote = text.indexOf('"', quote + 1)
  return quote < 0 ? text.length : quote + 1
}

const isEscaped = (text: string, at: number): boolean => {
  let slashes = 0
  while (text.charCodeAt(at - 1 - slashes) === BACKSLASH) slashes++
  return slashes % 2 === 1
}

const endOfValue = (text: string, from: number): number => {
  let at = from
  for (let depth = 0; at < text.length;) {
    const char = text.charCodeAt(at)
    if (char === QUOTE) at = endOfString(text, at)
    else if (char === OPEN_BRACE || char === OPEN_BRACKET) {
      depth++
      at++
    } else if (char === CLOSE_BRACE || char === CLOSE_BRACKET) {
      depth--
      at++
    } else if (depth > 0) at++
    else return endOfWord(text, at)
    if (depth === 0) return at
  }
  return at
}

/** The end of a number, true, false or null. */
const endOfWord = (text: string, from: number): number => {
  let at = from
  while (at < text.length && !ENDS_WORD.has(text.charCodeAt(at))) at++
  return at
}

const afterSpace = (text: string, from: number): number => {
  let at = from
  while (text.charCodeAt(at) <= SPACE) at++
  return at
}

/** The item behind a value's end, or the closing bracket. */
const nextItem = (text: string, end: number): number => {
  const at = afterSpace(text, end)
  return text.charCodeAt(at) === COMMA ? afterSpace(text, at + 1) : at
}

const trimmedEnd = (text: string, end: number): number => {
  let at = end
  while (at > 0 && text.charCodeAt(at - 1) <= SPACE) at--
  return at
}

/** A text as its schema has it; undefined where it is something else. */
export const decodeJson = <A, I>(schema: Schema.Schema<A, I>, text: string): A | undefined =>
  Option.getOrUndefined(Schema.decodeUnknownOption(schema)(parseJson(text)))
