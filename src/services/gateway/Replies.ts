import { Assembly } from "../../domain/chat/Assembly.ts"
import type { ChatRequest } from "../../domain/chat/ChatRequest.ts"
import { chunksOf } from "../../domain/chat/Chunks.ts"
import type { Voice } from "../../domain/dialects/Voice.ts"
import type { Exchange, HeaderList } from "../../domain/Exchange.ts"
import type { JsonObject } from "../../domain/Json.ts"
import type { Reply } from "../../domain/Reply.ts"
import { encodeEvent, isComment } from "../../domain/Sse.ts"

/** Brings a provider's answer to the client, in the client's dialect. */
export const replyTo = (exchange: Exchange, request: ChatRequest, media: string | undefined): Reply => {
  const about: HeaderList = media === undefined ? [] : ["x-percept-media", media]
  return request.voice === undefined
    ? verbatim(exchange, about)
    : spoken(exchange, request.voice, request.stream, about)
}

/** The answer to a legacy completion that was passed on as it is. */
export const forwardTo = (exchange: Exchange, media: string | undefined): Reply =>
  verbatim(exchange, media === undefined ? [] : ["x-percept-media", media], (completion) => [completion])

/** An answer of the router's own. */
export const sayWhole = (reply: Reply, completion: JsonObject): void => {
  const text = JSON.stringify(completion)
  reply.whole(Buffer.from(text), text, completion)
}

/** OpenAI's chat is the internal form: bytes as they come. */
const verbatim = (exchange: Exchange, about: HeaderList, inPieces = chunksOf): Reply => {
  let headers = about
  return {
    opened: (_, passedOn) => {
      headers = [...about, ...passedOn]
    },
    whole: (bytes, _, completion) => {
      if (exchange.status() === undefined) return exchange.json(200, bytes, headers)
      for (const chunk of inPieces(completion)) exchange.write(encodeEvent(JSON.stringify(chunk)))
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

/** Any other dialect; streamed to who asked for a stream, whole to who did not, whatever the provider does. */
const spoken = (exchange: Exchange, voice: Voice, stream: boolean, about: HeaderList): Reply => {
  const gathered = new Assembly(Infinity)
  let headers = about
  const whole = (completion: Parameters<Voice["whole"]>[0]) =>
    exchange.json(200, Buffer.from(voice.whole(completion)), headers)
  const write = (text: string): boolean => {
    if (text === "") return true
    if (exchange.status() === undefined) exchange.openStream(voice.contentType, headers)
    return exchange.write(Buffer.from(text))
  }
  const end = () => {
    write(voice.end())
    exchange.end()
  }
  return {
    opened: (_, passedOn) => {
      headers = [...about, ...passedOn]
    },
    whole: (_bytes, _text, completion) => {
      if (!stream) return whole(completion)
      for (const chunk of chunksOf(completion)) write(voice.chunk(chunk))
      end()
    },
    events: (bytes, chunks) => {
      // A provider's signs of life stay what they are for clients that know comments.
      if (stream && chunks.length === 0 && voice.comment !== undefined && isComment(bytes))
        return write(bytes.toString())
      if (stream) return write(chunks.map((chunk) => voice.chunk(chunk)).join(""))
      for (const chunk of chunks) gathered.add(chunk)
      return true
    },
    onDrain: (resume) => exchange.onDrain(resume),
    end: () => (stream ? end() : whole(gathered.completion()))
  }
}
