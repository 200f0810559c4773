import { assert, describe, it } from "@effect/vitest"
import { merging } from "../../src/domain/chat/Merge.ts"
import { Assembly } from "../../src/domain/chat/Assembly.ts"
import { arrayField, field, parseJson } from "../../src/domain/Json.ts"
import type { JsonObject } from "../../src/domain/Json.ts"
import type { Reply } from "../../src/domain/Reply.ts"
import { SseSplitter } from "../../src/domain/Sse.ts"

/** A reply that remembers what it was told. */
const listener = () => {
  const chunks: Array<JsonObject> = []
  const wholes: Array<JsonObject> = []
  const opened: Array<string | undefined> = []
  let bytes = ""
  let ends = 0
  const reply: Reply = {
    opened: (generation) => void opened.push(generation),
    whole: (_, text, completion) => {
      assert.deepStrictEqual(parseJson(text), completion)
      wholes.push(completion)
    },
    events: (said, now) => {
      bytes += said.toString()
      chunks.push(...now)
      return true
    },
    onDrain: () => {},
    end: () => {
      ends++
    }
  }
  return { reply, chunks, wholes, opened, bytes: () => bytes, ends: () => ends }
}

const answer = (id: string, texts: ReadonlyArray<string>, usage?: JsonObject): JsonObject => ({
  id,
  created: 1,
  model: "a/b",
  choices: texts.map((content, index) => ({ index, message: { content }, finish_reason: "stop" })),
  ...(usage === undefined ? {} : { usage })
})

const piece = (id: string, content: string, finish_reason: string | null = null, rest: JsonObject = {}) => ({
  id,
  created: 1,
  choices: [{ index: 0, delta: { content }, finish_reason }],
  ...rest
})

const tell = (part: Reply, completion: JsonObject) => part.whole(Buffer.alloc(0), "", completion)

const hear = (part: Reply, chunk: JsonObject) => part.events(Buffer.alloc(0), [chunk])

const contents = (completion: JsonObject | undefined) =>
  arrayField(completion, "choices").map((choice) => [
    field(choice, "index"),
    field(field(choice, "message"), "content")
  ])

describe("several answers as one", () => {
  it("end once, though each of them says that it has ended", () => {
    const heard = listener()
    const { part } = merging({ count: 2, choicesEach: 1, stream: true }, heard.reply)
    for (const at of [0, 1]) {
      hear(part(at), piece(`gen-${at}`, "a", "stop"))
      part(at).events(Buffer.from(": sign of life\n\n"), [])
      part(at).events(Buffer.from("data: [DONE]\n\n"), [])
      part(at).end()
    }
    assert.notInclude(heard.bytes(), "[DONE]")
    assert.strictEqual(heard.bytes().split(": sign of life\n\n").length, 3)
    assert.strictEqual(heard.ends(), 1)
  })

  it("come in the order of the questions, with the sum of what was used", () => {
    const heard = listener()
    const { part } = merging({ count: 2, choicesEach: 2, stream: false }, heard.reply)
    part(1).opened("gen-2", [])
    tell(
      part(1),
      answer("gen-2", ["c", "d"], {
        ...{ prompt_tokens: 3, cost: 0.2, is_byok: false, note: "x" },
        completion_tokens_details: { reasoning_tokens: 1 }
      })
    )
    assert.deepStrictEqual(heard.wholes, [])
    part(0).opened("gen-1", [])
    tell(
      part(0),
      answer("gen-1", ["a", "b"], {
        ...{ prompt_tokens: 4, cost: 0.1, is_byok: false, note: "x", only_here: 1 },
        completion_tokens_details: { reasoning_tokens: 2 }
      })
    )
    assert.deepStrictEqual(heard.opened, ["gen-2"])
    assert.strictEqual(heard.wholes.length, 1)
    assert.deepStrictEqual(contents(heard.wholes[0]), [
      [0, "a"],
      [1, "b"],
      [2, "c"],
      [3, "d"]
    ])
    assert.strictEqual(heard.wholes[0]?.["id"], "gen-1")
    assert.deepStrictEqual(heard.wholes[0]?.["usage"], {
      ...{ prompt_tokens: 7, cost: 0.3, is_byok: false },
      completion_tokens_details: { reasoning_tokens: 3 }
    })
  })

  it("do not count what one of them has not counted", () => {
    const heard = listener()
    const { part } = merging({ count: 2, choicesEach: 1, stream: false }, heard.reply)
    tell(part(0), answer("gen-1", ["a"]))
    tell(part(1), answer("gen-2", ["b"], { prompt_tokens: 3 }))
    assert.isUndefined(heard.wholes[0]?.["usage"])
  })

  it("are one stream that ends with the last of them", () => {
    const heard = listener()
    const { part } = merging({ count: 2, choicesEach: 1, stream: true }, heard.reply)
    hear(part(1), piece("gen-2", "c"))
    hear(part(0), piece("gen-1", "a"))
    part(1).events(Buffer.from(": alive\n\n"), [])
    hear(part(1), piece("gen-2", "d", "stop", { usage: { total_tokens: 1 } }))
    part(1).end()
    assert.strictEqual(heard.ends(), 0)
    hear(part(0), piece("gen-1", "b", "stop", { usage: { total_tokens: 2 } }))
    part(0).end()
    assert.strictEqual(heard.ends(), 1)
    assert.deepStrictEqual(
      heard.chunks.map((chunk) => [chunk["id"], field(arrayField(chunk, "choices")[0], "index")]),
      [
        ["gen-2", 1],
        ["gen-2", 0],
        ["gen-2", 1],
        ["gen-2", 0]
      ]
    )
    const assembly = new Assembly(Infinity)
    for (const chunk of heard.chunks) assembly.add(chunk)
    assert.deepStrictEqual(contents(assembly.completion()), [
      [0, "ab"],
      [1, "cd"]
    ])
    assert.deepStrictEqual(assembly.usage, { total_tokens: 3 })
    const { data } = new SseSplitter().push(Buffer.from(heard.bytes()))
    assert.deepStrictEqual(data.map(parseJson), heard.chunks)
    assert.include(heard.bytes(), ": alive\n\n")
  })

  it("are the same where providers stream unasked, or do not when asked", () => {
    for (const stream of [true, false]) {
      const heard = listener()
      const { part } = merging({ count: 2, choicesEach: 1, stream }, heard.reply)
      tell(part(0), answer("gen-1", ["a"], { total_tokens: 1 }))
      hear(part(1), piece("gen-2", "b", "stop", { usage: { total_tokens: 2 } }))
      part(1).end()
      const assembly = new Assembly(Infinity)
      for (const chunk of heard.chunks) assembly.add(chunk)
      assert.deepStrictEqual(contents(assembly.completion()), [
        [0, "a"],
        [1, "b"]
      ])
      assert.deepStrictEqual(assembly.usage, { total_tokens: 3 })
      assert.strictEqual(heard.ends(), 1)
    }
  })
})
