import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { answerLength, Assembly, promptLength } from "../../src/domain/chat/Assembly.ts"
import type { JsonObject } from "../../src/domain/Json.ts"

const PLENTY = 1_000_000

const assembled = (chunks: ReadonlyArray<JsonObject>, limit = PLENTY) => {
  const assembly = new Assembly(limit)
  for (const chunk of chunks) assembly.add(chunk)
  return assembly
}

const delta = (delta: JsonObject, index = 0, finish_reason: string | null = null): JsonObject => ({
  id: "gen-1",
  model: "test/plain",
  choices: [{ index, delta, finish_reason }]
})

/** A text in pieces, cut where the places say, letters of two halves included. */
const cut = (text: string, places: ReadonlyArray<number>): ReadonlyArray<string> => {
  const at = [...places.map((place) => place % (text.length + 1)), text.length].toSorted((a, b) => a - b)
  return at.map((end, index) => text.slice(at[index - 1] ?? 0, end))
}

const places = fc.array(fc.nat(), { maxLength: 5 })
const text = fc.string({ unit: "grapheme", maxLength: 20 })
const call = fc.record({
  id: fc.string({ minLength: 1 }),
  name: fc.string({ minLength: 1 }),
  arguments: text
})
const choice = fc.record({
  content: text,
  reasoning: text,
  calls: fc.array(call, { maxLength: 3 }),
  finish: fc.constantFrom("stop", "length", "tool_calls"),
  places
})
type Choice = typeof choice extends fc.Arbitrary<infer A> ? A : never

/** The deltas of one choice, in the order a provider may send them. */
const deltasOf = (
  { calls, content, finish, places, reasoning }: Choice,
  index: number
): ReadonlyArray<JsonObject> => [
  ...cut(reasoning, places).map((piece) => delta({ reasoning: piece, content: "" }, index)),
  ...cut(content, places).map((piece) => delta({ role: "assistant", content: piece }, index)),
  ...calls.flatMap((call, at) => [
    delta(
      { tool_calls: [{ index: at, id: call.id, type: "function", function: { name: call.name } }] },
      index
    ),
    ...cut(call.arguments, places).map((piece) =>
      delta({ tool_calls: [{ index: at, function: { arguments: piece } }] }, index)
    )
  ]),
  delta({}, index, finish)
]

/** Several lists as one, each in its own order. */
const interleaved = (lists: ReadonlyArray<ReadonlyArray<JsonObject>>, picks: Iterator<number>) => {
  const rest = lists.map((list) => [...list])
  const all: Array<JsonObject> = []
  for (;;) {
    const left = rest.filter((list) => list.length > 0)
    const next = left[Number(picks.next().value) % left.length]?.shift()
    if (next === undefined) return all
    all.push(next)
  }
}

const unstreamed = (choices: ReadonlyArray<Choice>) =>
  choices.map(({ calls, content, finish, reasoning }, index) => ({
    index,
    message: {
      role: "assistant",
      content: content === "" && calls.length > 0 ? null : content,
      ...(reasoning === "" ? {} : { reasoning }),
      ...(calls.length === 0
        ? {}
        : {
            tool_calls: calls.map((call) => ({
              id: call.id,
              type: "function",
              function: { name: call.name, arguments: call.arguments }
            }))
          })
    },
    finish_reason: finish
  }))

describe("a streamed answer", () => {
  it.prop(
    "comes together as it would have come unstreamed, wherever its deltas are cut",
    [choice],
    ([choice]) => {
      const { characters, completion } = read(assembled(deltasOf(choice, 0)))
      assert.deepStrictEqual(completion["choices"], unstreamed([choice]))
      assert.strictEqual(characters, choice.content.length)
    },
    { fastCheck: { numRuns: 300 } }
  )

  it.prop(
    "keeps its choices apart and in order, however they come mixed",
    [fc.array(choice, { minLength: 1, maxLength: 4 }), fc.infiniteStream(fc.nat(99))],
    ([choices, picks]) => {
      const { characters, completion } = read(assembled(interleaved(choices.map(deltasOf), picks)))
      assert.deepStrictEqual(completion["choices"], unstreamed(choices))
      assert.strictEqual(
        characters,
        choices.reduce((sum, { content }) => sum + content.length, 0)
      )
    },
    { fastCheck: { numRuns: 300 } }
  )

  it.prop(
    "is kept up to the limit and counted beyond it",
    [fc.array(choice, { minLength: 1, maxLength: 3 }), fc.nat(40)],
    ([choices, limit]) => {
      const { characters, completion } = read(assembled(choices.flatMap(deltasOf), limit))
      const all = choices.flatMap(({ calls, content, reasoning }) => [
        reasoning,
        content,
        ...calls.map((call) => call.arguments)
      ])
      assert.strictEqual(kept(completion), all.join("").slice(0, limit))
      assert.strictEqual(
        characters,
        choices.reduce((sum, { content }) => sum + content.length, 0)
      )
    }
  )

  it("has the id, the model and the usage that were told", () => {
    const { completion } = read(
      assembled([
        { id: "gen-1", model: "a/b", choices: [], usage: null },
        { id: "gen-2", model: "c/d", choices: [{ delta: { content: "Hi" }, finish_reason: "stop" }] },
        { choices: [], usage: { prompt_tokens: 1, cost: 0 } }
      ])
    )
    assert.deepStrictEqual(completion, {
      id: "gen-1",
      object: "chat.completion",
      model: "a/b",
      choices: [{ index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" }],
      usage: { prompt_tokens: 1, cost: 0 }
    })
  })

  it("takes the last usage where there are several, and none where there is none", () => {
    assert.deepStrictEqual(
      assembled([{ usage: { total_tokens: 1 } }, { usage: { total_tokens: 2 } }]).usage,
      {
        total_tokens: 2
      }
    )
    assert.notProperty(assembled([delta({ content: "Hi" }), { usage: null }]).completion(), "usage")
  })

  it("reads reasoning in either spelling", () => {
    for (const name of ["reasoning", "reasoning_content"]) {
      const [first] = unstreamed([
        { content: "yes", reasoning: "hm, so", calls: [], finish: "stop", places: [] }
      ])
      const chunks = [
        delta({ [name]: "hm, " }),
        delta({ [name]: "so" }),
        delta({ content: "yes" }, 0, "stop")
      ]
      assert.deepStrictEqual(assembled(chunks).completion()["choices"], [first])
    }
  })

  it("takes tool calls by their index, though their pieces come mixed", () => {
    const piece = (index: number, args: string, rest: object = {}) =>
      delta({ tool_calls: [{ index, ...rest, function: { arguments: args } }] })
    const { completion } = read(
      assembled([
        delta({
          tool_calls: [
            { index: 0, id: "a", function: { name: "one", arguments: "" } },
            { index: 1, id: "b", function: { name: "two", arguments: "" } }
          ]
        }),
        piece(1, '{"y":'),
        piece(0, '{"x":'),
        piece(0, "1}", { id: "" }),
        piece(1, "2}")
      ])
    )
    assert.deepStrictEqual(completion["choices"], [
      {
        index: 0,
        message: {
          role: "assistant",
          content: null,
          tool_calls: [
            { id: "a", type: "function", function: { name: "one", arguments: '{"x":1}' } },
            { id: "b", type: "function", function: { name: "two", arguments: '{"y":2}' } }
          ]
        },
        finish_reason: null
      }
    ])
  })

  it("bears with chunks that say nothing it knows", () => {
    const odd: ReadonlyArray<JsonObject> = [
      {},
      { choices: null },
      { choices: "x" },
      { choices: [null, 7, {}, { delta: null }, { delta: { content: null, tool_calls: [null, {}] } }] },
      { id: 7, model: null, usage: [] }
    ]
    const { characters, completion } = read(assembled(odd))
    assert.strictEqual(characters, 0)
    assert.isUndefined(completion["id"])
    assert.notProperty(completion, "usage")
  })
})

describe("lengths", () => {
  it("of an answer count the text of every choice", () => {
    const message = (content: unknown) => ({ message: { content } })
    assert.strictEqual(answerLength({ choices: [message("four"), message(null), message("x"), {}, null] }), 5)
    assert.strictEqual(answerLength({}), 0)
  })

  it("of a conversation count texts and text parts, and nothing else", () => {
    assert.strictEqual(
      promptLength([
        { role: "system", content: "four" },
        {
          role: "user",
          content: [{ type: "text", text: "two" }, { type: "image_url" }, { type: "text", text: "" }]
        },
        { role: "assistant", content: null },
        { role: "tool" }
      ]),
      7
    )
  })
})

const read = (assembly: Assembly) => ({
  characters: assembly.characters,
  completion: assembly.completion()
})

/** The texts of a completion, in the order they came. */
const kept = (completion: JsonObject): string => {
  const texts: Array<string> = []
  JSON.stringify(completion, (_, value: unknown) => {
    if (typeof value === "object" && value !== null && "role" in value) {
      if ("reasoning" in value) texts.push(String(value.reasoning))
      if ("content" in value && value.content !== null) texts.push(String(value.content))
    }
    if (typeof value === "object" && value !== null && "arguments" in value)
      texts.push(String(value.arguments))
    return value
  })
  return texts.join("")
}

describe("a legacy completion", () => {
  const piece = (text: string, index: number, finish_reason: string | null = null): JsonObject => ({
    id: "cmpl-1",
    object: "text_completion",
    model: "test/plain",
    choices: [{ index, text, logprobs: null, finish_reason }]
  })

  it("is put together as what it is, and its text is counted", () => {
    const assembly = assembled([piece("On", 0), piece("Two", 1, "stop"), piece("ce", 0, "length")])
    assert.deepStrictEqual(assembly.completion(), {
      id: "cmpl-1",
      object: "text_completion",
      model: "test/plain",
      choices: [
        { index: 0, text: "Once", finish_reason: "length" },
        { index: 1, text: "Two", finish_reason: "stop" }
      ]
    })
    assert.strictEqual(assembly.characters, 7)
    assert.strictEqual(answerLength(assembly.completion()), 7)
  })

  it("is kept no longer than a chat would be", () => {
    const assembly = assembled([piece("Once", 0)], 2)
    assert.strictEqual(assembly.characters, 4)
    assert.strictEqual(answerLength(assembly.completion()), 2)
  })
})
