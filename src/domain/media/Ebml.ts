/** An element of a Matroska file: what it is, and where it and its contents lie. */
export interface Element {
  readonly id: number
  readonly start: number
  readonly from: number
  /** Infinite for what is written while it still goes on. */
  readonly to: number
}

/** The element whose header starts at this place of the bytes, which are at `base` in the file. */
export const readElement = (bytes: Uint8Array, at: number, base = 0): Element | undefined => {
  const id = readVint(bytes, at, 4, true)
  const size = id && readVint(bytes, at + id.length, 8, false)
  if (id === undefined || size === undefined) return undefined
  const from = base + at + id.length + size.length
  return { id: id.value, start: base + at, from, to: from + size.value }
}

/** The elements between two places, up to the first that is cut off or does not fit in. */
export const elements = (bytes: Uint8Array, from: number, to: number): ReadonlyArray<Element> => {
  const found: Array<Element> = []
  for (let at = from; at < to && found.length < MOST_ELEMENTS;) {
    const element = readElement(bytes, at)
    if (element === undefined || element.to > to) break
    found.push(element)
    at = element.to
  }
  return found
}

export const readUint = (bytes: Uint8Array, { from, to }: Pick<Element, "from" | "to">): number => {
  let value = 0
  for (let at = from; at < Math.min(to, from + 8); at++) value = value * 256 + (bytes[at] ?? 0)
  return value
}

/** A number whose first byte says how long it is. */
export const readVint = (bytes: Uint8Array, at: number, longest: number, withMark: boolean) => {
  const first = bytes[at] ?? 0
  const length = Math.clz32(first) - 23
  if (length > longest || at + length > bytes.length) return undefined
  let value = withMark ? first : first & (0xff >> length)
  let isUnknown = value === 0xff >> length
  for (let index = 1; index < length; index++) {
    const byte = bytes[at + index] ?? 0
    isUnknown &&= byte === 0xff
    value = value * 256 + byte
  }
  return { value: isUnknown && !withMark ? Infinity : value, length }
}

export const vint = (value: number): Uint8Array =>
  Uint8Array.from({ length: 8 }, (_, index) =>
    index === 0 ? 0x01 : Math.floor(value / 256 ** (7 - index)) % 256
  )

const MOST_ELEMENTS = 200_000
