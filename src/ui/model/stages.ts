import type { Ongoing } from "../api/live.ts"

/** A part of what is done for a request; `share` of it is done, from 0 to 1. */
export interface Stage {
  readonly name: StageName
  readonly is: "done" | "now" | "ahead"
  readonly share: number
}

export type StageName = "fetch" | "look" | "listen" | "describe" | "answer"

/** Where a request is: its stages in order, its kind of media, and what it does in words. */
export interface Progress {
  readonly stages: ReadonlyArray<Stage>
  readonly media: "image" | "video" | "audio" | undefined
  readonly words: string
}

/** Reads a stage such as `video 2/4 looking 43%, listening 7%`. `helping` are calls that are made on its behalf. */
export const progressOf = (
  request: Pick<Ongoing, "stage" | "media_type_processed" | "time_to_first_token_ms">,
  helping: ReadonlyArray<string> = []
): Progress => {
  const { stage, time_to_first_token_ms } = request
  const [, told, rest = stage] =
    /^(image|video|audio|media|unknown)\b(?: \d+\/\d+)?,? ?(.*)$/.exec(stage) ?? []
  const media = kindOf(told) ?? kindOf(request.media_type_processed?.split(",").at(-1))
  const isAnswering = stage === "answering"
  if (media === undefined && told === undefined)
    return { stages: [one("answer", 0)], media, words: wordsOf(request) }
  const isDescribing = !isAnswering && (helping.includes("describe") || /^writing|^describing/.test(rest))
  const isSensing = /looking|listening|^reading|transcribing/.test(rest)
  const senses: ReadonlyArray<StageName> =
    media === "image" ? ["look"] : media === "audio" ? ["listen"] : ["look", "listen"]
  const order: ReadonlyArray<ReadonlyArray<StageName>> = [["fetch"], senses, ["describe"], ["answer"]]
  const at = isAnswering ? 3 : isDescribing ? 2 : isSensing ? 1 : 0
  const stages = order.flatMap((names, place) =>
    names.map((name): Stage => {
      if (place !== at) return { name, is: place < at ? "done" : "ahead", share: place < at ? 1 : 0 }
      if (name === "look" || name === "listen") return sense(name, rest)
      return one(name, name === "fetch" ? (shareIn(rest, "fetching") ?? 0) : 0)
    })
  )
  const words =
    isAnswering || !isDescribing || helping.length === 0 ? wordsOf(request) : "describing pictures"
  return { stages, media, words: time_to_first_token_ms === null ? words : "streaming" }
}

/** Whether nothing has been heard for longer than its stage usually takes. */
export const isStalled = (
  { stage, stirred, time_to_first_token_ms }: Pick<Ongoing, "stage" | "stirred" | "time_to_first_token_ms">,
  now: number
): boolean => {
  if (time_to_first_token_ms !== null) return false
  const [, patience] = PATIENCE.find(([pattern]) => pattern.test(stage)) ?? ["", 20_000]
  return now - stirred > patience
}

/** A half that is not told of any more has ended, unless nothing was told yet. */
const sense = (name: "look" | "listen", rest: string): Stage => {
  const share = shareIn(rest, `${name}ing`)
  const isOver = share === undefined && /looking|listening/.test(rest)
  return isOver ? { name, is: "done", share: 1 } : { name, is: "now", share: share ?? 0 }
}

const one = (name: StageName, share: number): Stage => ({ name, is: "now", share })

const shareIn = (text: string, name: string): number | undefined => {
  const found = new RegExp(`${name}(?: (\\d{1,3})%)?`).exec(text)
  return found === null ? undefined : Math.min(100, Number(found[1] ?? 0)) / 100
}

const wordsOf = ({ stage, time_to_first_token_ms }: Pick<Ongoing, "stage" | "time_to_first_token_ms">) =>
  time_to_first_token_ms !== null ? "streaming" : stage === "answering" ? "waiting for the model" : stage

const kindOf = (word: string | undefined): Progress["media"] =>
  word === "image" || word === "video" || word === "audio" ? word : undefined

/** Milliseconds without news. */
const PATIENCE: ReadonlyArray<readonly [RegExp, number]> = [
  [/^answering/, 30_000],
  [/waiting/, 60_000],
  [/fetching/, 15_000],
  [/looking|listening/, 20_000]
]
