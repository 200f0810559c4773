import { arrayField, field, isObject, parseJson, stringField } from "../../domain/Json.ts"
import type { JsonObject } from "../../domain/Json.ts"
import type { RequestBodies } from "../../domain/RequestRecord.ts"
import { attributesOf } from "./otlp.ts"
import type { KeyValue } from "./otlp.ts"

/** What was asked and answered, as the record keeps it, in the form of the GenAI conventions. */
export const contentOf = (bodies: RequestBodies | undefined): ReadonlyArray<KeyValue> => {
  const asked = parsed(bodies?.request_body)
  const answered = parsed(bodies?.response_body)
  const prompt = asked?.["prompt"] ?? asked?.["input"]
  const input =
    prompt === undefined
      ? arrayField(asked, "messages").map(messageOf)
      : [prompt].flat().map((text) => ({ role: "user", parts: [partOf(text)] }))
  const output = arrayField(answered, "choices").map((choice) =>
    Object.assign(
      messageOf(field(choice, "message") ?? { role: "assistant", content: field(choice, "text") }),
      {
        finish_reason: stringField(choice, "finish_reason") ?? "error"
      }
    )
  )
  return attributesOf({
    "gen_ai.input.messages": input.length === 0 ? undefined : JSON.stringify(input),
    "gen_ai.output.messages": output.length === 0 ? undefined : JSON.stringify(output)
  })
}

const parsed = (text: string | null | undefined): JsonObject | undefined => {
  const value = typeof text === "string" ? parseJson(text) : undefined
  return isObject(value) ? value : undefined
}

const messageOf = (message: unknown) => {
  const content = field(message, "content")
  const parts = (Array.isArray(content) ? content : content === null ? [] : [content]).map(partOf)
  const calls = arrayField(message, "tool_calls").map((call) => ({
    type: "tool_call",
    id: stringField(call, "id") ?? null,
    name: stringField(field(call, "function"), "name") ?? "",
    arguments: field(field(call, "function"), "arguments") ?? null
  }))
  return { role: stringField(message, "role") ?? "user", parts: [...parts, ...calls] }
}

/** Texts are texts; of media the record keeps what they are and no more. */
const partOf = (part: unknown): JsonObject => {
  const text = typeof part === "string" ? part : stringField(part, "text")
  if (text !== undefined) return { type: "text", content: text }
  return isObject(part) ? part : { type: "text", content: String(part) }
}
