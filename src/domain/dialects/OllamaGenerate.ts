import { Either } from "effect"
import * as Chat from "../chat/ChatRequest.ts"
import type { ChatRequest } from "../chat/ChatRequest.ts"
import type { InvalidRequest } from "../Errors.ts"
import { arrayField, stringField } from "../Json.ts"
import type { JsonObject } from "../Json.ts"
import { contentOf, imagesOf, restored, textOf, withoutImages } from "./OllamaContent.ts"
import { aFlag, aString, numbers, pictures, problem, readBody } from "./OllamaFields.ts"
import type { Check } from "./OllamaFields.ts"
import { toOllama, toOpenAi } from "./OllamaOptions.ts"
import { bodyProblem, keptOf, loaded, named, withoutKeys } from "./OllamaRequest.ts"
import type { Kept } from "./OllamaRequest.ts"
import { makeVoice } from "./OllamaVoice.ts"

/**
 * `POST /api/generate` as a chat request: what the system says, what the user says. `suffix`, `template`, `raw` and
 * `context` are for an Ollama server alone. One with nothing to answer only asks for the model to be loaded: it is
 * refused here, and `loadAnswer` has the answer to it.
 */
export const decode = (bytes: Uint8Array): Either.Either<ChatRequest, InvalidRequest> =>
  Either.flatMap(checked(bytes), (body) => {
    if (isLoad(body)) return Either.left(problem("prompt", "must not be empty."))
    const { model, prompt, system, think } = body
    const kept: Kept = {
      endpoint: "/api/generate",
      body: withoutImages(withoutKeys(body, "percept")),
      messages: []
    }
    const messages = [
      ...(typeof system === "string" && system !== "" ? [{ role: "system", content: system }] : []),
      { role: "user", content: contentOf(typeof prompt === "string" ? prompt : "", body["images"]) }
    ]
    const asked = typeof model === "string" && model !== "" ? model : undefined
    const voice = makeVoice({ endpoint: "/api/generate", model: asked, think })
    const { tools: _, ...said } = toOpenAi(body)
    return Chat.fromBody({ ...said, messages }, { ollama: kept, voice })
  })

/** The answer to a request that only loads or unloads a model; undefined for every other. */
export const loadAnswer = (bytes: Uint8Array): string | undefined => {
  const body = Either.getOrUndefined(checked(bytes))
  return body === undefined || !isLoad(body) ? undefined : loaded(body, { response: "" })
}

/** A chat request as the body of `POST /api/generate`; a conversation of more than one turn becomes one text. */
export const toBody = (request: ChatRequest): JsonObject => {
  const kept = keptOf(request)
  const system = request.messages.filter(isSystem).map(({ content }) => textOf(content))
  const others = request.messages.filter((message) => !isSystem(message))
  if (kept?.endpoint !== "/api/generate") {
    const images = others.flatMap(({ content }) => imagesOf(content))
    return {
      ...withoutKeys(kept?.body ?? toOllama(request.body), "tools"),
      ...named(request.model),
      ...(system.length === 0 ? {} : { system: system.join("\n\n") }),
      prompt: others.map(({ content }) => textOf(content)).join("\n\n"),
      ...(images.length === 0 ? {} : { images })
    }
  }
  const base = {
    ...kept.body,
    ...named(request.model),
    ...(system.length === 0 ? {} : { system: system[0] })
  }
  return restored(base, others.at(-1)?.["content"], "prompt")
}

const isSystem = (message: JsonObject): boolean =>
  ["system", "developer"].includes(stringField(message, "role") ?? "")

/** Pictures without a word are something to answer all the same. */
const isLoad = (body: JsonObject): boolean =>
  (stringField(body, "prompt") ?? "") === "" && arrayField(body, "images").length === 0

const checked = (bytes: Uint8Array): Either.Either<JsonObject, InvalidRequest> =>
  Either.flatMap(readBody(bytes), (body) => {
    const found = bodyProblem(body, FIELDS)
    return found === undefined ? Either.right(body) : Either.left(found)
  })

const FIELDS: Readonly<Record<string, Check>> = {
  prompt: aString,
  suffix: aString,
  system: aString,
  template: aString,
  context: numbers,
  raw: aFlag,
  images: pictures
}
