import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as fc from "effect/FastCheck"
import { isObject, parseJson, stringField, field, arrayField } from "../../src/domain/Json.ts"
import type { JsonObject } from "../../src/domain/Json.ts"
import type { Reply } from "../../src/domain/Reply.ts"
import { SseSplitter } from "../../src/domain/Sse.ts"
import { withoutThinking } from "../../src/domain/Thinking.ts"
import { AppConfig } from "../../src/services/AppConfig.ts"
import { Thoughts, withoutThoughts } from "../../src/services/gateway/Thoughts.ts"

type Told =
  | readonly ["events", Buffer, ReadonlyArray<JsonObject>]
  | readonly ["whole", Buffer, string, JsonObject]
  | readonly ["end"]

/** A client at the far end, and what it was told. */
const listener = () => {
  const told: Array<Told> = []
  const reply: Reply = {
    opened: () => {},
    whole: (...answer) => void told.push(["whole", ...answer]),
    events: (...batch) => {
      told.push(["events", ...batch])
      return batch[0].length % 2 === 0
    },
    onDrain: () => {},
    end: () => void told.push(["end"])
  }
  return { told, reply }
}

/** Sends a stream in these batches, read as a relay reads it; gives what went out. */
const streamed = (...batches: ReadonlyArray<string | Buffer>) => {
  const { reply, told } = listener()
  const heard = withoutThoughts(reply)
  const splitter = new SseSplitter()
  const pass = ({ bytes, data }: ReturnType<SseSplitter["push"]>) => {
    if (bytes !== undefined) heard.events(bytes, data.map((text) => parseJson(text)).filter(isObject))
  }
  for (const batch of batches) pass(splitter.push(typeof batch === "string" ? Buffer.from(batch) : batch))
  pass(splitter.rest())
  heard.end()
  assert.deepStrictEqual(told.at(-1), ["end"])
  const batchesOut = told.flatMap((said) => (said[0] === "events" ? [said] : []))
  const text = Buffer.concat(batchesOut.map(([, bytes]) => bytes)).toString()
  const chunks = batchesOut.flatMap(([, , chunks]) => chunks)
  assert.deepStrictEqual(chunksIn(text), chunks, "bytes and chunks say the same")
  return { text, chunks }
}

const chunksIn = (text: string): ReadonlyArray<unknown> => {
  const splitter = new SseSplitter()
  return [...splitter.push(Buffer.from(text)).data, ...splitter.rest().data]
    .map((data) => parseJson(data))
    .filter(isObject)
}

const event = (choices: string, rest = "") => `data: {"id":"g","choices":[${choices}]${rest}}\n\n`
const delta = (text: string, index = 0) =>
  event(`{"index":${index},"delta":{"content":${JSON.stringify(text)}},"finish_reason":null}`)
const FINISH = event('{"index":0,"delta":{},"finish_reason":"stop"}')
const DONE = "data: [DONE]\n\n"

const textOf = (chunks: ReadonlyArray<JsonObject>, index = 0): string =>
  chunks
    .flatMap((chunk) => arrayField(chunk, "choices"))
    .filter((choice) => field(choice, "index") === index)
    .map((choice) => stringField(field(choice, "delta"), "content") ?? stringField(choice, "text") ?? "")
    .join("")

describe("a stream", () => {
  it("with nothing to take out passes by identity, tags that come to nothing included", () => {
    const { reply, told } = listener()
    const heard = withoutThoughts(reply)
    for (const text of [": hello\n\n", delta("a"), delta("b") + delta("1 < 2 <b>"), FINISH + DONE]) {
      const bytes = Buffer.from(text)
      const chunks = chunksIn(text).filter(isObject)
      assert.strictEqual(heard.events(bytes, chunks), bytes.length % 2 === 0)
      const last = told.at(-1)
      assert.isTrue(last?.[0] === "events" && last[1] === bytes && last[2] === chunks)
    }
  })

  it("loses a thought and the events that held nothing else", () => {
    const role = event('{"index":0,"delta":{"role":"assistant","content":""}}')
    const { text } = streamed(
      role,
      delta("<thi") + delta("nk>a"),
      delta("b</think>"),
      delta("\n\nc"),
      FINISH + DONE
    )
    assert.strictEqual(text, role + delta("\n\nc") + FINISH + DONE)
  })

  it("changes one string of an event and not a letter more", () => {
    const before =
      ': hello\r\nid: 7\r\nevent: x\r\ndata:{"big":12345678901234567890, "choices":[ {"delta":{"content":"a\\u003cthink\\u003eb","x":1.0},"index":0}]}\r\n\r\n' +
      ': between\n\nretry: 5\ndata: {"choices":[{"index":0,\ndata: "delta":{"content":"c</think>ö"}}]}\n\n'
    const after =
      ': hello\r\nid: 7\r\nevent: x\r\ndata:{"big":12345678901234567890, "choices":[ {"delta":{"content":"a","x":1.0},"index":0}]}\r\n\r\n' +
      ': between\n\nretry: 5\ndata: {"choices":[{"index":0,\ndata: "delta":{"content":"ö"}}]}\n\n'
    assert.strictEqual(streamed(before + FINISH + DONE).text, after + FINISH + DONE)
  })

  const interesting: ReadonlyArray<readonly [string, string]> = [
    ["role", '"delta":{"role":"assistant","content":"<think>a"}'],
    ["reasoning", '"delta":{"content":"<think>a","reasoning":"<think>b</think>"}'],
    ["tool calls", '"delta":{"content":"<think>a","tool_calls":[{"index":0}]}'],
    ["finish reason", '"delta":{"content":"<think>a"},"finish_reason":"length"'],
    ["probabilities", '"delta":{"content":"<think>a"},"logprobs":{"content":[]}'],
    ["unknown field", '"delta":{"content":"<think>a","audio":{"id":"x"}}']
  ]
  for (const [what, said] of interesting)
    it(`keeps an event for its ${what}`, () => {
      const { text } = streamed(event(`{"index":0,${said}}`) + DONE)
      assert.strictEqual(text, event(`{"index":0,${said.replace("<think>a", "")}}`) + DONE)
    })

  it("keeps an event for its usage, and not for a role that has been said before", () => {
    const role = (content: string) => event(`{"index":0,"delta":{"role":"assistant","content":"${content}"}}`)
    const usage = (content: string) =>
      event(`{"index":0,"delta":{"content":"${content}"}}`, ',"usage":{"total_tokens":1}')
    const { text } = streamed(role("<think>a"), role("b"), usage("c"), role("</think>d"), FINISH + DONE)
    assert.strictEqual(text, role("") + usage("") + role("d") + FINISH + DONE)
  })

  it("drops a thought cut short, and says what only looked like one before its choice ends", () => {
    assert.strictEqual(streamed(delta("<think>a"), FINISH + DONE).text, FINISH + DONE)
    const { text } = streamed(delta("Say <think>"), delta(" like"), delta(" this"), FINISH, DONE)
    assert.strictEqual(text, delta("Say ") + delta("<think> like this") + FINISH + DONE)
    const same = (content: string) =>
      event(`{"index":0,"delta":{"content":"${content}"},"finish_reason":"stop"}`)
    assert.strictEqual(
      streamed(delta("a <"), same("think> b"), DONE).text,
      delta("a ") + same("<think> b") + DONE
    )
  })

  it("says it before the end of a stream in which no choice ends", () => {
    assert.strictEqual(streamed(delta("a <thin"), DONE).text, delta("a ") + delta("<thin") + DONE)
    assert.strictEqual(streamed(delta("a <thin")).text, delta("a ") + delta("<thin"))
    const cut = streamed(delta("a <thin").trimEnd()).text
    assert.strictEqual(cut, delta("a ") + delta("<thin"))
  })

  it("tells choices apart", () => {
    const both = (a: string, b: string) =>
      event(
        `{"index":0,"delta":{"content":"${a}"},"finish_reason":null},{"index":1,"delta":{"content":"${b}"},"finish_reason":null}`
      )
    const ends = event(
      '{"index":0,"delta":{},"finish_reason":"stop"},{"index":1,"delta":{},"finish_reason":"stop"}'
    )
    const { chunks, text } = streamed(both("<think>a", "b<thi"), both("c</think>d", "nk>e"), ends + DONE)
    assert.strictEqual(text, both("", "b") + both("d", "") + delta("<think>e", 1) + ends + DONE)
    assert.strictEqual(textOf(chunks, 0), "d")
    assert.strictEqual(textOf(chunks, 1), "b<think>e")
  })

  it("of a legacy completion is heard as well", () => {
    const piece = (text: string, finish = "null") =>
      event(`{"index":0,"text":"${text}","logprobs":null,"finish_reason":${finish}}`)
    const { text } = streamed(piece("<think>a"), piece("</think>b"), piece("c <"), piece("", '"stop"') + DONE)
    assert.strictEqual(text, piece("b") + piece("c ") + piece("<", '"stop"') + DONE)
  })

  it("says what was held back when an error comes without its event", () => {
    const { reply, told } = listener()
    const heard = withoutThoughts(reply)
    const start = { choices: [{ index: 0, delta: { content: "a <think> b" } }] }
    const error = { error: { code: 502 }, choices: [{ index: 0, delta: {}, finish_reason: "error" }] }
    heard.events(Buffer.from(`data: ${JSON.stringify(start)}\n\n`), [start])
    heard.events(Buffer.alloc(0), [error])
    const held = { choices: [{ index: 0, delta: { content: "<think> b" }, finish_reason: null }] }
    assert.deepStrictEqual(told.at(-1), [
      "events",
      Buffer.from(`data: ${JSON.stringify(held)}\n\n`),
      [held, error]
    ])
  })

  it("keeps the bytes of an event that is not concerned, even where they are no letters", () => {
    const { reply, told } = listener()
    const heard = withoutThoughts(reply)
    const odd = Buffer.from(delta("b"))
    odd[odd.indexOf('"g"') + 1] = 0xff
    const bytes = Buffer.concat([Buffer.from(delta("<think>a</think>")), odd])
    heard.events(bytes, chunksIn(bytes.toString()).filter(isObject))
    const [said] = told
    assert.isTrue(said?.[0] === "events" && said[1].equals(odd))
  })

  it("says the same as the whole answer would, however it is cut and sent", () => {
    const token = fc.constantFrom("<think>", "</think>", "<th", "ink>", "<", " ", "\n", "a", "ö😀", '"', "\\")
    const pieces = fc.array(
      fc.array(token, { maxLength: 4 }).map((tokens) => tokens.join("")),
      { maxLength: 10 }
    )
    fc.assert(
      fc.property(pieces, fc.infiniteStream(fc.nat({ max: 60 })), fc.boolean(), (pieces, sizes, ends) => {
        const wire = Buffer.from(pieces.map((piece) => delta(piece)).join("") + (ends ? FINISH : "") + DONE)
        const batches: Array<Buffer> = []
        for (let from = 0; from < wire.length;) {
          const to = from + 1 + sizes.next().value
          batches.push(wire.subarray(from, to))
          from = to
        }
        const { chunks, text } = streamed(...batches)
        assert.strictEqual(textOf(chunks), withoutThinking(pieces.join("")))
        assert.isTrue(text.endsWith((ends ? FINISH : "") + DONE))
      }),
      { numRuns: 500 }
    )
  })
})

describe("a whole answer", () => {
  const heardWhole = (text: string) => {
    const { reply, told } = listener()
    const bytes = Buffer.from(text)
    const completion = parseJson(text)
    withoutThoughts(reply).whole(bytes, text, isObject(completion) ? completion : {})
    const [said] = told
    if (said?.[0] !== "whole") return assert.fail("no whole answer")
    assert.strictEqual(said[1].toString(), said[2])
    assert.deepStrictEqual(said[3], JSON.parse(said[2]))
    return { text: said[2], isSame: said[1] === bytes && said[3] === completion }
  }

  it("loses its thoughts and nothing else", () => {
    const before =
      '{ "x":1.0,"choices":[{"text":"<think>a</think>\\tb"},{"message":{"content":" <think>a</think> b","reasoning":"<think>c</think>","z":[]}},' +
      '{"message":{"content":[{"type":"text","text":"<think>a"},{"type":"image"},{"type":"text","text":"b</think>c"}]}}],"big":12345678901234567890}'
    const after =
      '{ "x":1.0,"choices":[{"text":"\\tb"},{"message":{"content":"  b","reasoning":"<think>c</think>","z":[]}},' +
      '{"message":{"content":[{"type":"text","text":""},{"type":"image"},{"type":"text","text":"c"}]}}],"big":12345678901234567890}'
    assert.strictEqual(heardWhole(before).text, after)
  })

  it("passes by identity where it has none", () => {
    for (const content of ['"a <think> b"', '"</think>"', "null", '[{"type":"text","text":"1 < 2"}]'])
      assert.isTrue(heardWhole(`{"choices":[{"message":{"content":${content}}}]}`).isSame)
    assert.isTrue(heardWhole('{"choices":"<think>a</think>"}').isSame)
  })
})

it.effect("does nothing where the operator wants nothing done", () =>
  Effect.gen(function* () {
    const { asked, heard } = yield* Thoughts
    const { reply } = listener()
    const request = { bytes: Buffer.alloc(0), text: "", body: {}, messages: [], model: "m", stream: false }
    assert.strictEqual(heard(reply, {}), reply)
    assert.strictEqual(asked(request), request)
  }).pipe(Effect.provide(Thoughts.Default.pipe(Layer.provide(AppConfig.layer({ STRIP_THINKING: "false" })))))
)

it.effect("takes nothing out of what is to be seen as it is", () =>
  Effect.gen(function* () {
    const { heard } = yield* Thoughts
    const { reply } = listener()
    assert.strictEqual(heard(reply, { verbatim: true }), reply)
    assert.notStrictEqual(heard(reply, {}), reply)
  }).pipe(Effect.provide(Thoughts.Default.pipe(Layer.provide(AppConfig.layer({})))))
)

it("hands on what else a reply can do", () => {
  const priced = () => {}
  assert.strictEqual(withoutThoughts({ ...listener().reply, priced }).priced, priced)
})
