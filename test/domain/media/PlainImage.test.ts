import { assert, describe, it } from "@effect/vitest"
import sharp from "sharp"
import { isPlain } from "../../../src/domain/media/PlainImage.ts"
import { noise, pngChunk, quarters } from "../../support/Images.ts"

const picture = () => quarters(64, 48)

const after = (bytes: Buffer, at: number, ...more: ReadonlyArray<number>) =>
  Buffer.concat([bytes.subarray(0, at), Buffer.from(more), bytes.subarray(at)])

const plain: ReadonlyArray<readonly [what: string, bytes: () => Promise<Buffer>]> = [
  ["jpeg", () => noise(64, 48).jpeg().toBuffer()],
  ["progressive jpeg", () => noise(64, 48).jpeg({ progressive: true }).toBuffer()],
  ["grey jpeg", () => picture().greyscale().jpeg().toBuffer()],
  ["jpeg with a colour profile", () => picture().withIccProfile("srgb").jpeg().toBuffer()],
  ["png", () => picture().png().toBuffer()],
  ["png with a palette", () => picture().png({ palette: true }).toBuffer()],
  ["png with a colour profile", () => picture().withIccProfile("p3").png().toBuffer()],
  ["webp", () => picture().webp().toBuffer()],
  ["webp without loss", () => picture().webp({ lossless: true }).toBuffer()],
  ["webp that can be seen through", () => noise(64, 48, 4).webp().toBuffer()]
]

const exif = { IFD0: { Copyright: "somebody" }, IFD3: { GPSLatitude: "52/1 30/1 0/1" } }

const laden: ReadonlyArray<readonly [what: string, bytes: () => Promise<Buffer>]> = [
  ["jpeg with a place", () => picture().withExif(exif).jpeg().toBuffer()],
  ["png with a place", () => picture().withExif(exif).png().toBuffer()],
  ["webp with a place", () => picture().withExif(exif).webp().toBuffer()],
  ["jpeg with XMP", () => picture().withXmp("<x:xmpmeta xmlns:x='adobe:ns:meta/'/>").jpeg().toBuffer()],
  ["png with XMP", () => picture().withXmp("<x:xmpmeta xmlns:x='adobe:ns:meta/'/>").png().toBuffer()],
  ["jpeg with a comment", async () => after(await picture().jpeg().toBuffer(), 2, 0xff, 0xfe, 0, 4, 72, 105)],
  [
    "jpeg with a thumbnail",
    async () =>
      after(
        await picture().jpeg().toBuffer(),
        2,
        ...[0xff, 0xe0, 0, 19, ...Buffer.from("JFIF\0")],
        1,
        1,
        0,
        0,
        1,
        0,
        1,
        1,
        1,
        9,
        9,
        9
      )
  ],
  [
    "jpeg with something behind it",
    async () => Buffer.concat([await picture().jpeg().toBuffer(), Buffer.from("!")])
  ],
  [
    "png with something behind it",
    async () => Buffer.concat([await picture().png().toBuffer(), Buffer.from("!")])
  ],
  [
    "webp with something behind it",
    async () => Buffer.concat([await picture().webp().toBuffer(), Buffer.alloc(2)])
  ],
  [
    "png with a text",
    async () => {
      const bytes = await picture().png().toBuffer()
      return after(bytes, 33, ...pngChunk("tEXt", Buffer.from("Comment\0so")))
    }
  ],
  [
    "png that moves",
    async () =>
      after(await picture().png().toBuffer(), 33, ...pngChunk("acTL", Buffer.from([0, 0, 0, 1, 0, 0, 0, 0])))
  ],
  ["gif", () => picture().gif().toBuffer()],
  ["tiff", () => picture().tiff().toBuffer()],
  ["avif", () => picture().avif({ effort: 0 }).toBuffer()],
  ["nothing", async () => Buffer.alloc(0)]
]

describe("an image file with nothing but its picture", () => {
  for (const [what, make] of plain) {
    it(`may be a ${what}`, async () => {
      const bytes = await make()
      assert.isTrue(isPlain(bytes))
      assert.isTrue(isPlain(Buffer.concat([Buffer.from("xyz"), bytes]).subarray(3)))
      assert.strictEqual((await sharp(bytes).metadata()).width, 64)
    })

    it(`is no ${what} that is cut off`, async () => {
      const bytes = await make()
      for (let length = 0; length < bytes.length; length++)
        assert.isFalse(isPlain(bytes.subarray(0, length)), `${length}`)
    })
  }

  for (const [what, make] of laden)
    it(`is not a ${what}`, async () => {
      assert.isFalse(isPlain(await make()))
    })
})
