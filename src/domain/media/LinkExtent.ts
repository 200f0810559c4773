import { kindOfName } from "./LinkKind.ts"

/** How far a link reaches. */
export interface Extent {
  /** Without the punctuation of the sentence around it. */
  readonly to: number
  /** Where the text goes on. */
  readonly end: number
  /** Here a script that knows no spaces begins: words that follow the link, unless they name its file. */
  readonly doubt: number | undefined
}

/** Reads a link to its end, each character once; its host begins at `authority`. */
export const extentOf = (text: string, from: number, authority: number): Extent => {
  const pointed = text.slice(from - 2, from) === "(<" ? endInAngles(text, authority) : undefined
  if (pointed !== undefined) return { to: pointed, end: pointed, doubt: undefined }

  const opener = text.charAt(from - 1)
  const open = { ")": 0, "]": 0, "}": 0 }
  let place: "host" | "path" | "query" | "fragment" = "host"
  let doubt: number | undefined
  let at = authority

  /** The path has come to a file's name: punctuation behind it belongs to the sentence. */
  const isWhole = () =>
    place === "path" && kindOfName(text.slice(Math.max(authority, at - 6), at)) !== undefined

  const width = (): number => {
    const char = text.charAt(at)
    if (char > "\x7f") return widthOfForeign()
    switch (char) {
      case "/":
        if (place === "host") place = "path"
        return 1
      case "?":
        if (place !== "fragment") place = "query"
        return 1
      case "#":
        place = "fragment"
        return 1
      case "h":
      case "H":
        return at > authority && beginsAnother(text, at) ? 0 : 1
      case "(":
      case "[":
      case "{":
        if (isWhole() || (char === "[" && (place === "path" || text.charAt(at + 1) === "/"))) return 0
        open[CLOSING[char]]++
        return 1
      case ")":
      case "]":
      case "}":
        return open[char]-- > 0 ? 1 : 0
      case ",":
      case ";":
        return isWhole() ? 0 : 1
      case "'":
      case "*":
        return opener === char || isWhole() ? 0 : 1
      case "!":
        return text.charAt(at + 1) === "[" ? 0 : 1
      case "&":
        return ENTITY.test(text.slice(at, at + 7)) ? 0 : 1
      case "\\":
        return ESCAPED.test(text.charAt(at + 1)) ? 2 : 0
      default:
        return NEVER.test(char) ? 0 : 1
    }
  }

  const widthOfForeign = (): number => {
    const char = String.fromCodePoint(text.codePointAt(at) ?? 0)
    const previous = text.charAt(at - 1)
    if (place === "fragment" || NEVER_FOREIGN.test(char) || isWhole()) return 0
    if (UNSPACED.test(char)) {
      if (place === "query" && previous !== "=" && previous <= "\x7f") return 0
      if (doubt === undefined && place !== "query" && /[\w-]/.test(previous)) doubt = at
    }
    return char.length
  }

  for (let step = 1; at < text.length && step > 0; at += step) step = width()
  return { to: withoutPunctuation(text, from, at), end: at, doubt }
}

/** The end of a link without what the sentence around it adds. */
export const withoutPunctuation = (text: string, from: number, end: number): number => {
  const opener = text.charAt(from - 1)
  const emphasis = opener === "_" || opener === "~" ? opener : undefined
  const isAround = (char: string) => char === emphasis || TRAILING.test(char)
  let to = end
  while (to > from && isAround(text.charAt(to - 1))) to--
  return to
}

/** In `(<…>)` even spaces belong to the link. */
const endInAngles = (text: string, from: number): number | undefined => {
  const length = text.slice(from, from + 2049).search(/[<>\n\r]/)
  return text.charAt(from + length) === ">" && length > 0 ? from + length : undefined
}

/** Whether a second link follows with nothing between; one that the first carries in its path or query does not. */
const beginsAnother = (text: string, at: number): boolean => {
  if (!/^https?:\/\//i.test(text.slice(at, at + 8))) return false
  return text.charAt(at - 3) !== "%" && !"/=?&:#_~+-%@".includes(text.charAt(at - 1))
}

const CLOSING = { "(": ")", "[": "]", "{": "}" } as const

/** Neither part of a link nor of the sentence that ends with it. */
const NEVER = /[\0-\x20\x7f"<>`|]/

/** Spaces, controls, quotes, brackets and stops of all scripts, and the wide forms of ASCII. */
const NEVER_FOREIGN = /[\p{Z}\p{C}\p{Ps}\p{Pe}\p{Pi}\p{Pf}\uff00-\uff65]|(?![·・])\p{Po}/u

/** Scripts written without spaces, and pictographs. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}ー\p{S}]/u

const TRAILING = /[.,;:!?'*&([{·・‐-―〜]/
const ENTITY = /^&(?:quot|[lg]t|apos|nbsp|#3[49]|#x2[27]);/i
const ESCAPED = /[!#$%&()*+,\-.:;=?@[\]^_{}~]/
