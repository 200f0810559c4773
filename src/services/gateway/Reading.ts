import type { JsonObject } from "../../domain/Json.ts"
import type { Reply } from "../../domain/Reply.ts"
import { StreamRelay } from "./StreamRelay.ts"
import type { Relay } from "./StreamRelay.ts"
import type { UpstreamErrors } from "./UpstreamErrors.ts"

/** How the good answers of one kind of call are read. */
export interface Reading {
  /** For a stream; undefined where this content type is none. `longestSilence` is in milliseconds. */
  readonly relay: (
    contentType: string,
    reply: Reply,
    errors: UpstreamErrors,
    longestSilence: number
  ) => Relay | undefined
  /** Hands a whole answer on; false where it is not what was asked for. */
  readonly whole: (reply: Reply, bytes: Buffer, text: string, value: JsonObject) => boolean
}

const events: Reading["relay"] = (contentType, reply, errors, longestSilence) =>
  contentType.includes("text/event-stream") ? new StreamRelay(reply, errors, longestSilence) : undefined

/** Chat, and completions: choices, at once or as events. */
export const choices: Reading = {
  relay: events,
  whole: (reply, bytes, text, value) => {
    const isAnswer = Array.isArray(value["choices"])
    if (isAnswer) reply.whole(bytes, text, value)
    return isAnswer
  }
}

/** Embeddings, always at once. */
export const vectors: Reading = {
  relay: () => undefined,
  whole: (reply, bytes, text, value) => {
    const isAnswer = Array.isArray(value["data"])
    if (isAnswer) reply.whole(bytes, text, value)
    return isAnswer
  }
}
