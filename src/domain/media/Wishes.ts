import { Either } from "effect"
import { InvalidRequest } from "../Errors.ts"
import { isObject } from "../Json.ts"
import type { JsonObject } from "../Json.ts"
import type { Span } from "./Media.ts"

export const POLICIES = ["auto", "reroute", "describe", "off"] as const

/** What becomes of media the model cannot take. */
export type Policy = (typeof POLICIES)[number]

/** What a request asks of Perception. */
export interface Wishes {
  readonly policy: Policy
  /** Undefined leaves the number to the length of the video. */
  readonly frames: number | undefined
  readonly window: Span | undefined
}

/** The request's own wishes over the router's: the `percept` field of its body, then the header. */
export const readWishes = (
  body: JsonObject,
  header: string | undefined,
  fallback: Wishes
): Either.Either<Wishes, InvalidRequest> =>
  Either.gen(function* () {
    const asked = body["percept"] ?? {}
    if (!isObject(asked)) return yield* wrong("percept", "must be an object.")
    const policy = yield* readPolicy("percept.policy", asked["policy"] ?? header?.trim(), fallback.policy)
    const frames = yield* readFrames(asked["frames"], fallback.frames)
    const from = yield* readTime("percept.from", asked["from"])
    const to = yield* readTime("percept.to", asked["to"])
    if (to !== undefined && to <= (from ?? 0))
      return yield* wrong("percept.to", "must be later than 'percept.from'.")
    const window =
      from === undefined && to === undefined ? fallback.window : { from: from ?? 0, to: to ?? LATEST }
    return { policy, frames, window }
  })

const readPolicy = (
  param: string,
  value: unknown,
  fallback: Policy
): Either.Either<Policy, InvalidRequest> => {
  if (value === undefined || value === null || value === "") return Either.right(fallback)
  const found = POLICIES.find((policy) => policy === value)
  return found === undefined ? wrong(param, `must be one of ${POLICIES.join(", ")}.`) : Either.right(found)
}

const readFrames = (value: unknown, fallback: number | undefined) => {
  if (value === undefined || value === null) return Either.right(fallback)
  if (value === "auto") return Either.right(undefined)
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= MOST_FRAMES
    ? Either.right(value)
    : wrong("percept.frames", `must be "auto" or a whole number from 1 to ${MOST_FRAMES}.`)
}

/** Seconds, or a clock's way of writing them. */
const readTime = (param: string, value: unknown): Either.Either<number | undefined, InvalidRequest> => {
  if (value === undefined || value === null) return Either.right(undefined)
  const seconds = typeof value === "string" ? clock(value) : value
  return typeof seconds === "number" && seconds >= 0 && seconds <= LATEST
    ? Either.right(seconds)
    : wrong(param, 'must be seconds, or a time such as "1:30".')
}

const clock = (text: string): number | undefined => {
  if (!/^\d+(:\d{1,2}){0,2}(\.\d+)?$/.test(text)) return undefined
  return text.split(":").reduce((sum, part) => sum * 60 + Number(part), 0)
}

const wrong = (param: string, problem: string) =>
  Either.left(new InvalidRequest({ message: `'${param}' ${problem}`, param, code: null }))

const MOST_FRAMES = 64

/** Seconds; longer than any video that is taken. */
export const LATEST = 1_000_000
