import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "@effect/platform"
import { Schema } from "effect"

/** Ollama's errors are a sentence. */
const OllamaError = Schema.Struct({ error: Schema.String }).annotations({ identifier: "OllamaError" })

const failing = (status: number, description: string) =>
  OllamaError.annotations(HttpApiSchema.annotations({ status, description }))

/** Whatever Ollama's clients say; the dialects read it. */
const Anything = Schema.Record({ key: Schema.String, value: Schema.Unknown })

const post = <const Name extends string>(name: Name, path: `/${string}`, summary: string) =>
  HttpApiEndpoint.post(name, path)
    .setPayload(Anything)
    .addSuccess(Anything)
    .addError(failing(400, "The request is wrong."))
    .addError(failing(404, "There is no such model."))
    .addError(failing(502, "The provider failed."))
    .annotate(OpenApi.Summary, summary)

const get = <const Name extends string>(name: Name, path: `/${string}`, summary: string) =>
  HttpApiEndpoint.get(name, path).addSuccess(Anything).annotate(OpenApi.Summary, summary)

/** What Ollama's clients call. */
export class Ollama extends HttpApiGroup.make("ollama")
  .add(post("chat", "/api/chat", "Chat; streams lines of JSON unless `stream` is false"))
  .add(post("generate", "/api/generate", "Completion; streams lines of JSON unless `stream` is false"))
  .add(post("embed", "/api/embed", "Embeddings of one or more texts"))
  .add(post("embedOld", "/api/embeddings", "Embedding of one text, the older form"))
  .add(get("tags", "/api/tags", "Every model of every provider"))
  .add(post("show", "/api/show", "One model, and what it can do"))
  .add(get("running", "/api/ps", "Models that are loaded"))
  .add(get("version", "/api/version", "The version of Ollama whose API this is"))
  .add(
    HttpApiEndpoint.get("root", "/")
      .addSuccess(HttpApiSchema.Text())
      .annotate(OpenApi.Summary, "A sign of life for clients; browsers are led to the page")
  )
  .annotate(OpenApi.Title, "Ollama") {}
