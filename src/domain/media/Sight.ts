import { CELL_BYTES, SIDE, brightness, isDifferent, lightOf } from "./PictureDiff.ts"
import type { Cells } from "./PictureDiff.ts"

/** A picture that was looked at in small, with its colours as they are and as they were in better light. */
export interface Sight {
  readonly cells: Cells
  readonly light: Uint8Array
  /** Brightness, and how much it varies over the picture. */
  readonly mean: number
  readonly spread: number
  /** What is left of it in 8x8 blocks. */
  readonly layout: Float32Array
  readonly plain: Colours
  readonly lit: Colours
}

interface Colours {
  /** Four cells in one: enough to tell what is a cut. */
  readonly cells: Uint8Array
  /** The colours there are, of 4096, and the share of the cells each has. */
  readonly present: Uint16Array
  readonly shares: Float32Array
  /** Colours that are there, or nearly. */
  readonly near: Uint8Array
}

export const sightOf = (cells: Cells): Sight => {
  const light = lightOf(cells)
  const { mean, spread } = brightness(cells, light)
  const coarse = coarsened(cells)
  const gain = Math.min(MOST_GAIN, GOOD_LIGHT / Math.max(1, mean))
  const lit = coarse.map((value) => Math.min(255, value * gain))
  return {
    cells,
    light,
    mean,
    spread,

    layout: layoutOf(coarse),
    plain: coloursOf(coarse),
    lit: coloursOf(lit)
  }
}

/** How alike two pictures are once both are in the same light, from 0 for the same on. */
export const apartInLight = (one: Sight, other: Sight): number => distance(one.lit, other.lit)

/** How differently light and colour are spread over two pictures, seen from afar, from 0 to 1. */
export const layoutBetween = (one: Sight, other: Sight): number => {
  let sum = 0
  for (let at = 0; at < one.layout.length; at++)
    sum += Math.abs((one.layout[at] ?? 0) - (other.layout[at] ?? 0))
  return Math.min(1, sum / one.layout.length / FAR_APART)
}

/**
 * How sure it is that a cut lies between, from 0 to 1. What moves keeps its colours, and a fade its hues; a cut
 * changes both, and most cells besides.
 */
export const cutBetween = (one: Sight, other: Sight): number =>
  Math.min(distance(one.plain, other.plain), distance(one.lit, other.lit))

const distance = (one: Colours, other: Colours): number => {
  const [lost, common] = compare(one, other)
  const [added] = compare(other, one)
  return 0.2 * differing(one.cells, other.cells) + 0.2 * (1 - common) + 0.3 * (lost + added)
}

/** Which share of a picture has colours the other has not even nearly, and which it has in common with it. */
const compare = (one: Colours, other: Colours): [number, number] => {
  let [lost, common] = [0, 0]
  for (const colour of one.present) {
    const share = one.shares[colour] ?? 0
    common += Math.min(share, other.shares[colour] ?? 0)
    if (other.near[colour] === 0) lost += share
  }
  return [lost, common]
}

const coarsened = (cells: Cells): Uint8Array => {
  const coarse = new Uint8Array(CELL_BYTES / 4)
  let to = 0
  for (let row = 0; row < SIDE; row += 2)
    for (let at = row * SIDE * 3; at < (row + 1) * SIDE * 3; at += 6)
      for (let colour = 0; colour < 3; colour++) {
        const below = at + SIDE * 3
        const sum =
          (cells[at + colour] ?? 0) +
          (cells[at + 3 + colour] ?? 0) +
          (cells[below + colour] ?? 0) +
          (cells[below + 3 + colour] ?? 0)
        coarse[to++] = sum >> 2
      }
  return coarse
}

const layoutOf = (coarse: Uint8Array): Float32Array => {
  const side = SIDE / 2
  const block = side / 8
  const layout = new Float32Array(192)
  for (let at = 0; at < coarse.length; at++) {
    const cell = Math.floor(at / 3)
    const place = Math.floor(cell / side / block) * 8 + Math.floor((cell % side) / block)
    layout[place * 3 + (at % 3)] = (layout[place * 3 + (at % 3)] ?? 0) + (coarse[at] ?? 0) / block ** 2
  }
  return layout
}

/** The share of cells that are clearly different. */
const differing = (one: Uint8Array, other: Uint8Array): number => {
  let count = 0
  for (let at = 0; at < one.length; at += 3) if (isDifferent(one, other, at)) count++
  return (count * 3) / one.length
}

const coloursOf = (cells: Uint8Array): Colours => {
  const shares = new Float32Array(COLOURS)
  const each = 3 / cells.length
  for (let at = 0; at < cells.length; at += 3) {
    const colour =
      ((cells[at] ?? 0) >> 4) * 256 + ((cells[at + 1] ?? 0) >> 4) * 16 + ((cells[at + 2] ?? 0) >> 4)
    shares[colour] = (shares[colour] ?? 0) + each
  }
  const near = new Uint8Array(COLOURS)
  const present: Array<number> = []
  shares.forEach((share, colour) => {
    if (share === 0) return
    present.push(colour)
    if (share >= RAREST) markAround(near, colour)
  })
  return { cells, shares, near, present: Uint16Array.from(present) }
}

const markAround = (near: Uint8Array, colour: number): void => {
  const [red, green, blue] = [colour >> 8, (colour >> 4) & 15, colour & 15]
  for (let r = Math.max(0, red - 1); r <= Math.min(15, red + 1); r++)
    for (let g = Math.max(0, green - 1); g <= Math.min(15, green + 1); g++) {
      const row = r * 256 + g * 16
      near.fill(1, row + Math.max(0, blue - 1), row + Math.min(15, blue + 1) + 1)
    }
}

/** Of 255, on average over the blocks: pictures with nothing in common. */
const FAR_APART = 50
const COLOURS = 4096
/** A colour of fewer than six in 4096 cells is not counted as there. */
const RAREST = 6 / 4096
/** Mean brightness that pictures are lifted to before their hues are compared, as far as that goes. */
const GOOD_LIGHT = 110
const MOST_GAIN = 6
