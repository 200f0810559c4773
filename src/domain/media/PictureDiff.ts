/** A picture small enough to compare: 128x128 cells of red, green and blue. */
export type Cells = Uint8Array

export const SIDE = 128
export const CELLS = SIDE * SIDE
export const CELL_BYTES = CELLS * 3

/** Cells that are clearly different; stops counting when it is enough. */
export const differingCells = (one: Cells, other: Cells, enough = Infinity): number => {
  let count = 0
  for (let at = 0; at < CELL_BYTES && count < enough; at += 3) if (isDifferent(one, other, at)) count++
  return count
}

/** Fewer differing cells than this are the noise of an encoder; one changed digit of a slide makes more. */
export const isSame = (one: Cells, other: Cells): boolean =>
  differingCells(one, other, FEWEST_CELLS) < FEWEST_CELLS

/** How bright each cell is. */
export const lightOf = (cells: Cells): Uint8Array => {
  const light = new Uint8Array(CELLS)
  for (let cell = 0; cell < CELLS; cell++) {
    const at = cell * 3
    light[cell] = ((cells[at] ?? 0) * 77 + (cells[at + 1] ?? 0) * 150 + (cells[at + 2] ?? 0) * 29) >> 8
  }
  return light
}

/**
 * How much each cell says: one that is always moving, like the head of who speaks, says little against one that
 * stands still most of the time, like the slide beside it.
 */
export const cellWeights = (lights: ReadonlyArray<Uint8Array>): Float32Array => {
  const changes = new Float32Array(CELLS)
  lights.forEach((light, index) => {
    const before = lights[index - 1]
    if (before === undefined) return
    for (let cell = 0; cell < CELLS; cell++)
      if (Math.abs((before[cell] ?? 0) - (light[cell] ?? 0)) > CLEARLY)
        changes[cell] = (changes[cell] ?? 0) + 1
  })
  const pairs = Math.max(1, lights.length - 1)
  const calm = changes.map((count) => 1.02 - count / pairs)
  const usual = calm.toSorted()[CELLS / 2] ?? 1
  return calm.map((share) => Math.min(1, (share / usual) ** 2))
}

/** How much has changed, from 0 to 1: a few cells already count when they were calm before. */
export const changeBetween = (one: Uint8Array, other: Uint8Array, weights: Float32Array): number => {
  let cells = 0
  for (let cell = 0; cell < CELLS; cell++)
    if (Math.abs((one[cell] ?? 0) - (other[cell] ?? 0)) > CLEARLY) cells += weights[cell] ?? 0
  return Math.log2(1 + cells) / Math.log2(1 + CELLS)
}

/** How bright a picture is, by the brightest of its colours, and how much its light varies. */
export const brightness = (
  cells: Cells,
  light: Uint8Array
): { readonly mean: number; readonly spread: number } => {
  let [bright, sum, squares] = [0, 0, 0]
  for (let cell = 0; cell < CELLS; cell++) {
    const at = cell * 3
    bright += Math.max(cells[at] ?? 0, cells[at + 1] ?? 0, cells[at + 2] ?? 0)
    const value = light[cell] ?? 0
    sum += value
    squares += value * value
  }
  const mean = sum / CELLS
  return { mean: bright / CELLS, spread: Math.sqrt(Math.max(0, squares / CELLS - mean * mean)) }
}

export const isDifferent = (one: Cells, other: Cells, at: number): boolean =>
  Math.abs((one[at] ?? 0) - (other[at] ?? 0)) > CLEARLY ||
  Math.abs((one[at + 1] ?? 0) - (other[at + 1] ?? 0)) > CLEARLY ||
  Math.abs((one[at + 2] ?? 0) - (other[at + 2] ?? 0)) > CLEARLY

/** Of 255. */
const CLEARLY = 24
const FEWEST_CELLS = 3
