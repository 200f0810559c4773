import { Effect } from "effect"
import type { ChatRequest } from "../../domain/chat/ChatRequest.ts"
import { askedNotToThink } from "../../domain/chat/NoThink.ts"
import { spokenAnswer } from "../../domain/chat/SpokenAnswer.ts"
import { spokenEvents } from "../../domain/chat/SpokenEvents.ts"
import { SpokenStream } from "../../domain/chat/SpokenStream.ts"
import type { Spoken } from "../../domain/chat/SpokenStream.ts"
import type { Reply } from "../../domain/Reply.ts"
import { encodeEvent } from "../../domain/Sse.ts"
import { AppConfig } from "../AppConfig.ts"
import type { Provider } from "./Provider.ts"

/** What a model thinks aloud: kept out of its answers, or switched off beforehand, as the operator wishes. */
export class Thoughts extends Effect.Service<Thoughts>()("percept/Thoughts", {
  effect: Effect.gen(function* () {
    const { disableThinking, stripThinking } = yield* AppConfig
    const asked = disableThinking ? askedNotToThink : (request: ChatRequest) => request
    const heard = (reply: Reply, { verbatim }: Pick<Provider, "verbatim">): Reply =>
      stripThinking && verbatim !== true ? withoutThoughts(reply) : reply
    return { asked, heard }
  })
}) {}

/** The same reply without what the model thinks aloud. Where there is nothing of the kind, bytes pass as they came. */
export const withoutThoughts = (reply: Reply): Reply => {
  const stream = new SpokenStream()
  return {
    ...reply,
    whole: (bytes, text, completion, ...rest) => {
      const spoken = spokenAnswer(text, completion)
      if (spoken === undefined) reply.whole(bytes, text, completion, ...rest)
      else reply.whole(Buffer.from(spoken.text), spoken.text, spoken.completion, ...rest)
    },
    events: (bytes, chunks) => {
      if (!stream.isWaiting && stream.passes(chunks)) return reply.events(bytes, chunks)
      const spoken = chunks.map((chunk) => stream.hear(chunk))
      if (!stream.isWaiting && spoken.every(isAsItCame)) return reply.events(bytes, chunks)
      const said = spoken.flatMap(({ before, chunk }) => [before, chunk].filter((said) => said !== undefined))
      const now = spokenEvents(bytes, spoken, () => {
        const rest = stream.rest()
        if (rest !== undefined) said.push(rest)
        return rest
      })
      return now.length === 0 && said.length === 0 ? true : reply.events(now, said)
    },
    end: () => {
      const rest = stream.rest()
      if (rest !== undefined) reply.events(encodeEvent(JSON.stringify(rest)), [rest])
      reply.end()
    }
  }
}

const isAsItCame = ({ before, changes }: Spoken): boolean => before === undefined && changes.length === 0
