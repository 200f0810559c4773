import { topLevelValues } from "../Json.ts"
import type { JsonObject } from "../Json.ts"

/** What every kind of request is: the client's own bytes beside what they say. */
export interface Named {
  readonly bytes: Uint8Array
  readonly text: string
  readonly body: JsonObject
  /** Undefined where the client leaves the choice to the router. */
  readonly model: string | undefined
}

/** The same request for another model name. Nothing but the name changes on the wire. */
export const withModel = <Request extends Named>(request: Request, model: string): Request => {
  if (request.model === model && isSaidOnce(request.text)) return request
  const body = { ...request.body, model }
  const text = withTopLevel(request.text, "model", JSON.stringify(model))
  return { ...request, text, bytes: encoder.encode(text), body, model }
}

/** The text of a JSON object with another value under a key, wherever it is said; everything else stays. */
export const withTopLevel = (text: string, key: string, value: string): string => {
  const places = topLevelValues(text, key)
  return places.length === 0
    ? text.replace("{", () => `{${JSON.stringify(key)}:${value},`)
    : places.reduceRight((text, [from, to]) => text.slice(0, from) + value + text.slice(to), text)
}

/** A name said twice at the top could mean one model to us and another to the provider. */
const isSaidOnce = (text: string): boolean => {
  const first = text.indexOf('"model"')
  const mayBeTwice = text.indexOf('"model"', first + 1) >= 0 || text.includes("\\u006")
  return !mayBeTwice || topLevelValues(text, "model").length === 1
}

const encoder = new TextEncoder()
