import type { Segment } from "./Evidence.ts"
import type { Span } from "./Media.ts"
import { novelty } from "./Novelty.ts"

/** What is left of what a speech model claims to have heard. */
export interface Strained {
  readonly words: ReadonlyArray<Segment>
  readonly sounds: ReadonlyArray<Segment>
}

/**
 * The second net behind the gate: models name sounds in brackets, write "Thank you." into silence, and get caught in
 * loops. `heard` counts from the start of the piece; the answer counts as the piece does. `before` are the words so far.
 */
export const strain = (
  piece: Span & { readonly regions: ReadonlyArray<Span> },
  heard: ReadonlyArray<Segment>,
  before: ReadonlyArray<Segment> = []
): Strained => {
  const words: Array<Segment> = []
  const sounds: Array<Segment> = []
  const said = before.slice(-MOST_REPEATS).map(({ text }) => plain(text))
  let earliest = piece.from
  for (const claim of heard) {
    const span = placed(claim, piece, earliest)
    if (share(span, piece.regions) < LEAST_ACTIVE) continue
    const { marks, text } = apart(claim.text)
    for (const mark of marks) sounds.push({ ...span, text: mark })
    // What was invented is often said to last longer than there is anything to hear.
    const claimed = { from: piece.from + claim.from, to: piece.from + claim.to }
    if (!isBelievable(text, share(claimed, piece.regions))) continue
    said.push(plain(text))
    if (said.slice(-MOST_REPEATS - 1).filter((earlier) => earlier === plain(text)).length > MOST_REPEATS)
      continue
    words.push({ ...span, text })
    earliest = span.from
  }
  return { words, sounds: words.length === 0 ? throughout(piece, sounds) : sounds }
}

/** Where nobody speaks, a sound lasts until the next: models name it once and fall silent. */
const throughout = (piece: Span, sounds: ReadonlyArray<Segment>): ReadonlyArray<Segment> =>
  sounds.map(({ from, text }, index) => ({
    from: index === 0 ? piece.from : from,
    to: sounds[index + 1]?.from ?? piece.to,
    text
  }))

/** One line per sound, however often it was named: as long as nobody speaks in between and it does not stop for long. */
export const mergeSounds = (
  sounds: ReadonlyArray<Segment>,
  words: ReadonlyArray<Segment>
): ReadonlyArray<Segment> => {
  const merged: Array<Segment> = []
  for (const sound of sounds.toSorted((one, other) => one.from - other.from)) {
    const last = merged.at(-1)
    const goesOn =
      last !== undefined &&
      last.text === sound.text &&
      sound.from - last.to <= LONGEST_LULL &&
      !words.some(({ from }) => from >= last.to && from < sound.from)
    if (goesOn) merged[merged.length - 1] = { ...last, to: Math.max(last.to, sound.to) }
    else merged.push(sound)
  }
  return merged
}

/** What a sound without words, such as one that never reached the model, is called. */
export const NOISE = "(no speech: noise)"

/** Within its piece, in order, and never without length. */
const placed = (claim: Segment, piece: Span, earliest: number): Span => {
  const length = piece.to - piece.from
  const from = Math.min(Math.max(piece.from + Math.min(claim.from, length), earliest), piece.to)
  const to = Math.max(Math.min(piece.from + claim.to, piece.to), from)
  return { from: rounded(from), to: rounded(to) }
}

/** How much of a span lies where there was something to hear. */
const share = ({ from, to }: Span, regions: ReadonlyArray<Span>): number => {
  if (to <= from) return regions.some((region) => region.from <= from && from <= region.to) ? 1 : 0
  const covered = regions.reduce(
    (sum, region) => sum + Math.max(0, Math.min(to, region.to) - Math.max(from, region.from)),
    0
  )
  return covered / (to - from)
}

/** Words, and the sounds named among them. */
const apart = (claim: string): { readonly text: string; readonly marks: ReadonlyArray<string> } => {
  const marks: Array<string> = []
  const taken = (whole: string, name: string | undefined, isSurely: boolean) => {
    const mark = kindOf(name ?? "music")
    if (mark === undefined && !isSurely) return whole
    if (mark !== "") marks.push(mark ?? NOISE)
    return " "
  }
  const isAlone = !HAS_WORDS.test(claim.replace(/\([^)]*\)/g, ""))
  const text = claim
    .replace(/\[([^\]]*)\]|\*([^*]+)\*/g, (whole, name?: string, other?: string) =>
      taken(whole, name ?? other, true)
    )
    .replace(/\(([^)]*)\)/g, (whole, name: string) => taken(whole, name, isAlone))
    .replace(/[♩♪♫♬]+/gu, (whole) => taken(whole, undefined, true))
    .replace(/\s+/g, " ")
    .trim()
  return { text: HAS_WORDS.test(text) ? text : "", marks: Array.from(new Set(marks)) }
}

/** The name of a kind of sound; empty for silence, which is none, and undefined for what is not known as a sound. */
const kindOf = (name: string): string | undefined => KINDS.find(([pattern]) => pattern.test(name))?.[1]

const isBelievable = (text: string, active: number): boolean => {
  if (text === "") return false
  if (active < LEAST_ACTIVE_OF_PHANTOMS && PHANTOMS.some((phantom) => phantom.test(plain(text)))) return false
  return text.length < SHORTEST_LOOP || novelty(plain(text)) > LEAST_NEW
}

const plain = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}' ]+/gu, " ")
    .replace(/\s+/g, " ")
    .trim()

const rounded = (seconds: number): number => Math.round(seconds * 1000) / 1000

const LEAST_ACTIVE = 0.2
const LEAST_ACTIVE_OF_PHANTOMS = 0.3
/** Once more is an echo of the model, not of a speaker. */
const MOST_REPEATS = 2
const SHORTEST_LOOP = 40
const LEAST_NEW = 0.4
const LONGEST_LULL = 3

const HAS_WORDS = /[\p{L}\p{N}]/u

const KINDS: ReadonlyArray<readonly [RegExp, string]> = [
  [/\b(?:blank|silen|no (?:audio|sound|speech)|pause)/i, ""],
  [/\b(?:music|melod|singing|song|guitar|piano|drum|instrumental|orchestra|theme)/i, "(music)"],
  [/\b(?:applau|clap|cheer)/i, "(applause)"],
  [/\b(?:laugh|chuckl|giggl)/i, "(laughter)"],
  [
    /\b(?:inaudible|unintelligible|indistinct|mumbl|foreign|speaking|speaks)/i,
    "(speech that was not understood)"
  ],
  [
    /\b(?:nois|static|beep|buzz|hum|hiss|wind|engine|motor|ring|bell|click|knock|bang|thud|crash|sigh|cough|sniff|breath|bark|chirp|water|rain|door|phone|footstep|sound|whoosh|clatter|rattl)/i,
    NOISE
  ]
]

/** What models have learnt from subtitles that stand over silence. */
const PHANTOMS = [
  /^(?:you|bye(?: bye)?|okay|so|the|thank you(?: (?:very|so) much)?|thanks)$/,
  /^(?:thank you|thanks) for (?:watching|listening|viewing)/,
  /^(?:please )?(?:like and )?subscribe/,
  /^(?:subtitles?|captions?|transcri(?:bed|ption)|translated?)(?: \w+)? by\b/,
  /^see you (?:next time|in the next)/
]
