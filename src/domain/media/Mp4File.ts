import { readBox, viewOf } from "./Boxes.ts"
import { readFragments } from "./Mp4Fragments.ts"
import type { Fragments } from "./Mp4Fragments.ts"
import { readMp4 } from "./Mp4Index.ts"
import type { VideoIndex } from "./VideoIndex.ts"
import type { Walk } from "./Walk.ts"

/** The pictures of an MP4 or MOV file, in one piece or in fragments; undefined for whatever is not as plain as most. */
export function* readMp4File(size: number): Walk<VideoIndex | undefined> {
  let fragments: Fragments | undefined
  let [at, read] = [0, 0]
  for (let boxes = 0; boxes < MOST_BOXES && at < size; boxes++) {
    const window = yield { at, length: WINDOW }
    const box = readBox(viewOf(window), 0, at, size)
    if (box === undefined) break
    if (box.name === "moov" || box.name === "moof") {
      const length = box.to - at
      read += length
      if (box.to > size || read > MOST_BYTES) break
      const bytes = length <= window.length ? window.subarray(0, length) : yield { at, length }
      if (box.name === "moof") {
        if (fragments?.add(bytes, at) !== true) return undefined
      } else {
        const index = readMp4(bytes)
        if (index !== undefined) return index
        fragments = readFragments(bytes)
        if (fragments === undefined) return undefined
      }
    }
    at = box.to
  }
  return fragments?.index()
}

const WINDOW = 16 * 1024
const MOST_BOXES = 50_000
const MOST_BYTES = 64 * 1024 * 1024
