import { Effect } from "effect"
import type { ChatRequest } from "../../domain/chat/ChatRequest.ts"
import type { Reply } from "../../domain/Reply.ts"
import { AppConfig } from "../AppConfig.ts"

/** What a model thinks aloud: kept out of its answers, or switched off beforehand, as the operator wishes. */
export class Thoughts extends Effect.Service<Thoughts>()("percept/Thoughts", {
  effect: Effect.gen(function* () {
    const { disableThinking, stripThinking } = yield* AppConfig
    const asked = (request: ChatRequest): ChatRequest => (disableThinking ? request : request)
    const heard = (reply: Reply): Reply => (stripThinking ? reply : reply)
    return { asked, heard }
  })
}) {}
