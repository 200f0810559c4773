import { assert, describe, it, vi } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { encodeEvent, SseSplitter } from "../../src/domain/Sse.ts"

/** A stretch of a stream that stands or falls together, and the payload it carries. */
interface Stretch {
  readonly bytes: Buffer
  readonly data: string | undefined
}

const text = fc.string({ unit: "grapheme", maxLength: 12 }).map((said) => said.replace(/[\r\n]/g, "·"))
const lineEnd = fc.constantFrom("\n", "\r\n")

const dataLine = fc.tuple(fc.boolean(), text).map(([spaced, value]) => ({
  line: spaced ? `data: ${value}` : `data:${value.trimStart()}`,
  value: spaced ? value : value.trimStart()
}))
const otherLine = fc
  .tuple(fc.constantFrom("event: ", "id:", "retry: ", ": ", ":", "Data: ", "data2: ", "dat-"), text)
  .map(([start, value]) => ({ line: start + value.replaceAll(":", ""), value: undefined }))
const fieldLine = fc
  .tuple(fc.constantFrom("event: ", "id:", "retry: ", "Data: "), text)
  .map(([start, value]) => ({ line: start + value, value: undefined }))

/** One event: a comment at its head would stand between events, so a field comes first. */
const event: fc.Arbitrary<Stretch> = fc
  .tuple(
    fc.oneof(dataLine, fieldLine),
    fc.array(fc.oneof({ weight: 2, arbitrary: dataLine }, otherLine), { maxLength: 4 }),
    fc.infiniteStream(lineEnd)
  )
  .map(([first, rest, ends]) => {
    const end = () => ends.next().value
    const lines = [first, ...rest]
    const values = lines.flatMap(({ value }) => (value === undefined ? [] : [value]))
    return {
      bytes: Buffer.from(lines.map(({ line }) => line + end()).join("") + end()),
      data: values.length === 0 ? undefined : values.join("\n")
    }
  })

const comment: fc.Arbitrary<Stretch> = fc
  .tuple(text, lineEnd)
  .map(([said, end]) => ({ bytes: Buffer.from(`:${said}${end}`), data: undefined }))
const blank: fc.Arbitrary<Stretch> = lineEnd.map((end) => ({ bytes: Buffer.from(end), data: undefined }))
const stretches = fc.array(fc.oneof({ weight: 3, arbitrary: event }, comment, blank), { maxLength: 8 })

/** The beginning of one more event, which never ends. */
const torn = fc.tuple(event, fc.nat()).map(([{ bytes }, cut]) => bytes.subarray(0, cut % (bytes.length - 1)))

const cuts = fc.array(fc.nat(), { maxLength: 12 })

/** The same bytes in other pieces; empty ones among them. */
const pieces = (bytes: Buffer, cuts: ReadonlyArray<number>): ReadonlyArray<Buffer> => {
  const places = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b)
  return places.map((place, index) => bytes.subarray(places[index - 1] ?? 0, place))
}

const singly = (bytes: Buffer): ReadonlyArray<Buffer> =>
  Array.from(bytes, (_, index) => bytes.subarray(index, index + 1))

/** Where stretches end, and what has been said up to there. */
const boundaries = (stretches: ReadonlyArray<Stretch>) => {
  let at = 0
  const data: Array<string> = []
  return [{ at: 0, said: 0 }].concat(
    stretches.map((stretch) => {
      at += stretch.bytes.length
      if (stretch.data !== undefined) data.push(stretch.data)
      return { at, said: data.length }
    })
  )
}

const whole = (stretches: ReadonlyArray<Stretch>): Buffer =>
  Buffer.concat(stretches.map(({ bytes }) => bytes))

const payloads = (stretches: ReadonlyArray<Stretch>): ReadonlyArray<string> =>
  stretches.flatMap(({ data }) => (data === undefined ? [] : [data]))

/** Everything a splitter lets out of these pieces, `rest` included. */
const split = (pieces: ReadonlyArray<Buffer>) => {
  const splitter = new SseSplitter()
  const batches = [...pieces.map((piece) => splitter.push(piece)), splitter.rest()]
  return {
    bytes: Buffer.concat(batches.map(({ bytes }) => bytes ?? Buffer.alloc(0))),
    data: batches.flatMap(({ data }) => data)
  }
}

/** How many bytes are copied together while something is done: what a quadratic splitter would waste. */
const bytesCopied = (work: () => void): number => {
  let copied = 0
  const concat = Buffer.concat
  const spy = vi.spyOn(Buffer, "concat").mockImplementation((list, length) => {
    for (const { length } of list) copied += length
    return concat(list, length)
  })
  try {
    work()
  } finally {
    spy.mockRestore()
  }
  return copied
}

describe("an event stream", () => {
  it.prop(
    "comes out as it went in, with the same payloads, however it is cut",
    [stretches, cuts],
    ([stretches, cuts]) => {
      const bytes = whole(stretches)
      const out = split(pieces(bytes, cuts))
      assert.strictEqual(out.bytes.toString("latin1"), bytes.toString("latin1"))
      assert.deepStrictEqual(out.data, payloads(stretches))
    },
    { fastCheck: { numRuns: 500 } }
  )

  it.prop(
    "comes out the same byte by byte",
    [stretches],
    ([stretches]) => {
      const bytes = whole(stretches)
      const out = split(singly(bytes))
      assert.strictEqual(out.bytes.toString("latin1"), bytes.toString("latin1"))
      assert.deepStrictEqual(out.data, payloads(stretches))
    },
    { fastCheck: { numRuns: 200 } }
  )

  it.prop(
    "lets every whole event out at once, and never a part of one",
    [stretches, torn, cuts],
    ([stretches, torn, cuts]) => {
      const bytes = Buffer.concat([whole(stretches), torn])
      const splitter = new SseSplitter()
      let fed = 0
      let out = 0
      let said = 0
      for (const piece of pieces(bytes, cuts)) {
        const batch = splitter.push(piece)
        fed += piece.length
        out += batch.bytes?.length ?? 0
        said += batch.data.length
        const due = boundaries(stretches).findLast(({ at }) => at <= fed)
        assert.deepStrictEqual({ at: out, said }, due)
        assert.strictEqual(splitter.pending, fed - out)
      }
    },
    { fastCheck: { numRuns: 500 } }
  )

  it.prop(
    "that ends in the middle of an event leaves it to rest(), bytes and payload",
    [stretches, dataLine, fc.constantFrom("", "\r", "\n", "\r\n"), cuts],
    ([stretches, { line, value }, end, cuts]) => {
      const bytes = Buffer.concat([whole(stretches), Buffer.from(line + end)])
      const splitter = new SseSplitter()
      const said = pieces(bytes, cuts).flatMap((piece) => splitter.push(piece).data)
      assert.deepStrictEqual(said, payloads(stretches))
      const rest = splitter.rest()
      assert.strictEqual(rest.bytes?.toString(), line + end)
      assert.deepStrictEqual(rest.data, [value])
      assert.strictEqual(splitter.pending, 0)
      assert.deepStrictEqual(splitter.rest(), { bytes: undefined, data: [] })
    }
  )
})

describe("a splitter", () => {
  const pushes = (...pieces: ReadonlyArray<string>) => {
    const splitter = new SseSplitter()
    return pieces.map((piece) => {
      const { bytes, data } = splitter.push(Buffer.from(piece))
      return [bytes?.toString(), data]
    })
  }

  it("joins the data lines of one event with line breaks", () => {
    assert.deepStrictEqual(pushes("data: one\r\ndata:two\ndata:\ndata:  four\n\n"), [
      ["data: one\r\ndata:two\ndata:\ndata:  four\n\n", ["one\ntwo\n\n four"]]
    ])
  })

  it("finds no payload in event:, id:, retry: and what else is no data", () => {
    const said = "event: ping\nid: 7\nretry: 10\nDATA: x\ndatas: y\n data: z\n\n"
    assert.deepStrictEqual(pushes(said), [[said, []]])
  })

  it("lets a comment between events pass at once, and one within an event wait", () => {
    assert.deepStrictEqual(pushes(": PROCESSING\n", "data: a\n", ": within\n", "\n: between\r\ndata"), [
      [": PROCESSING\n", []],
      [undefined, []],
      [undefined, []],
      ["data: a\n: within\n\n: between\r\n", ["a"]]
    ])
  })

  it("waits for the second half of a line break", () => {
    assert.deepStrictEqual(pushes("data: a\r", "\n\r", "\n"), [
      [undefined, []],
      [undefined, []],
      ["data: a\r\n\r\n", ["a"]]
    ])
  })

  it("puts a letter together whose bytes come apart", () => {
    const bytes = Buffer.from("data: 😀 ä\n\n")
    assert.deepStrictEqual(split(singly(bytes)).data, ["😀 ä"])
  })

  it("lets nothing out for nothing", () => {
    const splitter = new SseSplitter()
    assert.isUndefined(splitter.push(Buffer.alloc(0)).bytes)
    splitter.push(Buffer.from("data"))
    assert.isUndefined(splitter.push(Buffer.alloc(0)).bytes)
    assert.strictEqual(splitter.pending, 4)
  })

  it("reads back what encodeEvent wrote", () => {
    const events = ['{"a":1}', "[DONE]", ""]
    assert.deepStrictEqual(split([Buffer.concat(events.map(encodeEvent))]).data, events)
  })

  it("copies a long line once, however small its pieces", () => {
    const length = 1024 * 1024
    const bytes = Buffer.from(`data: ${"x".repeat(length)}\n\n`)
    const pieces = singly(bytes)
    let data: ReadonlyArray<string> = []
    const copied = bytesCopied(() => {
      const splitter = new SseSplitter()
      data = pieces.flatMap((piece) => splitter.push(piece).data)
    })
    assert.deepStrictEqual(
      data.map(({ length }) => length),
      [length]
    )
    assert.isBelow(copied, 4 * bytes.length)
  })

  it("copies a long event of many lines a few times at most", () => {
    const lines = 1024
    const bytes = Buffer.from(`${`data: ${"x".repeat(1000)}\n`.repeat(lines)}\n`)
    const splitter = new SseSplitter()
    const data: Array<string> = []
    const copied = bytesCopied(() => {
      for (let at = 0; at < bytes.length; at += 1000)
        data.push(...splitter.push(bytes.subarray(at, at + 1000)).data)
    })
    assert.deepStrictEqual(
      data.map((said) => said.split("\n").length),
      [lines]
    )
    assert.isBelow(copied, 32 * bytes.length)
  })
})
