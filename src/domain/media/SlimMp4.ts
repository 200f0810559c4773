import type { TrackSetup } from "./Mp4Track.ts"
import { TICKS_PER_SECOND } from "./VideoIndex.ts"
import type { SlimFile, SlimPicture } from "./VideoIndex.ts"

/**
 * A new MP4 file of a few pictures of another, in the order of decoding: a decoder reads it without seeking
 * and without a table that grows with the length of the film.
 */
export const slimMp4 =
  (setup: TrackSetup, sizes: Uint32Array) =>
  (pictures: ReadonlyArray<SlimPicture>): SlimFile => {
    // Pictures are decoded one every two ticks, and none may be shown before it is decoded.
    const delay = Math.max(0, ...pictures.map(({ tick }, index) => index * 2 - tick))
    const bytes = pictures.reduce((sum, { picture }) => sum + (sizes[picture] ?? 0), 0)
    const samples = pictures.map(({ key, picture, tick }, index) => ({
      key,
      size: sizes[picture] ?? 0,
      wait: tick + delay - index * 2
    }))
    const kind = box("ftyp", text("isom"), uint32(512), text("isomiso2mp41"))
    const headLength = kind.length + movie(setup, samples, 0).length + 8
    const head = concat(kind, movie(setup, samples, headLength), uint32(bytes + 8), text("mdat"))
    return { delay, pieces: [head, ...pictures.map(({ picture }) => ({ picture }))] }
  }

interface Sample {
  readonly key: boolean
  readonly size: number
  /** Ticks between decoding and showing. */
  readonly wait: number
}

const movie = (setup: TrackSetup, samples: ReadonlyArray<Sample>, mediaAt: number): Uint8Array => {
  const length = uint32(samples.length * 2)
  const header = fullBox(
    "mvhd",
    uint32(0, 0, TICKS_PER_SECOND),
    length,
    uint32(0x10000, 0x1000000, 0, 0),
    setup.matrix,
    uint32(0, 0, 0, 0, 0, 0, 2)
  )
  const mediaHeader = fullBox("mdhd", uint32(0, 0, TICKS_PER_SECOND), length, uint32(0x55c40000))
  const handler = fullBox("hdlr", uint32(0), text("vide"), uint32(0, 0, 0), new Uint8Array(1))
  const whereabouts = box("dinf", fullBox("dref", uint32(1), fullBox("url ", { flags: 1 })))
  const information = box(
    "minf",
    fullBox("vmhd", { flags: 1 }, uint32(0, 0)),
    whereabouts,
    table(setup, samples, mediaAt)
  )
  return box("moov", header, box("trak", setup.header, box("mdia", mediaHeader, handler, information)))
}

const table = (setup: TrackSetup, samples: ReadonlyArray<Sample>, mediaAt: number): Uint8Array => {
  const count = samples.length
  const keys = samples.flatMap(({ key }, index) => (key ? [index + 1] : []))
  return box(
    "stbl",
    setup.description,
    fullBox("stts", uint32(1, count, 2)),
    fullBox("ctts", uint32(count, ...samples.flatMap(({ wait }) => [1, wait]))),
    fullBox("stss", uint32(keys.length, ...keys)),
    fullBox("stsc", uint32(1, 1, count, 1)),
    fullBox("stsz", uint32(0, count, ...samples.map(({ size }) => size))),
    fullBox("stco", uint32(1, mediaAt))
  )
}

const box = (name: string, ...contents: ReadonlyArray<Uint8Array>): Uint8Array => {
  const length = contents.reduce((sum, part) => sum + part.length, 8)
  return concat(uint32(length), text(name), ...contents)
}

const fullBox = (name: string, ...contents: ReadonlyArray<Uint8Array | { readonly flags: number }>) => {
  const flags = contents.find((part) => "flags" in part)?.flags ?? 0
  return box(name, uint32(flags), ...contents.filter((part) => part instanceof Uint8Array))
}

const uint32 = (...values: ReadonlyArray<number>): Uint8Array => {
  const bytes = new Uint8Array(values.length * 4)
  const view = new DataView(bytes.buffer)
  values.forEach((value, index) => view.setUint32(index * 4, value))
  return bytes
}

const text = (signs: string): Uint8Array => Uint8Array.from(signs, (sign) => sign.charCodeAt(0))

const concat = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
