/** Gzips as small as it gets: slower than zlib by far, and read by whoever reads gzip. */
import { crc32 } from "node:zlib"
import { Bits, BYTE_STEPS, COPIES, distanceOf, sizeOf, symbolsOf, writeBlock } from "./deflate.mjs"

export const gzipBest = (bytes) => {
  const copies = copiesOf(bytes)
  const cheapest = ({ from, to }) => ({ from, to, steps: settled(bytes, copies, from, to) })
  const blocks = divided(cheapest({ from: 0, to: bytes.length })).map(cheapest)
  const bits = new Bits()
  for (const [at, { steps }] of blocks.entries()) writeBlock(bits, steps, at === blocks.length - 1)
  const end = Buffer.alloc(8)
  end.writeUInt32LE(crc32(bytes))
  end.writeUInt32LE(bytes.length, 4)
  return Buffer.concat([Buffer.from([31, 139, 8, 0, 0, 0, 0, 0, 2, 255]), Buffer.from(bits.bytes), end])
}

/** What may be copied at each place: the longest piece from the nearest place, a longer one from farther away, and so on. */
const copiesOf = (bytes) => {
  const last = new Map()
  const before = []
  return Array.from(bytes, (byte, at) => {
    const key = (byte << 16) | (bytes[at + 1] << 8) | bytes[at + 2]
    const found = []
    let longest = BYTE_STEPS
    for (
      let from = last.get(key) ?? -1;
      from >= 0 && at - from <= FARTHEST && longest < LONGEST;
      from = before[from]
    ) {
      let length = 0
      while (length < LONGEST && at + length < bytes.length && bytes[from + length] === bytes[at + length])
        length++
      if (length <= longest) continue
      longest = length
      found.push({ length, distance: at - from })
    }
    before[at] = last.get(key) ?? -1
    last.set(key, at)
    return found
  })
}

/** The cheapest steps through a stretch: what each costs follows from how often it was taken the time before. */
const settled = (bytes, copies, from, to) => {
  let costs = { symbols: Array(286).fill(8), distances: Array(30).fill(5) }
  let best = { size: Infinity }
  for (let round = 0; round < ROUNDS; round++) {
    const steps = stepsOf(bytes, copies, from, to, costs)
    const size = sizeOf(steps)
    if (size < best.size) best = { size, steps }
    const { distances, symbols } = symbolsOf(steps)
    // Half of what they cost before keeps it from going to and fro.
    const mixed = (now, then) => bitsOf(now).map((bits, at) => (round > 0 ? (bits + then[at]) / 2 : bits))
    costs = { symbols: mixed(symbols, costs.symbols), distances: mixed(distances, costs.distances) }
  }
  return best.steps
}

/** The cheapest way to each byte comes from one of those before it. */
const stepsOf = (bytes, copies, from, to, { distances, symbols }) => {
  const ways = Array.from({ length: to - from + 1 }, () => ({ cost: Infinity }))
  const take = (start, length, cost, distance) => {
    if (start + length <= to - from && cost < ways[start + length].cost)
      ways[start + length] = { at: from + start, cost, distance, length }
  }
  ways[0].cost = 0
  for (let at = 0; at < to - from; at++) {
    const { cost } = ways[at]
    take(at, 1, cost + symbols[bytes[from + at]])
    let length = BYTE_STEPS + 1
    for (const { distance, length: most } of copies[from + at]) {
      const { extra, symbol } = distanceOf(distance)
      for (; length <= most; length++)
        take(
          at,
          length,
          cost + distances[symbol] + extra + symbols[COPIES[length].symbol] + COPIES[length].extra,
          distance
        )
    }
  }
  const steps = []
  for (let at = to - from; at > 0; at -= ways[at].length) {
    const { at: place, distance, length } = ways[at]
    steps.unshift({ at: place, byte: bytes[place], distance, length })
  }
  return steps
}

/** Cut where two blocks with codes of their own are smaller than one. */
const divided = ({ from, steps, to }) => {
  let best = { size: sizeOf(steps) }
  const look = (first, last, stride) => {
    for (let at = Math.max(FEWEST, first); at < Math.min(last, steps.length - FEWEST); at += stride) {
      const size = sizeOf(steps.slice(0, at)) + sizeOf(steps.slice(at))
      if (size < best.size) best = { at, size }
    }
  }
  const stride = Math.max(8, Math.floor(steps.length / 40))
  look(stride, steps.length, stride)
  if (best.at === undefined) return [{ from, to }]
  look(best.at - stride, best.at + stride, Math.ceil(stride / 8))
  const { at } = steps[best.at]
  return [
    ...divided({ from, to: at, steps: steps.slice(0, best.at) }),
    ...divided({ from: at, to, steps: steps.slice(best.at) })
  ]
}

/** What each of some symbols takes that occur this often. */
const bitsOf = (counts) => {
  const sum = counts.reduce((sum, count) => sum + count, 0)
  return counts.map((count) => Math.log2(Math.max(1, sum) / Math.max(1, count)))
}

const FARTHEST = 32_768
const LONGEST = 258
const ROUNDS = 8
/** Steps of a block that is worth its codes. */
const FEWEST = 100
