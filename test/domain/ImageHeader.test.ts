import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { readImageHeader } from "../../src/domain/media/ImageHeader.ts"

const u16 = (value: number): ReadonlyArray<number> => [value >> 8, value & 255]
const le16 = (value: number): ReadonlyArray<number> => [value & 255, value >> 8]
const le24 = (value: number): ReadonlyArray<number> => [value & 255, (value >> 8) & 255, value >> 16]
const ascii = (text: string): ReadonlyArray<number> => Array.from(Buffer.from(text, "latin1"))

const png = (width: number, height: number) =>
  Buffer.from([
    ...[0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, ...ascii("IHDR")],
    ...[0, 0, ...u16(width), 0, 0, ...u16(height), 8, 6, 0, 0, 0]
  ])

const gif = (width: number, height: number) =>
  Buffer.from([...ascii("GIF89a"), ...le16(width), ...le16(height), 0, 0, 0])

const segment = (marker: number, ...bytes: ReadonlyArray<number>) => [
  ...[0xff, marker, ...u16(bytes.length + 2)],
  ...bytes
]

const jpeg = (width: number, height: number, frame = 0xc0, before: ReadonlyArray<number> = []) =>
  Buffer.from([
    ...[0xff, 0xd8, ...before],
    ...segment(frame, 8, ...u16(height), ...u16(width), 3, 1, 0x22, 0),
    ...[0xff, 0xda, 0, 2, 1, 2, 3, 0xff, 0xd9]
  ])

const webp = (kind: string, ...bytes: ReadonlyArray<number>) =>
  Buffer.from([...ascii("RIFF"), 0, 0, 0, 0, ...ascii("WEBP"), ...ascii(kind), 0, 0, 0, 0, ...bytes])

const lossy = (width: number, height: number, scale = 0) =>
  webp("VP8 ", 0x10, 0, 0, 0x9d, 0x01, 0x2a, ...le16(width | (scale << 14)), ...le16(height | (scale << 14)))

const lossless = (width: number, height: number) => {
  const bits = (width - 1) | ((height - 1) << 14) | (1 << 28)
  return webp("VP8L", 0x2f, ...le16(bits & 0xffff), ...le16((bits >>> 16) & 0xffff), 0, 0, 0, 0, 0)
}

const extended = (width: number, height: number) =>
  webp("VP8X", 0x10, 0, 0, 0, ...le24(width - 1), ...le24(height - 1))

const side = (most: number) => fc.oneof(fc.integer({ min: 1, max: most }), fc.constantFrom(1, 255, 256, most))

const formats = [
  ["png", png, 65_535],
  ["gif", gif, 65_535],
  ["jpeg", jpeg, 65_535],
  ["webp", lossy, 16_383],
  ["webp", lossless, 16_384],
  ["webp", extended, 65_536]
] as const

describe("the header of a picture", () => {
  for (const [type, make, most] of formats) {
    it.prop(`tells the size of a ${type} (${make.name})`, [side(most), side(most)], ([width, height]) => {
      assert.deepStrictEqual(readImageHeader(make(width, height)), { type, width, height })
    })

    it(`of a ${type} (${make.name}) that is cut off is no size at all, or the right one`, () => {
      const whole = make(640, 360)
      for (let length = 0; length < whole.length; length++) {
        const found = readImageHeader(whole.subarray(0, length))
        if (found !== undefined) assert.deepStrictEqual(found, { type, width: 640, height: 360 })
      }
      assert.isUndefined(readImageHeader(whole.subarray(0, 8)))
    })

    it(`of a ${type} (${make.name}) is found in the middle of other bytes`, () => {
      const bytes = Buffer.concat([Buffer.from("xxxxx"), make(640, 360)]).subarray(5)
      assert.deepStrictEqual(readImageHeader(bytes), { type, width: 640, height: 360 })
    })
  }

  it("of a png of millions of pixels a side has all four bytes of it", () => {
    const bytes = png(1, 1)
    bytes.writeUInt32BE(4_000_000_000, 16)
    bytes.writeUInt32BE(70_000, 20)
    assert.deepStrictEqual(readImageHeader(bytes), { type: "png", width: 4_000_000_000, height: 70_000 })
  })

  it("of a lossy webp leaves its scaling bits out", () => {
    assert.deepStrictEqual(readImageHeader(lossy(640, 360, 2)), { type: "webp", width: 640, height: 360 })
  })

  it("of a jpeg is found in every kind of frame", () => {
    for (const frame of [0xc0, 0xc1, 0xc2, 0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf])
      assert.deepStrictEqual(readImageHeader(jpeg(640, 360, frame)), {
        type: "jpeg",
        width: 640,
        height: 360
      })
  })

  it("of a jpeg is found behind whatever stands before it", () => {
    const before = [
      ...segment(0xe0, ...ascii("JFIF\0"), 1, 1, 0, 0, 1, 0, 1, 0, 0),
      ...segment(0xe1, ...ascii("Exif\0\0"), 0xff, 0xc0, 0, 17, 8, 9, 9, 9, 9),
      ...[0xff, 0xff, 0xff, ...segment(0xc4, 0, 1, 2, 3).slice(1)],
      ...[0xff, 0xff, ...segment(0xc4, 0, 1, 2, 3).slice(1)],
      ...segment(0xdb, ...Array.from({ length: 300 }, () => 0xc0))
    ]
    assert.deepStrictEqual(readImageHeader(jpeg(640, 360, 0xc2, before)), {
      type: "jpeg",
      width: 640,
      height: 360
    })
  })

  it("is none where a jpeg has no frame", () => {
    assert.isUndefined(
      readImageHeader(Buffer.from([0xff, 0xd8, ...segment(0xe0, 1, 2, 3), 0, 0, 0, 0, 0, 0, 0]))
    )
    assert.isUndefined(readImageHeader(Buffer.alloc(4096, Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 0]))))
    assert.isUndefined(readImageHeader(Buffer.alloc(4096, 0xff)))
  })

  const others: ReadonlyArray<readonly [string, Uint8Array]> = [
    ["nothing", new Uint8Array()],
    ["text", Buffer.from("GIF is a format, and this is a sentence about it.")],
    ["an svg", Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="640" height="360"></svg>')],
    ["a wave file", Buffer.from("RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\0\0\0\0")],
    ["a webp of an unknown kind", webp("VP9 ", ...Array.from({ length: 30 }, () => 1))],
    ["a pdf", Buffer.from("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n", "latin1")]
  ]
  for (const [name, bytes] of others)
    it(`is none in ${name}`, () => assert.isUndefined(readImageHeader(bytes)))

  const starts = fc.constantFrom(
    ...[png(9, 9), gif(9, 9), jpeg(9, 9), lossy(9, 9), lossless(9, 9), extended(9, 9)].flatMap((whole) => [
      whole.subarray(0, 4),
      whole.subarray(0, 16),
      whole.subarray(0, 24)
    ])
  )
  it.prop(
    "never throws and never makes up a size, whatever follows a good start",
    [starts, fc.uint8Array({ maxLength: 60 })],
    ([start, rest]) => {
      const found = readImageHeader(Buffer.concat([start, rest]))
      if (found === undefined) return
      for (const side of [found.width, found.height]) assert.isTrue(Number.isSafeInteger(side) && side >= 0)
    },
    { fastCheck: { numRuns: 1000 } }
  )
})
