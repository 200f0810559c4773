import type { Stretch } from "../Json.ts"
import { codeSpans } from "./CodeSpans.ts"
import { scan } from "./MediaLink.ts"
import { declaredIn, kindOfType } from "./MediaPart.ts"
import type { MediaRef } from "./MediaRef.ts"

/** What a text mentions: links, and data URLs with the span that can be taken out. */
export const mentionsIn = (
  text: string,
  sites: ReadonlyArray<string>,
  sniff: boolean
): ReadonlyArray<Pick<MediaRef, "source" | "kind" | "span">> => {
  const links = scan(text, sites).flatMap(({ from, key, kind, start, url }) => {
    const link = start === undefined ? { url, kind, key } : { url, kind, start, key }
    return kind === "unknown" && !sniff ? [] : [{ from, mention: { kind, source: { link } } }]
  })
  const data = dataUrlsIn(text).flatMap((span) => {
    const dataUrl = text.slice(span.from, span.to)
    const declared = declaredIn(dataUrl)
    const kind = kindOfType(declared)
    return kind === undefined
      ? []
      : [{ from: span.from, mention: { kind, span, source: { data: dataUrl, declared } } }]
  })
  return [...links, ...data].toSorted((one, other) => one.from - other.from).map(({ mention }) => mention)
}

const dataUrlsIn = (text: string): ReadonlyArray<Stretch> => {
  const found: Array<Stretch> = []
  let next = 0
  for (let mark = text.indexOf(MARK); mark >= 0; mark = text.indexOf(MARK, next)) {
    const begin = mark + MARK.length
    const [head] = DATA_HEAD.exec(text.slice(Math.max(next, begin - LONGEST_HEAD), begin)) ?? []
    const to = endOfBase64(text, begin)
    if (head !== undefined && to - begin >= SHORTEST) found.push({ from: begin - head.length, to })
    next = to
  }
  const code = found.length === 0 ? [] : codeSpans(text)
  let ahead = 0
  return found.filter((data) => {
    while ((code[ahead]?.to ?? Infinity) <= data.from) ahead++
    return (code[ahead]?.from ?? Infinity) > data.from
  })
}

const endOfBase64 = (text: string, from: number): number => {
  const other = /[^\w+/-]/g
  other.lastIndex = from
  let to = other.exec(text)?.index ?? text.length
  for (let padding = 0; padding < 2 && text.charAt(to) === "="; padding++) to++
  return to
}

const MARK = ";base64,"
const DATA_HEAD = /data:(?:image|video|audio)\/[\w.+-]+(?:;[\w-]+=[\w."-]+)*;base64,$/i
const LONGEST_HEAD = 128

/** Shorter than any picture: an example in words. */
const SHORTEST = 32
