import { field, isObject, stringField } from "../Json.ts"
import { kindOfName } from "./LinkKind.ts"
import type { MediaKind } from "./Media.ts"
import { linkOf } from "./MediaLink.ts"
import type { MediaRef } from "./MediaRef.ts"

/** What a part or an entry of `images` holds. */
export type Medium = Pick<MediaRef, "source" | "kind" | "name">

export interface Reading {
  /** Whether the message may make us fetch something; what came along needs no leave. */
  readonly mayFetch: boolean
  readonly sites: ReadonlyArray<string>
}

/** The medium of a content part, in every form that clients write; undefined for other parts. */
export const mediumOfPart = (part: unknown, reading: Reading): Medium | undefined => {
  const type = stringField(part, "type")
  switch (type) {
    case "image_url":
    case "video_url":
    case "audio_url": {
      const said = field(part, type)
      return mediumIn(isObject(said) ? said["url"] : said, { kind: KIND_OF_PART[type] }, reading)
    }
    case "input_video":
    case "input_audio": {
      const said = field(part, type)
      const kind = KIND_OF_PART[type]
      const format = stringField(said, "format")
      const declared = format === undefined || format.includes("/") ? format : `${kind}/${format}`
      const hints = { kind, declared, isBare: true }
      if (!isObject(said)) return mediumIn(said, hints, reading)
      return mediumIn(said["data"], hints, reading) ?? mediumIn(said["url"], hints, reading)
    }
    case "file":
      return mediumOfFile(field(part, "file"), reading)
    default:
      return undefined
  }
}

/** An entry of the `images` Ollama has beside a message's content. */
export const mediumOfImage = (image: unknown, reading: Reading): Medium | undefined =>
  mediumIn(image, { kind: "image", isBare: true }, reading)

/** The declared type of a data URL, in small letters; empty where it says none. */
export const declaredIn = (dataUrl: string): string =>
  (/^\s*data:([^;,\s]*)/i.exec(dataUrl.slice(0, 256))?.[1] ?? "").toLowerCase()

/** The kind a declared type promises; undefined for what is neither seen nor heard. */
export const kindOfType = (type: string): MediaKind | undefined =>
  KINDS.find((kind) => type.toLowerCase().startsWith(`${kind}/`))

interface Hints {
  /** Undefined: only what says itself that it is a medium. */
  readonly kind: MediaKind | undefined
  readonly declared?: string | undefined
  /** Whether base64 may stand there without `data:`. */
  readonly isBare?: boolean
}

const mediumOfFile = (file: unknown, reading: Reading): Medium | undefined => {
  const name = stringField(file, "filename")
  const declared = stringField(file, "format") ?? stringField(file, "mime_type")
  const byType = declared === undefined || isVague(declared) ? undefined : { kind: kindOfType(declared) }
  const { kind } = byType ?? { kind: kindOfName(name ?? "") }
  const hints = { kind, declared, isBare: true }
  const places = ["file_data", "file_url", "url"].map((key) => mediumIn(field(file, key), hints, reading))
  // Some clients write an address where an id belongs.
  const found = [...places, mediumIn(field(file, "file_id"), { kind, declared }, reading)].find(
    (medium) => medium !== undefined
  )
  return found === undefined || name === undefined ? found : { ...found, name }
}

const mediumIn = (value: unknown, hints: Hints, { mayFetch, sites }: Reading): Medium | undefined => {
  if (typeof value !== "string" || value === "") return undefined
  const start = value.slice(0, 16).trimStart().toLowerCase()
  if (start.startsWith("data:")) {
    const type = declaredIn(value)
    const kind = isVague(type) ? hints.kind : kindOfType(type)
    const declared = isVague(type) ? hints.declared : type
    return kind === undefined ? undefined : { kind, source: { data: value, declared } }
  }
  if (/^https?:/.test(start)) {
    const link = mayFetch ? linkOf(value.trim(), sites) : undefined
    const kind = link === undefined ? undefined : kindOfLink(link.kind, link.key, hints.kind)
    return link === undefined || kind === undefined
      ? undefined
      : { kind, source: { link: { ...link, kind } } }
  }
  const isData = hints.isBare === true ? /^[\w+/=\s-]+$/.test(value.slice(0, 64)) : isBarePicture(value)
  return isData && hints.kind !== undefined
    ? { kind: hints.kind, source: { data: value, declared: hints.declared } }
    : undefined
}

/** A part that says what it is knows better than a site's address; only a film's page is never the film. */
const kindOfLink = (
  link: MediaRef["kind"],
  key: string,
  part: MediaKind | undefined
): MediaRef["kind"] | undefined => {
  if (link === "unknown") return part
  return link === "site" && part === "image" && !key.startsWith("youtube:") ? part : link
}

/** Pictures that some clients send as base64 where an address belongs: JPEG, PNG, GIF, WebP. */
const isBarePicture = (value: string): boolean => /^(?:\/9j\/|iVBORw0KGgo|R0lGOD|UklGR)/.test(value)

const isVague = (type: string): boolean => type === "" || /^(?:application|binary)\/octet-stream$/i.test(type)

const KINDS = ["image", "video", "audio"] as const

const KIND_OF_PART = {
  image_url: "image",
  video_url: "video",
  audio_url: "audio",
  input_video: "video",
  input_audio: "audio"
} as const
