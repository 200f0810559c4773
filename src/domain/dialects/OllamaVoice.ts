import { arrayField, field, isObject, numberField, stringField } from "../Json.ts"
import type { JsonObject } from "../Json.ts"
import { CallPieces, nativeCalls } from "./OllamaCalls.ts"
import { saidIn } from "./OllamaContent.ts"
import { nativeLogprobs } from "./OllamaLogprobs.ts"
import type { Endpoint } from "./OllamaRequest.ts"
import type { Voice } from "./Voice.ts"

/** What an answer to an Ollama client depends on. */
export interface Asked {
  readonly endpoint: Endpoint
  /** The name the client asked by. */
  readonly model: string | undefined
  readonly think: unknown
}

/**
 * Says an answer in Ollama's words: lines of JSON, the last of them only when all has been said, since the counts may
 * come after the words. Figures that an Ollama server gave itself stand under the answer's `ollama` and go out as they
 * came; else the time since the request was read is what it took.
 */
export const makeVoice = ({ endpoint, model, think }: Asked): Voice => {
  const began = performance.now()
  const calls = new CallPieces()
  let name = model ?? ""
  let firstWordAt: number | undefined
  let finish: string | undefined
  let usage: unknown
  let figures: JsonObject | undefined
  let closing: JsonObject = {}

  const head = () => ({ model: name, created_at: new Date().toISOString() })
  const speech = endpoint === "/api/chat" ? inMessage : inResponse
  const line = (said: Said, rest: JsonObject) =>
    `${JSON.stringify({ ...head(), ...speech(said), done: false, ...rest })}\n`
  const thinkingIn = (message: unknown): string =>
    think === false
      ? ""
      : (stringField(message, "reasoning") ?? stringField(message, "reasoning_content") ?? "")
  const learn = (answer: JsonObject): Own => {
    name = stringField(answer, "model") || name
    if (isObject(answer["usage"])) usage = answer["usage"]
    const own = ownOf(answer["ollama"])
    if (own.lasting !== undefined) figures = { ...figures, ...own.lasting }
    return own
  }
  const ending = (): JsonObject => ({
    done: true,
    done_reason: doneReason(finish),
    ...(figures ?? { ...measured(began, firstWordAt), ...counts(usage) })
  })

  return {
    contentType: "application/x-ndjson",
    whole: (completion) => {
      const { message: further, passing } = learn(completion)
      const choice = firstOf(completion)
      const message = field(choice, "message")
      finish = stringField(choice, "finish_reason")
      const said: Said = {
        content: saidIn(message),
        thinking: thinkingIn(message),
        calls: nativeCalls(arrayField(message, "tool_calls")),
        further
      }
      return JSON.stringify({ ...head(), ...speech(said), ...ending(), ...logprobs(choice), ...passing })
    },
    chunk: (chunk) => {
      const { message: further, passing } = learn(chunk)
      const choice = firstOf(chunk)
      const delta = field(choice, "delta")
      const ended = stringField(choice, "finish_reason")
      finish = ended ?? finish
      calls.add(delta)
      const said: Said = { content: saidIn(delta), thinking: thinkingIn(delta), further }
      const rest = { ...logprobs(choice), ...passing }
      const isLast = ended !== undefined || choice === undefined
      if (isLast) closing = { ...closing, ...passing }
      const speaks = said.content !== "" || said.thinking !== "" || "logprobs" in rest
      if (!speaks && (isLast || Object.keys(passing).length === 0)) return ""
      firstWordAt ??= performance.now()
      return line(said, rest)
    },
    end: () => {
      const called = calls.all()
      const before = called.length === 0 ? "" : line({ ...NOTHING, calls: called }, {})
      return before + line(NOTHING, { ...ending(), ...closing })
    },
    thought: (news) => line({ content: "", thinking: `${news}\n` }, {}),
    comment: undefined
  }
}

interface Said {
  readonly content: string
  readonly thinking: string
  readonly calls?: ReadonlyArray<JsonObject>
  /** What else the message of an Ollama server held. */
  readonly further?: JsonObject
}

const inMessage = ({ content, further, ...said }: Said): JsonObject => ({
  message: { role: "assistant", content, ...besides(said), ...further }
})

const inResponse = ({ content, ...said }: Said): JsonObject => ({ response: content, ...besides(said) })

const besides = ({ calls = [], thinking }: Omit<Said, "content">): JsonObject => ({
  ...(thinking === "" ? {} : { thinking }),
  ...(calls.length === 0 ? {} : { tool_calls: calls })
})

/** What an Ollama server said that chats have no word for. */
interface Own {
  /** Of the answer as a whole: figures, the context. Undefined where no Ollama server answered. */
  readonly lasting: JsonObject | undefined
  /** Of this one line. */
  readonly passing: JsonObject
  readonly message: JsonObject
}

const ownOf = (own: unknown): Own => {
  if (!isObject(own)) return { lasting: undefined, passing: {}, message: {} }
  const { message, ...said } = own
  const part = (isLasting: boolean) =>
    Object.fromEntries(Object.entries(said).filter(([key]) => LASTING.has(key) === isLasting))
  return { lasting: part(true), passing: part(false), message: isObject(message) ? message : {} }
}

/** Ollama has but one answer to give. */
const firstOf = (answer: JsonObject): unknown =>
  arrayField(answer, "choices").find((choice) => (numberField(choice, "index") ?? 0) === 0)

const logprobs = (choice: unknown): JsonObject => {
  const found = nativeLogprobs(choice)
  return found === undefined ? {} : { logprobs: found }
}

/** The reason a chat's end has in Ollama. */
export const doneReason = (finish: string | undefined): string =>
  finish === "length" || finish === "load" ? finish : "stop"

const measured = (began: number, firstWordAt: number | undefined): JsonObject => {
  const now = performance.now()
  return {
    total_duration: nanoseconds(now - began),
    // Clients divide the tokens of an answer by its time; of a whole one no better time is known.
    ...(firstWordAt === undefined
      ? { eval_duration: nanoseconds(now - began) }
      : {
          prompt_eval_duration: nanoseconds(firstWordAt - began),
          eval_duration: nanoseconds(now - firstWordAt)
        })
  }
}

const counts = (usage: unknown): JsonObject => {
  const prompt = numberField(usage, "prompt_tokens")
  const answer = numberField(usage, "completion_tokens")
  return {
    ...(prompt === undefined ? {} : { prompt_eval_count: prompt }),
    ...(answer === undefined ? {} : { eval_count: answer })
  }
}

const nanoseconds = (milliseconds: number): number => Math.max(1, Math.round(milliseconds * 1_000_000))

const NOTHING: Said = { content: "", thinking: "" }

const LASTING = new Set([
  "total_duration",
  "load_duration",
  "prompt_eval_count",
  "prompt_eval_duration",
  "eval_count",
  "eval_duration",
  "context",
  "done_reason"
])
