import { elements, readElement, readUint } from "./Ebml.ts"
import type { MatroskaSetup } from "./SlimMatroska.ts"
import type { Walk } from "./Walk.ts"

/** What a Matroska file says before its first picture. */
export interface Head {
  readonly setup: MatroskaSetup
  /** Nanoseconds per tick. */
  readonly scale: number
  /** Where places in the file are counted from. */
  readonly segment: number
  readonly firstCluster: number
  readonly cues: number | undefined
}

/** Up to the first cluster; undefined for what is no Matroska file with a video in it. */
export function* readHead(size: number): Walk<Head | undefined> {
  const start = yield { at: 0, length: 4096 }
  const header = readElement(start, 0)
  const segment = header && readElement(start, header.to)
  if (header?.id !== ID.header || segment?.id !== ID.segment) return undefined
  let [scale, cues]: [number, number | undefined] = [1_000_000, undefined]
  let track: Omit<MatroskaSetup, "header"> | undefined
  let at = segment.from
  for (let count = 0; count < 100 && at < size; count++) {
    const found = readElement(yield { at, length: 12 }, 0, at)
    if (found === undefined) return undefined
    if (found.id === ID.cluster)
      return (
        track && {
          setup: { ...track, header: start.slice(0, header.to) },
          scale,
          segment: segment.from,
          firstCluster: at,
          cues
        }
      )
    if (found.to - found.from > LARGEST_HEAD && found.id !== ID.void && found.id !== ID.attachments)
      return undefined
    if (found.id === ID.info || found.id === ID.tracks || found.id === ID.seekHead || found.id === ID.cues) {
      const bytes = yield { at: found.from, length: found.to - found.from }
      if (found.id === ID.info) scale = uintOf(bytes, ID.scale) ?? scale
      else if (found.id === ID.tracks) track = readTrack(bytes)
      else if (found.id === ID.cues) cues = at
      else cues ??= readSeek(bytes, segment.from)
    }
    at = found.to
  }
  return undefined
}

const readTrack = (bytes: Uint8Array): Omit<MatroskaSetup, "header"> | undefined => {
  for (const entry of elements(bytes, 0, bytes.length)) {
    const content = bytes.subarray(entry.from, entry.to)
    if (entry.id !== ID.track || uintOf(content, ID.trackType) !== VIDEO) continue
    const number = uintOf(content, ID.trackNumber)
    return number === undefined ? undefined : { number, track: bytes.slice(entry.start, entry.to) }
  }
  return undefined
}

const readSeek = (bytes: Uint8Array, segment: number): number | undefined => {
  for (const { from, to } of elements(bytes, 0, bytes.length)) {
    const entry = bytes.subarray(from, to)
    const place = uintOf(entry, ID.seekPosition)
    if (uintOf(entry, ID.seekId) === ID.cues && place !== undefined) return segment + place
  }
  return undefined
}

const uintOf = (bytes: Uint8Array, id: number): number | undefined => {
  const found = elements(bytes, 0, bytes.length).find((element) => element.id === id)
  return found && readUint(bytes, found)
}

const ID = {
  header: 0x1a45dfa3,
  segment: 0x18538067,
  seekHead: 0x114d9b74,
  seekId: 0x53ab,
  seekPosition: 0x53ac,
  info: 0x1549a966,
  scale: 0x2ad7b1,
  tracks: 0x1654ae6b,
  track: 0xae,
  trackNumber: 0xd7,
  trackType: 0x83,
  cluster: 0x1f43b675,
  cues: 0x1c53bb6b,
  attachments: 0x1941a469,
  void: 0xec
}

const VIDEO = 1
const LARGEST_HEAD = 8 * 1024 * 1024
