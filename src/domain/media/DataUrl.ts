/** Bytes that came as text: their number is known before any of them is decoded. */
export interface Payload {
  readonly bytes: number
  /** All of them, a small piece first; undefined where the text turns out not to be base64 after all. */
  readonly pieces: Iterable<Uint8Array | undefined>
}

/**
 * Reads a `data:` URL or bare base64; the declared type is not looked at. Base64 is meant strictly: its own alphabet,
 * padded, without white space. Anything else is undefined, other schemes and paths among it.
 */
export const readPayload = (data: string): Payload | undefined => {
  const start = /^data:[^,]{0,255};base64,/i.exec(data)?.[0].length ?? 0
  const length = data.length - start
  if (length === 0 || length % 4 !== 0) return undefined
  const padding = data.endsWith("==") ? 2 : data.endsWith("=") ? 1 : 0
  return { bytes: (length / 4) * 3 - padding, pieces: decode(data, start) }
}

function* decode(data: string, start: number) {
  for (let from = start, size = FIRST; from < data.length; from += size, size = LATER)
    yield decodePiece(data.slice(from, from + size), from + size >= data.length)
}

const decodePiece = (text: string, isLast: boolean): Uint8Array | undefined => {
  if (!(isLast ? /^[A-Za-z0-9+/]*={0,2}$/ : /^[A-Za-z0-9+/]*$/).test(text)) return undefined
  const bytes = Buffer.from(text, "base64")
  const lastOnes = bytes.subarray(-(bytes.length % 3 || 3))
  // The last letter may hold bits that belong to no byte: one spelling of the same bytes is enough.
  return isLast && lastOnes.toString("base64") !== text.slice(-4) ? undefined : bytes
}

/** In letters, of which four make three bytes. */
const FIRST = 8192
const LATER = 1_048_576
