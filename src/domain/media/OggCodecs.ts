import type { MediaType } from "./Media.ts"

/** Ogg says what it carries in the first packet of each stream, and all first packets come before anything else. */
export const oggType = (head: Uint8Array): MediaType | undefined => {
  const codecs = firstPackets(head)
  const has = (marks: ReadonlyArray<string>) =>
    codecs.some((codec) => marks.some((mark) => codec.startsWith(mark)))
  if (has(VIDEO)) return { kind: "video", mime: "video/ogg", container: "ogg" }
  if (has(AUDIO)) return { kind: "audio", mime: "audio/ogg", container: "ogg" }
  return undefined
}

const firstPackets = (head: Uint8Array): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (let at = 0; isFirstPage(head, at);) {
    const segments = head[at + 26] ?? 0
    const packet = at + 27 + segments
    found.push(String.fromCharCode(...head.subarray(packet, packet + 8)))
    at = packet + head.subarray(at + 27, packet).reduce((sum, length) => sum + length, 0)
  }
  return found
}

/** Marked as the beginning of a stream. */
const isFirstPage = (head: Uint8Array, at: number): boolean =>
  String.fromCharCode(...head.subarray(at, at + 5)) === "OggS\0" && ((head[at + 5] ?? 0) & 2) !== 0

const VIDEO = ["\x80theora", "BBCD\0", "OVP80"]
const AUDIO = ["OpusHead", "\x01vorbis", "\x7fFLAC", "Speex   "]
