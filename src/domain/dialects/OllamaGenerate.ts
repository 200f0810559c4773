import { Either } from "effect"
import type { ChatRequest } from "../chat/ChatRequest.ts"
import { InvalidRequest } from "../Errors.ts"
import type { JsonObject } from "../Json.ts"

/** `POST /api/generate` as a chat request. */
export const decode = (_: Uint8Array): Either.Either<ChatRequest, InvalidRequest> =>
  Either.left(new InvalidRequest({ message: "not yet", code: null }))

/** A chat request as the body of `POST /api/generate`. */
export const toBody = (request: ChatRequest): JsonObject => request.body
