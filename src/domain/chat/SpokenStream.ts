import { arrayField, field, isObject, numberField, stringField } from "../Json.ts"
import type { JsonObject } from "../Json.ts"
import { Thinking } from "../Thinking.ts"
import { withStrings } from "./Splice.ts"
import type { Way } from "./Splice.ts"

/** What becomes of one chunk: left out, or passed on, perhaps saying something else, perhaps after another. */
export interface Spoken {
  /** What had been held back and must go out first. */
  readonly before: JsonObject | undefined
  /** Undefined where nothing is left of it. */
  readonly chunk: JsonObject | undefined
  /** What to change in its text. */
  readonly changes: ReadonlyArray<readonly [way: Way, said: string]>
}

/** A streamed answer without what the model thinks aloud, chunk by chunk, each choice for itself. */
export class SpokenStream {
  /** Whether anything is held back, so that whatever comes next concerns it. */
  isWaiting = false
  private readonly choices = new Map<number, Choice>()
  /** A chunk to take after, should something be left to say. */
  private last: JsonObject = {}

  /** Whether these chunks can go out as they are; if so, they have been heard. For when nothing is waiting. */
  passes(chunks: ReadonlyArray<JsonObject>): boolean {
    for (const chunk of chunks) {
      for (const said of arrayField(chunk, "choices")) {
        const text = contentOf(said) ?? stringField(said, "text")
        if (text?.includes("<") === true) return false
        const choice = this.choice(said)
        if (text !== undefined) choice.thinking.pass(text)
        choice.hasBegun = true
      }
    }
    return true
  }

  hear(chunk: JsonObject): Spoken {
    const all = arrayField(chunk, "choices")
    if (all.length === 0) return { before: undefined, chunk, changes: [] }
    this.last = chunk
    const changes: Array<readonly [way: Way, said: string]> = []
    const held: Array<JsonObject> = []
    let isEmpty = isUnsaid(chunk, ENVELOPE)
    for (const [at, said] of all.entries()) {
      const choice = this.choice(said)
      const content = contentOf(said)
      const text = content ?? stringField(said, "text")
      const isLast = stringField(said, "finish_reason") !== undefined
      if (text !== undefined) choice.isLegacy = content === undefined
      const spoken =
        (text === undefined ? "" : choice.thinking.add(text)) + (isLast ? choice.thinking.end() : "")
      if (text === undefined && spoken !== "") held.push(piece(choice, spoken))
      if (text !== undefined && spoken !== text)
        changes.push([["choices", at, ...(choice.isLegacy ? ["text"] : ["delta", "content"])], spoken])
      isEmpty &&=
        text !== undefined &&
        text !== "" &&
        spoken === "" &&
        isUnsaid(said, CHOICE) &&
        isUnsaid(field(said, "delta"), choice.hasBegun ? AGAIN : DELTA)
    }
    if (!isEmpty) for (const said of all) this.choice(said).hasBegun = true
    this.isWaiting = Array.from(this.choices.values()).some(({ thinking }) => thinking.isWaiting)
    return {
      before: held.length === 0 ? undefined : this.following(held),
      chunk: isEmpty ? undefined : changes.length === 0 ? chunk : changedChunk(chunk, changes),
      changes
    }
  }

  /** What is left to say when the stream ends. */
  rest(): JsonObject | undefined {
    const left = Array.from(this.choices.values()).flatMap((choice) => {
      const text = choice.thinking.end()
      return text === "" ? [] : [piece(choice, text)]
    })
    this.isWaiting = false
    return left.length === 0 ? undefined : this.following(left)
  }

  private following(choices: ReadonlyArray<JsonObject>): JsonObject {
    return {
      ...Object.fromEntries(Object.entries(this.last).filter(([key]) => ENVELOPE.has(key))),
      choices
    }
  }

  private choice(said: unknown): Choice {
    const index = numberField(said, "index") ?? 0
    let choice = this.choices.get(index)
    if (choice === undefined) {
      choice = { index, thinking: new Thinking(), isLegacy: false, hasBegun: false }
      this.choices.set(index, choice)
    }
    return choice
  }
}

interface Choice {
  readonly index: number
  readonly thinking: Thinking
  /** Its text stands where a legacy completion has it. */
  isLegacy: boolean
  /** Something of it has gone out, its role perhaps. */
  hasBegun: boolean
}

const contentOf = (said: unknown): string | undefined => stringField(field(said, "delta"), "content")

const piece = ({ index, isLegacy }: Choice, text: string): JsonObject =>
  isLegacy
    ? { index, text, logprobs: null, finish_reason: null }
    : { index, delta: { content: text }, finish_reason: null }

const changedChunk = (chunk: JsonObject, changes: Spoken["changes"]): JsonObject => {
  const changed: unknown = JSON.parse(withStrings(JSON.stringify(chunk), changes))
  return isObject(changed) ? changed : chunk
}

/** Whether an object says nothing beside what these keys say. */
const isUnsaid = (value: unknown, keys: ReadonlySet<string>): boolean =>
  !isObject(value) ||
  Object.entries(value).every(
    ([key, value]) =>
      keys.has(key) || value === null || value === "" || (Array.isArray(value) && value.length === 0)
  )

/** What every chunk of a stream says again. */
const ENVELOPE = new Set([
  "id",
  "object",
  "created",
  "model",
  "provider",
  "system_fingerprint",
  "service_tier",
  "obfuscation",
  "choices"
])
const CHOICE = new Set(["index", "delta", "text"])
const DELTA = new Set(["content"])
const AGAIN = new Set(["content", "role"])
