import { arrayField, stringField } from "../Json.ts"
import type { JsonObject } from "../Json.ts"
import type { MediaKind, Span } from "./Media.ts"
import { isOfHost } from "./MediaLink.ts"
import type { MediaLink } from "./MediaLink.ts"
import { mediumOfImage, mediumOfPart } from "./MediaPart.ts"
import type { Medium } from "./MediaPart.ts"
import { mentionsIn } from "./MediaText.ts"

/** A medium to be fetched. */
export interface LinkSource {
  readonly link: MediaLink
}

/** A medium that came along: a data URL or bare base64. */
export interface DataSource {
  readonly data: string
  /** Its type as declared, `audio/wav`; only ever a hint. */
  readonly declared: string | undefined
}

/** A medium in a request, and where it stands. */
export interface MediaRef {
  readonly message: number
  /** Undefined in content that is a string, and in `images`. */
  readonly part: number | undefined
  /** Index in the message's own `images`, as Ollama has them. */
  readonly image?: number
  readonly source: LinkSource | DataSource
  /** A hint: what it is, its bytes will say. */
  readonly kind: MediaKind | "site" | "unknown"
  /** The place as a client knows it: `messages[1].content[0]`. */
  readonly param: string
  /** A mention in a text, not a part of its own. */
  readonly inText: boolean
  /** Data written out in a text: the characters that are to go. */
  readonly span?: Span
  /** The file's name as the client gave it. */
  readonly name?: string
}

export interface FindOptions {
  /** Roles whose messages may make us fetch something. */
  readonly roles: ReadonlyArray<string>
  readonly sites: ReadonlyArray<string>
  /** Also links that do not look like media. */
  readonly sniff: boolean
}

/**
 * The media of a request in order of appearance. A link said twice in a message's words counts once,
 * and not at all beside a part of its own; every part counts, for each has to be answered for.
 */
export const findMedia = (
  messages: ReadonlyArray<JsonObject>,
  options: FindOptions
): ReadonlyArray<MediaRef> => messages.flatMap((message, index) => onceEach(mediaOf(message, index, options)))

/** False only where `findMedia` would surely find nothing; asked of every request's raw text. */
export const mayHoldMedia = (text: string): boolean =>
  SIGNS.some((sign) => text.includes(sign)) || holdsAddress(text) || hidesLetters(text)

const mediaOf = (
  message: JsonObject,
  index: number,
  { roles, sites, sniff }: FindOptions
): ReadonlyArray<MediaRef> => {
  const mayFetch = roles.includes(stringField(message, "role") ?? "")
  const reading = { mayFetch, sites }
  const found: Array<MediaRef> = []
  const read = (text: string, part: number | undefined, param: string): void => {
    if (!mayFetch) return
    for (const mention of mentionsIn(text, sites, sniff))
      found.push({ message: index, part, param, inText: true, ...mention })
  }
  const take = (medium: Medium | undefined, place: Pick<MediaRef, "part" | "param" | "image">): void => {
    if (medium !== undefined) found.push({ message: index, inText: false, ...place, ...medium })
  }
  const at = `messages[${index}]`
  if (typeof message["content"] === "string") read(message["content"], undefined, `${at}.content`)
  arrayField(message, "content").forEach((value, part) => {
    const param = `${at}.content[${part}]`
    if (stringField(value, "type") === "text") read(stringField(value, "text") ?? "", part, param)
    else take(mediumOfPart(value, reading), { part, param })
  })
  arrayField(message, "images").forEach((value, image) =>
    take(mediumOfImage(value, reading), { part: undefined, image, param: `${at}.images[${image}]` })
  )
  return found
}

const onceEach = (refs: ReadonlyArray<MediaRef>): ReadonlyArray<MediaRef> => {
  const seen = new Set(
    refs.flatMap(({ inText, source }) => (!inText && "link" in source ? [source.link.key] : []))
  )
  return refs.filter(({ inText, source }) => {
    if (!inText || !("link" in source)) return true
    const isNew = !seen.has(source.link.key)
    seen.add(source.link.key)
    return isNew
  })
}

/** What every part holds that is no text; short, and begun with a rare letter, for then the search is quick. */
const SIGNS = ['_url"', "_aud", "_vid", '"file"', '"imag'] as const

/** Whether a slash, escaped or not, follows what a link or a data URL begins with: `https:`, `youtu.be`, `data:image`. */
const holdsAddress = (text: string): boolean => {
  for (let slash = text.indexOf("/"); slash >= 0; slash = text.indexOf("/", slash + 1)) {
    let at = text.charAt(slash - 1) === "\\" ? slash - 2 : slash - 1
    for (; isOfHost(text, at); at--) if (text.charAt(at) === ".") return true
    if (text.charAt(at) === ":") return true
  }
  return false
}

/** Whether ASCII is spelled as `\u0068`, which the other tests would not see. */
const hidesLetters = (text: string): boolean => {
  for (let at = text.indexOf("\\u00"); at >= 0; at = text.indexOf("\\u00", at + 1))
    if ("234567".includes(text.charAt(at + 4))) return true
  return false
}
