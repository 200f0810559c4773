/**
 * The pictures of a video as its container lists them, in the order they are decoded. Read from the
 * container's own tables, without decoding anything.
 */
export interface VideoIndex {
  /** When each picture is shown, in seconds of the file's own clock. */
  readonly times: Float64Array
  readonly sizes: Uint32Array
  /** Numbers of the pictures a decoder can begin with, ascending. */
  readonly keys: Uint32Array
  /** Pictures outside of this are in the file, but not shown. */
  readonly shown: { readonly from: number; readonly to: number }
  /** Where the bytes of pictures are, for ascending numbers. */
  readonly offsets: (pictures: ReadonlyArray<number>) => ReadonlyArray<number>
  /** Writes a small file of a few of the pictures that decodes as the whole one does. */
  readonly slim: (pictures: ReadonlyArray<SlimPicture>) => SlimFile
}

/** A picture of a slim file, in the order of decoding. */
export interface SlimPicture {
  /** Its number in the index. */
  readonly picture: number
  readonly key: boolean
  /** Its place in the order of showing: whole numbers, each once. */
  readonly tick: number
}

/** What a slim file is written of: bytes, and pictures to be copied from the whole file. */
export interface SlimFile {
  readonly pieces: ReadonlyArray<Uint8Array | { readonly picture: number }>
  /** A decoder reports the tick of a picture plus this, in units of a second's `ticksPerSecond`th. */
  readonly delay: number
}

/** Pictures of a slim file come 50 to a second. */
export const TICKS_PER_SECOND = 50

/** More pictures than this are no video of ours: a day has 2.6 million at 30 a second. */
export const MOST_PICTURES = 2_700_000

/** The same index without the pictures that are cut off because the file breaks off. */
export const withinFile = (index: VideoIndex, size: number): VideoIndex | undefined => {
  const count = index.sizes.length
  const isWhole = (picture: number, offset = Infinity) =>
    offset >= 0 && offset + (index.sizes[picture] ?? 0) <= size
  // All of them: what stands between two that are there need not be.
  const all = Array.from({ length: count }, (_, picture) => picture)
  const offsets = index.offsets(all)
  const cut = all.find((picture) => !isWhole(picture, offsets[picture]))
  if (cut === undefined) return index
  const keys = index.keys.filter((key) => key < cut)
  if (keys.length === 0) return undefined
  return { ...index, times: index.times.subarray(0, cut), sizes: index.sizes.subarray(0, cut), keys }
}
