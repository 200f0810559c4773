import { arrayField, field, isDeeperThan, isObject, numberField, parseJson, stringField } from "../Json.ts"
import type { JsonObject } from "../Json.ts"

/** A call of a tool, as chats have it. */
export interface Call {
  readonly id: string
  readonly type: "function"
  readonly function: { readonly name: string; readonly arguments: string }
}

/** Ollama's call as a chat has it; the id is used where it says none of its own. */
export const callOf = (call: unknown, id: string): Call => {
  const said = field(call, "function")
  const given = field(said, "arguments") ?? {}
  return {
    id: stringField(call, "id") || id,
    type: "function",
    function: {
      name: stringField(said, "name") ?? "",
      arguments: typeof given === "string" ? given : JSON.stringify(given)
    }
  }
}

/** The calls of a chat message as Ollama has them. */
export const nativeCalls = (calls: ReadonlyArray<unknown>): ReadonlyArray<JsonObject> =>
  calls.filter((call) => isObject(field(call, "function"))).map(nativeCall)

const nativeCall = (call: unknown, index: number): JsonObject => {
  const id = stringField(call, "id")
  const said = field(call, "function")
  return {
    ...(id === undefined || id === "" ? {} : { id }),
    function: {
      index,
      name: stringField(said, "name") ?? "",
      arguments: argumentsOf(field(said, "arguments"))
    }
  }
}

/** Puts the calls of a stream together again, however they were cut into pieces. */
export class CallPieces {
  private readonly calls: Array<Piece> = []

  add(delta: unknown): void {
    for (const said of arrayField(delta, "tool_calls")) {
      const id = stringField(said, "id") || undefined
      const call = this.pieceFor(numberField(said, "index"), id)
      call.id ??= id
      call.function.name += stringField(field(said, "function"), "name") ?? ""
      call.function.arguments += stringField(field(said, "function"), "arguments") ?? ""
    }
  }

  all(): ReadonlyArray<JsonObject> {
    return nativeCalls(this.calls.toSorted((one, other) => one.index - other.index))
  }

  /** Not every server numbers its calls, and some give all the same number: then another id is another call. */
  private pieceFor(index: number | undefined, id: string | undefined): Piece {
    const known =
      index === undefined
        ? this.calls.findLast((call) => id === undefined || call.id === id)
        : this.calls.findLast((call) => call.index === index)
    if (known !== undefined && (id === undefined || known.id === undefined || known.id === id)) return known
    const piece = {
      index: index ?? this.calls.length,
      id: undefined,
      function: { name: "", arguments: "" }
    }
    this.calls.push(piece)
    return piece
  }
}

interface Piece {
  readonly index: number
  id: string | undefined
  readonly function: { name: string; arguments: string }
}

/** Ollama knows only objects; what a model wrote instead is kept under a name of its own. */
const argumentsOf = (value: unknown): JsonObject => {
  if (isObject(value)) return value
  if (typeof value !== "string" || value.trim() === "") return {}
  const read = parseJson(value)
  if (read === null) return {}
  return isObject(read) && !isDeeperThan(value, DEEPEST) ? read : { raw: value }
}

const DEEPEST = 256
