import { heardLine, seenLine } from "./Coverage.ts"
import { isNothing } from "./Evidence.ts"
import type { Evidence, Frame, Heard, Segment } from "./Evidence.ts"
import { cleanSource, fenced, introduction, itemOf, nameOf, reason, TITLE } from "./Fence.ts"
import type { Place } from "./Fence.ts"
import type { MediaKind } from "./Media.ts"
import { sanitise, sanitiseLines } from "./Sanitise.ts"
import { clockFor } from "./Timecode.ts"
import type { Clock } from "./Timecode.ts"
import { thin, transcriptLines } from "./TranscriptLines.ts"

/** What a model is given of one medium: a block of text, then each picture after its label. */
export interface Rendered {
  readonly block: string
  readonly pictures: ReadonlyArray<{ readonly label: string; readonly frame: Frame }>
}

export interface RenderOptions extends Place {
  /** Those shown; fewer than were taken where a model has little room. */
  readonly frames: ReadonlyArray<Frame>
  /** What the pictures show, by hash, for a model that cannot see: the words then stand in their place. */
  readonly descriptions?: ReadonlyMap<string, string>
  /** The model that wrote the descriptions. */
  readonly describedBy?: string
  /** Room for the words; a longer transcript is thinned. */
  readonly transcriptTokens?: number
  /** Sentences of ours about this medium. */
  readonly notes?: ReadonlyArray<string>
}

/** The same evidence gives the same bytes, wherever and whenever it is rendered. */
export const render = (evidence: Evidence, options: RenderOptions): Rendered => {
  const { descriptions, tag, transcriptTokens = Infinity } = options
  const frames = options.frames.toSorted((one, other) => one.time - other.time)
  const { heard } = evidence
  const clean = (text: string) => sanitise(text, { tag })
  const words = isNothing(heard) ? [] : cleaned(transcriptLines(cleaned(heard.segments, clean)), clean)
  const sounds = isNothing(heard) ? [] : cleaned(runs(heard.sounds), clean)
  const clock = clockFor(lastInstant(evidence, frames, words))
  const thinned = thin(words, transcriptTokens)
  const described = descriptions === undefined ? undefined : `, described by ${describer(options)}`
  const timeline = [
    ...frames.map((frame, index) => ({
      from: frame.time,
      text: announced(frame, index + 1, clock, options)
    })),
    ...inOrder([...thinned.lines, ...sounds]).map((line) => ({
      from: line.from,
      text: `[${clock.span(line)}] ${line.text}`
    }))
  ]
  const sections = [
    [
      introduction(options, evidence.kind === "audio" ? "listen to" : "look at"),
      ...header(evidence, options, clock)
    ],
    [...inOrder(timeline).map(({ text }) => text), ...chapters(evidence, tag, clock)],
    [
      seenLine(evidence, frames, { clock, tag, by: described }),
      heardLine(heard, thinned, { clock, tag }),
      ...(options.notes ?? []).map((note) => `Note: ${sanitise(note, { tag })}`),
      "Say so when the answer would need a moment that is not covered."
    ].filter((line) => line !== undefined)
  ]
  const text = sections.filter((section) => section.length > 0).map((section) => section.join("\n"))
  return {
    block: fenced(tag, itemOf(options), [text.join("\n\n")]),
    pictures:
      descriptions === undefined
        ? frames.map((frame, index) => labelled(frame, index, frames, options, clock))
        : []
  }
}

/** A medium that could not be had never becomes silence: the model reads which, why, and that it knows nothing of it. */
export const renderFailure = (
  options: Place & { readonly kind: MediaKind | undefined; readonly why: string }
): string =>
  fenced(options.tag, itemOf(options), [
    `Here ${nameOf(options.kind)} from ${cleanSource(options)} should follow, but ${reason(options.why, options.tag)}.`,
    `Nothing of it has been ${SENSES[options.kind ?? "video"]}. Say so when the answer would need it, and do not guess what is in it.`
  ])

/** An image part that could not be had. */
export const renderImageNote = (options: Place & { readonly why: string }): string =>
  renderFailure({ ...options, kind: "image" })

/** An image, or a few pictures of an animation, in the words of a model that can see. */
export const renderDescription = (
  options: Place & { readonly descriptions: ReadonlyArray<string>; readonly describedBy: string }
): string => {
  const { descriptions, tag } = options
  const source = cleanSource(options)
  return fenced(tag, itemOf(options), [
    introduction(options, "look at"),
    `Described by ${describer(options)}, because you cannot be shown pictures; it may be wrong in details.`,
    "",
    ...descriptions.map((description, index) => {
      const words = sanitiseLines(description, tag).join("\n  ") || "(no description)"
      return `Picture ${index + 1} (image from ${source}): ${words}`
    })
  ])
}

/** Media beyond those that are looked at in one request. */
export const renderSkipped = (options: {
  readonly tag: string
  readonly sources: ReadonlyArray<string>
  readonly limit: number
}): string => {
  const { limit, sources, tag } = options
  const named = sources.slice(0, MOST_NAMES).map((source) => `- ${cleanSource({ source, tag })}`)
  const rest = sources.length - named.length
  return fenced(tag, "not looked at", [
    `No more than ${limit} media are looked at in one request, newest first. These were not seen or heard:`,
    ...named,
    ...(rest > 0 ? [`- and ${rest} more`] : []),
    "Say so when the answer would need them, and do not guess what is in them."
  ])
}

const header = (evidence: Evidence, { tag }: Place, clock: Clock): ReadonlyArray<string> => {
  const { duration, heard, height, site, title, width, window } = evidence
  const field = (name: string, value: string | undefined) => {
    const text = sanitise(value ?? "", { tag, most: TITLE }).replaceAll("|", "¦")
    return text === "" ? [] : [`${name}: ${text}`]
  }
  const facts = [
    ...field("Title", title),
    ...field("Site", site),
    ...field("Length", duration === undefined ? undefined : clock.length(duration)),
    ...field("Part asked for", window === undefined ? undefined : clock.span(window)),
    ...field("Picture", width === undefined || height === undefined ? undefined : `${width}x${height}`),
    ...field("Sound", isNothing(heard) ? undefined : (heard.language ?? "language unknown"))
  ]
  return [...(facts.length === 0 ? [] : [facts.join(" | ")]), ...wordsBy(heard, tag)]
}

const wordsBy = (heard: Evidence["heard"], tag: string): ReadonlyArray<string> =>
  isNothing(heard) || heard.segments.length === 0 ? [] : [`Words by: ${listener(heard, tag)}`]

const listener = (heard: Heard, tag: string): string => {
  if (heard.source === "human captions") return heard.source
  const model = sanitise(heard.model ?? "", { tag, most: TITLE })
  const who =
    heard.source === "automatic captions"
      ? heard.source
      : `${/remote/i.test(heard.engine ?? "") ? "" : "local "}speech recognition${model && ` (${model})`}`
  return `${who}, may mishear names and numbers`
}

const announced = (frame: Frame, number: number, clock: Clock, options: RenderOptions): string => {
  const { descriptions, tag } = options
  const start = `[${clock.at(frame.time)}] (picture ${number}`
  if (descriptions === undefined) return `${start})`
  const words = sanitise(descriptions.get(frame.sha256) ?? "", { tag })
  return words === "" ? `${start}, not described)` : `${start}, described) ${words}`
}

const labelled = (
  frame: Frame,
  index: number,
  frames: ReadonlyArray<Frame>,
  { item }: Place,
  clock: Clock
) => ({
  label: `Picture ${index + 1} of ${frames.length}, at ${clock.at(frame.time)} of item ${item}:`,
  frame
})

const chapters = (evidence: Evidence, tag: string, clock: Clock): ReadonlyArray<string> => {
  const named = evidence.chapters.flatMap(({ from, title }) => {
    const name = sanitise(title, { tag, most: CHAPTER })
    return name === "" ? [] : [`[${clock.at(from)}] ${name}`]
  })
  if (named.length === 0) return []
  const rest = named.length - MOST_CHAPTERS
  return [`Chapters: ${named.slice(0, MOST_CHAPTERS).join("; ")}${rest > 0 ? `; and ${rest} more` : ""}`]
}

const cleaned = (lines: ReadonlyArray<Segment>, clean: (text: string) => string): ReadonlyArray<Segment> =>
  inOrder(lines.map((line) => ({ ...line, text: clean(line.text) })).filter(({ text }) => text !== ""))

/** Neighbouring sounds of one kind, as one. */
const runs = (sounds: ReadonlyArray<Segment>): ReadonlyArray<Segment> => {
  const joined: Array<Segment> = []
  for (const sound of inOrder(sounds)) {
    const last = joined.at(-1)
    if (last !== undefined && last.text === sound.text && sound.from - last.to <= 3)
      joined[joined.length - 1] = { ...last, to: Math.max(last.to, sound.to) }
    else joined.push(sound)
  }
  return joined
}

/** By the second each begins in; what was first stays first within one. */
const inOrder = <A extends { readonly from: number }>(lines: ReadonlyArray<A>): ReadonlyArray<A> =>
  lines.toSorted((one, other) => second(one) - second(other))

const second = ({ from }: { readonly from: number }): number => Math.floor(Math.round(from * 1000) / 1000)

const lastInstant = (
  { chapters, duration, heard, window }: Evidence,
  frames: ReadonlyArray<Frame>,
  words: ReadonlyArray<Segment>
): number =>
  Math.max(
    duration ?? 0,
    window?.to ?? 0,
    isNothing(heard) ? 0 : heard.duration,
    ...[frames.at(-1)?.time, words.at(-1)?.to, chapters.at(-1)?.from].map((time) => time ?? 0)
  )

const describer = ({ describedBy, tag }: { readonly describedBy?: string; readonly tag: string }): string =>
  sanitise(describedBy ?? "", { tag, most: TITLE }) || "another model"

const SENSES: Readonly<Record<MediaKind, string>> = { image: "seen", audio: "heard", video: "seen or heard" }
const CHAPTER = 100
const MOST_CHAPTERS = 50
const MOST_NAMES = 20
