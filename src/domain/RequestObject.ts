import { InvalidRequest } from "./Errors.ts"
import { isDeeperThan, isObject, parseJson } from "./Json.ts"
import type { JsonObject } from "./Json.ts"

/** The JSON object that a request's text is, in whatever dialect, or what is wrong with it. */
export const requestObject = (text: string): JsonObject | InvalidRequest => {
  const body = parseJson(text)
  if (body === undefined) return wrong("The request body is not valid JSON.", "invalid_json")
  return isObject(body) ? (tooDeep(text) ?? body) : wrong("The request body must be a JSON object.", null)
}

/** What recursive code might overflow with; nobody means requests to nest like that. */
export const tooDeep = (text: string): InvalidRequest | undefined =>
  isDeeperThan(text, DEEPEST)
    ? wrong(`The request body nests deeper than ${DEEPEST} levels.`, null)
    : undefined

const wrong = (message: string, code: string | null) => new InvalidRequest({ message, param: null, code })

const DEEPEST = 256
