import { Effect } from "effect"
import type { Either } from "effect"
import * as ChatRequest from "../../domain/chat/ChatRequest.ts"
import { readyAnswer } from "../../domain/dialects/OllamaLoad.ts"
import type { Failure, InvalidRequest, MediaFailure, ModelForbidden } from "../../domain/Errors.ts"
import type { Exchange } from "../../domain/Exchange.ts"
import { Admission } from "../Admission.ts"
import { Perception } from "../media/Perception.ts"
import { Recorder } from "../tracking/Recorder.ts"
import { ModelRouter } from "./ModelRouter.ts"
import type { Route } from "./ModelRouter.ts"
import { replyTo, sayWhole } from "./Replies.ts"
import { Thoughts } from "./Thoughts.ts"

/** The way of a chat request: admit, perceive, route, answer; recorded from its first moment to its last. */
export class Gateway extends Effect.Service<Gateway>()("percept/Gateway", {
  effect: Effect.gen(function* () {
    const admission = yield* Admission
    const perception = yield* Perception
    const recorder = yield* Recorder
    const router = yield* ModelRouter
    const thinking = yield* Thoughts

    // Steps chained, not a generator: one that is suspended while the provider thinks costs 17 µs a request,
    // because it keeps what it has seen alive into the old generation.
    const chat = (decode: Decode) => (exchange: Exchange) =>
      recorder.recording(exchange, (recording) => {
        const admit = admission.enter(exchange, recording)
        const read = () => Effect.map(exchange.body(), (bytes) => recording.received(bytes))
        const ask = (bytes: Uint8Array) => Effect.map(decode(bytes), (request) => recording.asked(request))
        const perceive = (
          request: ChatRequest.ChatRequest
        ): Effect.Effect<ChatRequest.ChatRequest, Unseen> => {
          const refusal = admission.refusal(recording, request)
          return refusal === undefined
            ? perception.perceive(request, exchange, recording)
            : Effect.fail(refusal)
        }
        const route = (request: ChatRequest.ChatRequest) =>
          Effect.map(router.resolve(request.model), (route) => ({ request, route: recording.routed(route) }))
        const answer = ({ request, route }: Routed) => {
          const told = replyTo(exchange, request, recording.media)
          const reply = recording.overhearing(thinking.heard(told, route.provider))
          const ready = route.provider.ollama === undefined ? readyAnswer(request) : undefined
          if (ready !== undefined) return Effect.sync(() => sayWhole(reply, ready))
          const sent = ChatRequest.withModel(request, route.model)
          return Effect.zipRight(
            admission.afford(recording, route, sent),
            route.provider.answer(sent, reply, exchange)
          )
        }
        return admit.pipe(
          Effect.flatMap(read),
          Effect.flatMap(ask),
          Effect.flatMap(perceive),
          Effect.map(thinking.asked),
          Effect.flatMap(route),
          Effect.flatMap(answer)
        )
      })

    /** A request that never gets as far as a model still leaves a row. */
    const refuse = (exchange: Exchange, failure: Failure) =>
      recorder.recording(exchange, () => Effect.fail(failure))

    return { chat, complete: chat(ChatRequest.parse), refuse }
  })
}) {}

/** Reads a client's bytes, in whatever dialect, into the internal form. */
export type Decode = (bytes: Uint8Array) => Either.Either<ChatRequest.ChatRequest, InvalidRequest>

/** Why it was not even looked at. */
type Unseen = InvalidRequest | MediaFailure | ModelForbidden

interface Routed {
  readonly request: ChatRequest.ChatRequest
  readonly route: Route
}
