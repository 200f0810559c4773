import { HttpApi, HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "@effect/platform"
import { Schema } from "effect"
import { ChatCompletion, ChatRequestBody } from "../domain/chat/Chat.ts"
import { isObject } from "../domain/Json.ts"
import type { JsonObject } from "../domain/Json.ts"
import { version } from "../services/version.ts"
import { Remembered } from "./mediaContract.ts"
import { Metrics } from "./metricsContract.ts"
import { Ollama } from "./ollamaContract.ts"
import { Page } from "./pageContract.ts"
import { Recorded } from "./recordContract.ts"
import { RecordFigures } from "./recordFiguresContract.ts"
import { RecordStreams } from "./recordStreamContract.ts"

/** The one shape of every error. */
export const ErrorBody = Schema.Struct({
  error: Schema.Struct(
    {
      message: Schema.String,
      type: Schema.String,
      param: Schema.NullOr(Schema.String),
      code: Schema.NullOr(Schema.String)
    },
    { key: Schema.String, value: Schema.Unknown }
  )
}).annotations({ identifier: "Error" })

const failing = (status: number, description: string) =>
  ErrorBody.annotations(HttpApiSchema.annotations({ status, description }))

const Model = Schema.Struct(
  { id: Schema.String, object: Schema.Literal("model"), created: Schema.Number, owned_by: Schema.String },
  { key: Schema.String, value: Schema.Unknown }
).annotations({ identifier: "Model" })

const Anything = Schema.Record({ key: Schema.String, value: Schema.Unknown })

/** A question to a model, which everything can befall that befalls questions to models. */
const asking = <const Name extends string>(name: Name, path: `/${string}`) =>
  HttpApiEndpoint.post(name, path)
    .addError(failing(400, "The request is wrong; `param` says where."))
    .addError(failing(402, "The provider wants money, or the key's budget is spent."))
    .addError(failing(404, "There is no such model."))
    .addError(failing(413, "The body is larger than MAX_BODY_MB."))
    .addError(failing(415, "The body is not JSON."))
    .addError(failing(429, "Too many requests; see Retry-After."))
    .addError(failing(502, "The provider failed, or its answer was none."))
    .addError(failing(503, "The provider is overloaded, or the router is going down."))
    .addError(failing(504, "The provider did not answer in time."))

class Chat extends HttpApiGroup.make("chat")
  .add(
    asking("complete", "/v1/chat/completions")
      .setPayload(ChatRequestBody)
      .addSuccess(ChatCompletion)
      .annotate(OpenApi.Summary, "Chat completion")
      .annotate(
        OpenApi.Description,
        "As OpenAI and OpenRouter have it; unknown fields go to the provider unchanged. With `stream: true` the answer is an event stream of chunks that ends with `[DONE]`; an error after its first byte is one event with `error`, and no `[DONE]`."
      )
  )
  .annotate(OpenApi.Title, "Chat") {}

class Completion extends HttpApiGroup.make("completions")
  .add(
    asking("complete", "/v1/completions")
      .setPayload(Anything)
      .addSuccess(Anything)
      .annotate(OpenApi.Summary, "Legacy completion")
      .annotate(
        OpenApi.Description,
        "Goes to providers that know it as it is, and as a chat to all others. Media in the prompt are looked at as in a chat."
      )
  )
  .annotate(OpenApi.Title, "Completions") {}

class Embedding extends HttpApiGroup.make("embeddings")
  .add(
    asking("embed", "/v1/embeddings")
      .setPayload(Anything)
      .addSuccess(Anything)
      .annotate(OpenApi.Summary, "Embeddings, as numbers or as base64")
      .annotate(
        OpenApi.Description,
        "As OpenAI has it: a text, several texts, tokens, or lists of tokens, 2048 at most; unknown fields go to the provider unchanged. `encoding_format` is what the client gets, whatever form the provider gives."
      )
  )
  .annotate(OpenApi.Title, "Embeddings") {}

class Models extends HttpApiGroup.make("models")
  .add(
    HttpApiEndpoint.get("list", "/v1/models")
      .addSuccess(
        Schema.Struct({ object: Schema.Literal("list"), data: Schema.Array(Model) }).annotations({
          identifier: "ModelList"
        })
      )
      .annotate(OpenApi.Summary, "Every model of every provider")
  )
  .add(
    HttpApiEndpoint.get("retrieve", "/v1/models/*")
      .addSuccess(Model)
      .addError(failing(404, "There is no such model."))
      .annotate(OpenApi.Summary, "One model; its id may hold slashes")
  )
  .annotate(OpenApi.Title, "Models") {}

/** A form, as OpenAI has it; `handlers.ts` takes it off the wire by itself, straight to disk. */
const TranscriptionForm = HttpApiSchema.Multipart(
  Schema.Struct({
    file: Schema.String.annotations({
      jsonSchema: { type: "string", format: "binary" },
      description: "Sound or video, in whatever container."
    }),
    model: Schema.String,
    language: Schema.optional(Schema.String),
    response_format: Schema.optional(Schema.Literal("json", "text", "srt", "verbose_json", "vtt")),
    stream: Schema.optional(Schema.Boolean)
  })
)

class Audio extends HttpApiGroup.make("audio")
  .add(
    HttpApiEndpoint.post("transcribe", "/v1/audio/transcriptions")
      .setPayload(TranscriptionForm)
      .addSuccess(
        Schema.Struct({ text: Schema.String }, { key: Schema.String, value: Schema.Unknown }).annotations({
          identifier: "Transcription"
        })
      )
      .addError(failing(400, "The form is wrong; `param` says where."))
      .addError(failing(413, "The file is larger than AUDIO_MAX_MB."))
      .addError(failing(422, "There is no sound in the file, or it cannot be decoded."))
      .addError(failing(503, "Too many media are being worked on; see Retry-After."))
      .annotate(OpenApi.Summary, "Speech to text, on this machine or by a provider")
      .annotate(
        OpenApi.Description,
        "`whisper-1`, `whisper-local` and `gpt-4o-transcribe` are heard on this machine, other names of Whisper where no provider lists them; `openai:whisper-1`, or any model that a provider lists, goes there with its form as it is. `MODEL_MAP` goes before all that. `text`, `srt` and `vtt` answer in plain text; with `stream` words come as events, as they are understood."
      )
  )
  .annotate(OpenApi.Title, "Audio") {}

const Readiness = Schema.Struct({
  status: Schema.Literal("ready", "draining"),
  record: Schema.Literal("ok", "failing"),
  log: Schema.Literal("ok", "failing"),
  rows_lost: Schema.Number,
  log_lines_lost: Schema.Number
})

class Operation extends HttpApiGroup.make("operation")
  .add(
    HttpApiEndpoint.get("alive", "/healthz")
      .addSuccess(Schema.Struct({ status: Schema.Literal("ok") }))
      .annotate(OpenApi.Summary, "The process is alive")
  )
  .add(
    HttpApiEndpoint.get("ready", "/readyz")
      .addSuccess(Readiness)
      .addError(Readiness.annotations(HttpApiSchema.annotations({ status: 503, description: "Draining." })))
      .annotate(OpenApi.Summary, "The router takes requests, and what is wrong with its record")
  )
  .annotate(OpenApi.Title, "Operation") {}

/** What schemas cannot say: keys, and that the answer of a chat may be a stream. */
const asSpoken = ({ paths, ...document }: Record<string, unknown>): Record<string, unknown> => ({
  ...document,
  paths: Object.fromEntries(
    Object.entries(isObject(paths) ? paths : {}).map(([path, methods]) => [
      path.replace("*", "{id}"),
      Object.fromEntries(
        Object.entries(isObject(methods) ? methods : {}).map(([method, operation]) => [
          method,
          /^\/(?:v1|api)\//.test(path) && isObject(operation) ? asCalled(path, operation) : operation
        ])
      )
    ])
  ),
  security: [{ bearer: [] }, { header: [] }, { basic: [] }, {}],
  components: {
    ...(isObject(document["components"]) ? document["components"] : {}),
    securitySchemes: {
      bearer: { type: "http", scheme: "bearer" },
      header: { type: "apiKey", in: "header", name: "X-Api-Key" },
      basic: { type: "http", scheme: "basic", description: "The key as password, any user name." }
    }
  }
})

const asCalled = (path: string, { security, ...operation }: JsonObject): JsonObject => {
  void security
  return path.endsWith("/*") ? { ...operation, parameters: [MODEL_ID] } : operation
}

const MODEL_ID = {
  name: "id",
  in: "path",
  required: true,
  schema: { type: "string" },
  description: "As in the list; slashes may stand as they are."
}

/** Everything the router serves, as a contract: schemas only. */
export class Api extends HttpApi.make("percept")
  .add(Chat)
  .add(Completion)
  .add(Embedding)
  .add(Models)
  .add(Audio)
  .add(Ollama)
  .add(Recorded)
  .add(RecordFigures)
  .add(RecordStreams)
  .add(Remembered)
  .add(Page)
  .add(Operation)
  .add(Metrics)
  .addError(failing(401, "No key, or a wrong one."))
  .addError(failing(403, "A web page of another origin."))
  .addError(failing(500, "A bug of the router."))
  .annotate(OpenApi.Title, "Percept")
  .annotate(OpenApi.Version, version)
  .annotate(OpenApi.Description, "A router that gives any model eyes and ears.")
  .annotate(OpenApi.Transform, asSpoken) {}
