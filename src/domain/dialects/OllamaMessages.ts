import type { InvalidRequest } from "../Errors.ts"
import { arrayField, field, isObject, stringField } from "../Json.ts"
import type { JsonObject } from "../Json.ts"
import { callOf, nativeCalls } from "./OllamaCalls.ts"
import type { Call } from "./OllamaCalls.ts"
import { contentOf, imagesOf, restored, textOf } from "./OllamaContent.ts"
import { aString, anObject, objects, pictures, problem, problemIn } from "./OllamaFields.ts"
import type { Check } from "./OllamaFields.ts"

/** What is wrong with a client's messages, if anything is. */
export const messagesProblem = (messages: ReadonlyArray<unknown>): InvalidRequest | undefined => {
  for (let index = 0; index < messages.length; index++) {
    const found = messageProblem(messages[index], `messages[${index}]`)
    if (found !== undefined) return found
  }
  return undefined
}

/** Ollama's messages as those of a chat. */
export const toChat = (messages: ReadonlyArray<JsonObject>): ReadonlyArray<JsonObject> => {
  const open = new OpenCalls()
  return messages.map((message, at) => {
    const role = (stringField(message, "role") ?? "").toLowerCase()
    const content = contentOf(stringField(message, "content") ?? "", message["images"])
    if (role === "tool") return { role, tool_call_id: open.answeredBy(message) ?? `call_${at}`, content }
    const calls = arrayField(message, "tool_calls").map((call, index) => callOf(call, `call_${at}_${index}`))
    open.said(calls)
    const thinking = stringField(message, "thinking")
    return {
      role,
      // Words that are no words are refused by some who take none at all.
      content: calls.length > 0 && content === "" ? null : content,
      ...(thinking === undefined || thinking === "" ? {} : { reasoning: thinking }),
      ...(calls.length === 0 ? {} : { tool_calls: calls })
    }
  })
}

/**
 * The messages of a chat as Ollama's. Where the client said them to Ollama in the first place, only their words and
 * pictures can have changed on the way.
 */
export const fromChat = (
  messages: ReadonlyArray<JsonObject>,
  kept: ReadonlyArray<JsonObject> = []
): ReadonlyArray<JsonObject> => {
  if (kept.length === messages.length)
    return messages.map((message, at) => restored(kept[at] ?? {}, message["content"], "content"))
  const names = new Map<string, string>()
  return messages.map((message) => {
    const role = stringField(message, "role") ?? "user"
    const calls = nativeCalls(arrayField(message, "tool_calls"))
    for (const call of calls)
      names.set(stringField(call, "id") ?? "", stringField(field(call, "function"), "name") ?? "")
    const images = imagesOf(message["content"])
    const thinking = stringField(message, "reasoning") ?? stringField(message, "reasoning_content")
    return {
      role: ROLES[role] ?? role,
      content: textOf(message["content"]),
      ...(thinking === undefined || thinking === "" ? {} : { thinking }),
      ...(images.length === 0 ? {} : { images }),
      ...(calls.length === 0 ? {} : { tool_calls: calls }),
      ...answerFields(message, names)
    }
  })
}

/** Calls of the assistant that wait for what their tool has to say. */
class OpenCalls {
  private calls: Array<Call> = []
  private isSpeaking = false

  /** Whoever calls anew, after others have spoken, no longer waits for old answers. */
  said(calls: ReadonlyArray<Call>): void {
    if (calls.length > 0) this.calls = this.isSpeaking ? [...this.calls, ...calls] : [...calls]
    this.isSpeaking = calls.length > 0
  }

  /** The call this answers: the one it names, else the first of its tool, else the first of all. */
  answeredBy(message: JsonObject): string | undefined {
    this.isSpeaking = false
    const id = stringField(message, "tool_call_id")
    const name = stringField(message, "tool_name") ?? stringField(message, "name")
    const called =
      id === undefined || id === ""
        ? (this.calls.find((call) => call.function.name === name) ?? this.calls[0])
        : this.calls.find((call) => call.id === id)
    this.calls = this.calls.filter((call) => call !== called)
    return id || called?.id
  }
}

const answerFields = (message: JsonObject, names: ReadonlyMap<string, string>): JsonObject => {
  const role = stringField(message, "role")
  if (role !== "tool" && role !== "function") return {}
  const id = stringField(message, "tool_call_id")
  const name = stringField(message, "name") ?? names.get(id ?? "")
  return {
    ...(name === undefined ? {} : { tool_name: name }),
    ...(id === undefined ? {} : { tool_call_id: id })
  }
}

const messageProblem = (message: unknown, at: string): InvalidRequest | undefined => {
  if (!isObject(message)) return problem(at, "must be an object.")
  const { role } = message
  if (typeof role !== "string" || role === "") return problem(`${at}.role`, "must be a string.")
  const found = problemIn(message, MESSAGE, `${at}.`)
  if (found !== undefined) return found
  const calls = arrayField(message, "tool_calls")
  for (let index = 0; index < calls.length; index++) {
    const call = calls[index]
    const here = `${at}.tool_calls[${index}]`
    const said = field(call, "function")
    if (!isObject(call) || !isObject(said)) return problem(`${here}.function`, "must be an object.")
    if (typeof said["name"] !== "string") return problem(`${here}.function.name`, "must be a string.")
    const wrong = problemIn(call, { id: aString }, `${here}.`) ?? problemIn(said, CALLED, `${here}.function.`)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

const MESSAGE: Readonly<Record<string, Check>> = {
  content: aString,
  thinking: aString,
  images: pictures,
  tool_calls: objects,
  tool_name: aString,
  tool_call_id: aString
}

const CALLED: Readonly<Record<string, Check>> = { arguments: anObject }

/** Roles that Ollama has under another name. */
const ROLES: Readonly<Record<string, string>> = { developer: "system", function: "tool" }
