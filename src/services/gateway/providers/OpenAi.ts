import { Effect, Redacted } from "effect"
import type { ChatRequest } from "../../../domain/chat/ChatRequest.ts"
import type { JsonObject } from "../../../domain/Json.ts"
import { AppConfig } from "../../AppConfig.ts"
import type { Provider } from "../Provider.ts"
import { listedModels } from "./listedModels.ts"
import * as OpenAiCompatible from "./OpenAiCompatible.ts"

/** OpenAI itself, or whoever stands at `OPENAI_BASE_URL`. */
export const make = Effect.fnUntraced(function* (key: Redacted.Redacted) {
  const { openAiUrl } = yield* AppConfig
  const client = yield* OpenAiCompatible.make({
    name: NAME,
    chatUrl: OpenAiCompatible.chatUrlOf(openAiUrl),
    headers: [
      ...["authorization", `Bearer ${Redacted.value(key)}`, "content-type", "application/json"],
      ...["accept-encoding", "identity", "user-agent", "percept"]
    ],
    forwards: (header) => header === "openai-organization" || header === "openai-project"
  })
  const { completions, embeddings, transcribe } = client
  const answer: Provider["answer"] = (request, reply, exchange) =>
    client.answer(request.ollama === undefined ? request : inOpenAisWords(request), reply, exchange)
  return {
    name: NAME,
    answer,
    models: listedModels(client, NAME),
    completions,
    embeddings,
    transcribe
  } satisfies Provider
})

const NAME = "openai"

/**
 * OpenAI refuses what it does not know. A client that speaks OpenAI has to know that itself; for one that speaks
 * Ollama it was the router that put these words into the request.
 */
const inOpenAisWords = (request: ChatRequest): ChatRequest => {
  const { reasoning_effort, ...body } = without(request.body, UNKNOWN)
  const messages = request.messages.map((message) => without(message, UNKNOWN_IN_MESSAGES))
  const thought = THINKS.test(request.model ?? "") ? thinking(body, reasoning_effort) : body
  return { ...request, bytes: Buffer.from(JSON.stringify({ ...thought, messages })) }
}

/** Models that think take an effort, and know the bound for their answer by its newer name alone. */
const thinking = ({ max_tokens, ...body }: JsonObject, effort: unknown): JsonObject => ({
  ...body,
  ...(max_tokens === undefined ? {} : { max_completion_tokens: max_tokens }),
  ...(effort === undefined ? {} : { reasoning_effort: effort === "max" ? "high" : effort })
})

const without = (object: JsonObject, keys: ReadonlySet<string>): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([key]) => !keys.has(key)))

const THINKS = /^(?:o\d|gpt-5)/
const UNKNOWN = new Set(["top_k", "min_p", "repetition_penalty", "reasoning"])
const UNKNOWN_IN_MESSAGES = new Set(["reasoning", "reasoning_content", "reasoning_details"])
