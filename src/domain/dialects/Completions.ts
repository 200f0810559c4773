import { Either } from "effect"
import * as ChatRequest from "../chat/ChatRequest.ts"
import { withTopLevel } from "../chat/ModelName.ts"
import { InvalidRequest } from "../Errors.ts"
import { field } from "../Json.ts"
import type { JsonObject } from "../Json.ts"
import { requestObject } from "../RequestObject.ts"
import { makeVoice } from "./CompletionVoice.ts"

/** A legacy completion: the client's own bytes, and each of its prompts as what a user says in a chat. */
export interface CompletionRequest extends ChatRequest.ChatRequest {
  /** Undefined where they are tokens, which mean something to one model alone. */
  readonly prompts: ReadonlyArray<string> | undefined
}

/** Reads a request once. Only what the router relies on is checked; all else is the provider's business. */
export const decode = (bytes: Uint8Array): Either.Either<CompletionRequest, InvalidRequest> => {
  const text = decoder.decode(bytes)
  const body = requestObject(text)
  if (body instanceof InvalidRequest) return Either.left(body)
  const { model, prompt, stream } = body
  if (model !== undefined && model !== null && typeof model !== "string")
    return wrong("'model' must be a string.", "model")
  if (stream !== undefined && stream !== null && typeof stream !== "boolean")
    return wrong("'stream' must be true or false.", "stream")
  const prompts = textsIn(prompt)
  if (prompts === undefined && !areTokens(prompt))
    return wrong("'prompt' must be a string, strings, tokens or lists of tokens.", "prompt")
  return Either.right({
    bytes,
    text,
    body,
    prompts,
    messages: (prompts ?? []).map((content) => ({ role: "user", content })),
    model: model === null || model === "" ? undefined : model,
    stream: stream === true
  })
}

/** The same request as chats, one for each prompt; their answers are said as a completion. */
export const chatsOf = (
  request: CompletionRequest
): Either.Either<ReadonlyArray<ChatRequest.ChatRequest>, InvalidRequest> => {
  const { echo, logprobs } = request.body
  const rest = Object.fromEntries(Object.entries(request.body).filter(([key]) => !OWN_WORDS.has(key)))
  const voice = makeVoice({
    prompts: echo === true ? (request.prompts ?? []) : [],
    choicesEach: choicesEach(request),
    usageAsked: field(rest["stream_options"], "include_usage") === true
  })
  return Either.all(
    request.messages.map((message) =>
      ChatRequest.fromBody({ ...rest, messages: [message], ...likelihoods(logprobs) }, { voice })
    )
  )
}

/** What a chat cannot do for a completion; undefined where it can do all that is asked. */
export const refusalAsChat = (request: CompletionRequest): InvalidRequest | undefined => {
  const { best_of, n, suffix } = request.body
  if (request.prompts === undefined)
    return refused("prompt", "must be text: this model takes no tokens from other tokenizers.")
  if (request.prompts.length > MOST_PROMPTS)
    return refused("prompt", `may hold ${MOST_PROMPTS} texts for this model, which answers each in a chat.`)
  if (isSaid(suffix) && suffix !== "")
    return refused("suffix", "cannot be used here: the prompt goes to this model as a chat.")
  if (isSaid(n) && !(Number.isInteger(n) && Number(n) >= 1))
    return refused("n", "must be a whole number from 1 on.")
  if (isSaid(best_of) && best_of !== choicesEach(request))
    return refused("best_of", "must be 'n' here: the prompt goes to this model as a chat.")
  return undefined
}

/** Answers to each prompt. */
export const choicesEach = ({ body: { n } }: CompletionRequest): number =>
  typeof n === "number" && Number.isInteger(n) && n >= 1 ? n : 1

/** The same request with other words in its prompts. Nothing else changes on the wire. */
export const withPrompts = (
  request: CompletionRequest,
  prompts: ReadonlyArray<string>
): CompletionRequest => {
  const { prompt: old } = request.body
  if (request.prompts === undefined || !isSaid(old)) return request
  const prompt = typeof old === "string" ? prompts[0] : prompts
  const text = withTopLevel(request.text, "prompt", JSON.stringify(prompt))
  return { ...request, text, bytes: encoder.encode(text), body: { ...request.body, prompt }, prompts }
}

/** The texts of a prompt; undefined where it has none. */
const textsIn = (prompt: unknown): ReadonlyArray<string> | undefined => {
  if (!isSaid(prompt)) return [BEGINNING]
  if (typeof prompt === "string") return [prompt]
  if (!Array.isArray(prompt) || prompt.length === 0) return undefined
  const texts = prompt.filter((item) => typeof item === "string")
  return texts.length === prompt.length ? texts : undefined
}

const areTokens = (prompt: unknown): boolean =>
  Array.isArray(prompt) &&
  prompt.length > 0 &&
  (prompt.every((token) => Number.isInteger(token)) ||
    prompt.every((list) => Array.isArray(list) && list.every((token) => Number.isInteger(token))))

/** A chat wants to be told apart whether to tell likelihoods, and how many of them. */
const likelihoods = (logprobs: unknown): JsonObject => {
  if (typeof logprobs === "number") return { logprobs: true, top_logprobs: logprobs }
  return isSaid(logprobs) ? { logprobs } : {}
}

const isSaid = (value: unknown): boolean => value !== undefined && value !== null

const wrong = (message: string, param: string) =>
  Either.left(new InvalidRequest({ message, param, code: null }))

const refused = (param: string, why: string) =>
  new InvalidRequest({ message: `'${param}' ${why}`, param, code: null })

/** What no chat has, or has otherwise. */
const OWN_WORDS = new Set(["best_of", "echo", "logprobs", "prompt", "suffix"])

/** What OpenAI takes where there is no prompt: the beginning of a new document. */
const BEGINNING = "<|endoftext|>"

/** One request may not become more calls than this. */
const MOST_PROMPTS = 128
const decoder = new TextDecoder()
const encoder = new TextEncoder()
