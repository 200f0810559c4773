import { createHash } from "node:crypto"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { crc32, deflateSync } from "node:zlib"
import sharp from "sharp"
import type { MediaFile } from "../../src/domain/media/Media.ts"

export type Rgb = readonly [red: number, green: number, blue: number]

export const RED: Rgb = [220, 30, 30]
export const GREEN: Rgb = [30, 200, 60]
export const BLUE: Rgb = [40, 60, 220]
export const GREY: Rgb = [128, 128, 128]

/** Corners from the top left, clockwise: each a quarter of the picture. */
export const quarters = (width: number, height: number) => {
  const data = Buffer.alloc(width * height * 3)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const left = x * 2 < width
      const colour = y * 2 < height ? (left ? RED : GREEN) : left ? GREY : BLUE
      data.set(colour, (y * width + x) * 3)
    }
  return sharp(data, { raw: { width, height, channels: 3 } })
}

/** Something no format can make small, and the same every time. */
export const noise = (width: number, height: number, channels: 3 | 4 = 3) => {
  const data = Buffer.alloc(width * height * channels)
  let state = 12_345
  for (let at = 0; at < data.length; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    data[at] = state >>> 24
  }
  return sharp(data, { raw: { width, height, channels } })
}

/** One plain picture for each colour, one after the other. */
export const animation = (colours: ReadonlyArray<Rgb>, width = 40, height = 30) => {
  const data = Buffer.alloc(width * height * colours.length * 3)
  for (let at = 0; at < data.length / 3; at++)
    data.set(colours[Math.floor(at / (width * height))] ?? GREY, at * 3)
  return sharp(data, { raw: { width, height: height * colours.length, channels: 3, pageHeight: height } })
}

/** A PNG of any claimed size, whose pixels are whatever is given. */
export const png = (width: number, height: number, rows: Buffer, depth = 8, colours = 2): Buffer => {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([depth, colours], 8)
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    pngChunk("IHDR", header),
    pngChunk("IDAT", deflateSync(rows, { level: 9 })),
    pngChunk("IEND", Buffer.alloc(0))
  ])
}

export const pngChunk = (name: string, data: Buffer): Buffer => {
  const named = Buffer.concat([Buffer.from(name, "latin1"), data])
  const chunk = Buffer.alloc(named.length + 8)
  chunk.writeUInt32BE(data.length, 0)
  chunk.set(named, 4)
  chunk.writeUInt32BE(crc32(named), named.length + 4)
  return chunk
}

/** A HEIC file as phones write them: everything is in place except pixels anyone here could decode. */
export const heic = (width: number, height: number): Buffer => {
  const config = Buffer.from("0101600000009000000000005df000fcfdf8f800000f00", "hex")
  const properties = box(
    "iprp",
    box("ipco", full("ispe", 0, u32(width), u32(height)), box("hvcC", config)),
    full("ipma", 0, u32(1), u16(1), Buffer.from([2, 0x01, 0x82]))
  )
  const start = box("ftyp", Buffer.from("heic\0\0\0\0mif1heic", "latin1"))
  const meta = (offset: number) =>
    full(
      "meta",
      0,
      full("hdlr", 0, u32(0), Buffer.from("pict"), Buffer.alloc(13)),
      full("pitm", 0, u16(1)),
      full("iloc", 0, Buffer.from([0x44, 0]), u16(1), u16(1), u16(0), u16(1), u32(offset), u32(16)),
      full("iinf", 0, u16(1), full("infe", 2 << 24, u16(1), u16(0), Buffer.from("hvc1\0"))),
      properties
    )
  const offset = start.length + meta(0).length + 8
  return Buffer.concat([start, meta(offset), box("mdat", Buffer.alloc(16, 1))])
}

const box = (name: string, ...parts: ReadonlyArray<Buffer>): Buffer => {
  const data = Buffer.concat(parts)
  return Buffer.concat([u32(data.length + 8), Buffer.from(name, "latin1"), data])
}

const full = (name: string, flags: number, ...parts: ReadonlyArray<Buffer>): Buffer =>
  box(name, u32(flags), ...parts)

const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255])

const u32 = (value: number): Buffer =>
  Buffer.from([value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255])

let files = 0

/** As the fetcher leaves one behind. */
export const fileOf = (folder: string, bytes: Buffer, container: string): MediaFile => {
  files += 1
  const path = join(folder, `image ${files}`)
  writeFileSync(path, bytes)
  return {
    path,
    bytes: bytes.length,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    type: { kind: "image", mime: `image/${container}`, container }
  }
}

/** The colour at a place given in shares of the sides. */
export const colourAt = async (bytes: Uint8Array, across: number, down: number): Promise<Rgb> => {
  const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true })
  const at = (Math.floor(info.height * down) * info.width + Math.floor(info.width * across)) * info.channels
  return [data[at] ?? -1, data[at + 1] ?? -1, data[at + 2] ?? -1]
}
