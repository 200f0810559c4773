import { Either } from "effect"
import { InvalidRequest } from "../Errors.ts"
import type { JsonObject } from "../Json.ts"
import type { EmbeddingsRequest } from "./EmbeddingsRequest.ts"

/** `POST /api/embed`. */
export const decode = (_: Uint8Array): Either.Either<EmbeddingsRequest, InvalidRequest> =>
  Either.left(new InvalidRequest({ message: "not yet", code: null }))

/** `POST /api/embeddings`, the older form for one text. */
export const decodeOld = decode

/** A request for embeddings as the body of `POST /api/embed`. */
export const toBody = (request: EmbeddingsRequest): JsonObject => request.body

/** The answer to that in OpenAI's form. */
export const fromAnswer = (answer: JsonObject): JsonObject => answer
