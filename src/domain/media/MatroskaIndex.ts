import { elements, readElement, readUint, readVint } from "./Ebml.ts"
import type { Element } from "./Ebml.ts"
import { readHead } from "./MatroskaHead.ts"
import type { Head } from "./MatroskaHead.ts"
import { slimMatroska } from "./SlimMatroska.ts"
import { MOST_PICTURES } from "./VideoIndex.ts"
import type { VideoIndex } from "./VideoIndex.ts"
import type { Walk } from "./Walk.ts"

/**
 * The pictures of a Matroska or WebM file. A small file is walked block by block, of a large one only the
 * pictures are known that its own table of entry points lists. Undefined for whatever is not as plain as most.
 */
export function* readMatroska(size: number, walkable = WALKABLE): Walk<VideoIndex | undefined> {
  const head = yield* readHead(size)
  if (head === undefined) return undefined
  const blocks = size <= walkable ? yield* walkClusters(head, size) : yield* readCues(head, size)
  if (blocks === undefined || blocks.every(({ key }) => !key)) return undefined
  const sizes = Uint32Array.from(blocks, ({ to, from }) => to - from)
  return {
    times: Float64Array.from(blocks, ({ time }) => (time * head.scale) / 1e9),
    sizes,
    keys: Uint32Array.from(blocks.flatMap(({ key }, index) => (key ? [index] : []))),
    shown: { from: Number.NEGATIVE_INFINITY, to: Infinity },
    offsets: (pictures) => pictures.map((picture) => blocks[picture]?.from ?? 0),
    slim: slimMatroska(head.setup, sizes)
  }
}

/** One coded picture: when it is shown, in ticks, and where its bytes are. */
interface Block {
  readonly time: number
  readonly from: number
  readonly to: number
  key: boolean
}

/** Every block of the video, through windows of the file. */
function* walkClusters({ firstCluster, setup }: Head, size: number): Walk<ReadonlyArray<Block> | undefined> {
  const blocks: Array<Block> = []
  let window: Window = { at: 0, bytes: new Uint8Array(0) }
  let [cluster, group]: [number, number | undefined] = [0, undefined]
  let steps = 0
  for (let at = firstCluster; at < size;) {
    if (++steps > MOST_STEPS) return undefined
    if (at < window.at || at + LARGEST_HEADER > window.at + window.bytes.length)
      window = { at, bytes: yield { at, length: WINDOW } }
    const element = readElement(window.bytes, at - window.at, window.at)
    if (element === undefined || element.to > size) break
    if (element.id === ID.timestamp) cluster = uintAt(window, element)
    if (element.id === ID.group) group = undefined
    if (element.id === ID.simpleBlock || element.id === ID.block) {
      const block = readBlock(window, element, cluster, setup.number)
      if (block === "laced" || blocks.length >= MOST_PICTURES) return undefined
      if (block !== undefined) group = blocks.push(block) - 1
    }
    // A picture of a group is one to begin with unless it refers to another.
    const last = group === undefined ? undefined : blocks[group]
    if (element.id === ID.reference && last !== undefined) last.key = false
    at = element.id === ID.cluster || element.id === ID.group ? element.from : element.to
  }
  return blocks
}

/** The pictures that the table of entry points names. */
function* readCues({ cues, segment, setup }: Head, size: number): Walk<ReadonlyArray<Block> | undefined> {
  if (cues === undefined) return undefined
  const table = readElement(yield { at: cues, length: 12 }, 0, cues)
  if (table?.id !== ID.cues || table.to > size || table.to - table.from > LARGEST_TABLE) return undefined
  const bytes = yield { at: table.from, length: table.to - table.from }
  const blocks: Array<Block> = []
  for (const point of elements(bytes, 0, bytes.length).slice(0, MOST_CUES)) {
    const position = elements(bytes, point.from, point.to).find(
      ({ from, id, to }) =>
        id === ID.cuePositions && childOf(bytes, { from, to }, ID.cueTrack) === setup.number
    )
    const cluster = position && childOf(bytes, position, ID.cueCluster)
    const block =
      position && cluster !== undefined
        ? yield* findBlock(segment + cluster, childOf(bytes, position, ID.cueRelative), setup.number)
        : undefined
    if (
      block !== undefined &&
      block.to <= size &&
      block.time > (blocks.at(-1)?.time ?? Number.NEGATIVE_INFINITY)
    )
      blocks.push({ ...block, key: true })
  }
  return blocks
}

/** The block at a place of a cluster, or the first of the track in it. */
function* findBlock(cluster: number, relative: number | undefined, track: number): Walk<Block | undefined> {
  const window: Window = { at: cluster, bytes: yield { at: cluster, length: 1024 } }
  const start = readElement(window.bytes, 0, cluster)
  if (start?.id !== ID.cluster) return undefined
  const inner = elements(window.bytes, start.from - cluster, window.bytes.length)
  const time = inner.find(({ id }) => id === ID.timestamp)
  if (time === undefined) return undefined
  const timestamp = readUint(window.bytes, time)
  let at = start.from + (relative ?? 0)
  for (let tries = 0; tries < 64; tries++) {
    const there: Window = { at, bytes: yield { at, length: 64 } }
    const element = readElement(there.bytes, 0, at)
    if (element === undefined) return undefined
    const isBlock = element.id === ID.simpleBlock || element.id === ID.block
    const block = isBlock ? readBlock(there, element, timestamp, track) : undefined
    if (block === "laced") return undefined
    if (block !== undefined) return block
    at = element.id === ID.group ? element.from : element.to
  }
  return undefined
}

interface Window {
  readonly at: number
  readonly bytes: Uint8Array
}

const readBlock = (
  { at, bytes }: Window,
  { from, id, to }: Element,
  cluster: number,
  track: number
): Block | "laced" | undefined => {
  const number = readVint(bytes, from - at, 8, false)
  if (number?.value !== track) return undefined
  if (to < from + number.length + BLOCK_HEADER) return undefined
  const time = from - at + number.length
  const flags = bytes[time + 2] ?? 0
  if ((flags & LACING) !== 0) return "laced"
  const since = (((bytes[time] ?? 0) << 24) | ((bytes[time + 1] ?? 0) << 16)) >> 16
  return {
    time: cluster + since,
    from: from + number.length + BLOCK_HEADER,
    to,
    key: id === ID.block || (flags & KEY) !== 0
  }
}

const uintAt = ({ at, bytes }: Window, { from, to }: Element): number =>
  readUint(bytes, { from: from - at, to: to - at })

const childOf = (bytes: Uint8Array, parent: Pick<Element, "from" | "to">, id: number): number | undefined => {
  const found = elements(bytes, parent.from, parent.to).find((element) => element.id === id)
  return found && readUint(bytes, found)
}

const ID = {
  cluster: 0x1f43b675,
  timestamp: 0xe7,
  simpleBlock: 0xa3,
  group: 0xa0,
  block: 0xa1,
  reference: 0xfb,
  cues: 0x1c53bb6b,
  cuePositions: 0xb7,
  cueTrack: 0xf7,
  cueCluster: 0xf1,
  cueRelative: 0xf0
}

const KEY = 0x80
const LACING = 0x06

/** A file up to this size is read whole: it takes a few hundredths of a second. */
const WALKABLE = 48 * 1024 * 1024
const WINDOW = 1024 * 1024
const LARGEST_HEADER = 32
const LARGEST_TABLE = 8 * 1024 * 1024
const MOST_STEPS = 3_000_000
const MOST_CUES = 20_000

/** Bytes of a block between the number of its track and its picture. */
const BLOCK_HEADER = 3
