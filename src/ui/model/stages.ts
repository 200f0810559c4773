import type { Ongoing } from "../api/live.ts"
import { mediumOf } from "./medium.ts"
import type { MediumKind } from "./medium.ts"

/** A part of what is done for a request; `share` of it is done, from 0 to 1. */
export interface Stage {
  readonly name: StageName
  /** What comes after what; both senses are at the same time. */
  readonly place: number
  readonly is: "done" | "now" | "ahead"
  readonly share: number
}

export type StageName = "fetch" | "look" | "listen" | "describe" | "answer"

/** Where a request is: its stages in order, its kind of media, and what it does in words. */
export interface Progress {
  readonly stages: ReadonlyArray<Stage>
  readonly media: MediumKind | undefined
  readonly words: string
}

/** Reads a stage such as `video 2/4 looking 43%, listening 7%`. `helping` are calls that are made on its behalf. */
export const progressOf = (
  { media_type_processed, stage, time_to_first_token_ms }: Told,
  helping: ReadonlyArray<string> = []
): Progress => {
  const [, told, rest = stage] =
    /^(image|video|audio|media|unknown)\b(?: \d+\/\d+)?,? ?(.*)$/.exec(stage) ?? []
  const media = mediumOf(told) ?? mediumOf(media_type_processed?.split(",").at(-1))
  const isPlain = !media && !told
  const isAnswering = stage === "answering"
  const isDescribing =
    !isPlain && !isAnswering && (helping.includes("describe") || /^(writing|describing)/.test(rest))
  const isSensing = /looking|listening|^reading|transcribing/.test(rest)
  const now = isPlain || isAnswering ? 3 : isDescribing ? 2 : isSensing ? 1 : 0
  const stages = PLACES.filter(([name, place]) =>
    isPlain ? place === 3 : name !== (media === "image" ? "listen" : media === "audio" && "look")
  ).map(([name, place]): Stage => {
    const told = new RegExp(`${name}ing(?: (\\d{1,3})%)?`).exec(rest)
    // A half that is not told of any more has ended, unless nothing was told yet.
    const isOver = place < now || (place === 1 && now === 1 && !told && /look|listen/.test(rest))
    const share = place === now ? Math.min(100, Number(told?.[1] ?? 0)) / 100 : 0
    return { name, place, is: isOver ? "done" : place > now ? "ahead" : "now", share: isOver ? 1 : share }
  })
  const words = isAnswering
    ? "waiting for the model"
    : isDescribing && helping[0]
      ? "describing pictures"
      : stage
  return { stages, media, words: time_to_first_token_ms === null ? words : "streaming" }
}

/** Whether nothing has been heard for longer than its stage usually takes. */
export const isStalled = (
  { stage, stirred, time_to_first_token_ms }: Pick<Ongoing, "stage" | "stirred" | "time_to_first_token_ms">,
  now: number
): boolean => {
  const [, patience = 20] = PATIENCE.find(([pattern]) => pattern.test(stage)) ?? []
  return time_to_first_token_ms === null && now - stirred > patience * 1000
}

type Told = Pick<Ongoing, "stage" | "media_type_processed" | "time_to_first_token_ms">

const PLACES: ReadonlyArray<readonly [StageName, number]> = [
  ["fetch", 0],
  ["look", 1],
  ["listen", 1],
  ["describe", 2],
  ["answer", 3]
]

/** Seconds without news. */
const PATIENCE: ReadonlyArray<readonly [RegExp, number]> = [
  [/^answering/, 30],
  [/waiting/, 60],
  [/fetching/, 15]
]
