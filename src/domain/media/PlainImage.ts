/**
 * Whether an image file holds its picture and nothing else: no place it was taken at, no comment, no thumbnail, no
 * second picture behind the first. A colour profile is part of the picture.
 */
export const isPlain = (bytes: Uint8Array): boolean => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  try {
    if (named(bytes, 0, "\xff\xd8")) return isPlainJpeg(bytes, view)
    if (named(bytes, 0, "\x89PNG\r\n\x1a\n")) return isPlainPng(bytes, view)
    return named(bytes, 0, "RIFF") && named(bytes, 8, "WEBP") && isPlainWebp(bytes, view)
  } catch (error) {
    // It ends inside of something.
    if (error instanceof RangeError) return false
    throw error
  }
}

const isPlainJpeg = (bytes: Uint8Array, view: DataView): boolean => {
  let at = 2
  while (view.getUint8(at) === 0xff) {
    const marker = view.getUint8(at + 1)
    if (marker === 0xd9) return at + 2 === bytes.length
    const end = at + 2 + view.getUint16(at + 2)
    if (!isPlainSegment(bytes, marker, at + 4, end)) return false
    at = marker === 0xda ? endOfScan(view, end) : end
  }
  return false
}

const isPlainSegment = (bytes: Uint8Array, marker: number, from: number, to: number): boolean => {
  switch (marker) {
    case 0xe0:
      return named(bytes, from, "JFIF\0") && to - from === 14
    case 0xe2:
      return named(bytes, from, "ICC_PROFILE\0")
    case 0xee:
      return named(bytes, from, "Adobe") && to - from === 12
    default:
      return JPEG_SEGMENTS.has(marker)
  }
}

/** The next marker that belongs to no scan. */
const endOfScan = (view: DataView, from: number): number => {
  let at = from
  for (;;) {
    if (view.getUint8(at) === 0xff) {
      const next = view.getUint8(at + 1)
      if (next !== 0 && (next < 0xd0 || next > 0xd7)) return at
    }
    at++
  }
}

const isPlainPng = (bytes: Uint8Array, view: DataView): boolean => {
  let at = 8
  for (;;) {
    const end = at + 12 + view.getUint32(at)
    const name = ascii(bytes, at + 4)
    if (!PNG_CHUNKS.has(name)) return false
    if (name === "IEND") return end === bytes.length
    at = end
  }
}

const isPlainWebp = (bytes: Uint8Array, view: DataView): boolean => {
  const end = 8 + view.getUint32(4, true)
  let at = 12
  while (at < end) {
    if (!WEBP_CHUNKS.has(ascii(bytes, at))) return false
    const size = view.getUint32(at + 4, true)
    at += 8 + size + (size % 2)
  }
  return at === end && end === bytes.length
}

const named = (bytes: Uint8Array, at: number, name: string): boolean =>
  String.fromCharCode(...bytes.subarray(at, at + name.length)) === name

const ascii = (bytes: Uint8Array, at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4))

/** Tables, frames and scans. */
const JPEG_SEGMENTS = new Set([0xc0, 0xc1, 0xc2, 0xc4, 0xda, 0xdb, 0xdd])

const PNG_CHUNKS = new Set(
  ["IHDR", "PLTE", "IDAT", "IEND"].concat(["tRNS", "gAMA", "cHRM", "sRGB", "iCCP", "sBIT", "bKGD", "pHYs"])
)

const WEBP_CHUNKS = new Set(["VP8 ", "VP8L", "VP8X", "ALPH", "ICCP"])
