import { Effect, Either } from "effect"
import { inForm, textsOf } from "../../../domain/dialects/Embeddings.ts"
import type { EmbeddingsRequest, VectorFormat } from "../../../domain/dialects/EmbeddingsRequest.ts"
import { InvalidRequest } from "../../../domain/Errors.ts"
import type { JsonObject } from "../../../domain/Json.ts"
import type { Provider } from "../Provider.ts"
import type { Reading } from "../Reading.ts"
import type { Client } from "./OpenAiCompatible.ts"

/** Hugging Face's router has no embeddings in OpenAI's words: a task of its own makes vectors of texts. */
export const huggingFaceEmbeddings =
  (client: Client): NonNullable<Provider["embeddings"]> =>
  (request, reply, exchange) =>
    Effect.flatMap(asTask(request), ({ body, model, texts }) => {
      const { pathname, search } = client.beside(TASK)
      const path = pathname.replace(OPENAI_SIDE, `/hf-inference/models/${model}/pipeline/feature-extraction`)
      const bytes = Buffer.from(JSON.stringify(body))
      const reading = readingOf(request.model ?? model, texts, request.format)
      return client.send({ path: path + search, bytes, reading }, reply, exchange)
    })

interface Task {
  readonly model: string
  readonly texts: number
  readonly body: JsonObject
}

const asTask = (request: EmbeddingsRequest): Either.Either<Task, InvalidRequest> =>
  Either.gen(function* () {
    const [, model, host = OWN_HOST] = NAME.exec(request.model ?? "") ?? []
    if (model === undefined) return yield* wrong("is no name of a model at Hugging Face.")
    if (!HOSTS.has(host)) return yield* wrong(`asks for '${host}': embeddings are made by ${OWN_HOST} alone.`)
    const inputs = yield* textsOf(request, "Hugging Face")
    const wishes = Object.entries(request.body).filter(([key]) => WISHES.has(key))
    return { model, texts: inputs.length, body: { inputs, ...Object.fromEntries(wishes) } }
  })

/** A list with something for each text: its vector, or those of its tokens. */
const readingOf = (model: string, texts: number, format: VectorFormat): Reading => ({
  relay: () => undefined,
  whole: () => false,
  other: (reply, { value }) => {
    const lists: unknown = texts === 1 && isVector(value) ? [value] : value
    if (!Array.isArray(lists) || lists.length !== texts) return false
    const vectors = lists.map(vectorOf)
    if (vectors.includes(undefined)) return false
    const data = vectors.map((embedding, index) => ({ object: "embedding", index, embedding }))
    const numbers = { object: "list", data, model }
    const answer = inForm(numbers, format) ?? numbers
    // Nobody counted tokens: OpenAI's clients want a number all the same, the record wants the truth.
    const text = JSON.stringify({ ...answer, usage: { prompt_tokens: 0, total_tokens: 0 } })
    reply.whole(Buffer.from(text), text, answer)
    return true
  }
})

/** A vector as it is, or the mean of those of the tokens, however deep they lie. */
const vectorOf = (value: unknown): ReadonlyArray<number> | undefined => {
  if (isVector(value)) return value
  if (!Array.isArray(value)) return undefined
  if (value.length === 1) return vectorOf(value[0])
  return value.every(isVector) ? meanOf(value) : undefined
}

const meanOf = (vectors: ReadonlyArray<ReadonlyArray<number>>): ReadonlyArray<number> | undefined => {
  const [first = []] = vectors
  if (first.length === 0 || vectors.some(({ length }) => length !== first.length)) return undefined
  return first.map((_, at) => vectors.reduce((sum, vector) => sum + (vector[at] ?? 0), 0) / vectors.length)
}

const isVector = (value: unknown): value is ReadonlyArray<number> =>
  Array.isArray(value) && value.length > 0 && value.every((number) => typeof number === "number")

const wrong = (what: string) =>
  Either.left(new InvalidRequest({ message: `'model' ${what}`, param: "model", code: null }))

const OWN_HOST = "hf-inference"
const TASK = "task"

/** `/v1/task`, or whatever stands before it in a proxy's address. */
const OPENAI_SIDE = /(?:\/v1)?\/task$/

/** `owner/name:host`; nothing that could lead to another path. */
const NAME = /^((?:[\w-][\w.-]*\/)?[\w-][\w.-]*)(?::([\w.-]+))?$/

/** The host, and what stands for any. */
const HOSTS = new Set([OWN_HOST, "fastest", "cheapest", "preferred", "auto"])

/** What the task understands beside the texts. */
const WISHES = new Set(["normalize", "prompt_name", "truncate", "truncation_direction", "dimensions"])
