import { isAdts, isMpegAudio, isTransportStream } from "./SyncWords.ts"
import type { MediaType } from "./Media.ts"
import { oggType } from "./OggCodecs.ts"

/**
 * What the first bytes of a file say it is; 4 kB are enough. Undefined for what is no medium: text of any kind
 * (playlists, SVG, HTML, scripts), archives, documents.
 */
export const sniff = (head: Uint8Array): MediaType | undefined =>
  isText(head) ? undefined : (signature(head) ?? behindTag(head) ?? streamOf(head))

/** Formats that have a mark of their own at a fixed place. */
const signature = (head: Uint8Array): MediaType | undefined => {
  switch (ascii(head, 0, 4)) {
    case "\x89PNG":
      return ascii(head, 4, 16) === "\r\n\x1a\n\0\0\0\rIHDR" ? TYPES.png : undefined
    case "GIF8":
      return /^[79]a$/.test(ascii(head, 4, 6)) && head.length >= 13 ? TYPES.gif : undefined
    case "RIFF":
      return riffType(ascii(head, 8, 12))
    case "RF64":
      return ascii(head, 8, 12) === "WAVE" ? TYPES.wav : undefined
    case "FORM":
      return /^AIF[FC]$/.test(ascii(head, 8, 12)) ? TYPES.aiff : undefined
    case "II*\0":
    case "MM\0*":
    case "II+\0":
    case "MM\0+":
      return head.length >= 8 ? TYPES.tiff : undefined
    case "FLV\x01":
      return ascii(head, 5, 9) === "\0\0\0\x09" ? TYPES.flv : undefined
    case "OggS":
      return oggType(head)
    case "fLaC":
      return isFlac(head, 0) ? TYPES.flac : undefined
    case "#!AM":
      return /^R(-WB)?\n/.test(ascii(head, 4, 9)) ? TYPES.amr : undefined
    case "\x1aE\xdf\xa3":
      return matroskaType(head)
    case "\0\0\x01\xba":
      return isPackHeader(head[4] ?? 0) ? TYPES.mpeg : undefined
    default:
      if (ascii(head, 0, 3) === "\xff\xd8\xff") return isJpegMarker(head[3] ?? 0) ? TYPES.jpeg : undefined
      return isBitmap(head) ? TYPES.bmp : boxType(head)
  }
}

/** An ID3 tag may stand before a playlist as well as before sound, so what follows it is looked at where it can be. */
const behindTag = (head: Uint8Array): MediaType | undefined => {
  if (ascii(head, 0, 3) !== "ID3" || !between(head[3] ?? 0, 2, 4)) return undefined
  const size = [6, 7, 8, 9].map((at) => head[at] ?? 0xff)
  if (size.some((byte) => byte > 0x7f)) return undefined
  let sound = 10 + size.reduce((sum, byte) => sum * 128 + byte, 0)
  while (head[sound] === 0) sound++
  if (sound + 4 > head.length) return TYPES.mp3
  return isFlac(head, sound) ? TYPES.flac : streamOf(head.subarray(sound))
}

/** Formats that are known by a pattern that comes again and again. */
const streamOf = (head: Uint8Array): MediaType | undefined => {
  if (isTransportStream(head)) return TYPES.ts
  if (isMpegAudio(head)) return TYPES.mp3
  return isAdts(head) ? TYPES.aac : undefined
}

const riffType = (form: string): MediaType | undefined =>
  form === "WEBP" ? TYPES.webp : form === "WAVE" ? TYPES.wav : form === "AVI " ? TYPES.avi : undefined

/** MP4 and its kin: boxes, each with its length before its name. Old QuickTime files have no `ftyp`. */
const boxType = (head: Uint8Array): MediaType | undefined => {
  let at = 0
  for (let boxes = 0; boxes < 4 && at + 8 <= head.length; boxes++) {
    const size = uint32(head, at)
    const name = ascii(head, at + 4, at + 8)
    if (name === "ftyp")
      return size >= 16 && size <= 4096 && at + 16 <= head.length
        ? brandType(head, at + 8, at + size)
        : undefined
    if (name === "moov" || name === "mdat") return TYPES.mov
    if (!["wide", "free", "skip", "pnot"].includes(name) || size < 8) return undefined
    at += size
  }
  return undefined
}

/** The first brand is the file's own, the second a number, the rest are those it is compatible with. */
const brandType = (head: Uint8Array, from: number, to: number): MediaType | undefined => {
  const major = ascii(head, from, from + 4)
  const all = [major]
  for (let at = from + 8; at + 4 <= Math.min(to, head.length); at += 4) all.push(ascii(head, at, at + 4))
  const has = (...brands: ReadonlyArray<string>) => all.some((brand) => brands.includes(brand))
  if (/^(?:avif|avis)$/.test(major)) return TYPES.avif
  if (/^(?:hei[cmsx]|hev[cmsx])$/.test(major)) return TYPES.heic
  if (/^(?:mif1|msf1|miaf)$/.test(major)) return has("avif", "avis") ? TYPES.avif : TYPES.heic
  if (/^(?:crx |jp[2xm] |mjp2|jxl )$/.test(major)) return undefined
  if (/^(?:M4[AB]|F4[AB]|M4P) $/.test(major)) return TYPES.m4a
  if (major === "qt  ") return TYPES.mov
  if (/^3g[2p]/.test(major)) return TYPES["3gp"]
  return major.startsWith("M4V") ? TYPES.m4v : TYPES.mp4
}

/** The document type is one of the first elements of the EBML header. */
const matroskaType = (head: Uint8Array): MediaType | undefined => {
  for (let at = 4; at + 3 < Math.min(head.length, 256); at++)
    if (head[at] === 0x42 && head[at + 1] === 0x82) {
      const name = ascii(head, at + 3, at + 3 + ((head[at + 2] ?? 0) & 0x7f)).replace(/\0+$/, "")
      if (name === "webm") return TYPES.webm
      if (name === "matroska") return TYPES.mkv
    }
  return undefined
}

const isFlac = (head: Uint8Array, at: number): boolean =>
  ascii(head, at, at + 4) === "fLaC" &&
  ((head[at + 4] ?? 1) & 0x7f) === 0 &&
  uint32(head, at + 4) % 2 ** 24 === 34

const isPackHeader = (byte: number): boolean => (byte & 0xc0) === 0x40 || (byte & 0xf0) === 0x20

const isJpegMarker = (byte: number): boolean => byte >= 0xc0 && byte < 0xff

const isBitmap = (head: Uint8Array): boolean =>
  ascii(head, 0, 2) === "BM" &&
  [12, 16, 40, 52, 56, 64, 108, 124].includes(head[14] ?? 0) &&
  ascii(head, 15, 18) === "\0\0\0" &&
  ascii(head, 6, 10) === "\0\0\0\0"

/** Bytes none of which steers anything: every real medium has some that do, within its first handful. */
const isText = (head: Uint8Array): boolean => head.every((byte) => byte >= 0x20 || between(byte, 0x09, 0x0d))

const between = (value: number, least: number, most: number): boolean => value >= least && value <= most

const ascii = (bytes: Uint8Array, from: number, to: number): string =>
  String.fromCharCode(...bytes.subarray(from, to))

const uint32 = (bytes: Uint8Array, at: number): number =>
  [0, 1, 2, 3].reduce((sum, index) => sum * 256 + (bytes[at + index] ?? 0), 0)

const type = (kind: MediaType["kind"], mime: string, container: string): MediaType => ({
  kind,
  mime,
  container
})

const TYPES = {
  png: type("image", "image/png", "png"),
  jpeg: type("image", "image/jpeg", "jpeg"),
  gif: type("image", "image/gif", "gif"),
  webp: type("image", "image/webp", "webp"),
  avif: type("image", "image/avif", "avif"),
  heic: type("image", "image/heic", "heic"),
  bmp: type("image", "image/bmp", "bmp"),
  tiff: type("image", "image/tiff", "tiff"),
  mp4: type("video", "video/mp4", "mp4"),
  m4v: type("video", "video/x-m4v", "mp4"),
  mov: type("video", "video/quicktime", "mp4"),
  "3gp": type("video", "video/3gpp", "mp4"),
  webm: type("video", "video/webm", "webm"),
  mkv: type("video", "video/x-matroska", "webm"),
  ts: type("video", "video/mp2t", "ts"),
  avi: type("video", "video/x-msvideo", "avi"),
  flv: type("video", "video/x-flv", "flv"),
  mpeg: type("video", "video/mpeg", "mpeg"),
  m4a: type("audio", "audio/mp4", "mp4"),
  wav: type("audio", "audio/wav", "wav"),
  mp3: type("audio", "audio/mpeg", "mp3"),
  flac: type("audio", "audio/flac", "flac"),
  aac: type("audio", "audio/aac", "aac"),
  amr: type("audio", "audio/amr", "amr"),
  aiff: type("audio", "audio/aiff", "aiff")
} as const satisfies Record<string, MediaType>
