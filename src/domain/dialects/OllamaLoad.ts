import { Either } from "effect"
import type { ChatRequest } from "../chat/ChatRequest.ts"
import type { InvalidRequest } from "../Errors.ts"
import { isObject, parseJson, stringField } from "../Json.ts"
import type { JsonObject } from "../Json.ts"
import * as OllamaChat from "./OllamaChat.ts"
import * as OllamaGenerate from "./OllamaGenerate.ts"
import { withoutKeys } from "./OllamaRequest.ts"
import type { Endpoint, Kept } from "./OllamaRequest.ts"
import { makeVoice } from "./OllamaVoice.ts"

type Decode = (bytes: Uint8Array) => Either.Either<ChatRequest, InvalidRequest>

/**
 * `POST /api/chat`, and requests there that only want a model brought in or sent away: those have no messages, and no
 * other request is without.
 */
export const decodeChat: Decode = (bytes) =>
  Either.orElse(OllamaChat.decode(bytes), (problem) =>
    orLoad("/api/chat", bytes, OllamaChat.loadAnswer(bytes), problem)
  )

/** `POST /api/generate`, and the same there. */
export const decodeGenerate: Decode = (bytes) =>
  Either.orElse(OllamaGenerate.decode(bytes), (problem) =>
    orLoad("/api/generate", bytes, OllamaGenerate.loadAnswer(bytes), problem)
  )

/** What to answer where nothing has to be brought in; undefined for requests that want an answer of the model. */
export const readyAnswer = ({ messages, model = "", ollama }: ChatRequest): JsonObject | undefined =>
  messages.length > 0
    ? undefined
    : {
        id: "chatcmpl-load",
        object: "chat.completion",
        created: Math.floor(Date.now() / 1000),
        model,
        choices: [{ index: 0, message: { role: "assistant", content: "" }, finish_reason: "stop" }],
        ollama: { done_reason: ollama?.["done_reason"] }
      }

const orLoad = (
  endpoint: Endpoint,
  bytes: Uint8Array,
  answer: string | undefined,
  problem: InvalidRequest
): Either.Either<ChatRequest, InvalidRequest> => {
  const text = decoder.decode(bytes)
  const body = parseJson(text)
  if (answer === undefined || !isObject(body)) return Either.left(problem)
  const kept: Kept = { endpoint, body: withoutKeys(body, "messages", "percept"), messages: [] }
  const model = stringField(body, "model") || undefined
  return Either.right({
    bytes,
    text,
    body,
    messages: [],
    model,
    stream: false,
    ollama: { ...kept, done_reason: stringField(parseJson(answer), "done_reason") },
    voice: makeVoice({ endpoint, model, think: undefined })
  })
}

const decoder = new TextDecoder()
