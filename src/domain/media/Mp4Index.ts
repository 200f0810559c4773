import { boxes, guarded, viewOf } from "./Boxes.ts"
import type { Box } from "./Boxes.ts"
import { readTrack } from "./Mp4Track.ts"
import type { Track } from "./Mp4Track.ts"
import { slimMp4 } from "./SlimMp4.ts"
import { MOST_PICTURES } from "./VideoIndex.ts"
import type { VideoIndex } from "./VideoIndex.ts"

/** The `moov` box of a file, header included; undefined for whatever is not as plain as most. */
export const readMp4 = (bytes: Uint8Array): VideoIndex | undefined => {
  const view = viewOf(bytes)
  const track = readTrack(view)
  return track && guarded(() => readTable(view, track))
}

const readTable = (
  view: DataView,
  { setup, shift, shown, table, timescale }: Track
): VideoIndex | undefined => {
  const part = (name: string) => boxes(view, table).find((box) => box.name === name)
  const sizes = readSizes(view, part("stsz"))
  if (sizes === undefined || sizes.length === 0) return undefined
  const times = readTimes(view, part("stts"), part("ctts"), sizes.length)
  const keys = readKeys(view, part("stss"), sizes.length)
  const offsets = readOffsets(view, part("stsc"), part("co64") ?? part("stco"), sizes)
  if (times === undefined || keys === undefined || offsets === undefined) return undefined
  for (let index = 0; index < times.length; index++) times[index] = (times[index] ?? 0) / timescale + shift
  return { times, sizes, keys, shown, offsets, slim: slimMp4(setup, sizes) }
}

const readSizes = (view: DataView, stsz: Box | undefined): Uint32Array | undefined => {
  if (stsz === undefined) return undefined
  const same = view.getUint32(stsz.from + 4)
  const count = view.getUint32(stsz.from + 8)
  if (count > MOST_PICTURES) return undefined
  if (same !== 0) return new Uint32Array(count).fill(same)
  if (stsz.from + 12 + count * 4 > stsz.to) return undefined
  const sizes = new Uint32Array(count)
  for (let index = 0; index < count; index++) sizes[index] = view.getUint32(stsz.from + 12 + index * 4)
  return sizes
}

/** When each picture is shown, in the track's ticks. */
const readTimes = (view: DataView, stts: Box | undefined, ctts: Box | undefined, count: number) => {
  const times = new Float64Array(count)
  let ticks = 0
  const decoded = eachRun(view, stts, count, (index, delta) => {
    times[index] = ticks
    ticks += delta
  })
  const shifted =
    ctts === undefined
      ? count
      : eachRun(view, ctts, count, (index, offset) => {
          times[index] = (times[index] ?? 0) + offset
        })
  return decoded === count && shifted === count ? times : undefined
}

/** A table of runs: so many pictures in a row have this value. */
const eachRun = (
  view: DataView,
  box: Box | undefined,
  count: number,
  visit: (index: number, value: number) => void
): number => {
  let index = 0
  if (box === undefined) return 0
  const runs = listLength(view, box, 8)
  for (let run = 0; run < runs; run++) {
    const at = box.from + 8 + run * 8
    const value = view.getInt32(at + 4)
    for (let left = view.getUint32(at); left > 0 && index < count; left--) visit(index++, value)
  }
  return index
}

const readKeys = (view: DataView, stss: Box | undefined, count: number): Uint32Array | undefined => {
  if (stss === undefined) return Uint32Array.from({ length: count }, (_, index) => index)
  const keys = new Uint32Array(listLength(view, stss, 4))
  let last = -1
  for (let index = 0; index < keys.length; index++) {
    const key = view.getUint32(stss.from + 8 + index * 4) - 1
    if (key <= last || key >= count) return undefined
    keys[index] = last = key
  }
  return keys.length === 0 ? undefined : keys
}

/** Walks the chunks only as far as the pictures asked for lie. */
const readOffsets = (
  view: DataView,
  stsc: Box | undefined,
  stco: Box | undefined,
  sizes: Uint32Array
): VideoIndex["offsets"] | undefined => {
  if (stsc === undefined || stco === undefined) return undefined
  const long = stco.name === "co64"
  const chunks = listLength(view, stco, long ? 8 : 4)
  const runs = listLength(view, stsc, 12)
  const chunkAt = (chunk: number) => {
    const at = stco.from + 8 + chunk * (long ? 8 : 4)
    return long ? Number(view.getBigUint64(at)) : view.getUint32(at)
  }
  return (pictures) => {
    const found: Array<number> = []
    let first = 0
    let chunk = 0
    for (let run = 0; run < runs && found.length < pictures.length; run++) {
      const at = stsc.from + 8 + run * 12
      const each = view.getUint32(at + 4)
      const until = run + 1 < runs ? Math.min(view.getUint32(at + 12) - 1, chunks) : chunks
      for (; chunk < until && found.length < pictures.length; chunk++) {
        let offset = 0
        for (let picture = first; isWithin(pictures[found.length], first, each); picture++) {
          if (offset === 0) offset = chunkAt(chunk)
          if (picture === pictures[found.length]) found.push(offset)
          offset += sizes[picture] ?? 0
        }
        first += each
      }
    }
    return found
  }
}

const isWithin = (picture: number | undefined, first: number, count: number): boolean =>
  picture !== undefined && picture >= first && picture < first + count

/** How many entries a table says it has, or as many as there is room for. */
const listLength = (view: DataView, box: Box, each: number): number =>
  Math.min(view.getUint32(box.from + 4), Math.floor((box.to - box.from - 8) / each))
