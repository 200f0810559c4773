import { Effect } from "effect"
import type { Either } from "effect"
import { withModel, withTopLevel } from "../../domain/chat/ModelName.ts"
import { inForm, withoutVectors } from "../../domain/dialects/Embeddings.ts"
import type { EmbeddingsRequest } from "../../domain/dialects/EmbeddingsRequest.ts"
import { InvalidRequest } from "../../domain/Errors.ts"
import type { UpstreamFailure } from "../../domain/Errors.ts"
import type { Exchange, HeaderList } from "../../domain/Exchange.ts"
import { isObject } from "../../domain/Json.ts"
import type { JsonObject } from "../../domain/Json.ts"
import type { Reply } from "../../domain/Reply.ts"
import { Admission } from "../Admission.ts"
import { Recorder } from "../tracking/Recorder.ts"
import type { ToldElse } from "../tracking/told.ts"
import { ModelRouter } from "./ModelRouter.ts"
import type { Route } from "./ModelRouter.ts"

/** The way of a request for embeddings: admit, route, ask, answer in the form that was asked for. */
export class Embeddings extends Effect.Service<Embeddings>()("percept/Embeddings", {
  effect: Effect.gen(function* () {
    const admission = yield* Admission
    const recorder = yield* Recorder
    const router = yield* ModelRouter

    const embed = (decode: Decode) => (exchange: Exchange) =>
      recorder.recording(exchange, (recording) =>
        Effect.gen(function* () {
          yield* admission.enter(exchange, recording)
          const request = yield* decode(recording.received(yield* exchange.body()))
          const { model, text } = request
          recording.askedElse({ model, text, stream: false, characters: charactersIn(request) })
          const route = recording.routed(yield* router.resolve(model))
          const reply = recording.overhearingElse(replyTo(exchange, request), told)
          yield* admission.afford(recording, route, request)
          yield* answer(withModel(request, route.model), route, reply, exchange)
        })
      )

    return { embed }
  })
}) {}

/** Reads a client's bytes, in whatever dialect, into the internal form. */
export type Decode = (bytes: Uint8Array) => Either.Either<EmbeddingsRequest, InvalidRequest>

const answer = (
  request: EmbeddingsRequest,
  { model, provider }: Route,
  reply: Reply,
  exchange: Exchange
): Effect.Effect<void, UpstreamFailure | InvalidRequest> => {
  const { embeddings } = provider
  if (embeddings === undefined) return Effect.fail(cannot(model))
  if (request.inputs.length === 0) return Effect.sync(() => sayNothing(model, reply))
  return Effect.catchIf(
    embeddings(request, reply, exchange),
    (failure) => request.format === "base64" && knowsNoBase64(failure),
    () => embeddings(asNumbers(request), reply, exchange)
  )
}

/** What the client asked for is what it gets; an answer that is that already goes out as it came. */
const replyTo = (exchange: Exchange, { format, say }: EmbeddingsRequest): Reply => {
  let headers: HeaderList = []
  return {
    opened: (_, passedOn) => {
      headers = passedOn
    },
    whole: (bytes, _, answer) => {
      const changed = say === undefined ? inForm(answer, format) : undefined
      const text = say === undefined ? changed && JSON.stringify(changed) : say(answer)
      exchange.json(200, text === undefined ? bytes : Buffer.from(text), headers)
    },
    events: () => true,
    onDrain: () => {},
    end: () => {}
  }
}

/** Nothing is written by the model, so what is read is all there is to pay. */
const told = (answer: JsonObject): ToldElse => {
  const { usage } = answer
  return {
    kept: withoutVectors(answer),
    usage: isObject(usage) ? { completion_tokens: 0, ...usage } : undefined,
    characters: null
  }
}

const charactersIn = ({ inputs }: EmbeddingsRequest): number => {
  let characters = 0
  for (const input of inputs) if (typeof input === "string") characters += input.length
  return characters
}

/** Ollama's clients ask with no text at all, to see whether a model is there. */
const sayNothing = (model: string, reply: Reply): void => {
  const answer = { object: "list", data: [], model, usage: { prompt_tokens: 0, total_tokens: 0 } }
  const text = JSON.stringify(answer)
  reply.whole(Buffer.from(text), text, answer)
}

/** Official clients ask for base64 whether or not they were told to, and some servers refuse the very word. */
const knowsNoBase64 = (failure: UpstreamFailure | InvalidRequest): boolean =>
  failure._tag === "UpstreamFailure" &&
  (failure.status === 400 || failure.status === 422) &&
  /encoding_format|base64/i.test(`${failure.param} ${failure.message}`)

const asNumbers = (request: EmbeddingsRequest): EmbeddingsRequest => {
  const text = withTopLevel(request.text, "encoding_format", '"float"')
  const body = { ...request.body, encoding_format: "float" }
  return { ...request, body, text, bytes: Buffer.from(text), format: "float" }
}

const cannot = (model: string) =>
  new InvalidRequest({
    message: `The model '${model.slice(0, 200)}' does not make embeddings; name one that does.`,
    param: "model",
    code: null
  })
