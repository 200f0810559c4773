/** A row of places through which the best chain is sought. */
export interface Row {
  readonly length: number
  /** Most places in the chain. */
  readonly most: number
  /** What a place is worth by itself; minus infinity for one that is out of the question. */
  readonly worth: (place: number) => number
  /** What it is worth to go from one place to a later one. */
  readonly link: (from: number, to: number) => number
  /** What it is worth to begin at a place, and to end there. */
  readonly begin: (place: number) => number
  readonly end: (place: number) => number
}

/** The ascending places that are worth most together; of equal ones the first found, so it is always the same. */
export const bestChain = ({ begin, end, length, link, most, worth }: Row): ReadonlyArray<number> => {
  const links = Array.from({ length }, (_, to) =>
    Float64Array.from({ length: to }, (_, from) => link(from, to))
  )
  const worths = Float64Array.from({ length }, (_, place) => worth(place))
  const before: Array<Int32Array> = []
  let best = { total: Number.NEGATIVE_INFINITY, place: -1, step: -1 }
  let totals = worths.map((value, place) => value + begin(place))
  for (let step = 0; step < most; step++) {
    for (let place = 0; place < length; place++) {
      const total = (totals[place] ?? 0) + end(place)
      if (total > best.total) best = { total, place, step }
    }
    const next = new Float64Array(length).fill(Number.NEGATIVE_INFINITY)
    const from = new Int32Array(length).fill(-1)
    for (let place = 0; place < length; place++)
      for (let previous = 0; previous < place; previous++) {
        const total = (totals[previous] ?? 0) + (links[place]?.[previous] ?? 0) + (worths[place] ?? 0)
        if (total > (next[place] ?? 0)) {
          next[place] = total
          from[place] = previous
        }
      }
    before.push(from)
    totals = next
  }
  const chain: Array<number> = []
  for (let { place, step } = best; place >= 0; place = before[step]?.[place] ?? -1) {
    chain.unshift(place)
    step--
  }
  return chain
}
