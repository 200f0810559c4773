import { Context } from "effect"
import type { Effect } from "effect"
import type { ChatRequest } from "../../domain/chat/ChatRequest.ts"
import type { EmbeddingsRequest } from "../../domain/dialects/EmbeddingsRequest.ts"
import type { Fields } from "../../domain/dialects/Transcription.ts"
import type { InvalidRequest, ModelNotFound, UpstreamFailure } from "../../domain/Errors.ts"
import type { Exchange } from "../../domain/Exchange.ts"
import type { JsonObject } from "../../domain/Json.ts"
import type { Model } from "../../domain/Model.ts"
import type { Reply } from "../../domain/Reply.ts"
import type { Usage } from "../../domain/Usage.ts"

/** What can answer a chat request. Whoever adds one writes a file like `OpenRouter.ts` and a line in `routing.ts`. */
export interface Provider {
  readonly name: string
  /** Its answers are to be seen as they are: nothing is taken out of them. */
  readonly verbatim?: true
  /** Sends the request and hands the answer to the reply as it comes; interruption aborts it upstream. */
  readonly answer: (
    request: ChatRequest,
    reply: Reply,
    exchange: Exchange
  ) => Effect.Effect<void, UpstreamFailure | ModelNotFound>
  readonly models: Effect.Effect<ReadonlyArray<Model>, UpstreamFailure>
  /** Takes a legacy completion as it is; who has none gets it as a chat. */
  readonly completions?: Forward
  /** Answers in OpenAI's form and always at once, vectors as numbers or as base64. */
  readonly embeddings?: (
    request: EmbeddingsRequest,
    reply: Reply,
    exchange: Exchange
  ) => Effect.Effect<void, UpstreamFailure | InvalidRequest>
  /** Writes down what is said in a file. */
  readonly transcribe?: (
    speech: Speech,
    reply: Reply,
    exchange: Exchange
  ) => Effect.Effect<void, UpstreamFailure>
  /** Asks whether the key is good, which costs nothing, and says what is known of it; a list alone may be for everybody. */
  readonly keyCheck?: Effect.Effect<string, UpstreamFailure>
  /** What an Ollama server says of itself. */
  readonly ollama?: OllamaFacts
  /** What an answer of this id has used, asked after its end; undefined as long as that is not known. */
  readonly figures?: (id: string) => Effect.Effect<Usage | undefined, UpstreamFailure>
}

/** Passes a request on and its answer back, both in OpenAI's own words. */
export type Forward = (
  bytes: Uint8Array,
  reply: Reply,
  exchange: Exchange
) => Effect.Effect<void, UpstreamFailure>

/** A form with a sound in it, as it is to be sent; the file stays on disk until it is. */
export interface Speech {
  readonly fields: Fields
  readonly file: SpeechFile
}

export interface SpeechFile {
  readonly path: string
  readonly filename: string
  readonly bytes: number
  /** The container: `mp3`, `wav`, … */
  readonly format: string
}

export interface OllamaFacts {
  /** `/api/show` of one of its models. */
  readonly show: (request: JsonObject) => Effect.Effect<JsonObject, UpstreamFailure>
  /** The models it has loaded, as `/api/ps` lists them. */
  readonly running: Effect.Effect<ReadonlyArray<JsonObject>, UpstreamFailure>
}

/** The providers that are configured, in the order of preference. */
export class Providers extends Context.Tag("percept/Providers")<Providers, ReadonlyArray<Provider>>() {}
