/** What can be looked at or listened to. */
export type MediaKind = "image" | "video" | "audio"

/** A stretch of a recording, in seconds. */
export interface Span {
  readonly from: number
  readonly to: number
}

/** What the first bytes of a file say it is; names and declared types are never believed. */
export interface MediaType {
  readonly kind: MediaKind
  /** `image/png`, `video/mp4`, … */
  readonly mime: string
  /** The container, by which the decoder's demuxers are narrowed: `mp4`, `webm`, `ts`, `png`, … */
  readonly container: string
}

/** A file that has been fetched or unpacked into a private folder. */
export interface MediaFile {
  /** Absolute, and a name of our own. */
  readonly path: string
  readonly bytes: number
  /** Hexadecimal. */
  readonly sha256: string
  readonly type: MediaType
}

/** What a server said about the state of what it sent; enough to ask later whether it has changed. */
export interface Validators {
  readonly etag: string | undefined
  readonly lastModified: string | undefined
  readonly length: number | undefined
}
