import { assert, describe, it } from "@effect/vitest"
import { Either, Schema } from "effect"
import * as fc from "effect/FastCheck"
import { ChatRequestBody } from "../../src/domain/chat/Chat.ts"
import { parse, withModel } from "../../src/domain/chat/ChatRequest.ts"
import type { ChatRequest } from "../../src/domain/chat/ChatRequest.ts"
import { isObject } from "../../src/domain/Json.ts"
import { jsonObject, jsonValue } from "./JsonText.ts"

const read = (body: unknown) => parse(Buffer.from(typeof body === "string" ? body : JSON.stringify(body)))

const accepted = (text: string): ChatRequest => Either.getOrThrow(parse(Buffer.from(text)))

const said = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8")

const HI = { role: "user", content: "Hi" }

describe("parse", () => {
  const accepts: ReadonlyArray<readonly [string, unknown]> = [
    ["the plainest request", { messages: [HI] }],
    ["a model", { model: "a/b", messages: [HI] }],
    ["a model left open", { model: null, messages: [HI] }],
    ["an empty model", { model: "", messages: [HI] }],
    ["a stream", { stream: true, messages: [HI] }],
    ["a stream left open", { stream: null, messages: [HI] }],
    ["options of a stream", { stream: true, stream_options: { include_usage: true }, messages: [HI] }],
    ["a message without content", { messages: [{ role: "assistant", tool_calls: [] }] }],
    ["a message with null content", { messages: [{ role: "assistant", content: null }] }],
    ["no parts", { messages: [{ role: "user", content: [] }] }],
    [
      "parts",
      { messages: [{ role: "user", content: [{ type: "text", text: "Hi" }, { type: "image_url" }] }] }
    ],
    ["parts of a type nobody knows", { messages: [{ role: "user", content: [{ type: "smell" }] }] }],
    ["a role nobody knows", { messages: [{ role: "narrator", content: "Hi" }] }],
    ["whatever else is said", { messages: [{ ...HI, name: 7 }], temperature: "hot", tools: null }]
  ]
  for (const [name, body] of accepts)
    it(`takes ${name}`, () => {
      const request = Either.getOrThrow(read(body))
      assert.deepStrictEqual(request.body, body)
      assert.strictEqual(request.text, JSON.stringify(body))
      assert.strictEqual(said(request.bytes), request.text)
    })

  const refuses: ReadonlyArray<readonly [string, unknown, string | null]> = [
    ["what is no JSON", "{", null],
    ["nothing", "", null],
    ["JSON with something after it", '{"messages":[{"role":"user"}]} {}', null],
    ["a text", '"messages"', null],
    ["a null", "null", null],
    ["a list", [HI], null],
    ["no messages", { model: "a" }, "messages"],
    ["null messages", { messages: null }, "messages"],
    ["messages that are a text", { messages: "Hi" }, "messages"],
    ["messages that are an object", { messages: { 0: HI, length: 1 } }, "messages"],
    ["an empty list of messages", { messages: [] }, "messages"],
    ["a number for a model", { model: 4, messages: [HI] }, "model"],
    ["a list of models as the model", { model: ["a"], messages: [HI] }, "model"],
    ["a text for stream", { stream: "true", messages: [HI] }, "stream"],
    ["a number for stream", { stream: 1, messages: [HI] }, "stream"],
    ["a text for a message", { messages: [HI, "Hi"] }, "messages[1]"],
    ["a null for a message", { messages: [null] }, "messages[0]"],
    ["a list for a message", { messages: [[HI]] }, "messages[0]"],
    ["a message without a role", { messages: [{ content: "Hi" }] }, "messages[0].role"],
    ["a null role", { messages: [{ role: null, content: "Hi" }] }, "messages[0].role"],
    ["a number for content", { messages: [{ role: "user", content: 7 }] }, "messages[0].content"],
    ["an object for content", { messages: [HI, { role: "user", content: {} }] }, "messages[1].content"],
    ["a text for a part", { messages: [{ role: "user", content: ["Hi"] }] }, "messages[0].content[0]"],
    [
      "a part without a type",
      { messages: [{ role: "user", content: [{ type: "text" }, { text: "Hi" }] }] },
      "messages[0].content[1]"
    ],
    ["a list for a part", { messages: [{ role: "user", content: [["type"]] }] }, "messages[0].content[0]"]
  ]
  for (const [name, body, param] of refuses)
    it(`refuses ${name} and says where`, () => {
      const refusal = Either.getOrThrow(Either.flip(read(body)))
      assert.strictEqual(refusal._tag, "InvalidRequest")
      assert.strictEqual(refusal.status, 400)
      assert.strictEqual(refusal.param, param)
      assert.match(refusal.message, /^[A-Z'].{10,}\.$/)
      if (param !== null) assert.include(refusal.message, `'${param}'`)
    })

  it("refuses what nests beyond all reason, and takes what nests a lot", () => {
    const nested = (depth: number) =>
      `{"messages":[{"role":"user","content":"${"[".repeat(5000)}"}],"deep":${"[".repeat(depth)}${"]".repeat(depth)}}`
    assert.isTrue(Either.isRight(read(nested(100))))
    for (const depth of [20_000, 1_000_000]) {
      const refusal = Either.getOrThrow(Either.flip(read(nested(depth))))
      assert.match(refusal.message, /nests deeper than \d+ levels\.$/)
      assert.isNull(refusal.param)
    }
  })

  it("leaves the model open where none is named", () => {
    for (const model of [undefined, null, ""])
      assert.isUndefined(Either.getOrThrow(read({ model, messages: [HI] })).model)
    assert.strictEqual(Either.getOrThrow(read({ model: "a", messages: [HI] })).model, "a")
  })

  it("takes a stream for one only where it is true", () => {
    for (const stream of [undefined, null, false])
      assert.isFalse(Either.getOrThrow(read({ stream, messages: [HI] })).stream)
    assert.isTrue(Either.getOrThrow(read({ stream: true, messages: [HI] })).stream)
  })

  it.prop("never throws, whatever the bytes", [fc.uint8Array({ maxLength: 64 })], ([bytes]) => {
    assert.isTrue(Either.isLeft(parse(bytes)))
  })
})

describe("parse and the contract's schema", () => {
  const odd = fc.constantFrom<unknown>(undefined, null, true, 0, "", "text", [], {})
  const part = fc.oneof(
    { weight: 3, arbitrary: fc.record({ type: fc.string(), text: odd }) },
    fc.record({ type: odd }),
    odd
  )
  const content = fc.oneof(odd, fc.string(), fc.array(part, { maxLength: 3 }))
  const message = fc.oneof(
    { weight: 4, arbitrary: fc.record({ role: fc.string(), content }, { requiredKeys: ["role"] }) },
    fc.record({ role: odd, content }, { requiredKeys: [] }),
    odd
  )
  const body = fc.record(
    {
      model: fc.oneof(fc.string(), odd),
      messages: fc.oneof({ weight: 6, arbitrary: fc.array(message, { maxLength: 3 }) }, odd),
      stream: fc.oneof(fc.boolean(), odd),
      stream_options: fc.oneof(fc.record({ include_usage: odd }), odd),
      temperature: odd
    },
    { requiredKeys: ["messages"] }
  )

  const agree = (body: unknown): void => {
    const text = JSON.stringify(body)
    assert.strictEqual(Either.isRight(read(text)), Schema.is(ChatRequestBody)(JSON.parse(text)), text)
  }

  it.prop(
    "agree on every body, a null model and stream options apart",
    [body],
    ([body]) => {
      agree({ ...body, model: body.model ?? undefined, stream_options: undefined })
    },
    { fastCheck: { numRuns: 2000 } }
  )

  it("agree that a model may be null", () => agree({ model: null, messages: [HI] }))

  it.prop("agree on the options of a stream", [body], ([{ stream_options }]) => {
    agree({ messages: [HI], stream_options })
  })
})

describe("withModel", () => {
  /** A request with members anywhere, and other models further down. */
  const request = fc
    .tuple(
      jsonObject,
      fc.constantFrom("{", " {", "\n{ "),
      fc.constantFrom("old", "öld", 'o"ld', "test/plain"),
      fc.nat()
    )
    .map(([{ members }, start, model, at]) => {
      const others = members
        .filter(([key]) => key !== "model" && key !== "messages" && key !== "stream")
        .map(([key, value]) => `${JSON.stringify(key)}: ${value}`)
      const nested = `"messages" :[{"role":"user","model":"nested","content":"\\"model\\":\\"old\\""}]`
      const all = [...others, nested]
      const place = at % (all.length + 1)
      return { start, model, before: all.slice(0, place), after: all.slice(place) }
    })
  const names = fc.oneof(fc.constantFrom("new", "$&", "$1", "a/b:free", '"', "\\", "ümlaut"), fc.string())
  type Request = typeof request extends fc.Arbitrary<infer A> ? A : never
  const written = ({ after, before, start }: Request, member: ReadonlyArray<string>) =>
    `${start}${[...before, ...member, ...after].join(" , ")} }`

  it.prop("changes the name and nothing else on the wire", [request, names], ([request, name]) => {
    const before = written(request, [`"model": ${JSON.stringify(request.model)}`])
    const after = written(request, [`"model": ${JSON.stringify(name)}`])
    const changed = withModel(accepted(before), name)
    assert.strictEqual(said(changed.bytes), after)
    assert.strictEqual(changed.text, after)
    assert.strictEqual(changed.model, name)
    assert.strictEqual(JSON.stringify(changed.body), JSON.stringify(JSON.parse(after)))
  })

  it.prop("adds the name where there is none, and keeps all else", [request, names], ([request, name]) => {
    const before = written(request, [])
    const changed = withModel(accepted(before), name)
    const brace = before.indexOf("{") + 1
    assert.strictEqual(
      said(changed.bytes),
      `${before.slice(0, brace)}"model":${JSON.stringify(name)},${before.slice(brace)}`
    )
    assert.deepStrictEqual(changed.body, JSON.parse(said(changed.bytes)))
  })

  it.prop("is the same request where the name is the same", [request], ([request]) => {
    const asked = accepted(written(request, [`"model": ${JSON.stringify(request.model)}`]))
    const same = withModel(asked, request.model)
    assert.strictEqual(same.bytes, asked.bytes)
    assert.strictEqual(same.text, asked.text)
  })

  it.prop(
    "leaves no second opinion about the model, in whatever spelling",
    [
      request,
      fc.array(jsonValue, { maxLength: 2 }),
      names,
      fc.constantFrom('"model"', String.raw`"mod\u0065l"`)
    ],
    ([request, values, name, spelling]) => {
      const spoken = (models: ReadonlyArray<string>) =>
        written(request, [...models.slice(1).map((model) => `${spelling} :${model}`), `"model":${models[0]}`])
      const changed = withModel(accepted(spoken(['"old"', ...values])), name)
      assert.strictEqual(
        said(changed.bytes),
        spoken([name, ...values.map(() => name)].map((n) => JSON.stringify(n)))
      )
    }
  )

  it("rewrites a name that is said twice even if it is the right one", () => {
    const asked = accepted('{"model":"other","messages":[{"role":"user"}],"model":"same"}')
    assert.strictEqual(asked.model, "same")
    assert.strictEqual(
      said(withModel(asked, "same").bytes),
      '{"model":"same","messages":[{"role":"user"}],"model":"same"}'
    )
  })

  it("rewrites a name that is said twice, once in another spelling, even if it is the right one", () => {
    const said = (model: string) =>
      String.raw`{"mod\u0065l":${model},"messages":[{"role":"user"}],"model":"same"}`
    const asked = accepted(said('"other"'))
    assert.strictEqual(asked.model, "same")
    assert.strictEqual(withModel(asked, "same").text, said('"same"'))
  })

  it("replaces a model that was left open", () => {
    const changed = withModel(accepted('{"model":null,"messages":[{"role":"user"}]}'), "a")
    assert.strictEqual(said(changed.bytes), '{"model":"a","messages":[{"role":"user"}]}')
    assert.isTrue(isObject(changed.body))
  })

  it("does not touch the request it was given", () => {
    const asked = accepted('{"model":"a","messages":[{"role":"user"}]}')
    withModel(asked, "b")
    assert.strictEqual(asked.model, "a")
    assert.strictEqual(asked.body["model"], "a")
    assert.strictEqual(said(asked.bytes), asked.text)
  })
})
