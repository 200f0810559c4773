import { vint } from "./Ebml.ts"
import { TICKS_PER_SECOND } from "./VideoIndex.ts"
import type { SlimFile, SlimPicture } from "./VideoIndex.ts"

/** What a slim file takes over as it is, so that codec and shape of the picture survive. */
export interface MatroskaSetup {
  /** The element every such file begins with. */
  readonly header: Uint8Array
  readonly track: Uint8Array
  readonly number: number
}

/** A new Matroska file of a few pictures of another, in the order of decoding. */
export const slimMatroska =
  ({ header, number, track }: MatroskaSetup, sizes: Uint32Array) =>
  (pictures: ReadonlyArray<SlimPicture>): SlimFile => {
    const scale = element([0x2a, 0xd7, 0xb1], Uint8Array.from([0x0f, 0x42, 0x40]))
    const info = element([0x15, 0x49, 0xa9, 0x66], scale)
    const tracks = element([0x16, 0x54, 0xae, 0x6b], track)
    const pieces: Array<SlimFile["pieces"][number]> = [concat(header, SEGMENT, info, tracks)]
    let cluster = Number.NEGATIVE_INFINITY
    for (const { key, picture, tick } of pictures) {
      const time = tick * MILLISECONDS
      if (Math.abs(time - cluster) > FARTHEST) {
        cluster = time
        pieces.push(concat(CLUSTER, element([0xe7], uint32(time))))
      }
      const block = concat(vint(number), uint16(time - cluster), Uint8Array.of(key ? 0x80 : 0))
      pieces.push(concat(Uint8Array.of(0xa3), vint(block.length + (sizes[picture] ?? 0)), block))
      pieces.push({ picture })
    }
    return { delay: 0, pieces }
  }

const element = (id: ReadonlyArray<number>, content: Uint8Array): Uint8Array =>
  concat(Uint8Array.from(id), vint(content.length), content)

const uint32 = (value: number): Uint8Array =>
  Uint8Array.of(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255)

const uint16 = (value: number): Uint8Array => Uint8Array.of((value >> 8) & 255, value & 255)

const concat = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** Both of a length that is left open. */
const SEGMENT = Uint8Array.of(0x18, 0x53, 0x80, 0x67, 0x01, 255, 255, 255, 255, 255, 255, 255)
const CLUSTER = Uint8Array.of(0x1f, 0x43, 0xb6, 0x75, 0x01, 255, 255, 255, 255, 255, 255, 255)

const MILLISECONDS = 1000 / TICKS_PER_SECOND

/** A block says its time in milliseconds since its cluster, in 16 bits. */
const FARTHEST = 30_000
