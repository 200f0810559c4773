/** What the first bytes of a picture say about it, without decoding anything. */
export interface ImageHeader {
  readonly type: "jpeg" | "png" | "gif" | "webp"
  readonly width: number
  readonly height: number
}

/** Undefined where the bytes are none of the formats every vision model takes. */
export const readImageHeader = (bytes: Uint8Array): ImageHeader | undefined => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (startsWith(bytes, [0x89, 0x50, 0x4e, 0x47]) && bytes.length >= 24)
    return { type: "png", width: view.getUint32(16), height: view.getUint32(20) }
  if (startsWith(bytes, [0x47, 0x49, 0x46, 0x38]) && bytes.length >= 10)
    return { type: "gif", width: view.getUint16(6, true), height: view.getUint16(8, true) }
  if (startsWith(bytes, RIFF) && ascii(bytes, 8, 12) === "WEBP" && bytes.length >= 25)
    return readWebp(bytes, view)
  return startsWith(bytes, [0xff, 0xd8]) ? readJpeg(view) : undefined
}

const readJpeg = (view: DataView): ImageHeader | undefined => {
  let at = 2
  while (at + 9 < view.byteLength && view.getUint8(at) === 0xff) {
    const marker = view.getUint8(at + 1)
    if (marker === 0xff) at += 1
    else if (isFrameStart(marker))
      return { type: "jpeg", height: view.getUint16(at + 5), width: view.getUint16(at + 7) }
    else at += 2 + view.getUint16(at + 2)
  }
  return undefined
}

const isFrameStart = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc

const readWebp = (bytes: Uint8Array, view: DataView): ImageHeader | undefined => {
  const size = (width: number, height: number): ImageHeader => ({ type: "webp", width, height })
  switch (ascii(bytes, 12, 16)) {
    case "VP8 ":
      if (bytes.length < 30) return undefined
      return size(view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff)
    case "VP8L": {
      const bits = view.getUint32(21, true)
      return size((bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1)
    }
    case "VP8X":
      if (bytes.length < 30) return undefined
      return size(uint24(view, 24) + 1, uint24(view, 27) + 1)
    default:
      return undefined
  }
}

const uint24 = (view: DataView, at: number): number =>
  view.getUint16(at, true) | (view.getUint8(at + 2) << 16)

const startsWith = (bytes: Uint8Array, start: ReadonlyArray<number>): boolean =>
  bytes.length >= start.length && start.every((byte, index) => bytes[index] === byte)

const ascii = (bytes: Uint8Array, from: number, to: number): string =>
  String.fromCharCode(...bytes.subarray(from, to))

const RIFF = [0x52, 0x49, 0x46, 0x46]
