import { Either } from "effect"
import * as Chat from "../chat/ChatRequest.ts"
import type { ChatRequest } from "../chat/ChatRequest.ts"
import type { InvalidRequest } from "../Errors.ts"
import { arrayField, isObject } from "../Json.ts"
import type { JsonObject } from "../Json.ts"
import { withoutImages } from "./OllamaContent.ts"
import { objects, readBody } from "./OllamaFields.ts"
import type { Check } from "./OllamaFields.ts"
import { fromChat, messagesProblem, toChat } from "./OllamaMessages.ts"
import { toOllama, toOpenAi } from "./OllamaOptions.ts"
import { bodyProblem, keptOf, loaded, named, withoutKeys } from "./OllamaRequest.ts"
import type { Kept } from "./OllamaRequest.ts"
import { makeVoice } from "./OllamaVoice.ts"

/**
 * `POST /api/chat` as a chat request. One without messages only asks for the model to be loaded: it is refused here,
 * and `loadAnswer` has the answer to it.
 */
export const decode = (bytes: Uint8Array): Either.Either<ChatRequest, InvalidRequest> =>
  Either.flatMap(checked(bytes), (body) => {
    const said = arrayField(body, "messages").filter(isObject)
    const kept: Kept = {
      endpoint: "/api/chat",
      body: withoutKeys(body, "messages", "percept"),
      messages: said.map(withoutImages)
    }
    const { model, think } = body
    const asked = typeof model === "string" && model !== "" ? model : undefined
    const voice = makeVoice({ endpoint: "/api/chat", model: asked, think })
    return Chat.fromBody({ ...toOpenAi(body), messages: toChat(said) }, { ollama: kept, voice })
  })

/**
 * The answer to a request that only loads a model, or unloads it (`keep_alive` 0); undefined for every other. It is
 * one object of JSON, whether a stream was asked for or not.
 */
export const loadAnswer = (bytes: Uint8Array): string | undefined => {
  const body = Either.getOrUndefined(checked(bytes))
  if (body === undefined || arrayField(body, "messages").length > 0) return undefined
  return loaded(body, { message: { role: "assistant", content: "" } })
}

/** A chat request as the body of `POST /api/chat`. */
export const toBody = (request: ChatRequest): JsonObject => {
  const kept = keptOf(request)
  const base = kept === undefined ? toOllama(request.body) : withoutKeys(kept.body, ...GENERATE_ONLY)
  return { ...base, ...named(request.model), messages: fromChat(request.messages, kept?.messages) }
}

const checked = (bytes: Uint8Array): Either.Either<JsonObject, InvalidRequest> =>
  Either.flatMap(readBody(bytes), (body) => {
    const found = bodyProblem(body, FIELDS) ?? messagesProblem(arrayField(body, "messages"))
    return found === undefined ? Either.right(body) : Either.left(found)
  })

const FIELDS: Readonly<Record<string, Check>> = {
  messages: [Array.isArray, "must be an array of messages."],
  tools: objects
}

const GENERATE_ONLY = ["prompt", "suffix", "system", "template", "context", "raw", "images"]
