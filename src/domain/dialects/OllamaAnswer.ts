import { arrayField, isObject, numberField, stringField } from "../Json.ts"
import type { JsonObject } from "../Json.ts"
import { callOf } from "./OllamaCalls.ts"
import type { Call } from "./OllamaCalls.ts"
import { choiceLogprobs } from "./OllamaLogprobs.ts"
import { withoutKeys } from "./OllamaRequest.ts"
import { doneReason } from "./OllamaVoice.ts"

/**
 * A whole native answer, of chat or generate, as a chat completion. What chats have no word for stands under `ollama`,
 * where `OllamaVoice` finds it again.
 */
export const completionOf = (answer: JsonObject, id: string): JsonObject => {
  const { content, role, thinking, ...said } = read(answer)
  const calls = said.calls.map((call, index) => callOf(call, callId(id, index)))
  const finish = finishOf(answer, calls.length > 0)
  const message = {
    role,
    content: content === "" && calls.length > 0 ? null : content,
    ...(thinking === "" ? {} : { reasoning: thinking }),
    ...(calls.length === 0 ? {} : { tool_calls: calls })
  }
  return {
    ...headOf(answer, id, "chat.completion"),
    choices: [{ index: 0, message, finish_reason: finish, ...choiceLogprobs(answer) }],
    ...usageOf(answer),
    ollama: ownOf(answer, said.further, finish)
  }
}

/** The lines of a native stream, of chat or generate, as chunks of a chat. */
export const makeChunks = (id: string): ((line: JsonObject) => ReadonlyArray<JsonObject>) => {
  let hasBegun = false
  let called = 0
  return (line) => {
    const { content, role, thinking, ...said } = read(line)
    const isDone = line["done"] === true
    const calls = said.calls.map((call) => numbered(callOf(call, callId(id, called)), called++))
    const head = headOf(line, id, "chat.completion.chunk")
    const chunks: Array<JsonObject> = []
    const speaks =
      content !== "" || thinking !== "" || calls.length > 0 || arrayField(line, "logprobs").length > 0
    if (speaks || !isDone) {
      const own = isDone ? {} : ownOf(line, said.further, undefined)
      const delta = {
        ...(hasBegun ? {} : { role }),
        content,
        ...(thinking === "" ? {} : { reasoning: thinking }),
        ...(calls.length === 0 ? {} : { tool_calls: calls })
      }
      hasBegun = true
      chunks.push({
        ...head,
        choices: [{ index: 0, delta, finish_reason: null, ...choiceLogprobs(line) }],
        ...(Object.keys(own).length === 0 ? {} : { ollama: own })
      })
    }
    if (isDone) {
      const finish = finishOf(line, called > 0)
      chunks.push({
        ...head,
        choices: [{ index: 0, delta: {}, finish_reason: finish }],
        ...usageOf(line),
        ollama: ownOf(line, said.further, finish)
      })
    }
    return chunks
  }
}

interface Read {
  readonly role: string
  readonly content: string
  readonly thinking: string
  readonly calls: ReadonlyArray<unknown>
  /** Of the message: what else it holds. */
  readonly further: JsonObject
}

/** A chat says it in a message, a generate in the line itself. */
const read = (answer: JsonObject): Read => {
  const { message } = answer
  const said = isObject(message) ? message : answer
  return {
    role: stringField(message, "role") || "assistant",
    content: stringField(message, "content") ?? stringField(answer, "response") ?? "",
    thinking: stringField(said, "thinking") ?? "",
    calls: arrayField(said, "tool_calls"),
    further: isObject(message) ? withoutKeys(message, "role", "content", "thinking", "tool_calls") : {}
  }
}

const headOf = (answer: JsonObject, id: string, object: string): JsonObject => {
  const created = Date.parse(stringField(answer, "created_at") ?? "")
  return {
    id,
    object,
    created: Math.floor((Number.isNaN(created) ? Date.now() : created) / 1000),
    model: stringField(answer, "model") ?? ""
  }
}

/** A count is left out where it is nothing: all of a prompt may have been known already. */
const usageOf = (answer: JsonObject): JsonObject => {
  const prompt = numberField(answer, "prompt_eval_count")
  const said = numberField(answer, "eval_count")
  if (prompt === undefined && said === undefined) return {}
  const [prompt_tokens, completion_tokens] = [prompt ?? 0, said ?? 0]
  return { usage: { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens } }
}

const ownOf = (answer: JsonObject, further: JsonObject, finish: string | undefined): JsonObject => {
  const reason = stringField(answer, "done_reason")
  return {
    ...withoutKeys(answer, ...COMMON),
    ...(finish === undefined || reason === undefined || reason === doneReason(finish)
      ? {}
      : { done_reason: reason }),
    ...(Object.keys(further).length === 0 ? {} : { message: further })
  }
}

const finishOf = (answer: JsonObject, hasCalled: boolean): string => {
  if (hasCalled) return "tool_calls"
  return stringField(answer, "done_reason") === "length" ? "length" : "stop"
}

const numbered = (call: Call, index: number): JsonObject => ({ index, ...call })

/** Short enough for whoever gets it back with the tool's answer. */
const callId = (id: string, index: number): string => `call_${id.replace(/\W/g, "").slice(-24)}_${index}`

const COMMON = [
  ...["model", "created_at", "message", "response", "thinking", "tool_calls"],
  ...["done", "done_reason", "logprobs"]
]
