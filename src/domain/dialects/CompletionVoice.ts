import { arrayField, field, isObject, numberField, stringField } from "../Json.ts"
import type { JsonObject } from "../Json.ts"
import { encodeComment, encodeEvent } from "../Sse.ts"
import type { Voice } from "./Voice.ts"

/** How the answers of chats are to be said as one completion. */
export interface Manner {
  /** Put before their answers where the client wants to read them again; none elsewhere. */
  readonly prompts: ReadonlyArray<string>
  /** Answers to each prompt. */
  readonly choicesEach: number
  /** A stream ends with what was used only for who asked to know. */
  readonly usageAsked: boolean
}

/** The answer of a chat as `POST /v1/completions` has it. What a model thinks has no place there. */
export const makeVoice = ({ choicesEach, prompts, usageAsked }: Manner): Voice => {
  /** Characters of each answer so far, what is put before it counted. */
  const lengths = new Map<number, number>()
  let head: JsonObject | undefined
  let usage: unknown

  const headOf = ({ created, id, model }: JsonObject): JsonObject => ({
    id,
    object: "text_completion",
    created: typeof created === "number" ? created : Math.floor(Date.now() / 1000),
    model
  })

  const sayChoice = (choice: unknown, at: number): JsonObject => {
    const { delta, finish_reason, index: _, logprobs, message, ...rest } = isObject(choice) ? choice : {}
    const index = numberField(choice, "index") ?? at
    const isFirst = !lengths.has(index)
    const before = isFirst ? (prompts[Math.floor(index / choicesEach)] ?? "") : ""
    const offset = (lengths.get(index) ?? 0) + lengthOf(before)
    const content = contentOf(message ?? delta)
    lengths.set(index, offset + lengthOf(content))
    return {
      text: before + content,
      index,
      logprobs: likelihoodsFrom(logprobs, offset),
      finish_reason: finish_reason ?? null,
      ...rest
    }
  }

  return {
    contentType: "text/event-stream; charset=utf-8",
    whole: (completion) =>
      JSON.stringify({
        ...completion,
        ...headOf(completion),
        choices: arrayField(completion, "choices").map(sayChoice)
      }),
    chunk: (chunk) => {
      const { error, usage: used, ...rest } = chunk
      if (isObject(used)) usage = used
      // The error itself is told by who ends the stream.
      if (error !== undefined && error !== null) return ""
      const choices = arrayField(chunk, "choices").map(sayChoice).filter(saysSomething)
      head ??= headOf(chunk)
      if (choices.length === 0) return ""
      return event({
        ...rest,
        ...head,
        model: rest["model"],
        choices,
        ...(usageAsked ? { usage: null } : {})
      })
    },
    end: () => {
      const last = usageAsked && usage !== undefined ? event({ ...head, choices: [], usage }) : ""
      return `${last}data: [DONE]\n\n`
    },
    thought: undefined,
    comment: (line) => encodeComment(`percept ${line}`).toString()
  }
}

const saysSomething = ({ finish_reason, logprobs, text }: JsonObject): boolean =>
  text !== "" || finish_reason !== null || logprobs !== null

/** What was said, in one text or in parts; a refusal is an answer too. */
const contentOf = (said: unknown): string => {
  const parts = arrayField(said, "content").map((part) => stringField(part, "text") ?? "")
  return (stringField(said, "content") ?? parts.join("")) || (stringField(said, "refusal") ?? "")
}

/** The likelihoods of a chat's tokens in the older form: four lists side by side. */
const likelihoodsFrom = (logprobs: unknown, from: number): JsonObject | null => {
  const tokens = arrayField(logprobs, "content")
  if (tokens.length === 0) return null
  let offset = from
  return {
    tokens: tokens.map((token) => stringField(token, "token") ?? ""),
    token_logprobs: tokens.map((token) => numberField(token, "logprob") ?? null),
    top_logprobs: tokens.map((token) =>
      // The token that was said is among them, however unlikely it was.
      Object.fromEntries(
        [...arrayField(token, "top_logprobs"), token].map((one) => [
          stringField(one, "token") ?? "",
          field(one, "logprob")
        ])
      )
    ),
    text_offset: tokens.map((token) => {
      const at = offset
      offset += lengthOf(stringField(token, "token") ?? "")
      return at
    })
  }
}

/** In characters, as Python counts them, and so OpenAI. */
const lengthOf = (text: string): number => {
  let length = 0
  for (const _ of text) length++
  return length
}

const event = (value: JsonObject): string => encodeEvent(JSON.stringify(value)).toString()
