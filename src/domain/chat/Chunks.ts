import { arrayField, field, isObject, numberField, stringField } from "../Json.ts"
import type { JsonObject } from "../Json.ts"

/**
 * A whole answer as the events of a stream: for a client whose stream has been opened already when the
 * provider turns out not to stream.
 */
export const chunksOf = (completion: JsonObject): ReadonlyArray<JsonObject> => {
  const { choices, usage, ...rest } = completion
  const head = { ...rest, object: "chat.completion.chunk" }
  const all = Array.isArray(choices) ? choices : []
  const said = all.map((choice: unknown, at) => ({
    ...head,
    choices: [
      {
        index: numberField(choice, "index") ?? at,
        delta: deltaOf(choice),
        ...(isObject(field(choice, "logprobs")) ? { logprobs: field(choice, "logprobs") } : {}),
        finish_reason: null
      }
    ]
  }))
  const ends = all.map((choice: unknown, at) => ({
    index: numberField(choice, "index") ?? at,
    delta: {},
    finish_reason: stringField(choice, "finish_reason") ?? "stop"
  }))
  return [...said, { ...head, choices: ends, ...(usage === undefined ? {} : { usage }) }]
}

/** Tool calls of a stream carry their place. */
const deltaOf = (choice: unknown): JsonObject => {
  const message = field(choice, "message")
  if (!isObject(message)) return {}
  const calls = arrayField(message, "tool_calls")
  if (calls.length === 0) return message
  return {
    ...message,
    tool_calls: calls.filter(isObject).map((call, index) => Object.assign({ index }, call))
  }
}
