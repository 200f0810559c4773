import { arrayField, field } from "../Json.ts"
import type { JsonObject } from "../Json.ts"

/** How probable a choice's tokens were, as Ollama says it; undefined where nothing is said of it. */
export const nativeLogprobs = (choice: unknown): ReadonlyArray<JsonObject> | undefined => {
  const tokens = arrayField(field(choice, "logprobs"), "content")
  return tokens.length === 0 ? undefined : tokens.map(nativeToken)
}

/** The same of an Ollama answer, as a chat's choice has it. */
export const choiceLogprobs = (answer: JsonObject): JsonObject => {
  const tokens = arrayField(answer, "logprobs")
  if (tokens.length === 0) return {}
  const content = tokens.map((token) =>
    Object.assign(openToken(token), { top_logprobs: arrayField(token, "top_logprobs").map(openToken) })
  )
  return { logprobs: { content, refusal: null } }
}

const nativeToken = (token: unknown): JsonObject => {
  const others = arrayField(token, "top_logprobs").map(plainToken)
  return { ...plainToken(token), ...(others.length === 0 ? {} : { top_logprobs: others }) }
}

const plainToken = (token: unknown): JsonObject => {
  const bytes = field(token, "bytes")
  return {
    token: field(token, "token"),
    logprob: field(token, "logprob"),
    ...(Array.isArray(bytes) ? { bytes } : {})
  }
}

const openToken = (token: unknown): JsonObject => ({
  token: field(token, "token"),
  logprob: field(token, "logprob"),
  bytes: field(token, "bytes") ?? null
})
