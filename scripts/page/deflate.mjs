/** How deflate (RFC 1951) writes steps: bytes, and copies of what was there before. */

/** Copies are longer than this. */
export const BYTE_STEPS = 2

/** How often a block has each symbol; the one at 256 ends it. */
export const symbolsOf = (steps) => {
  const symbols = Array(286).fill(0)
  const distances = Array(30).fill(0)
  symbols[256] = 1
  for (const { byte, distance, length } of steps) {
    symbols[distance ? COPIES[length].symbol : byte]++
    if (distance) distances[distanceOf(distance).symbol]++
  }
  return { symbols, distances }
}

/** Bits that a block takes. */
export const sizeOf = (steps) => {
  const bits = new Bits()
  writeBlock(bits, steps, false)
  return bits.count
}

export const writeBlock = (bits, steps, isLast) => {
  const counts = symbolsOf(steps)
  const [symbols, distances] = [codesOf(counts.symbols, 15), codesOf(counts.distances, 15)]
  bits.write(isLast ? 1 : 0, 1)
  bits.write(2, 2)
  writeCodes(bits, trimmed(symbols, 257), trimmed(distances, 1))
  for (const { byte, distance, length } of steps) {
    if (!distance) {
      bits.writeCode(symbols[byte])
      continue
    }
    const [copy, back] = [COPIES[length], distanceOf(distance)]
    bits.writeCode(symbols[copy.symbol])
    bits.write(length - copy.least, copy.extra)
    bits.writeCode(distances[back.symbol])
    bits.write(distance - back.least, back.extra)
  }
  bits.writeCode(symbols[256])
}

/** The lengths of all codes say what they are; those lengths are coded in turn, with or without runs of some kind. */
const writeCodes = (bits, symbols, distances) => {
  const lengths = [...symbols, ...distances].map(({ length }) => length)
  const ways = [0, 1, 2, 3, 4, 5, 6, 7].map((kinds) => {
    const runs = runsOf(lengths, kinds)
    const counts = Array(19).fill(0)
    for (const { symbol } of runs) counts[symbol]++
    const codes = codesOf(counts, 7)
    const shown = trimmed(
      ORDER.map((symbol) => codes[symbol]),
      4
    )
    const size = runs.reduce((sum, { extra, symbol }) => sum + codes[symbol].length + extra, shown.length * 3)
    return { codes, runs, shown, size }
  })
  const { codes, runs, shown } = ways.reduce((best, way) => (way.size < best.size ? way : best))
  bits.write(symbols.length - 257, 5)
  bits.write(distances.length - 1, 5)
  bits.write(shown.length - 4, 4)
  for (const { length } of shown) bits.write(length, 3)
  for (const { extra, more, symbol } of runs) {
    bits.writeCode(codes[symbol])
    bits.write(more, extra)
  }
}

/** Lengths one by one, or as runs: 18 and 17 are long and short ones of nothing, 16 is more of the same. */
const runsOf = (lengths, kinds) => {
  const runs = []
  const one = (symbol) => runs.push({ symbol, more: 0, extra: 0 })
  for (let at = 0; at < lengths.length;) {
    const symbol = lengths[at]
    let left = 0
    while (lengths[at + left] === symbol) left++
    at += left
    const run = (of, least, most, extra) => {
      while (left >= least) {
        const length = Math.min(left, most)
        runs.push({ symbol: of, more: length - (of === 18 ? 11 : 3), extra })
        left -= length
      }
    }
    if (symbol === 0 && kinds & 1) run(18, 11, 138, 7)
    if (symbol === 0 && kinds & 2) run(17, 3, 10, 3)
    if (symbol > 0 && kinds & 4) {
      one(symbol)
      left--
      run(16, 3, 6, 2)
    }
    for (; left > 0; left--) one(symbol)
  }
  return runs
}

/** The shortest codes for symbols that occur this often, none longer than `most`: packages are merged, two by two. */
const codesOf = (counts, most) => {
  const used = counts.flatMap((count, symbol) => (count > 0 ? [{ count, symbols: [symbol] }] : []))
  const lengths = counts.map(() => 0)
  let packages = []
  for (let round = 0; round < most; round++) {
    const pairs = []
    for (let at = 0; at + 1 < packages.length; at += 2) {
      const [one, other] = [packages[at], packages[at + 1]]
      pairs.push({ count: one.count + other.count, symbols: one.symbols.concat(other.symbols) })
    }
    packages = [...used, ...pairs].toSorted((one, other) => one.count - other.count)
  }
  for (const { symbols } of packages.slice(0, Math.max(1, 2 * used.length - 2)))
    for (const symbol of symbols) lengths[symbol]++
  if (used.length < 2) lengths[used[0]?.symbols[0] ?? 0] = 1
  const codes = lengths.map((length) => ({ length, code: 0 }))
  let code = 0
  for (let length = 1; length <= most; length++, code <<= 1)
    for (const one of codes) if (one.length === length) one.code = code++
  return codes
}

const trimmed = (codes, least) =>
  codes.slice(0, Math.max(least, codes.findLastIndex(({ length }) => length > 0) + 1))

export class Bits {
  bytes = []
  count = 0

  write(value, length) {
    for (let at = 0; at < length; at++) this.#add((value >> at) & 1)
  }

  /** Codes stand the other way round. */
  writeCode({ code, length }) {
    for (let at = length - 1; at >= 0; at--) this.#add((code >> at) & 1)
  }

  #add(bit) {
    const place = this.count % 8
    if (place === 0) this.bytes.push(0)
    this.bytes[this.bytes.length - 1] |= bit << place
    this.count++
  }
}

/** Symbols that stand for ever more values each, told apart by extra bits. */
const ranges = (first, count, least, extraOf) => {
  let next = least
  return Array.from({ length: count }, (_, at) => {
    const range = { symbol: first + at, least: next, extra: extraOf(at) }
    next += 2 ** range.extra
    return range
  })
}

const LENGTHS = ranges(257, 28, 3, (at) => Math.max(0, Math.floor(at / 4) - 1))
const DISTANCES = ranges(0, 30, 1, (at) => Math.max(0, Math.floor(at / 2) - 1))

/** How a copy of each length is written. */
export const COPIES = Array.from({ length: 259 }, (_, length) =>
  length === 258 ? { symbol: 285, least: 258, extra: 0 } : LENGTHS.findLast(({ least }) => least <= length)
)

const BACK = Array.from({ length: 32_769 }, (_, distance) =>
  DISTANCES.findLast(({ least }) => least <= distance)
)

export const distanceOf = (distance) => BACK[distance]

/** In which order the lengths of codes of lengths are written. */
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
