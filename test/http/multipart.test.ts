import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { boundaryIn, MultipartReader } from "../../src/http/Multipart.ts"
import type { FormEvent } from "../../src/http/Multipart.ts"

interface Part {
  readonly name: string
  readonly filename: string | undefined
  readonly bytes: Buffer
}

const BOUNDARY = "--b-o\u0027und-"

const encode = (parts: ReadonlyArray<Part>, before: Buffer, after: Buffer): Buffer =>
  Buffer.concat([
    before,
    ...parts.flatMap(({ bytes, filename, name }, index) => {
      const file = filename === undefined ? "" : `; filename="${filename.replace(/(["\\])/g, "\\$1")}"`
      const start = before.length === 0 && index === 0 ? "" : "\r\n"
      return [
        Buffer.from(`${start}--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n`),
        bytes
      ]
    }),
    Buffer.from(`${before.length === 0 && parts.length === 0 ? "" : "\r\n"}--${BOUNDARY}--`),
    after
  ])

/** What a reader makes of bytes in these pieces, with the data of a part in one. */
const read = (pieces: ReadonlyArray<Buffer>): ReadonlyArray<FormEvent> => {
  const reader = new MultipartReader(BOUNDARY)
  const events: Array<FormEvent> = []
  for (const event of pieces.flatMap((piece) => reader.push(piece))) {
    const last = events.at(-1)
    if (event._tag === "Data" && last?._tag === "Data")
      events[events.length - 1] = { _tag: "Data", bytes: Buffer.concat([last.bytes, event.bytes]) }
    else events.push(event)
  }
  return events
}

const cuts = fc.array(fc.nat(), { maxLength: 12 })

/** The same bytes in other pieces; empty ones among them. */
const cut = (bytes: Buffer, places: ReadonlyArray<number>): ReadonlyArray<Buffer> => {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b)
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
}

const singly = (bytes: Buffer): ReadonlyArray<Buffer> =>
  Array.from(bytes, (_, index) => bytes.subarray(index, index + 1))

const delimiter = `\r\n--${BOUNDARY}`

/** Bytes that look like a boundary for as long as they can. */
const almost = fc.oneof(
  fc.nat(delimiter.length - 1).map((length) => delimiter.slice(0, length)),
  fc.constantFrom(
    "\r",
    "\n",
    "\r\n",
    "\r\r\n",
    "--",
    delimiter.slice(2),
    delimiter.slice(1),
    `\n${delimiter.slice(2)}`
  )
)

const content = fc
  .array(
    fc.oneof(
      almost.map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 8 })
    ),
    { maxLength: 8 }
  )
  .map((pieces) => Buffer.concat(pieces))
  .filter((bytes) => !Buffer.concat([Buffer.from("\r\n"), bytes]).includes(delimiter))

const word = fc.string({ unit: "grapheme", maxLength: 12 }).map((text) => text.replace(/[\p{Cc}"\\]/gu, "·"))

const filename = fc.option(
  fc.string({ unit: "grapheme", maxLength: 12 }).map((text) => text.replace(/\p{Cc}/gu, "·")),
  { nil: undefined }
)

const parts = fc.array(fc.record({ name: word, filename, bytes: content }), { maxLength: 4 })

describe("a form", () => {
  it("is read as it was written, whatever its chunking", () => {
    fc.assert(
      fc.property(parts, content, content, cuts, (parts, before, after, places) => {
        const bytes = encode(parts, before, after)
        const expected: ReadonlyArray<FormEvent> = [
          ...parts.flatMap(({ bytes, filename, name }): ReadonlyArray<FormEvent> => [
            { _tag: "Part", name, filename },
            ...(bytes.length === 0 ? [] : [{ _tag: "Data", bytes } as const])
          ]),
          { _tag: "End" }
        ]
        assert.deepStrictEqual(read([bytes]), expected)
        assert.deepStrictEqual(read(cut(bytes, places)), expected)
        assert.deepStrictEqual(read(singly(bytes)), expected)
      })
    )
  })

  it("that somebody has spoilt is read the same, whatever its chunking", () => {
    const spoil = fc.record({
      at: fc.nat(),
      drop: fc.nat(6),
      put: fc.oneof(almost, fc.constantFrom("\0", '"', ":", ";", " "))
    })
    fc.assert(
      fc.property(parts, fc.array(spoil, { minLength: 1, maxLength: 3 }), cuts, (parts, spoils, places) => {
        let bytes = encode(parts, Buffer.alloc(0), Buffer.alloc(0))
        for (const { at, drop, put } of spoils) {
          const place = at % bytes.length
          bytes = Buffer.concat([bytes.subarray(0, place), Buffer.from(put), bytes.subarray(place + drop)])
        }
        const events = read([bytes])
        assert.deepStrictEqual(read(cut(bytes, places)), events)
        assert.deepStrictEqual(read(singly(bytes)), events)
      })
    )
  })

  it("holds back no more than what may be the beginning of a boundary", () => {
    const reader = new MultipartReader(BOUNDARY)
    reader.push(Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"\r\n\r\n`))
    let sent = 0
    let given = 0
    for (let index = 0; index < 100; index++) {
      const chunk = Buffer.alloc(1000, "\r\n--")
      sent += chunk.length
      for (const event of reader.push(chunk)) if (event._tag === "Data") given += event.bytes.length
      assert.isBelow(sent - given, delimiter.length)
    }
  })
})

describe("a content type", () => {
  const types: ReadonlyArray<readonly [string, string | undefined]> = [
    ["multipart/form-data; boundary=abc", "abc"],
    ['multipart/form-data; boundary="a b;c"', "a b;c"],
    ["multipart/form-data;charset=utf-8;BOUNDARY=abc ; x=y", "abc"],
    ["multipart/form-data", undefined],
    ["multipart/form-data; boundary=", undefined],
    ['multipart/form-data; boundary=""', undefined],
    ['multipart/form-data; boundary="abc "', undefined],
    ["multipart/form-data; boundary=a; boundary=b", undefined],
    [`multipart/form-data; boundary=${"a".repeat(70)}`, "a".repeat(70)],
    [`multipart/form-data; boundary=${"a".repeat(71)}`, undefined],
    ["multipart/form-data; boundary=é", undefined]
  ]
  for (const [type, boundary] of types)
    it(`${type} names ${boundary === undefined ? "no boundary" : `the boundary '${boundary}'`}`, () =>
      assert.strictEqual(boundaryIn(type), boundary))
})
