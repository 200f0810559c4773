import type { Medium } from "../api/media.ts"
import { bytes } from "../format/bytes.ts"
import { duration } from "../format/duration.ts"
import { clock } from "../format/time.ts"
import { timecode } from "../format/timecode.ts"

/** What a medium is called. */
export const nameOf = ({ kind, label, title }: Medium): string =>
  title ||
  (label === "data" ? `${kind}, sent as bytes` : label?.match(/[^/]+(?=\/*(?:[?#].*)?$)/)?.[0]) ||
  kind

/** What it is, in a line. */
export const factsOf = (medium: Medium): string =>
  [
    ...[medium.kind, medium.site, medium.duration && timecode(medium.duration)],
    medium.width && medium.height && `${medium.width} × ${medium.height}`,
    bytes(medium.bytes)
  ]
    .filter(Boolean)
    .join(" · ")

/** Since when it is known, and what that has saved. */
export const useOf = ({ created_at, saved_ms, used_at }: Medium, utc: boolean): string =>
  `first seen ${moment(created_at, utc)}, last used ${moment(used_at, utc)}${saved_ms > 0 ? `, saved ${duration(saved_ms)}` : ""}`

/** A moment of the memory, which counts in milliseconds. */
export const moment = (time: number | string, utc: boolean): string =>
  clock(new Date(time).toISOString(), utc)
