import type { Stretch } from "../Json.ts"
import { codeSpans } from "./CodeSpans.ts"
import { extentOf, withoutPunctuation } from "./LinkExtent.ts"
import { identify, siteOf } from "./LinkKind.ts"

/** A link that can be looked at or listened to. */
export interface MediaLink {
  readonly url: URL
  readonly kind: "image" | "video" | "audio" | "site" | "unknown"
  /** Seconds from which the link wants it seen. */
  readonly start?: number
  /** The same for all links to the same: `youtube:ID`, or the normalised address without its fragment. */
  readonly key: string
}

/** A link with its place in a text. */
export interface FoundLink extends MediaLink {
  readonly from: number
  readonly to: number
}

/** The links of a text in order; those in code are not meant as links. */
export const scan = (text: string, sites: ReadonlyArray<string>): ReadonlyArray<FoundLink> => {
  const found: Array<FoundLink> = []
  const codeEnd = codeReader(text)
  const named = sites.filter((site) => site !== "*")
  let done = 0
  // Every link has a slash, so nothing else of a long text is looked at.
  for (let slash = text.indexOf("/"); slash >= 0; slash = text.indexOf("/", Math.max(done, slash + 1))) {
    const start = startAt(text, slash, done, named)
    if (start === undefined) continue
    const code = codeEnd(start.from)
    if (code !== undefined) {
      done = code
      continue
    }
    const { doubt, end, to } = extentOf(text, start.from, start.authority)
    const whole = linkIn(text, start, to, sites)
    const link = doubt === undefined || isFile(whole) ? whole : linkIn(text, start, doubt, sites)
    if (link !== undefined) found.push(link)
    done = end
  }
  return found
}

/** The link a whole text is; undefined for other schemes and for what nobody should be asked for. */
export const linkOf = (written: string, sites: ReadonlyArray<string>): MediaLink | undefined => {
  if (written.length > LONGEST || !URL.canParse(written)) return undefined
  const url = new URL(written)
  const isFit =
    (url.protocol === "https:" || url.protocol === "http:") &&
    url.username === "" &&
    url.password === "" &&
    url.href.length <= LONGEST &&
    url.hostname.length <= LONGEST_HOST &&
    /[a-z\d]/.test(url.hostname)
  return isFit ? identify(url, sites) : undefined
}

interface Start {
  readonly from: number
  readonly authority: number
}

/** The beginning of the link whose first slash this is: a scheme's, or the one behind a host that needs none. */
const startAt = (
  text: string,
  slash: number,
  done: number,
  sites: ReadonlyArray<string>
): Start | undefined => {
  if (text.charAt(slash - 1) !== ":") return bareStart(text, slash, done, sites)
  if (text.charAt(slash + 1) !== "/") return undefined
  const [scheme = ""] = /https?:$/i.exec(text.slice(Math.max(0, slash - 6), slash)) ?? []
  const from = slash - scheme.length
  return scheme === "" || text.charAt(from - 1) === "+" ? undefined : { from, authority: slash + 2 }
}

const bareStart = (
  text: string,
  slash: number,
  done: number,
  sites: ReadonlyArray<string>
): Start | undefined => {
  let from = slash
  while (from > done && slash - from <= LONGEST_HOST && isOfHost(text, from - 1)) from--
  while (from < slash && /[.-]/.test(text.charAt(from))) from++
  const host = text.slice(from, slash)
  if (!/^[^.]+\..*[^.-]$/.test(host) || !FREE_BEFORE.test(text.slice(Math.max(0, from - 3), from)))
    return undefined
  const isKnown = /^www\.[^.]+\../i.test(host) || siteOf(host, sites) !== undefined
  return isKnown ? { from, authority: from } : undefined
}

/** Whether a host's name may hold the character; tested by code, for base64 has many a slash to ask for. */
export const isOfHost = (text: string, at: number): boolean => {
  const code = text.charCodeAt(at)
  const letter = code | 0x20
  return (
    (letter >= 0x61 && letter <= 0x7a) || (code >= 0x30 && code <= 0x39) || code === 0x2d || code === 0x2e
  )
}

const linkIn = (
  text: string,
  { authority, from }: Start,
  end: number,
  sites: ReadonlyArray<string>
): FoundLink | undefined => {
  const to = withoutPunctuation(text, from, end)
  if (to <= authority || to - from > LONGEST) return undefined
  const written = text
    .slice(from, to)
    .replaceAll("&amp;", "&")
    .replace(/\\(?=[!-~])/g, "")
  const link = linkOf(from === authority ? `https://${written}` : written, sites)
  return link === undefined ? undefined : { ...link, from, to }
}

const isFile = (link: MediaLink | undefined): boolean =>
  link !== undefined && link.kind !== "site" && link.kind !== "unknown"

/** Where the code a place lies in ends; to be asked for one place after another. */
const codeReader = (text: string): ((at: number) => number | undefined) => {
  let spans: ReadonlyArray<Stretch> | undefined
  let next = 0
  return (at) => {
    spans ??= codeSpans(text)
    for (let span = spans[next]; span !== undefined && span.from <= at; span = spans[++next])
      if (at < span.to) return span.to
    return undefined
  }
}

/** What may stand before a host without a scheme: no word, no path of another address. */
const FREE_BEFORE = /(?:^|[^\w@/?&#%=+\\-]|(?:^|[^:\\/])\/\/)$/

const LONGEST = 2048
const LONGEST_HOST = 253
