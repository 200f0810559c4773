import { arrayField, stringField } from "../Json.ts"
import type { JsonObject } from "../Json.ts"
import type { ChatRequest } from "./ChatRequest.ts"
import { rewrite } from "./Rewrite.ts"
import { withStrings } from "./Splice.ts"
import type { Way } from "./Splice.ts"

/** The same request with `/no_think` at the end of its last user message, which some models obey. */
export const askedNotToThink = (request: ChatRequest): ChatRequest => {
  const at = request.messages.findLastIndex(({ role }) => role === "user")
  const message = request.messages[at]
  if (message === undefined) return request
  const { content } = message
  const parts = arrayField(message, "content")
  if (typeof content === "string") {
    if (SAYS_TAG.test(content)) return request
    return withMessage(request, at, ["messages", at, "content"], tagged(content), (content) => ({
      ...message,
      content
    }))
  }
  const texts = parts.map((part) =>
    stringField(part, "type") === "text" ? stringField(part, "text") : undefined
  )
  if (texts.some((text) => text !== undefined && SAYS_TAG.test(text))) return request
  const last = texts.findLastIndex((text) => text !== undefined)
  const text = texts[last]
  if (text === undefined)
    return rewrite(request, [{ message: at, replace: new Map(), append: [{ type: "text", text: TAG }] }])
  return withMessage(request, at, ["messages", at, "content", last, "text"], tagged(text), (text) => ({
    ...message,
    content: parts.map((part, index) => (index === last ? Object.assign({}, part, { text }) : part))
  }))
}

const tagged = (text: string): string => (text === "" ? TAG : `${text} ${TAG}`)

/** The request with one string of one message said otherwise. */
const withMessage = (
  request: ChatRequest,
  at: number,
  way: Way,
  said: string,
  message: (said: string) => JsonObject
): ChatRequest => {
  const text = withStrings(request.text, [[way, said]])
  const messages = request.messages.with(at, message(said))
  return { ...request, text, bytes: encoder.encode(text), body: { ...request.body, messages }, messages }
}

const TAG = "/no_think"
const SAYS_TAG = /(?<!\S)\/no_think(?!\S)/
const encoder = new TextEncoder()
