import { Effect } from "effect"
import * as OllamaChat from "../../../domain/dialects/OllamaChat.ts"
import * as OllamaEmbed from "../../../domain/dialects/OllamaEmbed.ts"
import * as OllamaGenerate from "../../../domain/dialects/OllamaGenerate.ts"
import { endpointOf } from "../../../domain/dialects/OllamaRequest.ts"
import { InvalidRequest } from "../../../domain/Errors.ts"
import { arrayField, isObject } from "../../../domain/Json.ts"
import type { JsonObject } from "../../../domain/Json.ts"
import type { OllamaFacts, Provider } from "../Provider.ts"
import * as Reading from "../Reading.ts"
import { ollamaModels } from "./ollamaModels.ts"
import * as OpenAiCompatible from "./OpenAiCompatible.ts"

/** An Ollama server: its own API where a request says what only that can take, else its OpenAI side. */
export const make = Effect.fnUntraced(function* (address: URL) {
  const base = new URL(address)
  base.pathname = address.pathname.replace(/\/*(?:\/(?:v1|api))?\/*$/, "/")
  const client = yield* OpenAiCompatible.make({
    name: NAME,
    chatUrl: OpenAiCompatible.chatUrlOf(new URL("v1", base)),
    headers: ["content-type", "application/json", "accept-encoding", "identity", "user-agent", "percept"],
    forwards: () => false
  })
  const native = (name: string) => new URL(`api/${name}`, base)
  const call = (name: string, body: JsonObject, reading: Reading.Reading) => {
    const { pathname, search } = native(name)
    return { path: pathname + search, bytes: Buffer.from(JSON.stringify(body)), reading }
  }

  const answer: Provider["answer"] = (request, reply, exchange) => {
    if (request.ollama === undefined && !wantsMore(request.body))
      return client.answer(request, reply, exchange)
    const [name, body] =
      endpointOf(request) === "/api/generate"
        ? ["generate", OllamaGenerate.toBody(request)]
        : ["chat", OllamaChat.toBody(request)]
    return client.send(call(name, body, Reading.lines(`chatcmpl-${exchange.id}`)), reply, exchange)
  }

  const embeddings: Provider["embeddings"] = (request, reply, exchange) =>
    request.inputs.every((input) => typeof input === "string")
      ? client.send(call("embed", OllamaEmbed.toBody(request), Reading.plainVectors), reply, exchange)
      : Effect.fail(
          new InvalidRequest({
            message: "'input' must be text for this model: an Ollama server takes no tokens.",
            param: "input",
            code: null
          })
        )

  const ollama: OllamaFacts = {
    show: (request) => client.ask(native("show"), request),
    running: Effect.map(
      Effect.suspend(() => client.ask(native("ps"))),
      (answer) => arrayField(answer, "models").filter(isObject)
    )
  }

  const models = ollamaModels({
    tags: Effect.suspend(() => client.ask(native("tags"))),
    show: ollama.show,
    broken: client.errors.broken
  })
  const { completions, transcribe } = client
  return { name: NAME, answer, models, completions, embeddings, ollama, transcribe } satisfies Provider
})

const NAME = "ollama"

/** Whether an OpenAI client says what Ollama's OpenAI side would pass over in silence. */
const wantsMore = (body: JsonObject): boolean =>
  NATIVE.some((key) => body[key] !== undefined && body[key] !== null)

const NATIVE = ["options", "keep_alive", "think", "num_ctx", "format"]
