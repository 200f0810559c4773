import { isObject } from "../Json.ts"
import type { JsonObject } from "../Json.ts"
import { streams } from "./OllamaRequest.ts"

/** All of an Ollama body that other servers understand, in OpenAI's words; its messages not among it. */
export const toOpenAi = (body: JsonObject): JsonObject => {
  const { format, logprobs, model, options, percept, think, tools, top_logprobs } = body
  const stream = streams(body)
  return {
    ...(typeof model === "string" ? { model } : {}),
    stream,
    // Ollama always says how many tokens it was; others must be asked.
    ...(stream ? { stream_options: { include_usage: true } } : {}),
    ...(Array.isArray(tools) && tools.length > 0 ? { tools } : {}),
    ...formatFor(format),
    ...samplingFor(isObject(options) ? options : {}),
    ...reasoningFor(think),
    ...(logprobs === true ? { logprobs } : {}),
    ...(logprobs === true && typeof top_logprobs === "number" ? { top_logprobs } : {}),
    // What a client wishes of the router's own work.
    ...(percept === undefined ? {} : { percept })
  }
}

/** All of an OpenAI body that Ollama understands, in Ollama's words; its messages not among it. */
export const toOllama = (body: JsonObject): JsonObject => {
  const options = optionsOf(body)
  const think = thinkOf(body)
  const format = formatOf(body)
  const { tool_choice, tools } = body
  return {
    // Absent would mean yes.
    stream: body["stream"] === true,
    ...(Array.isArray(tools) && tools.length > 0 && tool_choice !== "none" ? { tools } : {}),
    ...(format === undefined ? {} : { format }),
    ...(Object.keys(options).length === 0 ? {} : { options }),
    ...(think === undefined ? {} : { think }),
    ...Object.fromEntries(SAME.filter((key) => isThere(body[key])).map((key) => [key, body[key]]))
  }
}

const formatFor = (format: unknown): JsonObject => {
  if (format === "json") return { response_format: { type: "json_object" } }
  return isObject(format)
    ? { response_format: { type: "json_schema", json_schema: { name: "answer", schema: format } } }
    : {}
}

const formatOf = ({ format, response_format }: JsonObject): unknown => {
  if (isThere(format)) return format
  if (!isObject(response_format)) return undefined
  if (response_format["type"] === "json_object") return "json"
  const { json_schema } = response_format
  return isObject(json_schema) && isObject(json_schema["schema"]) ? json_schema["schema"] : undefined
}

const samplingFor = (options: JsonObject): JsonObject =>
  Object.fromEntries(
    NAMES.filter(([option]) => isThere(options[option]) && !isUnbounded(option, options[option])).map(
      ([option, name]) => [name, options[option]]
    )
  )

/** What stands among the client's `options` is meant for Ollama and goes before the same said for everybody. */
const optionsOf = (body: JsonObject): JsonObject => {
  const { max_completion_tokens, max_tokens, num_ctx, options } = body
  const said: JsonObject = { ...body, max_tokens: max_completion_tokens ?? max_tokens }
  return {
    ...Object.fromEntries(
      NAMES.filter(([, name]) => isThere(said[name])).map(([option, name]) => [
        option,
        option === "stop" && typeof said[name] === "string" ? [said[name]] : said[name]
      ])
    ),
    ...(isThere(num_ctx) ? { num_ctx } : {}),
    ...(isObject(options) ? options : {})
  }
}

const reasoningFor = (think: unknown): JsonObject => {
  if (typeof think === "boolean") return { reasoning: { enabled: think } }
  return typeof think === "string" ? { reasoning_effort: think } : {}
}

const thinkOf = ({ reasoning, reasoning_effort, think }: JsonObject): boolean | string | undefined => {
  if (typeof think === "boolean" || typeof think === "string") return think
  const effort = effortOf(reasoning_effort)
  if (effort !== undefined || !isObject(reasoning)) return effort
  const { effort: how, enabled, max_tokens } = reasoning
  if (enabled === false) return false
  return (
    effortOf(how) ?? (enabled === true || (typeof max_tokens === "number" && max_tokens > 0) || undefined)
  )
}

const effortOf = (effort: unknown): boolean | string | undefined => {
  if (typeof effort !== "string" || effort === "") return undefined
  if (effort === "none") return false
  return effort === "minimal" ? "low" : effort === "xhigh" ? "max" : effort
}

/** Ollama's numbers below one ask for as much as there is. */
const isUnbounded = (option: string, value: unknown): boolean =>
  option === "num_predict" && typeof value === "number" && value <= 0

const isThere = (value: unknown): boolean => value !== undefined && value !== null

/** An option of Ollama's, and what the rest of the world calls it. */
const NAMES: ReadonlyArray<readonly [option: string, name: string]> = [
  ["temperature", "temperature"],
  ["top_p", "top_p"],
  ["top_k", "top_k"],
  ["min_p", "min_p"],
  ["seed", "seed"],
  ["stop", "stop"],
  ["num_predict", "max_tokens"],
  ["presence_penalty", "presence_penalty"],
  ["frequency_penalty", "frequency_penalty"],
  ["repeat_penalty", "repetition_penalty"]
]

/** Named alike on both sides. */
const SAME = ["keep_alive", "truncate", "shift", "logprobs", "top_logprobs"]
