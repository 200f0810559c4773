import { Effect } from "effect"
import { createHash } from "node:crypto"
import type { ChatRequest } from "../../../domain/chat/ChatRequest.ts"
import { ModelNotFound } from "../../../domain/Errors.ts"
import type { Exchange } from "../../../domain/Exchange.ts"
import { arrayField, field, stringField } from "../../../domain/Json.ts"
import type { JsonObject } from "../../../domain/Json.ts"
import { readImageHeader } from "../../../domain/media/ImageHeader.ts"
import type { Reply } from "../../../domain/Reply.ts"
import { encodeEvent } from "../../../domain/Sse.ts"
import type { Provider } from "../Provider.ts"

const MODEL = "percept/inspect"
const NO_USAGE = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0, cost: 0 }

/** `percept/inspect` answers with the request as a model would have got it; nothing leaves the machine. */
export const inspect: Provider = {
  name: "percept",
  verbatim: true,
  answer: (request, reply, exchange) =>
    Effect.suspend(() => {
      if (request.model !== MODEL)
        return Effect.fail(
          new ModelNotFound({
            message: `The model '${(request.model ?? "").slice(0, 200)}' does not exist; there is ${MODEL}.`
          })
        )
      const text = describe(request)
      if (request.stream) answerInPieces(text, reply, exchange)
      else answerWhole(text, reply, exchange)
      return Effect.void
    }),
  models: Effect.succeed([
    {
      id: MODEL,
      provider: "percept",
      pricing: { prompt: "0", completion: "0" },
      entry: {
        id: MODEL,
        object: "model",
        created: 0,
        owned_by: "percept",
        name: "Percept: what a model would see",
        architecture: { input_modalities: ["text", "image"], output_modalities: ["text"] },
        pricing: { prompt: "0", completion: "0" }
      }
    }
  ])
}

const answerWhole = (text: string, reply: Reply, exchange: Exchange): void => {
  const completion = {
    ...envelope(exchange, "chat.completion"),
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: text, refusal: null },
        logprobs: null,
        finish_reason: "stop"
      }
    ],
    usage: NO_USAGE
  }
  const json = JSON.stringify(completion)
  reply.whole(Buffer.from(json), json, completion)
}

const answerInPieces = (text: string, reply: Reply, exchange: Exchange): void => {
  const head = envelope(exchange, "chat.completion.chunk")
  const say = (delta: JsonObject, finish_reason: string | null, rest: JsonObject = {}) => {
    const chunk = { ...head, choices: [{ index: 0, delta, logprobs: null, finish_reason }], ...rest }
    reply.events(encodeEvent(JSON.stringify(chunk)), [chunk])
  }
  say({ role: "assistant", content: "" }, null)
  for (const line of text.split(/(?<=\n)/)) say({ content: line }, null)
  say({}, "stop", { usage: NO_USAGE })
  reply.events(encodeEvent("[DONE]"), [])
  reply.end()
}

/** A request as its model would have got it: text verbatim, media as what they are. */
export const describe = (request: ChatRequest): string => {
  const count = { image: 0, audio: 0, video: 0, file: 0 }
  const part = (part: unknown): string => {
    const text = stringField(part, "text")
    if (text !== undefined) return text
    const type = stringField(part, "type") ?? "part"
    const kind = /video/.test(type)
      ? "video"
      : /image/.test(type)
        ? "image"
        : /audio/.test(type)
          ? "audio"
          : "file"
    return `[${kind} ${++count[kind]}: ${material(part, type)}]`
  }
  return request.messages
    .map((message) => {
      const content = message["content"]
      const said = typeof content === "string" ? content : arrayField(message, "content").map(part).join("\n")
      const calls = arrayField(message, "tool_calls").map((call) => `[tool call: ${JSON.stringify(call)}]`)
      return [`[${stringField(message, "role")}]`, ...(said === "" ? [] : [said]), ...calls].join("\n")
    })
    .join("\n\n")
}

const material = (part: unknown, type: string): string => {
  const value = field(part, type)
  const source =
    stringField(value, "url") ??
    stringField(value, "data") ??
    stringField(value, "file_data") ??
    stringField(part, type)
  if (source === undefined) return type
  if (/^https?:/i.test(source)) return source
  const bytes = bytesOf(source)
  const header = readImageHeader(bytes)
  const named = /^data:([^;,]+)/.exec(source)?.[1] ?? stringField(value, "format") ?? "unknown"
  const what = header === undefined ? named : `${header.type} ${header.width}x${header.height}`
  const digest = createHash("sha256").update(bytes).digest("hex")
  return `${what}, ${Math.max(1, Math.round(bytes.length / 1024))} kB, sha256 ${digest}`
}

/** A data link, or bare base64. */
const bytesOf = (source: string): Buffer => {
  if (!source.startsWith("data:")) return Buffer.from(source, "base64")
  const comma = source.indexOf(",")
  const data = source.slice(comma + 1)
  if (/;\s*base64$/i.test(source.slice(0, comma))) return Buffer.from(data, "base64")
  const decoded = data.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
  return Buffer.from(decoded, "latin1")
}

const envelope = (exchange: Exchange, object: string) => ({
  id: `inspect-${exchange.id}`,
  object,
  created: Math.floor(Date.now() / 1000),
  model: MODEL
})
