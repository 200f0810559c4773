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
  return [
    { role: "system", content: system },
    { role: "user", content: prompt ?? input }
  ]
    .filter(({ content }) => content)
    .map((message) => messageOf(message, ""))
}

/** What was answered, one message for each choice. */
export const answered = (response: unknown): ReadonlyArray<Message> => {
  const { choices, message, text } = fields(response)
  return list(choices ?? ((message ?? text) ? response : undefined)).map((choice) => {
    const { message, text } = fields(choice)
    return messageOf({ role: "assistant", content: text, ...fields(message) }, "")
  })
}

const messageOf = (value: unknown, place: string): Message => {
  const { content, images, reasoning, reasoning_content, refusal, role, thinking, tool_calls } = fields(value)
  return {
    role: textOf(role ?? "user"),
    parts: [
      ...list(reasoning ?? reasoning_content ?? thinking).map((text) => said(text, "reasoning")),
      ...list(content).map((part, at) => partOf(part, `${place}.content[${at}]`)),
      ...list(images).map((image, at) => fileOf("image", image, `${place}.images[${at}]`)),
      ...list(refusal).map((text) => said(text, "refusal")),
      ...list(tool_calls).map((call): Part => {
        const { arguments: given, name } = fields(fields(call)["function"])
        return { type: "call", name: textOf(name), text: textOf(given) }
      })
    ]
  }
}

const partOf = (value: unknown, place: string): Part => {
  const part = fields(value)
  const type = textOf(part["type"])
  const [, kind] = /^(?:input_)?(image|video|audio|file)(?:_url)?$/.exec(type) ?? []
  return typeof part["text"] === "string" || !kind
    ? said(part["text"] ?? value)
    : fileOf(kind, part[type], place)
}

const fileOf = (kind: string, value: unknown, place: string): Part => {
  const { data, file_data, filename, url = data ?? file_data ?? value } = fields(value)
  const { bytes, mime, sha256 } = fields(url)
  return {
    type: "file",
    kind,
    label: textOf(filename ?? mime ?? (typeof url === "string" ? url : kind)),
    bytes: typeof bytes === "number" ? bytes : undefined,
    sha256: typeof sha256 === "string" ? sha256 : undefined,
    place
  }
}

const said = (value: unknown, type: "text" | "reasoning" | "refusal" = "text"): Part => ({
  type,
  text: textOf(value)
})

/** Objects that somebody else made are never asked to turn themselves into text. */
const textOf = (value: unknown): string => (typeof value === "string" ? value : (JSON.stringify(value) ?? ""))

const fields = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? { ...value } : {}

const list = (value: unknown): ReadonlyArray<unknown> =>
  Array.isArray(value) ? value : value == null || value === "" ? [] : [value]
