import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { deflateRawSync, deflateSync, gzipSync } from "node:zlib"
import { root } from "../../scripts/fresh.mjs"
import { png, pngChunk } from "./Images.ts"

/** Kept files, made by test/fixtures/make/hostile.mjs. */
export const kept = (name: string): Buffer => readFileSync(join(root, "test/fixtures/hostile", name))

/** The same bytes every time, and nothing in them. */
export const random = (bytes: number, seed = "percept"): Buffer => {
  const blocks = Array.from({ length: Math.ceil(bytes / 32) }, (_, at) =>
    createHash("sha256").update(`${seed} ${at}`).digest()
  )
  return Buffer.concat(blocks).subarray(0, bytes)
}

/** An MP4 that claims another length in every place that has one; 0 leaves its pictures no time either. */
export const claiming = (mp4: Buffer, seconds: number): Buffer => {
  const file = Buffer.from(mp4)
  /** The version's four bytes come first in each of these boxes. */
  const claim = (box: string, at: number, scale: number) => {
    const name = file.indexOf(box, 0, "latin1")
    if (name < 0) throw new Error(`there is no ${box} in it`)
    file.writeUInt32BE(seconds * scale, name + at)
  }
  const scaleOf = (box: string) => file.readUInt32BE(file.indexOf(box, 0, "latin1") + 16)
  const [movie, track] = [scaleOf("mvhd"), scaleOf("mdhd")]
  claim("mvhd", 20, movie)
  claim("tkhd", 24, movie)
  claim("elst", 12, movie)
  claim("mdhd", 20, track)
  if (seconds === 0) claim("stts", 16, track)
  return file
}

/** A valid name tag of the format, and nothing valid after it. */
export const hollow = (mp4: Buffer, rest: Buffer): Buffer =>
  Buffer.concat([mp4.subarray(0, mp4.readUInt32BE(0)), rest])

/** So many pixels in two hundred bytes. */
export const pngBomb = (side: number): Buffer => png(side, side, Buffer.alloc(64))

/** A small picture with a note of many megabytes, packed. */
export const pngWithNote = (megabytes: number): Buffer => {
  const picture = png(2, 2, Buffer.alloc(14))
  const end = picture.indexOf("IDAT", 0, "latin1") - 4
  const note = Buffer.concat([Buffer.from("Comment\0\0"), deflateSync(Buffer.alloc(megabytes << 20, 65))])
  return Buffer.concat([picture.subarray(0, end), pngChunk("zTXt", note), picture.subarray(end)])
}

/** An animation of many frames, each of them one dot of a large picture. */
export const gifBomb = (side: number, frames: number): Buffer => {
  const head = Buffer.from("GIF89a\0\0\0\0\xf0\0\0\0\0\0\xff\xff\xff", "latin1")
  head.writeUInt16LE(side, 6)
  head.writeUInt16LE(side, 8)
  const frame = Buffer.from("21f90404040000002c0000000001000100000202440100", "hex")
  return Buffer.concat([head, ...Array.from({ length: frames }, () => frame), Buffer.from(";")])
}

/** A recording that claims to go on for much longer than it does. */
export const wavClaiming = (seconds: number, samples: Buffer): Buffer => {
  const head = Buffer.from(`RIFF....WAVEfmt ${".".repeat(20)}data....`, "latin1")
  const bytes = seconds * 32_000
  head.writeUInt32LE(bytes + 36, 4)
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(1, 20)
  head.writeUInt16LE(1, 22)
  head.writeUInt32LE(16_000, 24)
  head.writeUInt32LE(32_000, 28)
  head.writeUInt16LE(2, 32)
  head.writeUInt16LE(16, 34)
  head.writeUInt32LE(bytes, 40)
  return Buffer.concat([head, samples])
}

/** An archive of one file that is much larger unpacked. */
export const zipBomb = (megabytes: number): Buffer => {
  const packed = deflateRawSync(Buffer.alloc(megabytes << 20))
  const head = Buffer.from("PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0........\x08\0\0\0clip.mp4", "latin1")
  return Buffer.concat([head, packed])
}

export const gzipped = (megabytes: number): Buffer => gzipSync(Buffer.alloc(megabytes << 20))
