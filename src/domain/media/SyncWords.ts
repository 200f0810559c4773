/** A transport stream: packets of 188 bytes, or of 192 with a time before each, that begin with the same byte. */
export const isTransportStream = (head: Uint8Array): boolean =>
  hasPackets(head, 0, 188) || hasPackets(head, 4, 192)

const hasPackets = (head: Uint8Array, first: number, length: number): boolean => {
  const packets = Math.min(8, Math.ceil((head.length - first - 3) / length))
  if (packets < 3) return false
  return Array.from({ length: packets }, (_, index) => first + index * length).every(
    (at) =>
      head[at] === 0x47 &&
      // Neither broken on the way nor without both payload and adaptation field, as text in 16-bit letters would be.
      ((head[at + 1] ?? 0) & 0x80) === 0 &&
      ((head[at + 3] ?? 0) & 0x30) !== 0
  )
}

/** MP3 or MP2 without a tag: the sync word alone is too easily met by chance, so three frames of one kind are asked for. */
export const isMpegAudio = (head: Uint8Array): boolean => isChain(head, mpegAudioFrame)

/** AAC in ADTS frames. */
export const isAdts = (head: Uint8Array): boolean => isChain(head, adtsFrame)

interface Frame {
  readonly length: number
  /** What does not change from one frame to the next. */
  readonly kind: number
}

/** As many frames as the head holds, up to three and at least two, of which the last need not be whole. */
const isChain = (head: Uint8Array, read: (head: Uint8Array, at: number) => Frame | undefined): boolean => {
  const first = read(head, 0)
  let at = first?.length ?? head.length
  let frames = 1
  for (; frames < 3 && at + 6 <= head.length; frames++) {
    const frame = read(head, at)
    if (frame === undefined || frame.kind !== first?.kind) return false
    at += frame.length
  }
  return frames >= 2
}

const mpegAudioFrame = (head: Uint8Array, at: number): Frame | undefined => {
  const [sync = 0, kind = 0, rates = 0] = head.subarray(at, at + 3)
  const version = (kind >> 3) & 3
  const layer = (kind >> 1) & 3
  const bitrateIndex = rates >> 4
  const rateIndex = (rates >> 2) & 3
  // Version 1 and layer 0 are reserved, layer 3 is Layer I, whose sync word is that of text in 16-bit letters.
  if (sync !== 0xff || kind >> 5 !== 7 || version === 1 || layer === 0 || layer === 3) return undefined
  const bitrate = (version === 3 ? BITRATES[layer] : BITRATES_2)?.[bitrateIndex] ?? 0
  const rate = (RATES[rateIndex] ?? 0) / (version === 3 ? 1 : version === 2 ? 2 : 4)
  if (bitrate === 0 || rate === 0) return undefined
  const samples = layer === 1 && version !== 3 ? 72_000 : 144_000
  const length = Math.floor((samples * bitrate) / rate) + ((rates >> 1) & 1)
  return { length, kind: (kind & 0xfe) * 4 + rateIndex }
}

/** By layer as it is written: 1 is Layer III, 2 is Layer II; in kbit/s. */
const BITRATES: { readonly [layer: number]: ReadonlyArray<number> } = {
  1: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  2: [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384]
}
/** Both layers of versions 2 and 2.5. */
const BITRATES_2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160]
const RATES = [44_100, 48_000, 32_000]

const adtsFrame = (head: Uint8Array, at: number): Frame | undefined => {
  const [sync = 0, kind = 0, rates = 0, high = 0, middle = 0, low = 0] = head.subarray(at, at + 6)
  const rateIndex = (rates >> 2) & 15
  // Four bits of sync and two of layer, which is always 0.
  if (sync !== 0xff || (kind & 0xf6) !== 0xf0 || rateIndex > 12) return undefined
  const length = ((high & 3) << 11) | (middle << 3) | (low >> 5)
  return length < 8 ? undefined : { length, kind: kind * 256 + (rates & 0xfc) }
}
