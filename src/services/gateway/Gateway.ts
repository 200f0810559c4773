import { Effect } from "effect"
import * as ChatRequest from "../../domain/chat/ChatRequest.ts"
import { chunksOf } from "../../domain/chat/Chunks.ts"
import type { Failure } from "../../domain/Errors.ts"
import type { Exchange, HeaderList } from "../../domain/Exchange.ts"
import type { Reply } from "../../domain/Reply.ts"
import { encodeEvent } from "../../domain/Sse.ts"
import { ApiKeys } from "../ApiKeys.ts"
import { Perception } from "../media/Perception.ts"
import { Recorder } from "../tracking/Recorder.ts"
import { ModelRouter } from "./ModelRouter.ts"
import type { Route } from "./ModelRouter.ts"

/** The way of a chat request: admit, perceive, route, answer; recorded from its first moment to its last. */
export class Gateway extends Effect.Service<Gateway>()("percept/Gateway", {
  effect: Effect.gen(function* () {
    const keys = yield* ApiKeys
    const perception = yield* Perception
    const recorder = yield* Recorder
    const router = yield* ModelRouter

    // Steps chained, not a generator: one that is suspended while the provider thinks costs 17 µs a request,
    // because it keeps what it has seen alive into the old generation.
    const complete = (exchange: Exchange) =>
      recorder.recording(exchange, (recording) => {
        const admit = Effect.map(keys.admit(exchange), (caller) => recording.admitted(caller))
        const read = () => Effect.map(exchange.body(), (bytes) => recording.received(bytes))
        const ask = (bytes: Uint8Array) =>
          Effect.map(ChatRequest.parse(bytes), (request) => recording.asked(request))
        const perceive = (request: ChatRequest.ChatRequest) =>
          perception.perceive(request, exchange, recording)
        const route = (request: ChatRequest.ChatRequest) =>
          Effect.map(router.route(request.model), (route) => ({ request, route: recording.routed(route) }))
        const answer = ({ request, route }: Routed) => {
          const reply = recording.overhearing(replyTo(exchange, recording.media))
          return route.provider.answer(ChatRequest.withModel(request, route.model), reply, exchange)
        }
        return admit.pipe(
          Effect.flatMap(read),
          Effect.flatMap(ask),
          Effect.flatMap(perceive),
          Effect.flatMap(route),
          Effect.flatMap(answer)
        )
      })

    /** A request that never gets as far as a model still leaves a row. */
    const refuse = (exchange: Exchange, failure: Failure) =>
      recorder.recording(exchange, () => Effect.fail(failure))

    return { complete, refuse }
  })
}) {}

interface Routed {
  readonly request: ChatRequest.ChatRequest
  readonly route: Route
}

/** A chat answer in the client's own dialect, which is the internal form: bytes as they come. */
const replyTo = (exchange: Exchange, media: string | undefined): Reply => {
  const about: HeaderList = media === undefined ? [] : ["x-percept-media", media]
  let headers = about
  return {
    opened: (_, passedOn) => {
      headers = [...about, ...passedOn]
    },
    whole: (bytes, _, completion) => {
      if (exchange.status() === undefined) return exchange.json(200, bytes, headers)
      for (const chunk of chunksOf(completion)) exchange.write(encodeEvent(JSON.stringify(chunk)))
      exchange.write(encodeEvent("[DONE]"))
      exchange.end()
    },
    events: (bytes) => {
      if (exchange.status() === undefined) exchange.openStream("text/event-stream; charset=utf-8", headers)
      return exchange.write(bytes)
    },
    onDrain: (resume) => exchange.onDrain(resume),
    end: () => exchange.end()
  }
}
