import { Either } from "effect"
import { InvalidRequest } from "../Errors.ts"
import { arrayField, field, isObject, numberField, stringField } from "../Json.ts"
import type { JsonObject } from "../Json.ts"
import { modelIn, numbersOf, readObject } from "./Embeddings.ts"
import type { EmbeddingsRequest } from "./EmbeddingsRequest.ts"

/** `POST /api/embed`. */
export const decode = (bytes: Uint8Array): Either.Either<EmbeddingsRequest, InvalidRequest> =>
  Either.gen(function* () {
    const { body } = yield* readObject(bytes)
    const { dimensions, input, model: _, ...ollama } = body
    const model = yield* modelIn(body)
    const started = performance.now()
    const inputs = yield* textsIn(input)
    const rest = typeof dimensions === "number" && dimensions > 0 ? { dimensions } : {}
    return {
      ...asked({ ...(model === undefined ? {} : { model }), input: input ?? [], ...rest }),
      ...{ model, inputs, ollama, format: "float" as const },
      say: (answer: JsonObject) => JSON.stringify(said(answer, model, performance.now() - started))
    }
  })

/** `POST /api/embeddings`, the older form for one text. */
export const decodeOld = (bytes: Uint8Array): Either.Either<EmbeddingsRequest, InvalidRequest> =>
  Either.gen(function* () {
    const { body } = yield* readObject(bytes)
    const { model: _, prompt, ...ollama } = body
    const model = yield* modelIn(body)
    if (Array.isArray(prompt)) return yield* wrong("'prompt' must be a string.", "prompt")
    const inputs = yield* textsIn(prompt)
    return {
      ...asked({ ...(model === undefined ? {} : { model }), input: prompt ?? [] }),
      ...{ model, inputs, ollama, format: "float" as const },
      say: (answer: JsonObject) => JSON.stringify({ embedding: vectorsOf(answer)[0] ?? [] })
    }
  })

/** A request for embeddings as the body of `POST /api/embed`. */
export const toBody = ({ body, inputs, model, ollama }: EmbeddingsRequest): JsonObject => {
  const { dimensions, input } = body
  return {
    model,
    input: typeof input === "string" ? input : inputs,
    ...(dimensions === undefined || dimensions === null ? {} : { dimensions }),
    ...ollama
  }
}

/** The answer to that in OpenAI's form; what OpenAI has no word for stays under `ollama`. */
export const fromAnswer = (answer: JsonObject): JsonObject => {
  const { embeddings: _, model, prompt_eval_count: _count, ...ollama } = answer
  const count = numberField(answer, "prompt_eval_count") ?? 0
  return {
    object: "list",
    data: arrayField(answer, "embeddings").map((embedding, index) => ({
      object: "embedding",
      index,
      embedding
    })),
    model,
    usage: { prompt_tokens: count, total_tokens: count },
    ollama
  }
}

/** OpenAI's answer as an Ollama server would give it; one of a real one keeps that one's own times. */
const said = (answer: JsonObject, model: string | undefined, millis: number): JsonObject => {
  const times = field(answer, "ollama")
  const count = numberField(field(answer, "usage"), "prompt_tokens")
  return {
    model: stringField(answer, "model") ?? model ?? "",
    embeddings: vectorsOf(answer),
    ...(isObject(times) ? times : { total_duration: Math.round(millis * 1e6), load_duration: 0 }),
    prompt_eval_count: count ?? 0
  }
}

const vectorsOf = (answer: JsonObject): ReadonlyArray<ReadonlyArray<number>> =>
  arrayField(answer, "data").map((item) => numbersOf(field(item, "embedding")) ?? [])

/** An empty text alone asks for nothing, and gets just that. */
const textsIn = (input: unknown): Either.Either<ReadonlyArray<string>, InvalidRequest> => {
  if (input === undefined || input === null || input === "") return Either.right([])
  const texts: unknown = typeof input === "string" ? [input] : input
  return Array.isArray(texts) && texts.every((text) => typeof text === "string")
    ? Either.right(texts)
    : wrong("invalid input type", "input")
}

const wrong = (message: string, param: string) =>
  Either.left(new InvalidRequest({ message, param, code: null }))

const asked = (body: JsonObject) => {
  const text = JSON.stringify(body)
  return { bytes: encoder.encode(text), text, body }
}

const encoder = new TextEncoder()
