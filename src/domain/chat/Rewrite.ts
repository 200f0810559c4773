import { elements, members, topLevelValues } from "../Json.ts"
import type { JsonObject, Stretch } from "../Json.ts"
import type { ChatRequest } from "./ChatRequest.ts"

/** What is to become of one message. */
export interface ContentEdit {
  readonly message: number
  /** Parts taken out or replaced in place, by their index; content that is a string counts as text part 0. */
  readonly replace: ReadonlyMap<number, ReadonlyArray<JsonObject>>
  /** Parts added at the end of the content. */
  readonly append: ReadonlyArray<JsonObject>
  /** Keys of the message that go, such as Ollama's `images`. */
  readonly without?: ReadonlyArray<string>
}

/** The same request with some contents changed; all else stays on the wire as the client wrote it. */
export const rewrite = (request: ChatRequest, edits: ReadonlyArray<ContentEdit>): ChatRequest => {
  const changes = collected(request.messages, edits)
  if (changes.size === 0) return request
  const messages = request.messages.map((message, index) => {
    const edit = changes.get(index)
    return edit === undefined ? message : editedMessage(message, edit)
  })
  // JSON.parse, and so everybody who read the request, took the last of two.
  const [open = 0] = topLevelValues(request.text, "messages").at(-1) ?? []
  let text = ""
  let done = 0
  elements(request.text, open).forEach(({ from, to }, index) => {
    const edit = changes.get(index)
    if (edit === undefined) return
    text += request.text.slice(done, from) + editedMessageText(request.text, from, edit)
    done = to
  })
  text += request.text.slice(done)
  return { ...request, text, bytes: encoder.encode(text), body: { ...request.body, messages }, messages }
}

/** The same request without a key at its top that is meant for the router alone. */
export const withoutKey = (request: ChatRequest, key: string): ChatRequest => {
  if (!Object.hasOwn(request.body, key)) return request
  const { [key]: _, ...body } = request.body
  const open = request.text.indexOf("{")
  const all = members(request.text, open)
  const object = listed(request.text, open, all, (index) => (all[index]?.key === key ? [] : undefined), [])
  const text = request.text.slice(0, open) + object.text + request.text.slice(object.end)
  return { ...request, text, bytes: encoder.encode(text), body }
}

/** The edits that change something, one a message. */
const collected = (
  messages: ReadonlyArray<JsonObject>,
  edits: ReadonlyArray<ContentEdit>
): ReadonlyMap<number, Required<ContentEdit>> => {
  const changes = new Map<number, Required<ContentEdit>>()
  for (const { append, message: index, replace, without = [] } of edits) {
    const message = messages[index]
    if (message === undefined) continue
    const known = changes.get(index)
    const edit = {
      message: index,
      replace: new Map([...(known?.replace ?? []), ...replace]),
      append: [...(known?.append ?? []), ...append],
      without: [...(known?.without ?? []), ...without]
    }
    if (changesContent(message["content"], edit) || edit.without.some((key) => Object.hasOwn(message, key)))
      changes.set(index, edit)
  }
  return changes
}

const changesContent = (content: unknown, { append, replace }: ContentEdit): boolean => {
  const parts = Array.isArray(content) ? content.length : typeof content === "string" ? 1 : 0
  return append.length > 0 || Array.from(replace.keys()).some((index) => index >= 0 && index < parts)
}

const editedMessage = (message: JsonObject, edit: Required<ContentEdit>): JsonObject => {
  const { content } = message
  const kept = Object.fromEntries(Object.entries(message).filter(([key]) => !edit.without.includes(key)))
  if (!changesContent(content, edit)) return kept
  const parts: ReadonlyArray<unknown> =
    typeof content === "string" ? [{ type: "text", text: content }] : Array.isArray(content) ? content : []
  return {
    ...kept,
    content: [
      ...parts.flatMap((part, index): ReadonlyArray<unknown> => edit.replace.get(index) ?? [part]),
      ...edit.append
    ]
  }
}

const editedMessageText = (text: string, open: number, edit: Required<ContentEdit>): string => {
  const all = members(text, open)
  const last = all.findLastIndex(({ key }) => key === "content")
  const write = (index: number): ReadonlyArray<string> | undefined => {
    const member = all[index]
    if (member === undefined) return undefined
    if (edit.without.includes(member.key)) return []
    if (index !== last) return undefined
    const content = editedContentText(text, member.valueFrom, member.to, edit)
    return content === undefined ? undefined : [text.slice(member.from, member.valueFrom) + content]
  }
  const added = last < 0 && edit.append.length > 0 ? [`"content":[${written(edit.append).join(",")}]`] : []
  return listed(text, open, all, write, added).text
}

/** Undefined where the content stays as it is. */
const editedContentText = (
  text: string,
  from: number,
  to: number,
  { append, replace }: ContentEdit
): string | undefined => {
  const added = written(append)
  const replaced = (index: number) => {
    const parts = replace.get(index)
    return parts === undefined ? undefined : written(parts)
  }
  switch (text[from]) {
    case "[":
      return listed(text, from, elements(text, from), replaced, added).text
    case '"': {
      const first = replaced(0)
      if (first === undefined && added.length === 0) return undefined
      return `[${[...(first ?? [`{"type":"text","text":${text.slice(from, to)}}`]), ...added].join(",")}]`
    }
    default:
      return added.length === 0 ? undefined : `[${added.join(",")}]`
  }
}

const written = (parts: ReadonlyArray<JsonObject>): ReadonlyArray<string> =>
  parts.map((part) => JSON.stringify(part))

/**
 * An array or object with some of its items written anew (as none, one or several) and some added.
 * What stands between those that stay is left as it is.
 */
const listed = (
  text: string,
  open: number,
  items: ReadonlyArray<Stretch>,
  write: (index: number) => ReadonlyArray<string> | undefined,
  added: ReadonlyArray<string>
): { readonly text: string; readonly end: number } => {
  let list = text.slice(open, items[0]?.from ?? open + 1)
  let isEmpty = true
  let previous = open + 1
  items.forEach(({ from, to }, index) => {
    const now = write(index) ?? [text.slice(from, to)]
    if (now.length > 0) {
      list += (isEmpty ? "" : text.slice(previous, from)) + now.join(",")
      isEmpty = false
    }
    previous = to
  })
  if (added.length > 0) list += (isEmpty ? "" : ",") + added.join(",")
  const end = text.indexOf(text[open] === "[" ? "]" : "}", previous) + 1
  return { text: list + text.slice(previous, end), end }
}

const encoder = new TextEncoder()
