import { arrayField, field, isObject, numberField, stringField } from "../Json.ts"
import type { JsonObject } from "../Json.ts"

/** Puts the deltas of a streamed answer together again, for the record; lengths are counted past the limit too. */
export class Assembly {
  id: string | undefined
  model: string | undefined
  usage: unknown
  /** Characters of answer text so far, reasoning not counted. */
  characters = 0
  private readonly choices = new Map<number, Choice>()
  /** Its choices say plain text, as those of a legacy completion do. */
  private isLegacy = false
  private room: number

  constructor(limit: number) {
    this.room = limit
  }

  add(chunk: JsonObject): void {
    this.id ??= stringField(chunk, "id")
    this.model ??= stringField(chunk, "model")
    if (isObject(chunk["usage"])) this.usage = chunk["usage"]
    for (const said of arrayField(chunk, "choices")) {
      const choice = this.choice(numberField(said, "index") ?? 0)
      const finish = stringField(said, "finish_reason")
      if (finish !== undefined) choice.finish_reason = finish
      const delta = field(said, "delta")
      if (delta === undefined) this.addText(choice, said)
      const content = stringField(delta, "content")
      if (content !== undefined) {
        this.characters += content.length
        choice.content += this.kept(content)
      }
      const reasoning = stringField(delta, "reasoning") ?? stringField(delta, "reasoning_content")
      if (reasoning !== undefined) choice.reasoning += this.kept(reasoning)
      for (const call of arrayField(delta, "tool_calls")) this.addToolCall(choice, call)
    }
  }

  /** The answer as it would have come unstreamed. */
  completion(): JsonObject {
    return {
      id: this.id,
      object: this.isLegacy ? "text_completion" : "chat.completion",
      model: this.model,
      choices: Array.from(this.choices)
        .toSorted(([a], [b]) => a - b)
        .map(([index, choice]) =>
          this.isLegacy
            ? { index, text: choice.content, finish_reason: choice.finish_reason }
            : { index, message: messageOf(choice), finish_reason: choice.finish_reason }
        ),
      ...(this.usage === undefined ? {} : { usage: this.usage })
    }
  }

  private choice(index: number): Choice {
    let choice = this.choices.get(index)
    if (choice === undefined) {
      choice = { content: "", reasoning: "", toolCalls: new Map(), finish_reason: null }
      this.choices.set(index, choice)
    }
    return choice
  }

  private addText(choice: Choice, said: unknown): void {
    const text = stringField(said, "text")
    if (text === undefined) return
    this.isLegacy = true
    this.characters += text.length
    choice.content += this.kept(text)
  }

  private addToolCall(choice: Choice, said: unknown): void {
    const index = numberField(said, "index") ?? 0
    const call = choice.toolCalls.get(index) ?? {
      id: undefined,
      type: "function",
      function: { name: "", arguments: "" }
    }
    choice.toolCalls.set(index, call)
    call.id ??= stringField(said, "id")
    call.function.name += stringField(field(said, "function"), "name") ?? ""
    call.function.arguments += this.kept(stringField(field(said, "function"), "arguments") ?? "")
  }

  private kept(text: string): string {
    const part = text.length <= this.room ? text : text.slice(0, this.room)
    this.room -= part.length
    return part
  }
}

interface Choice {
  content: string
  reasoning: string
  readonly toolCalls: Map<number, ToolCall>
  finish_reason: string | null
}

interface ToolCall {
  id: string | undefined
  readonly type: "function"
  readonly function: { name: string; arguments: string }
}

const messageOf = ({ content, reasoning, toolCalls }: Choice): JsonObject => ({
  role: "assistant",
  content: content === "" && toolCalls.size > 0 ? null : content,
  ...(reasoning === "" ? {} : { reasoning }),
  ...(toolCalls.size === 0 ? {} : { tool_calls: Array.from(toolCalls.values()) })
})

/** Characters of answer text in a whole completion, of a chat or a legacy one. */
export const answerLength = (completion: JsonObject): number =>
  arrayField(completion, "choices").reduce<number>((sum, choice) => {
    const text = stringField(field(choice, "message"), "content") ?? stringField(choice, "text")
    return sum + (text?.length ?? 0)
  }, 0)

/** Characters of text in a conversation, whatever the shape of its contents. */
export const promptLength = (messages: ReadonlyArray<JsonObject>): number => {
  let sum = 0
  for (const message of messages) {
    const content = message["content"]
    if (typeof content === "string") sum += content.length
    else for (const part of arrayField(message, "content")) sum += stringField(part, "text")?.length ?? 0
  }
  return sum
}
