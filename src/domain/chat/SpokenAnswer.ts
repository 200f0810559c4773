import { arrayField, field, isObject, stringField } from "../Json.ts"
import type { JsonObject } from "../Json.ts"
import { Thinking, withoutThinking } from "../Thinking.ts"
import { withStrings } from "./Splice.ts"
import type { Way } from "./Splice.ts"

/** A whole answer as JSON text, and what it says. */
export interface WholeAnswer {
  readonly text: string
  readonly completion: JsonObject
}

/** A whole answer without what the model thought aloud; undefined where it says nothing of the kind. */
export const spokenAnswer = (text: string, completion: JsonObject): WholeAnswer | undefined => {
  const changes = arrayField(completion, "choices").flatMap((choice, at) => changesIn(choice, at))
  if (changes.length === 0) return undefined
  const spoken = withStrings(text, changes)
  const read: unknown = JSON.parse(spoken)
  return isObject(read) ? { text: spoken, completion: read } : undefined
}

type Change = readonly [way: Way, said: string]

const changesIn = (choice: unknown, at: number): ReadonlyArray<Change> => {
  const message = field(choice, "message")
  const legacy = stringField(choice, "text")
  return [
    ...changed(["choices", at, "text"], legacy),
    ...changed(["choices", at, "message", "content"], stringField(message, "content")),
    ...changedParts(["choices", at, "message", "content"], arrayField(message, "content"))
  ]
}

const changed = (way: Way, text: string | undefined): ReadonlyArray<Change> => {
  const said = text === undefined ? undefined : withoutThinking(text)
  return said === undefined || said === text ? [] : [[way, said]]
}

/** Content in parts is one answer; a thought may go on from one to the next. */
const changedParts = (way: Way, parts: ReadonlyArray<unknown>): ReadonlyArray<Change> => {
  const thinking = new Thinking()
  const texts = parts.flatMap((part, at) => {
    const text = stringField(part, "type") === "text" ? stringField(part, "text") : undefined
    return text === undefined ? [] : [{ at, text }]
  })
  return texts.flatMap(({ at, text }, index) => {
    const said = thinking.add(text) + (index === texts.length - 1 ? thinking.end() : "")
    return said === text ? [] : [[[...way, at, "text"], said] satisfies Change]
  })
}
