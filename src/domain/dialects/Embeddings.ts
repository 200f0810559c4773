import { Either } from "effect"
import { InvalidRequest } from "../Errors.ts"
import type { EmbeddingsRequest } from "./EmbeddingsRequest.ts"

/** `POST /v1/embeddings`, which is the internal form. */
export const decode = (_: Uint8Array): Either.Either<EmbeddingsRequest, InvalidRequest> =>
  Either.left(new InvalidRequest({ message: "not yet", code: null }))
