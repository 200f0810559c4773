import { Effect } from "effect"
import * as ChatRequest from "../../domain/chat/ChatRequest.ts"
import type { Failure } from "../../domain/Errors.ts"
import type { Exchange, HeaderList } from "../../domain/Exchange.ts"
import type { Reply } from "../../domain/Reply.ts"
import { ApiKeys } from "../ApiKeys.ts"
import { Perception } from "../media/Perception.ts"
import { Recorder } from "../tracking/Recorder.ts"
import { ModelRouter } from "./ModelRouter.ts"

/** The way of a chat request: admit, perceive, route, answer; recorded from its first moment to its last. */
export class Gateway extends Effect.Service<Gateway>()("percept/Gateway", {
  effect: Effect.gen(function* () {
    const keys = yield* ApiKeys
    const perception = yield* Perception
    const recorder = yield* Recorder
    const router = yield* ModelRouter

    const complete = (exchange: Exchange) =>
      recorder.recording(exchange, (recording) =>
        Effect.gen(function* () {
          recording.admitted(yield* keys.admit(exchange))
          const bytes = recording.received(yield* exchange.body())
          const asked = recording.asked(yield* ChatRequest.parse(bytes))
          const seen = yield* perception.perceive(asked)
          const route = recording.routed(yield* router.route(seen.model))
          const request = ChatRequest.withModel(seen, route.model)
          yield* route.provider.answer(request, recording.overhearing(replyTo(exchange)), exchange)
        })
      )

    /** A request that never gets as far as a model still leaves a row. */
    const refuse = (exchange: Exchange, failure: Failure) =>
      recorder.recording(exchange, () => Effect.fail(failure))

    return { complete, refuse }
  })
}) {}

/** A chat answer in the client's own dialect, which is the internal form: bytes as they come. */
const replyTo = (exchange: Exchange): Reply => {
  let headers: HeaderList = []
  return {
    opened: (_, passedOn) => {
      headers = passedOn
    },
    whole: (bytes) => exchange.json(200, bytes, headers),
    events: (bytes) => {
      if (exchange.status() === undefined) exchange.openStream("text/event-stream; charset=utf-8", headers)
      return exchange.write(bytes)
    },
    onDrain: (resume) => exchange.onDrain(resume),
    end: () => exchange.end()
  }
}
