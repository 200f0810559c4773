/** A box of an MP4 file: its name, where it starts, and where its contents are. */
export interface Box {
  readonly name: string
  readonly start: number
  readonly from: number
  readonly to: number
}

type Stretch = Pick<Box, "from" | "to">

/** What the bytes at a place say of the box that starts there; the end is that of all, known or not. */
export const readBox = (view: DataView, at: number, start: number, end: number): Box | undefined => {
  if (at + 8 > view.byteLength) return undefined
  const name = String.fromCharCode(...[4, 5, 6, 7].map((byte) => view.getUint8(at + byte)))
  const short = view.getUint32(at)
  if (short === 1) {
    if (at + 16 > view.byteLength) return undefined
    return boxOf(name, start, 16, Number(view.getBigUint64(at + 8)))
  }
  // Nought stands for all the rest.
  return boxOf(name, start, 8, short === 0 ? end - start : short)
}

/** The boxes of a stretch, up to the first that does not fit in. */
export const boxes = (view: DataView, { from, to }: Stretch): ReadonlyArray<Box> => {
  const found: Array<Box> = []
  for (let at = from; found.length < MOST_BOXES;) {
    const box = readBox(view, at, at, to)
    if (box === undefined || box.to > to) break
    found.push(box)
    at = box.to
  }
  return found
}

/** Follows a path of names down into a box; the first of each name is taken. */
export const inside = (
  view: DataView,
  outer: Stretch | undefined,
  ...path: ReadonlyArray<string>
): Box | undefined => {
  const [name, ...rest] = path
  const box = outer && boxes(view, outer).find((box) => box.name === name)
  return rest.length === 0 ? box : inside(view, box, ...rest)
}

export const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** A table that points out of its bounds is none. */
export const guarded = <A>(read: () => A): A | undefined => {
  try {
    return read()
  } catch {
    return undefined
  }
}

const boxOf = (name: string, start: number, header: number, size: number): Box | undefined =>
  size >= header ? { name, start, from: start + header, to: start + size } : undefined

const MOST_BOXES = 1000
