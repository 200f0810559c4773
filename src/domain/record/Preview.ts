import { arrayField, isObject, stringField } from "../Json.ts"
import type { JsonObject } from "../Json.ts"

/** The beginning of what the user said last, on one line; long enough to be shortened once secrets are gone. */
export const ofMessages = (messages: ReadonlyArray<JsonObject>): string | null => {
  for (let at = messages.length - 1; at >= 0; at--) {
    const message = messages[at]
    if (message === undefined || message["role"] !== "user") continue
    const text = textOf(message)
    if (text !== undefined) return beginningOf(text)
  }
  return null
}

/** The same of a request that is no chat, as JSON. */
export const ofJson = (json: string): string | null => {
  const found = ASKED.exec(json.slice(0, LOOKED_AT))?.[1]
  return found === undefined
    ? null
    : beginningOf(found.replaceAll(/\\[nrt]/g, " ").replaceAll(/\\(["\\/])/g, "$1"))
}

/** As much as a row keeps. */
export const shortened = (text: string): string =>
  text.length <= LONGEST ? text : text.slice(0, LONGEST).replace(HALF_SIGN, "")

const textOf = (message: JsonObject): string | undefined => {
  const content = stringField(message, "content")
  if (content !== undefined) return content.trim() === "" ? undefined : content
  for (const part of arrayField(message, "content")) {
    const text = isObject(part) ? stringField(part, "text") : undefined
    if (text !== undefined && text.trim() !== "") return text
  }
  return undefined
}

const beginningOf = (text: string): string => {
  const beginning = text.slice(0, LOOKED_AT)
  const shown = PAYLOAD_HINT.test(beginning) ? beginning.replaceAll(PAYLOAD, "[data]") : beginning
  const line = UNEVEN.test(shown) ? shown.replaceAll(/\s+/g, " ") : shown
  return line.trim().slice(0, LONGEST * 3)
}

const LONGEST = 160
const LOOKED_AT = 2000
const HALF_SIGN = /[\uD800-\uDBFF]$/
// Most texts have neither, and looking is cheaper than replacing nothing.
const PAYLOAD_HINT = /;base64,/i
/** Spaces that are not single ones. */
const UNEVEN = /\s\s|[^\S ]/
const PAYLOAD = /data:[\w.+-]{0,60}\/?[\w.+-]{0,60}(?:;[\w=.+%-]{1,60})*;base64,[A-Za-z0-9+/_=-]*/gi
const ASKED = /"(?:prompt|input|text)"\s*:\s*(?:\[\s*)?"((?:[^"\\]|\\.)*)/s
