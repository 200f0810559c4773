import type { ChatRequest } from "../chat/ChatRequest.ts"
import { withoutKey } from "../chat/Rewrite.ts"
import type { InvalidRequest } from "../Errors.ts"
import { arrayField, field, isObject, stringField } from "../Json.ts"
import type { JsonObject } from "../Json.ts"
import { COMMON, OPTIONS, problemIn } from "./OllamaFields.ts"
import type { Check } from "./OllamaFields.ts"

export type Endpoint = "/api/chat" | "/api/generate"

/** What `ChatRequest.ollama` holds: all that is needed to say the request again as the client said it. */
export type Kept = {
  /** The call the client made, and so the one to make where an Ollama server is to answer. */
  readonly endpoint: Endpoint
  /** The client's body but for its messages and pictures. */
  readonly body: JsonObject
  /** The client's messages but for their pictures; none of a generate. */
  readonly messages: ReadonlyArray<JsonObject>
}

/** The call that an Ollama server is to be asked with. */
export const endpointOf = (request: ChatRequest): Endpoint =>
  stringField(request.ollama, "endpoint") === "/api/generate" ? "/api/generate" : "/api/chat"

/** What the client said to Ollama; undefined where it spoke another dialect. */
export const keptOf = (request: ChatRequest): Kept | undefined => {
  const body = field(request.ollama, "body")
  if (!isObject(body)) return undefined
  return {
    endpoint: endpointOf(request),
    body,
    messages: arrayField(request.ollama, "messages").filter(isObject)
  }
}

/** The first of the body's fields that is wrong, its messages not looked into. */
export const bodyProblem = (
  body: JsonObject,
  further: Readonly<Record<string, Check>>
): InvalidRequest | undefined => {
  const { options } = body
  return (
    problemIn(body, COMMON) ??
    problemIn(body, further) ??
    (isObject(options) ? problemIn(options, OPTIONS, "options.") : undefined)
  )
}

/**
 * For servers that may refuse what they do not know: `reasoning` is OpenRouter's word, and where the client speaks
 * Ollama, it is the router that said it.
 */
export const unreasoned = (request: ChatRequest): ChatRequest =>
  request.ollama === undefined ? request : withoutKey(request, "reasoning")

/** What Ollama's clients ask for when they want a model brought in or sent away: an answer that says nothing. */
export const loaded = (body: JsonObject, said: JsonObject): string =>
  JSON.stringify({
    model: stringField(body, "model") ?? "",
    created_at: new Date().toISOString(),
    ...said,
    done: true,
    done_reason: isZero(body["keep_alive"]) ? "unload" : "load"
  })

/** Absent means yes. */
export const streams = (body: JsonObject): boolean => body["stream"] !== false

/** The same without some of its keys. */
export const withoutKeys = (body: JsonObject, ...keys: ReadonlyArray<string>): JsonObject =>
  Object.fromEntries(Object.entries(body).filter(([key]) => !keys.includes(key)))

/** The model's name as a field, where there is a name. */
export const named = (model: string | undefined): JsonObject => (model === undefined ? {} : { model })

const isZero = (duration: unknown): boolean =>
  duration === 0 || (typeof duration === "string" && /^(?:0+(?:\.0*)?(?:[a-zµ]+|$))+$/.test(duration))
