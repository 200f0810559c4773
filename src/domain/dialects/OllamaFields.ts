import { Either } from "effect"
import { InvalidRequest } from "../Errors.ts"
import { isObject } from "../Json.ts"
import type { JsonObject } from "../Json.ts"
import { requestObject } from "../RequestObject.ts"

/** What a field must be, and how that is said to who got it wrong. */
export type Check = readonly [holds: (value: unknown) => boolean, words: string]

/** The body of one of Ollama's calls, before any of its fields has been looked at. */
export const readBody = (bytes: Uint8Array): Either.Either<JsonObject, InvalidRequest> => {
  const body = requestObject(decoder.decode(bytes))
  return body instanceof InvalidRequest ? Either.left(body) : Either.right(body)
}

/** The first field that is not what it must be; a field that is null is as good as absent. */
export const problemIn = (
  object: JsonObject,
  checks: Readonly<Record<string, Check>>,
  within = ""
): InvalidRequest | undefined => {
  for (const [key, [holds, words]] of Object.entries(checks)) {
    const value = object[key]
    if (value !== undefined && value !== null && !holds(value)) return problem(within + key, words)
  }
  return undefined
}

export const problem = (param: string, words: string): InvalidRequest =>
  new InvalidRequest({ message: `'${param}' ${words}`, param, code: null })

export const aString: Check = [(value) => typeof value === "string", "must be a string."]
export const aNumber: Check = [(value) => typeof value === "number", "must be a number."]
export const aFlag: Check = [(value) => typeof value === "boolean", "must be true or false."]
export const anObject: Check = [isObject, "must be an object."]
export const objects: Check = [
  (value) => Array.isArray(value) && value.every(isObject),
  "must be an array of objects."
]
export const strings: Check = [
  (value) => Array.isArray(value) && value.every((item) => typeof item === "string"),
  "must be an array of strings."
]
export const numbers: Check = [
  (value) => Array.isArray(value) && value.every((item) => typeof item === "number"),
  "must be an array of numbers."
]
export const pictures: Check = [strings[0], "must be an array of strings of base64."]

/** What chat and generate have in common. */
export const COMMON: Readonly<Record<string, Check>> = {
  model: aString,
  stream: aFlag,
  options: anObject,
  format: [
    (value) => value === "" || value === "json" || isObject(value),
    'must be "json" or an object with a JSON schema.'
  ],
  think: [
    (value) => typeof value === "boolean" || (typeof value === "string" && value !== ""),
    'must be true, false or a word such as "low".'
  ],
  keep_alive: [
    (value) => typeof value === "string" || typeof value === "number",
    'must be a duration such as "5m" or a number of seconds.'
  ],
  logprobs: aFlag,
  top_logprobs: aNumber
}

/** Those of the options that other servers know too. */
export const OPTIONS: Readonly<Record<string, Check>> = {
  temperature: aNumber,
  top_p: aNumber,
  top_k: aNumber,
  min_p: aNumber,
  seed: aNumber,
  num_predict: aNumber,
  presence_penalty: aNumber,
  frequency_penalty: aNumber,
  repeat_penalty: aNumber,
  stop: [
    (value) => typeof value === "string" || strings[0](value),
    "must be a string or an array of strings."
  ]
}

const decoder = new TextDecoder()
