import { Either } from "effect"
import { InvalidRequest } from "../Errors.ts"
import { isObject } from "../Json.ts"
import type { Voice } from "../dialects/Voice.ts"
import type { JsonObject } from "../Json.ts"
import { requestObject, tooDeep } from "../RequestObject.ts"
import * as ModelName from "./ModelName.ts"

/** A chat request in the internal form: the client's own bytes beside what they say. */
export interface ChatRequest {
  readonly bytes: Uint8Array
  readonly text: string
  readonly body: JsonObject
  readonly messages: ReadonlyArray<JsonObject>
  /** Undefined where the client leaves the choice to the router. */
  readonly model: string | undefined
  readonly stream: boolean
  /** What only an Ollama server understands; it stands beside the body, so that nobody else is bothered with it. */
  readonly ollama?: JsonObject
  /** Set where the client speaks another dialect than OpenAI's chat. */
  readonly voice?: Voice
}

/** Another dialect's request, put into the internal form. */
export const fromBody = (
  body: JsonObject,
  rest: Pick<ChatRequest, "ollama" | "voice"> = {}
): Either.Either<ChatRequest, InvalidRequest> => {
  const text = JSON.stringify(body)
  const refusal = tooDeep(text)
  if (refusal !== undefined) return Either.left(refusal)
  return Either.map(read(text, body), (request) => ({ ...request, ...rest }))
}

/** Reads a request once. Only what the router relies on is checked; all else is the provider's business. */
export const parse = (bytes: Uint8Array): Either.Either<ChatRequest, InvalidRequest> => {
  const text = decoder.decode(bytes)
  const body = requestObject(text)
  return body instanceof InvalidRequest ? Either.left(body) : read(text, body, bytes)
}

const read = (
  text: string,
  body: JsonObject,
  bytes: Uint8Array = encoder.encode(text)
): Either.Either<ChatRequest, InvalidRequest> => {
  const { model, messages, stream } = body
  if (model !== undefined && model !== null && typeof model !== "string")
    return wrong("'model' must be a string.", "model")
  if (stream !== undefined && stream !== null && typeof stream !== "boolean")
    return wrong("'stream' must be true or false.", "stream")
  if (messages === undefined) return wrong("'messages' is missing.", "messages", "missing_required_parameter")
  if (!Array.isArray(messages) || messages.length === 0)
    return wrong("'messages' must be an array with at least one message.", "messages")
  for (let index = 0; index < messages.length; index++) {
    const problem = messageProblem(messages[index])
    if (problem !== undefined)
      return wrong(`'messages[${index}]${problem[0]}' ${problem[1]}`, `messages[${index}]${problem[0]}`)
  }
  return Either.right({
    bytes,
    text,
    body,
    messages: messages as ReadonlyArray<JsonObject>,
    model: model === null || model === "" ? undefined : model,
    stream: stream === true
  })
}

/** The same request for another model name. Nothing but the name changes on the wire. */
export const withModel = (request: ChatRequest, model: string): ChatRequest =>
  ModelName.withModel(request, model)

const messageProblem = (message: unknown): readonly [string, string] | undefined => {
  if (!isObject(message)) return ["", "must be an object."]
  if (typeof message["role"] !== "string") return [".role", "must be a string."]
  const content = message["content"]
  if (content === undefined || content === null || typeof content === "string") return undefined
  if (!Array.isArray(content)) return [".content", "must be a string, an array of parts, or null."]
  for (let index = 0; index < content.length; index++) {
    const part: unknown = content[index]
    if (!isObject(part) || typeof part["type"] !== "string")
      return [`.content[${index}]`, "must be an object with a 'type'."]
  }
  return undefined
}

const wrong = (message: string, param: string, code: string | null = null) =>
  Either.left(new InvalidRequest({ message, param, code }))

const decoder = new TextDecoder()
const encoder = new TextEncoder()
