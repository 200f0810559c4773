import { boxes, guarded, inside, viewOf } from "./Boxes.ts"
import type { Box } from "./Boxes.ts"
import { readTrack } from "./Mp4Track.ts"
import type { Track } from "./Mp4Track.ts"
import { slimMp4 } from "./SlimMp4.ts"
import { MOST_PICTURES } from "./VideoIndex.ts"
import type { VideoIndex } from "./VideoIndex.ts"

/** Gathers the pictures of a film that comes in fragments, each with a table of its own. */
export interface Fragments {
  /** Takes the `moof` box that starts at this place of the file; false for one that is not plain. */
  readonly add: (bytes: Uint8Array, start: number) => boolean
  readonly index: () => VideoIndex | undefined
}

/** By the `moov` box, header included; undefined for a film that is in one piece. */
export const readFragments = (moov: Uint8Array): Fragments | undefined => {
  const view = viewOf(moov)
  const track = readTrack(view)
  const defaults = track && guarded(() => readDefaults(view, track.id))
  return track && defaults && gather(track, defaults)
}

/** What pictures are like when nothing else is said. */
interface Defaults {
  readonly duration: number
  readonly size: number
  readonly flags: number
}

const gather = (track: Track, usual: Defaults): Fragments => {
  const times: Array<number> = []
  const sizes: Array<number> = []
  const keys: Array<number> = []
  const places: Array<number> = []
  let ticks = 0

  const addRun = (view: DataView, run: Box, defaults: Defaults, base: number): number => {
    const flags = view.getUint32(run.from)
    const count = view.getUint32(run.from + 4)
    if (times.length + count > MOST_PICTURES) throw new RangeError()
    let at = run.from + 8
    const next = (): number => view.getUint32((at += 4) - 4)
    let offset = base + (flags & RUN.offset ? view.getInt32((at += 4) - 4) : 0)
    const first = flags & RUN.firstFlags ? next() : undefined
    for (let index = 0; index < count; index++) {
      const duration = flags & RUN.duration ? next() : defaults.duration
      const size = flags & RUN.size ? next() : defaults.size
      const said = flags & RUN.flags ? next() : defaults.flags
      const wait = flags & RUN.wait ? view.getInt32((at += 4) - 4) : 0
      if (at > run.to) throw new RangeError()
      const isKey = ((index === 0 ? (first ?? said) : said) & NOT_SYNC) === 0
      if (isKey) keys.push(times.length)
      times.push((ticks + wait) / track.timescale + track.shift)
      sizes.push(size)
      places.push(offset)
      ticks += duration
      offset += size
    }
    return offset
  }

  const addFragment = (view: DataView, start: number): boolean => {
    const moof = inside(view, { from: 0, to: view.byteLength }, "moof")
    const trafs = moof === undefined ? [] : boxes(view, moof).filter(({ name }) => name === "traf")
    for (const [position, traf] of trafs.entries()) {
      const tfhd = inside(view, traf, "tfhd")
      if (tfhd === undefined || view.getUint32(tfhd.from + 4) !== track.id) continue
      const { base, defaults, isRelative } = readHeader(view, tfhd, usual)
      // Where the bytes of a later track lie is not said then, but follows from all before it.
      if (base === undefined && !isRelative && position > 0) return false
      const tfdt = inside(view, traf, "tfdt")
      if (tfdt !== undefined)
        ticks =
          view.getUint8(tfdt.from) === 1
            ? Number(view.getBigUint64(tfdt.from + 4))
            : view.getUint32(tfdt.from + 4)
      let end = base ?? start
      for (const run of boxes(view, traf).filter(({ name }) => name === "trun"))
        end = addRun(view, run, defaults, view.getUint32(run.from) & RUN.offset ? (base ?? start) : end)
    }
    return moof !== undefined
  }

  const index = (): VideoIndex | undefined => {
    if (keys.length === 0) return undefined
    const lengths = Uint32Array.from(sizes)
    return {
      times: Float64Array.from(times),
      sizes: lengths,
      keys: Uint32Array.from(keys),
      shown: track.shown,
      offsets: (pictures) => pictures.map((picture) => places[picture] ?? 0),
      slim: slimMp4(track.setup, lengths)
    }
  }

  return { add: (bytes, start) => guarded(() => addFragment(viewOf(bytes), start)) ?? false, index }
}

const readDefaults = (view: DataView, track: number): Defaults | undefined => {
  const extension = inside(view, { from: 0, to: view.byteLength }, "moov", "mvex")
  const trex = (extension === undefined ? [] : boxes(view, extension)).find(
    ({ from, name }) => name === "trex" && view.getUint32(from + 4) === track
  )
  if (trex === undefined) return undefined
  const [duration = 0, size = 0, flags = 0] = [12, 16, 20].map((at) => view.getUint32(trex.from + at))
  return { duration, size, flags }
}

const readHeader = (view: DataView, tfhd: Box, usual: Defaults) => {
  const flags = view.getUint32(tfhd.from) & 0xffffff
  let at = tfhd.from + 8
  const next = (): number => view.getUint32((at += 4) - 4)
  const base = flags & HEADER.base ? Number(view.getBigUint64((at += 8) - 8)) : undefined
  if (flags & HEADER.description) next()
  const defaults: Defaults = {
    duration: flags & HEADER.duration ? next() : usual.duration,
    size: flags & HEADER.size ? next() : usual.size,
    flags: flags & HEADER.flags ? next() : usual.flags
  }
  return { base, defaults, isRelative: (flags & HEADER.relative) !== 0 }
}

/** Which fields a header has. */
const HEADER = { base: 0x1, description: 0x2, duration: 0x8, size: 0x10, flags: 0x20, relative: 0x20000 }

/** Which fields a run has: once, and for each picture. */
const RUN = { offset: 0x1, firstFlags: 0x4, duration: 0x100, size: 0x200, flags: 0x400, wait: 0x800 }

const NOT_SYNC = 0x10000
