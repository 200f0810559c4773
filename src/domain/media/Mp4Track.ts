import { boxes, guarded, inside } from "./Boxes.ts"
import type { Box } from "./Boxes.ts"
import type { VideoIndex } from "./VideoIndex.ts"

/** What a slim file takes over from the track as it is, so that codec, rotation and pixel shape survive. */
export interface TrackSetup {
  readonly description: Uint8Array
  readonly header: Uint8Array
  /** Rotation of the whole film. */
  readonly matrix: Uint8Array
}

/** The first video track of a film. */
export interface Track {
  readonly id: number
  readonly setup: TrackSetup
  /** Ticks per second, of the track and of the film. */
  readonly timescale: number
  /** What is added to the track's own times. */
  readonly shift: number
  readonly shown: VideoIndex["shown"]
  readonly table: Box
}

/** The first video track of a `moov` box; undefined for whatever is not as plain as most. */
export const readTrack = (view: DataView): Track | undefined => guarded(() => trackOf(view))

const trackOf = (view: DataView): Track | undefined => {
  const movie = inside(view, { from: 0, to: view.byteLength }, "moov")
  const header = inside(view, movie, "mvhd")
  if (movie === undefined || header === undefined) return undefined
  const trak = boxes(view, movie).find((box) => box.name === "trak" && handlerOf(view, box) === tag("vide"))
  const tkhd = inside(view, trak, "tkhd")
  const mdhd = inside(view, trak, "mdia", "mdhd")
  const table = inside(view, trak, "mdia", "minf", "stbl")
  const stsd = inside(view, table, "stsd")
  if (tkhd === undefined || mdhd === undefined || table === undefined || stsd === undefined) return undefined
  // Two descriptions mean that the picture changes its kind on the way.
  if (view.getUint32(stsd.from + 4) !== 1) return undefined
  const timescale = timescaleOf(view, mdhd)
  const edit = readEdits(view, inside(view, trak, "edts", "elst"), timescaleOf(view, header))
  if (timescale === 0 || edit === undefined || !Number.isFinite(edit.delay)) return undefined
  const matrix = header.from + (view.getUint8(header.from) === 1 ? 48 : 36)
  return {
    id: view.getUint32(tkhd.from + (view.getUint8(tkhd.from) === 1 ? 20 : 12)),
    setup: {
      description: copy(view, stsd.start, stsd.to),
      header: copy(view, tkhd.start, tkhd.to),
      matrix: copy(view, matrix, matrix + 36)
    },
    timescale,
    shift: edit.delay - edit.mediaTime / timescale,
    shown: { from: edit.delay, to: edit.length > 0 ? edit.delay + edit.length : Infinity },
    table
  }
}

/** Times before the first picture, and which part of the track is shown. More than one part is not plain. */
const readEdits = (view: DataView, elst: Box | undefined, timescale: number) => {
  if (elst === undefined) return { delay: 0, mediaTime: 0, length: 0 }
  const long = view.getUint8(elst.from) === 1
  const count = view.getUint32(elst.from + 4)
  let delay = 0
  for (let index = 0; index < count && index < 2; index++) {
    const at = elst.from + 8 + index * (long ? 20 : 12)
    const length = (long ? Number(view.getBigUint64(at)) : view.getUint32(at)) / timescale
    const mediaTime = long ? Number(view.getBigInt64(at + 8)) : view.getInt32(at + 4)
    const rate = view.getInt32(at + (long ? 16 : 8))
    if (mediaTime >= 0)
      return index + 1 === count && rate === 0x10000 ? { delay, mediaTime, length } : undefined
    delay += length
  }
  return count === 0 ? { delay: 0, mediaTime: 0, length: 0 } : undefined
}

const handlerOf = (view: DataView, trak: Box): number | undefined => {
  const hdlr = inside(view, trak, "mdia", "hdlr")
  return hdlr && view.getUint32(hdlr.from + 8)
}

const timescaleOf = (view: DataView, header: Box): number =>
  view.getUint32(header.from + (view.getUint8(header.from) === 1 ? 20 : 12))

const copy = (view: DataView, from: number, to: number): Uint8Array =>
  new Uint8Array(view.buffer.slice(view.byteOffset + from, view.byteOffset + to))

const tag = (name: string): number => [...name].reduce((sum, sign) => sum * 256 + sign.charCodeAt(0), 0)
