import { Effect } from "effect"
import type { ChatRequest } from "../../domain/chat/ChatRequest.ts"
import { withModel } from "../../domain/chat/ChatRequest.ts"
import { merging } from "../../domain/chat/Merge.ts"
import { withoutKey } from "../../domain/chat/Rewrite.ts"
import {
  chatsOf,
  choicesEach,
  decode,
  refusalAsChat,
  withPrompts
} from "../../domain/dialects/Completions.ts"
import type { CompletionRequest } from "../../domain/dialects/Completions.ts"
import { MediaFailure } from "../../domain/Errors.ts"
import type { InvalidRequest } from "../../domain/Errors.ts"
import type { Exchange } from "../../domain/Exchange.ts"
import { stringField } from "../../domain/Json.ts"
import { mayHoldMedia } from "../../domain/media/MediaRef.ts"
import { Admission } from "../Admission.ts"
import { AppConfig } from "../AppConfig.ts"
import { Perception } from "../media/Perception.ts"
import { Recorder } from "../tracking/Recorder.ts"
import type { Recording } from "../tracking/Recording.ts"
import { ModelRouter } from "./ModelRouter.ts"
import type { Route } from "./ModelRouter.ts"
import { forwardTo, replyTo } from "./Replies.ts"
import { Thoughts } from "./Thoughts.ts"

/** The way of a legacy completion: as it is to who takes it, and as a chat to everybody else, or where there are media. */
export class Completions extends Effect.Service<Completions>()("percept/Completions", {
  effect: Effect.gen(function* () {
    const { disableThinking } = yield* AppConfig
    const admission = yield* Admission
    const perception = yield* Perception
    const recorder = yield* Recorder
    const router = yield* ModelRouter
    const thinking = yield* Thoughts

    const complete = (exchange: Exchange) =>
      recorder.recording(exchange, (recording) =>
        Effect.gen(function* () {
          yield* admission.enter(exchange, recording)
          const request = yield* decode(recording.received(yield* exchange.body()))
          recording.asked(request)
          // Nobody but the model can tell how much text its tokens are.
          if (request.prompts === undefined) recording.row.input_char_length = null
          const refusal = admission.refusal(recording, request)
          if (refusal !== undefined) return yield* refusal
          const seen = yield* perceive(request, exchange, recording)
          const route = recording.routed(yield* router.resolve(seen?.[0]?.model ?? request.model))
          const { completions } = route.provider
          const bare = { ...request, ...withoutKey(request, "percept") }
          if (seen === undefined && completions !== undefined) {
            yield* admission.afford(recording, route, request)
            const told = forwardTo(exchange, recording.media)
            const reply = recording.overhearing(thinking.heard(told, route.provider))
            return yield* completions(withModel(yield* unthinking(bare), route.model).bytes, reply, exchange)
          }
          yield* refuseAsChat(request)
          const chats = seen ?? (yield* chatsOf(bare))
          yield* admission.afford(recording, route, seen === undefined ? request : together(request, chats))
          yield* answer(chats, bare, route, exchange, recording)
        })
      )

    /** The prompts as chats with what is in their media; undefined where there are none. */
    const perceive = Effect.fnUntraced(function* (
      request: CompletionRequest,
      exchange: Exchange,
      recording: Recording
    ) {
      if (request.body["percept"] === undefined && !mayHoldMedia(request.text)) return undefined
      const chats = yield* chatsOf(request)
      const seen = yield* Effect.forEach(
        chats,
        (chat, at) =>
          Effect.catchTag(perception.perceive(chat, exchange, recording), "MediaFailure", (failure) =>
            Effect.fail(inPrompt(failure, chats.length > 1 ? `prompt[${at}]` : "prompt"))
          ),
        { concurrency: AT_ONCE }
      )
      if (seen.every((chat, at) => chat.messages === chats[at]?.messages)) return undefined
      // One answer is of one model: where one prompt is to be seen, its eyes read all.
      const eyes = seen.find(({ model }) => model !== request.model)?.model
      return eyes === undefined ? seen : seen.map((chat) => withModel(chat, eyes))
    })

    const answer = (
      chats: ReadonlyArray<ChatRequest>,
      request: CompletionRequest,
      { model, provider }: Route,
      exchange: Exchange,
      recording: Recording
    ) => {
      const [first = request, ...more] = chats
      const told = replyTo(exchange, first, recording.media)
      const reply = recording.overhearing(thinking.heard(told, provider))
      const one = { count: chats.length, choicesEach: choicesEach(request), stream: request.stream }
      if (one.count > 1) recording.inParts()
      const merged = merging(one, reply)
      return Effect.forEach(
        chats,
        (chat, at) =>
          provider.answer(
            withModel(thinking.asked(chat), model),
            more.length === 0 ? reply : merged.part(at),
            exchange
          ),
        { concurrency: AT_ONCE, discard: true }
      )
    }

    /** The same words that keep a model from thinking in a chat. */
    const unthinking = (request: CompletionRequest) => {
      if (!disableThinking || request.prompts === undefined) return Effect.succeed(request)
      return Effect.map(chatsOf(request), (chats) => {
        const asked = chats.map((chat) => stringField(thinking.asked(chat).messages[0], "content"))
        return withPrompts(
          request,
          asked.map((text, at) => text ?? request.prompts?.[at] ?? "")
        )
      })
    }

    return { complete }
  })
}) {}

const refuseAsChat = (request: CompletionRequest): Effect.Effect<void, InvalidRequest> => {
  const refusal = refusalAsChat(request)
  return refusal === undefined ? Effect.void : Effect.fail(refusal)
}

/** All that is sent, for who counts it: the prompts are in the chats, with what was seen of their media. */
const together = (request: CompletionRequest, chats: ReadonlyArray<ChatRequest>) => ({
  body: { ...request.body, messages: chats.flatMap(({ messages }) => messages) },
  bytes: Buffer.concat(chats.map(({ bytes }) => bytes))
})

/** The client knows no messages. */
const inPrompt = ({ code, detail, message, transient }: MediaFailure, param: string): MediaFailure =>
  new MediaFailure({
    ...{ code, param, message: message.replace(/'messages\[0\][^']*'/, () => `'${param}'`) },
    ...(detail === undefined ? {} : { detail }),
    ...(transient === undefined ? {} : { transient })
  })

/** Prompts of one request that are looked at, or answered, at the same time. */
const AT_ONCE = 4
