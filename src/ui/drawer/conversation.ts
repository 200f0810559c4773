/** One message of a request or an answer, whatever dialect it was written in. */
export interface Message {
  readonly role: string
  readonly parts: ReadonlyArray<Part>
}

export type Part =
  | { readonly type: "text" | "reasoning" | "refusal"; readonly text: string }
  /** A link, or bytes of which the hash alone is kept. */
  | {
      readonly type: "file"
      readonly kind: string
      readonly label: string
      readonly bytes: number | undefined
      readonly sha256: string | undefined
      /** Where in the request it stands, as the record calls it. */
      readonly place: string
    }
  | { readonly type: "call"; readonly name: string; readonly text: string }

/** The messages of a request; what is none has its prompt or input. */
export const asked = (request: unknown): ReadonlyArray<Message> => {
  const { input, messages, prompt, system } = fields(request)
  if (Array.isArray(messages)) return messages.map((message, at) => messageOf(message, `messages[${at}]`))
  const text = prompt ?? input
  return [
    ...(typeof system === "string" ? [messageOf({ role: "system", content: system }, "system")] : []),
    ...(text === undefined ? [] : [{ role: "user", parts: list(text).map(plain) }])
  ]
}

/** What was answered, one message for each choice. */
export const answered = (response: unknown): ReadonlyArray<Message> => {
  const { choices, message, text } = fields(response)
  if (typeof text === "string") return [{ role: "assistant", parts: [plain(text)] }]
  return (Array.isArray(choices) ? choices : message === undefined ? [] : [{ message }]).map((choice) => {
    const { message, text } = fields(choice)
    return messageOf({ role: "assistant", content: text, ...fields(message) }, "")
  })
}

const messageOf = (value: unknown, place: string): Message => {
  const message = fields(value)
  const { content, reasoning = message["reasoning_content"] ?? message["thinking"] } = message
  return {
    role: textOf(message["role"] ?? "user"),
    parts: [
      ...(typeof reasoning === "string" && reasoning
        ? [{ type: "reasoning" as const, text: reasoning }]
        : []),
      ...(typeof content === "string"
        ? content
          ? [plain(content)]
          : []
        : list(content).map((part, at) => partOf(part, `${place}.content[${at}]`))),
      ...list(message["images"]).map((image, at) => fileOf("image", image, `${place}.images[${at}]`)),
      ...(typeof message["refusal"] === "string"
        ? [{ type: "refusal" as const, text: message["refusal"] }]
        : []),
      ...list(message["tool_calls"]).map(callOf)
    ]
  }
}

const partOf = (value: unknown, place: string): Part => {
  const part = fields(value)
  const type = textOf(part["type"])
  if (typeof part["text"] === "string") return plain(part["text"])
  const file = FILES.get(type)
  return file === undefined ? plain(value) : fileOf(file, part[type], place)
}

const fileOf = (kind: string, value: unknown, place: string): Part => {
  const outer = fields(value)
  const given = outer["url"] ?? outer["data"] ?? outer["file_data"] ?? value
  const { bytes, mime, sha256 } = fields(given)
  const name = outer["filename"] ?? mime ?? (typeof given === "string" ? given : kind)
  return {
    type: "file",
    kind,
    label: textOf(name),
    bytes: typeof bytes === "number" ? bytes : undefined,
    sha256: typeof sha256 === "string" ? sha256 : undefined,
    place
  }
}

const callOf = (value: unknown): Part => {
  const { arguments: given, name } = fields(fields(value)["function"])
  return { type: "call", name: textOf(name), text: textOf(given) }
}

const plain = (value: unknown): Part => ({ type: "text", text: textOf(value) })

/** Objects that somebody else made are never asked to turn themselves into text. */
const textOf = (value: unknown): string => (typeof value === "string" ? value : (JSON.stringify(value) ?? ""))

const fields = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? { ...value } : {}

const list = (value: unknown): ReadonlyArray<unknown> =>
  Array.isArray(value) ? value : value === undefined || value === null ? [] : [value]

const FILES: ReadonlyMap<string, string> = new Map([
  ["image_url", "image"],
  ["video_url", "video"],
  ["input_video", "video"],
  ["input_audio", "audio"],
  ["file", "file"]
])
