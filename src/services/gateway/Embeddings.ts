import { Effect } from "effect"
import type { Either } from "effect"
import type { EmbeddingsRequest } from "../../domain/dialects/EmbeddingsRequest.ts"
import { InvalidRequest } from "../../domain/Errors.ts"
import type { Exchange } from "../../domain/Exchange.ts"
import { ApiKeys } from "../ApiKeys.ts"
import { Recorder } from "../tracking/Recorder.ts"

/** The way of a request for embeddings: admit, route, ask, answer in the form that was asked for. */
export class Embeddings extends Effect.Service<Embeddings>()("percept/Embeddings", {
  effect: Effect.gen(function* () {
    const keys = yield* ApiKeys
    const recorder = yield* Recorder

    const embed = (decode: Decode) => (exchange: Exchange) =>
      recorder.recording(exchange, (recording) =>
        Effect.gen(function* () {
          recording.admitted(yield* keys.admit(exchange))
          const request = yield* decode(recording.received(yield* exchange.body()))
          return yield* new InvalidRequest({ message: request.text, code: null })
        })
      )

    return { embed }
  })
}) {}

/** Reads a client's bytes, in whatever dialect, into the internal form. */
export type Decode = (bytes: Uint8Array) => Either.Either<EmbeddingsRequest, InvalidRequest>
