/** One metric: what it is called, what it counts, and what its series differ by. */
export interface Family {
  readonly name: string
  readonly type: "counter" | "gauge" | "histogram" | "info"
  readonly help: string
  readonly labels: ReadonlyArray<string>
  /** The upper ends of a histogram's buckets, smallest first; the last one, without end, is not among them. */
  readonly bounds?: ReadonlyArray<number>
}

/** A number that only grows. */
export interface Counter {
  value: number
}

/** How often, how much in all, and how often within each bound and beyond the last. */
export interface Histogram {
  count: number
  sum: number
  readonly bounds: ReadonlyArray<number>
  readonly counts: Array<number>
}

/** A family with its series as they are now. */
export interface Collected {
  readonly family: Family
  readonly series: ReadonlyArray<Series>
}

export interface Series {
  /** The values of the family's labels. */
  readonly labels: ReadonlyArray<string>
  readonly value: number | Histogram
}

/** The series of one process. Who counts often asks once for its series and keeps it. */
export class Registry {
  private readonly counters = new Map<Family, Map<string, Kept<Counter>>>()
  private readonly histograms = new Map<Family, Map<string, Kept<Histogram>>>()

  counter(family: Family, ...labels: ReadonlyArray<string>): Counter {
    return kept(this.counters, family, labels, () => ({ value: 0 }))
  }

  histogram(family: Family, ...labels: ReadonlyArray<string>): Histogram {
    const { bounds = [] } = family
    return kept(this.histograms, family, labels, () => ({
      ...{ count: 0, sum: 0, bounds },
      counts: Array.from({ length: bounds.length + 1 }, () => 0)
    }))
  }

  collect(family: Family): Collected {
    const series: Array<Series> = []
    for (const { cell, labels } of this.counters.get(family)?.values() ?? [])
      series.push({ labels, value: cell.value })
    for (const { cell, labels } of this.histograms.get(family)?.values() ?? [])
      series.push({ labels, value: cell })
    return { family, series }
  }
}

export const observe = (histogram: Histogram, value: number): void => {
  let at = 0
  while (at < histogram.bounds.length && value > (histogram.bounds[at] ?? Infinity)) at++
  histogram.counts[at] = (histogram.counts[at] ?? 0) + 1
  histogram.count++
  histogram.sum += value
}

interface Kept<Cell> {
  readonly cell: Cell
  readonly labels: ReadonlyArray<string>
}

const kept = <Cell>(
  all: Map<Family, Map<string, Kept<Cell>>>,
  family: Family,
  labels: ReadonlyArray<string>,
  make: () => Cell
): Cell => {
  const cells = all.get(family) ?? new Map<string, Kept<Cell>>()
  all.set(family, cells)
  const key = labels.join("\n")
  const found = cells.get(key) ?? { cell: make(), labels }
  cells.set(key, found)
  return found.cell
}
