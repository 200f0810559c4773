import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { SseParser } from "../../src/ui/model/sse.ts"
import type { ServerEvent } from "../../src/ui/model/sse.ts"

/** Reads a text in these pieces. */
const read = (pieces: ReadonlyArray<string>) => {
  const parser = new SseParser()
  const events: Array<ServerEvent> = []
  for (const piece of pieces) events.push(...parser.push(piece))
  return { events, lastEventId: parser.lastEventId, retry: parser.retry }
}

const anyEnd = fc.constantFrom("\n", "\r", "\r\n")

/** Events with the ends of their lines as they may be, and what is to be read from them. */
const anyStream = fc
  .array(
    fc.record({
      name: fc.option(fc.constantFrom("stage", "done", "stats")),
      id: fc.option(fc.stringMatching(/^[a-f0-9-]{1,8}$/)),
      data: fc.array(fc.stringMatching(/^[a-z:{} ü🙂]{0,9}$/u), { maxLength: 3 }),
      comment: fc.boolean(),
      end: anyEnd
    }),
    { maxLength: 6 }
  )
  .map((events) => {
    let lastEventId = ""
    const text = events.map(({ comment, data, end, id, name }) => {
      if (id !== null) lastEventId = id
      const lines = [
        ...(comment ? [": heartbeat"] : []),
        ...(name === null ? [] : [`event: ${name}`]),
        ...(id === null ? [] : [`id: ${id}`]),
        ...data.map((line) => `data: ${line}`),
        ""
      ]
      return lines.map((line) => line + end).join("")
    })
    const expected = events.flatMap(({ data, name }) =>
      data.length === 0 ? [] : [{ name: name ?? "message", data: data.join("\n") }]
    )
    return { text: text.join(""), expected, lastEventId }
  })

describe("a stream of events", () => {
  it("is read the same however it is cut", () => {
    fc.assert(
      fc.property(
        anyStream,
        fc.array(fc.nat(200), { maxLength: 12 }),
        ({ expected, lastEventId, text }, cuts) => {
          const places = [
            0,
            ...cuts.map((cut) => Math.min(cut, text.length)).toSorted((a, b) => a - b),
            text.length
          ]
          const pieces = places.slice(1).map((place, at) => text.slice(places[at], place))
          for (const way of [pieces, [text], Array.from(text)]) {
            const { events, lastEventId: last } = read(way)
            assert.deepStrictEqual(events, expected)
            assert.strictEqual(last, lastEventId)
          }
        }
      ),
      { numRuns: 300 }
    )
  })

  it("is read at every single cut, a carriage return and its line feed apart", () => {
    const text = "retry: 2000\r\n\r\nevent: a\r\nid: 7\r\ndata: {}\r\ndata:x\r\n\r\ndata\n\n"
    const expected = [
      { name: "a", data: "{}\nx" },
      { name: "message", data: "" }
    ]
    for (let cut = 0; cut <= text.length; cut++)
      assert.deepStrictEqual(read([text.slice(0, cut), "", text.slice(cut)]), {
        events: expected,
        lastEventId: "7",
        retry: 2000
      })
  })

  it("remembers an id only once its event has come whole, and none with a NUL", () => {
    assert.strictEqual(read(["id: 1\ndata: a\n\nid: 2\ndata: b\n"]).lastEventId, "1")
    assert.strictEqual(read(["id: 1\ndata: a\n\nid: x\0y\ndata: b\n\n"]).lastEventId, "1")
    assert.strictEqual(read(["id: 1\ndata: a\n\nid\ndata: b\n\n"]).lastEventId, "")
  })

  it("takes no nonsense for a time to wait, and no more than it can hold", () => {
    assert.isUndefined(read(["retry: soon\nretry: -1\nretry: 99999999\n\n"]).retry)
    assert.throws(() => read([`data: ${"x".repeat(8_000_001)}`]))
    assert.throws(() => read(Array.from({ length: 9 }, () => `data: ${"x".repeat(1_000_000)}\n`)))
  })
})
