import type { JsonObject } from "../Json.ts"

/** A request for embeddings in the internal form, which is OpenAI's. */
export interface EmbeddingsRequest {
  readonly bytes: Uint8Array
  readonly text: string
  readonly body: JsonObject
  /** Undefined where the client leaves the choice to the router. */
  readonly model: string | undefined
  /** Texts, texts as tokens, or texts and pictures as OpenRouter takes them. */
  readonly inputs: ReadonlyArray<string> | ReadonlyArray<ReadonlyArray<number>> | ReadonlyArray<JsonObject>
  /** What only an Ollama server understands: `truncate`, `options`, `keep_alive`. */
  readonly ollama?: JsonObject
  /** Whether vectors go out as base64 or as numbers. */
  readonly format: VectorFormat
  /** Other dialects than OpenAI's: how the answer is said. */
  readonly say?: (answer: JsonObject) => string
}

export type VectorFormat = "float" | "base64"
