import { arrayField, field, isObject, numberField, parseJson, stringField } from "../Json.ts"
import type { MediaKind } from "./Media.ts"
import { sanitise } from "./Sanitise.ts"
import { clockFor } from "./Timecode.ts"

/** One medium as the memory lists it, whatever entries it has there. */
export interface Item {
  readonly id: string
  readonly kind: MediaKind
  readonly duration: number | null
  readonly width: number | null
  readonly height: number | null
  /** The picture that stands for it. */
  readonly cover: string | null
  readonly site: string | null
  readonly title: string | null
  /** What was seen and heard of it, in a few words. */
  readonly coverage: string | null
  /** The first words that are said in it. */
  readonly words: string | null
}

/** What an entry of the memory is of: its content, or a picture that it describes. */
export const mediumOf = (entry: string): string => {
  const [, pictures] = /^pictures (.+) p\d+$/s.exec(entry) ?? []
  const [, described] = /^description ([0-9a-f]{64}) v\d/.exec(entry) ?? []
  if (described !== undefined) return describedBy(described)
  const [, heard] = /^heard ([0-9a-f]{64}) v\d/.exec(entry) ?? []
  const [, evidence] = /^(.+?) v\d+ n/s.exec(entry) ?? []
  return (
    pictures ?? heard ?? (entry.startsWith("whole ") ? entry.slice("whole ".length) : (evidence ?? entry))
  )
}

/** What the descriptions of a picture are of. */
export const describedBy = (sha256: string): string => `picture ${sha256}`

/** What kind of finding an entry is. */
export const findingOf = (entry: string): "pictures" | "whole" | "heard" | "description" | "evidence" => {
  const [word = ""] = entry.split(" ", 1)
  return word === "pictures" || word === "whole" || word === "heard" || word === "description"
    ? word
    : "evidence"
}

/** What an entry tells of its medium; undefined where it is none, such as a description. */
export const itemOf = (entry: string, text: string): Item | undefined => {
  const value = parseJson(text)
  const id = mediumOf(entry)
  switch (findingOf(entry)) {
    case "pictures":
      return ofPictures(id, Array.isArray(value) ? value : [])
    case "whole": {
      const kind = kindIn(value)
      return kind === undefined ? undefined : { ...EMPTY, id, kind, coverage: "Kept whole." }
    }
    case "heard":
      return isObject(value)
        ? { ...EMPTY, id, kind: "audio", coverage: heardIn(value), words: wordsIn(value) }
        : undefined
    case "evidence":
      return ofEvidence(id, value)
    case "description":
      return undefined
  }
}

const ofPictures = (id: string, pictures: ReadonlyArray<unknown>): Item => ({
  ...EMPTY,
  ...sizeOf(pictures[0]),
  ...{ id, kind: "image" },
  cover: stringField(pictures[0], "sha256") ?? null,
  coverage: pictures.length > 1 ? `${pictures.length} pictures.` : "All of it."
})

const ofEvidence = (id: string, value: unknown): Item | undefined => {
  const kind = kindIn(value)
  if (kind === undefined) return undefined
  const [seen, heard] = [field(value, "seen"), field(value, "heard")]
  const frames = arrayField(seen, "frames")
  return {
    ...{ id, kind, ...sizeOf(value) },
    duration: numberField(value, "duration") ?? null,
    cover: stringField(frames[frames.length >> 1], "sha256") ?? null,
    site: lineOf(stringField(value, "site"), 100),
    title: lineOf(stringField(value, "title"), 300),
    coverage: [...(kind === "video" ? [seenIn(seen)] : []), heardIn(heard)].join(" "),
    words: wordsIn(heard)
  }
}

const seenIn = (seen: unknown): string => {
  const nothing = stringField(seen, "nothing")
  if (nothing !== undefined) return `Nothing seen: ${nothing}`
  const pictures = arrayField(seen, "frames").length
  const [shown, shots] = [numberField(seen, "shotsShown") ?? 0, numberField(seen, "shots") ?? 0]
  return `${pictures} ${pictures === 1 ? "picture" : "pictures"} of ${shown} of ${shots} ${shots === 1 ? "shot" : "shots"}.`
}

const heardIn = (heard: unknown): string => {
  const nothing = stringField(heard, "nothing")
  if (nothing !== undefined) return `Nothing heard: ${nothing}`
  const [part, whole] = [numberField(heard, "heard") ?? 0, numberField(heard, "duration") ?? 0]
  const { length } = clockFor(whole)
  return `${length(part)} of ${length(whole)} heard.`
}

const wordsIn = (heard: unknown): string | null => {
  let words = ""
  for (const segment of arrayField(heard, "segments")) {
    words += `${stringField(segment, "text") ?? ""} `
    if (words.length > WORDS * 2) break
  }
  return lineOf(words, WORDS)
}

const kindIn = (value: unknown): MediaKind | undefined => {
  const kind = stringField(value, "kind")
  return kind === "image" || kind === "video" || kind === "audio" ? kind : undefined
}

const sizeOf = (value: unknown) => ({
  width: numberField(value, "width") ?? null,
  height: numberField(value, "height") ?? null
})

const lineOf = (text: string | undefined, most: number): string | null => {
  const line = sanitise((text ?? "").slice(0, most * 4), { most })
  return line === "" ? null : line
}

const EMPTY = {
  duration: null,
  width: null,
  height: null,
  cover: null,
  site: null,
  title: null,
  coverage: null,
  words: null
}

/** Characters. */
const WORDS = 160

/** Where a medium is to be had again, by the link a request named it with; undefined where that cannot be told. */
export const linkAgain = (medium: string, label: string | null): string | undefined => {
  const [, video] = /^youtube:([\w-]{6,20})$/.exec(medium) ?? []
  if (video !== undefined) return `https://www.youtube.com/watch?v=${video}`
  // What was shortened or cleared of secrets is no link any more.
  const isLink = label !== null && label.length < 2000 && /^https?:\/\/\S+$/.test(label)
  return isLink && !label.includes("[redacted]") && URL.canParse(label) ? label : undefined
}
