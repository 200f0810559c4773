import { completionOf, makeChunks } from "../../domain/dialects/OllamaAnswer.ts"
import * as OllamaEmbed from "../../domain/dialects/OllamaEmbed.ts"
import { isObject } from "../../domain/Json.ts"
import type { JsonObject } from "../../domain/Json.ts"
import type { Reply } from "../../domain/Reply.ts"
import { OllamaRelay } from "./OllamaRelay.ts"
import { StreamRelay } from "./StreamRelay.ts"
import type { Relay } from "./StreamRelay.ts"
import { TranscriptRelay } from "./TranscriptRelay.ts"
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
  /** The same for an answer that is no JSON object; undefined where there is no such answer. */
  readonly other?: (reply: Reply, answer: OtherAnswer) => boolean
}

/** A list, or no JSON at all. */
export interface OtherAnswer {
  readonly bytes: Buffer
  readonly text: string
  /** Undefined where it is no JSON. */
  readonly value: unknown
  readonly contentType: string
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

/** Ollama's own chat and generate: an object at once or line by line, handed on as a chat of this id. */
export const lines = (id: string): Reading => ({
  relay: (contentType, reply, errors, longestSilence) =>
    /ndjson|jsonl/.test(contentType)
      ? new OllamaRelay(makeChunks(id), reply, errors, longestSilence)
      : undefined,
  whole: (reply, _bytes, _text, value) => {
    const isAnswer = isObject(value["message"]) || typeof value["response"] === "string"
    // An answer that is not done is the beginning of one.
    if (!isAnswer || value["done"] === false) return false
    const completion = completionOf(value, id)
    const text = JSON.stringify(completion)
    reply.whole(Buffer.from(text), text, completion)
    return true
  }
})

/** Speech that was written down: as JSON, as plain text, or as events. */
export const transcripts: Reading = {
  relay: (contentType, reply, errors, longestSilence) =>
    contentType.includes("text/event-stream")
      ? new TranscriptRelay(reply, errors, longestSilence)
      : undefined,
  whole: (reply, bytes, text, value) => {
    const isAnswer = typeof value["text"] === "string"
    if (isAnswer) reply.whole(bytes, text, value)
    return isAnswer
  },
  other: (reply, { bytes, contentType, text, value }) => {
    // A page in place of an answer is none; one without a letter says that nothing was said.
    if (reply.plain === undefined || Array.isArray(value) || contentType.includes("html")) return false
    if (text === "" && !contentType.startsWith("text/")) return false
    reply.plain(bytes, contentType || "text/plain; charset=utf-8", { text })
    return true
  }
}

/** Ollama's own embeddings, handed on in OpenAI's form. */
export const plainVectors: Reading = {
  relay: () => undefined,
  whole: (reply, _bytes, _text, value) => {
    if (!Array.isArray(value["embeddings"])) return false
    const answer = OllamaEmbed.fromAnswer(value)
    const text = JSON.stringify(answer)
    reply.whole(Buffer.from(text), text, answer)
    return true
  }
}
