import { Either } from "effect"
import { InvalidRequest } from "../Errors.ts"
import { arrayField, isObject } from "../Json.ts"
import type { JsonObject } from "../Json.ts"
import { requestObject } from "../RequestObject.ts"
import type { EmbeddingsRequest, VectorFormat } from "./EmbeddingsRequest.ts"

/** `POST /v1/embeddings`, which is the internal form. */
export const decode = (bytes: Uint8Array): Either.Either<EmbeddingsRequest, InvalidRequest> =>
  Either.gen(function* () {
    const { body, text } = yield* readObject(bytes)
    const model = yield* modelIn(body)
    const inputs = yield* inputsIn(body["input"])
    const { dimensions, encoding_format: format = "float" } = body
    if (isSaid(dimensions) && !(Number.isSafeInteger(dimensions) && Number(dimensions) > 0))
      return yield* wrong("dimensions", "must be a whole number above 0.")
    if (format !== null && format !== "float" && format !== "base64")
      return yield* wrong("encoding_format", "must be 'float' or 'base64'.")
    return { bytes, text, body, model, inputs, format: format ?? "float" }
  })

/** A JSON object as it came off the wire, in whatever dialect. */
export const readObject = (
  bytes: Uint8Array
): Either.Either<{ readonly body: JsonObject; readonly text: string }, InvalidRequest> => {
  const text = decoder.decode(bytes)
  const body = requestObject(text)
  return body instanceof InvalidRequest ? Either.left(body) : Either.right({ body, text })
}

export const modelIn = ({ model }: JsonObject): Either.Either<string | undefined, InvalidRequest> =>
  isSaid(model) && typeof model !== "string"
    ? wrong("model", "must be a string.")
    : Either.right(typeof model === "string" && model !== "" ? model : undefined)

/** The inputs as texts, for a provider that takes no tokens. */
export const textsOf = (
  { inputs }: EmbeddingsRequest,
  provider: string
): Either.Either<ReadonlyArray<string>, InvalidRequest> => {
  const texts = inputs.flatMap((input) => (typeof input === "string" ? [input] : []))
  return texts.length === inputs.length
    ? Either.right(texts)
    : wrong("input", `must be text for this model: ${provider} takes neither tokens nor pictures.`)
}

/** The answer with its vectors in the form that was asked for; undefined where they have it already. */
export const inForm = (answer: JsonObject, format: VectorFormat): JsonObject | undefined => {
  let isChanged = false
  const data = arrayField(answer, "data").map((item) => {
    const vector = isObject(item) ? vectorIn(item["embedding"], format) : undefined
    if (!isObject(item) || vector === undefined) return item
    isChanged = true
    return withVector(item, vector)
  })
  return isChanged ? { ...answer, data } : undefined
}

/** What the record keeps of an answer: how many vectors there were, and none of them. */
export const withoutVectors = (answer: JsonObject): JsonObject => {
  const { id, model, object, provider, usage } = answer
  const items = arrayField(answer, "data")
  const sizes = new Set(items.map((item) => sizeOf(isObject(item) ? item["embedding"] : undefined)))
  const [size] = sizes
  const what = `${items.length} ${items.length === 1 ? "vector" : "vectors"}`
  const data = sizes.size === 1 && size !== undefined ? `${what} of ${size} numbers` : what
  return { id, object, model, provider, data, usage }
}

/** Numbers of 32 bits each, the lowest byte first. */
export const toBase64 = (vector: ReadonlyArray<number>): string => {
  const bytes = Buffer.allocUnsafe(vector.length * 4)
  for (let at = 0; at < vector.length; at++) bytes.writeFloatLE(vector[at] ?? 0, at * 4)
  return bytes.toString("base64")
}

/** The numbers of a vector, however it is written; undefined where it is none. */
export const numbersOf = (vector: unknown): ReadonlyArray<number> | undefined => {
  if (Array.isArray(vector)) return isNumbers(vector) ? vector : undefined
  if (typeof vector !== "string") return undefined
  const bytes = Buffer.from(vector, "base64")
  if (bytes.length % 4 !== 0) return undefined
  return Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(at * 4))
}

/** The vector in this form; undefined where it has it, or is no vector. */
const vectorIn = (vector: unknown, format: VectorFormat): ReadonlyArray<number> | string | undefined => {
  if (format === "float") return typeof vector === "string" ? numbersOf(vector) : undefined
  return isNumbers(vector) ? toBase64(vector) : undefined
}

const withVector = (item: JsonObject, embedding: ReadonlyArray<number> | string): JsonObject => ({
  ...item,
  embedding
})

const sizeOf = (vector: unknown): number | undefined =>
  typeof vector === "string"
    ? Math.floor(Buffer.byteLength(vector, "base64") / 4)
    : Array.isArray(vector)
      ? vector.length
      : undefined

const inputsIn = (input: unknown): Either.Either<EmbeddingsRequest["inputs"], InvalidRequest> => {
  if (!isSaid(input)) return refuse("'input' is missing.", "input", "missing_required_parameter")
  const several: unknown = typeof input === "string" || isTokens(input) ? [input] : input
  if (!Array.isArray(several) || several.length === 0) return wrong("input", WHAT_INPUT_IS)
  if (several.length > MOST_INPUTS)
    return wrong("input", `may hold no more than ${MOST_INPUTS} inputs; these are ${several.length}.`)
  const empty = several.findIndex((one) => one === "" || (Array.isArray(one) && one.length === 0))
  if (empty >= 0) return wrong("input", typeof input === "string" ? "is empty." : `has nothing at ${empty}.`)
  return isAll(isText, several) || isAll(isTokens, several) || isAll(isContent, several)
    ? Either.right(several)
    : wrong("input", WHAT_INPUT_IS)
}

const isAll = <A>(
  is: (value: unknown) => value is A,
  values: ReadonlyArray<unknown>
): values is ReadonlyArray<A> => values.every(is)

const isText = (value: unknown): value is string => typeof value === "string"

const isTokens = (value: unknown): value is ReadonlyArray<number> =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.every((token) => Number.isSafeInteger(token) && token >= 0)

/** How OpenRouter has it for models that see. */
const isContent = (value: unknown): value is JsonObject => isObject(value) && Array.isArray(value["content"])

const isNumbers = (value: unknown): value is ReadonlyArray<number> =>
  Array.isArray(value) && value.every((number) => typeof number === "number")

const isSaid = (value: unknown): boolean => value !== undefined && value !== null

const wrong = (param: string, what: string) => refuse(`'${param}' ${what}`, param)

const refuse = (message: string, param: string, code: string | null = null) =>
  Either.left(new InvalidRequest({ message, param, code }))

const WHAT_INPUT_IS = "must be a text, several texts, tokens, or several lists of tokens."

/** OpenAI's limit, and nobody's is higher. */
const MOST_INPUTS = 2048
const decoder = new TextDecoder()
