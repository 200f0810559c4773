import { Effect, Fiber } from "effect"
import type { ChatRequest } from "../../domain/chat/ChatRequest.ts"
import type { Exchange } from "../../domain/Exchange.ts"
import { encodeComment, encodeEvent } from "../../domain/Sse.ts"

/** Says what is being done, for instance `video 2/4 listening 43%`. */
export type Tell = (line: string) => void

/**
 * Does work that may take long while its client hears that it is going on: a stream is opened at once, and a
 * line goes out when there is news, but at least every few seconds. Who does not stream waits in silence.
 */
export const announcing = <A, E>(
  exchange: Exchange,
  request: Pick<ChatRequest, "model" | "stream" | "voice">,
  work: (tell: Tell) => Effect.Effect<A, E>,
  encode: ((line: string) => Uint8Array) | undefined = encoding(exchange, request)
): Effect.Effect<A, E> => {
  if (!request.stream || encode === undefined) return work(() => {})
  let line = "media"
  const say = Effect.sync(() => exchange.aside(encode(line), request.voice?.contentType))
  const speak = Effect.gen(function* () {
    yield* Effect.sleep(PATIENCE)
    while (true) {
      const said = line
      yield* say
      const isNews = () => line !== said
      for (let waited = 0; waited < LONGEST_SILENCE && !(waited > 0 && isNews()); waited += SHORTEST_SILENCE)
        yield* Effect.sleep(SHORTEST_SILENCE)
    }
  })
  return Effect.acquireUseRelease(
    Effect.fork(Effect.interruptible(speak)),
    () =>
      work((news) => {
        line = news
      }),
    Fiber.interrupt
  )
}

/** For every kind of stream. */
export const asComment = (line: string) => encodeComment(`percept ${line}`)

/** Undefined where the client's dialect has no words for it. */
const encoding = (
  exchange: Exchange,
  { model, voice }: Pick<ChatRequest, "model" | "voice">
): ((line: string) => Uint8Array) | undefined => {
  const asThought = exchange.header("x-percept-progress") === "reasoning"
  if (voice === undefined) return asThought ? asReasoning(exchange, model) : asComment
  const say = (asThought ? voice.thought : undefined) ?? voice.comment
  return say && ((line) => Buffer.from(say(line)))
}

/** For chat pages that show what a model thinks, and nothing else before its answer. */
const asReasoning = (exchange: Exchange, model: string | undefined) => (line: string) =>
  encodeEvent(
    JSON.stringify({
      id: exchange.id,
      object: "chat.completion.chunk",
      created: Math.floor(Date.now() / 1000),
      model: model ?? "",
      choices: [
        { index: 0, delta: { role: "assistant", reasoning_content: `${line}\n` }, finish_reason: null }
      ]
    })
  )

/** Who gets its answer sooner than this need not hear that it is coming. */
const PATIENCE = "50 millis"

/** Milliseconds between two lines: at least, and at most. */
const SHORTEST_SILENCE = 1000
const LONGEST_SILENCE = 4000
