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

/** Events as the server writes them, and what is to be read from them. */
const anyStream = fc
  .array(
    fc.record({
      name: fc.option(fc.constantFrom("stage", "done", "stats")),
      id: fc.option(fc.stringMatching(/^[a-f0-9-]{1,8}$/)),
      data: fc.option(fc.stringMatching(/^[a-z:{} ü🙂\r\u2028]{0,9}$/u)),
      comment: fc.boolean()
    }),
    { maxLength: 6 }
  )
  .map((events) => {
    let lastEventId = ""
    const text = events.map(({ comment, data, id, name }) => {
      if (id !== null) lastEventId = id
      const lines = [
        ...(comment ? [": heartbeat"] : []),
        ...(name === null ? [] : [`event: ${name}`]),
        ...(id === null ? [] : [`id: ${id}`]),
        ...(data === null ? [] : [`data: ${data}`])
      ]
      return `${lines.join("\n")}\n\n`
    })
    const expected = events.flatMap(({ data, name }) =>
      data === null || name === null ? [] : [{ name, data }]
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

  it("is read at every single cut", () => {
    const text = "retry: 2000\n\n: so far so good\n\nid: 7\nevent: a\ndata: {}\n\nevent: b\n\n"
    for (let cut = 0; cut <= text.length; cut++)
      assert.deepStrictEqual(read([text.slice(0, cut), "", text.slice(cut)]), {
        events: [{ name: "a", data: "{}" }],
        lastEventId: "7",
        retry: 2000
      })
  })

  it("remembers an id only once its event has come whole", () =>
    assert.strictEqual(read(["id: 1\ndata: a\n\nid: 2\ndata: b\n"]).lastEventId, "1"))

  it("takes no nonsense for a time to wait, and no more than it can hold", () => {
    assert.isUndefined(read(["retry: soon\nretry: -1\nretry: 99999999\n\n"]).retry)
    assert.throws(() => read([`data: ${"x".repeat(8_000_001)}`]))
    assert.throws(() => read(Array.from({ length: 9 }, () => `data: ${"x".repeat(1_000_000)}\n`)))
  })
})
