import { arrayField, isObject, numberField } from "../Json.ts"
import type { JsonObject } from "../Json.ts"
import type { Reply } from "../Reply.ts"
import { encodeEvent, isComment } from "../Sse.ts"
import { chunksOf } from "./Chunks.ts"

/** Several chats that are answered as one. */
export interface Chats {
  readonly count: number
  /** Answers to each of them. */
  readonly choicesEach: number
  readonly stream: boolean
}

/** Several answers as one: choices numbered through, usage summed up, at an end when the last of them is. */
export const merging = ({ choicesEach, count, stream }: Chats, reply: Reply) => {
  const wholes = new Map<number, JsonObject>()
  const usages = new Map<number, JsonObject>()
  let head: JsonObject | undefined
  let open = count
  let isOpened = false
  let isStreamed = false

  const placed = (answer: JsonObject, part: number): JsonObject => {
    const { usage, ...rest } = answer
    if (isObject(usage)) usages.set(part, usage)
    head ??= headOf(answer)
    return {
      ...rest,
      ...head,
      choices: arrayField(answer, "choices").map((choice, at) =>
        Object.assign({}, choice, { index: part * choicesEach + (numberField(choice, "index") ?? at) })
      ),
      // The sum so far: should another chat fail, this much has been used all the same.
      ...(isObject(usage) ? { usage: Array.from(usages.values()).reduce(addUsage) } : {})
    }
  }

  const pass = (chunks: ReadonlyArray<JsonObject>, part: number): boolean => {
    isStreamed = true
    const now = chunks.map((chunk) => placed(chunk, part))
    return reply.events(Buffer.concat(now.map((chunk) => encodeEvent(JSON.stringify(chunk)))), now)
  }

  const finish = (): void => {
    if (--open > 0) return
    const inOrder = Array.from(wholes).toSorted(([one], [other]) => one - other)
    if (stream || isStreamed) {
      for (const [part, completion] of inOrder) pass(chunksOf(completion), part)
      return reply.end()
    }
    const answers = inOrder.map(([part, completion]) => placed(completion, part))
    const choices = answers.flatMap((answer) => arrayField(answer, "choices"))
    const { usage } = answers.at(-1) ?? {}
    const isComplete = usages.size === answers.length
    const { usage: _, ...first } = answers[0] ?? {}
    const merged = { ...first, choices, ...(isComplete ? { usage } : {}) }
    const text = JSON.stringify(merged)
    reply.whole(Buffer.from(text), text, merged)
  }

  /** Where the answer to one of the chats goes. */
  const part = (at: number): Reply => ({
    opened: (generation, headers) => {
      // One answer has one number, and one set of headers.
      if (!isOpened) reply.opened(generation, headers)
      isOpened = true
    },
    priced: (pricing) => reply.priced?.(pricing),
    whole: (_bytes, _text, completion) => {
      if (stream) pass(chunksOf(completion), at)
      else wholes.set(at, completion)
      finish()
    },
    events: (bytes, chunks) => {
      if (chunks.length > 0) return pass(chunks, at)
      // Signs of life go on; the end of one is not yet the end of all.
      return isComment(bytes) ? reply.events(bytes, []) : true
    },
    onDrain: (resume) => reply.onDrain(resume),
    end: finish,
    again: (failure, wait) => reply.again?.(failure, wait)
  })

  return { part }
}

const headOf = ({ created, id }: JsonObject): JsonObject => ({
  ...(id === undefined ? {} : { id }),
  ...(created === undefined ? {} : { created })
})

/** Both together. What one of them does not count is not known of both. */
const addUsage = (one: JsonObject, other: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(one).flatMap(([key, value]) => {
      const sum = add(value, other[key])
      return sum === undefined ? [] : [[key, sum]]
    })
  )

const add = (one: unknown, other: unknown): unknown => {
  if (typeof one === "number" && typeof other === "number") return exactly(one + other)
  if (isObject(one) && isObject(other)) return addUsage(one, other)
  // A text may be an amount too, and would then be that of one alone.
  return one === other && typeof one !== "string" ? one : undefined
}

/** Without what floats add to a sum of decimals. */
const exactly = (sum: number): number => (Number.isInteger(sum) ? sum : Number(sum.toPrecision(15)))
