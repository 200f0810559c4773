import type { Shape } from "./Shape.ts"
import { matcherFor, NONE } from "./ShapeFilter.ts"
import type { ShapeFilters } from "./ShapeFilter.ts"

/** One value a filter may take, and how many requests it would leave. */
export interface FacetValue {
  readonly value: string
  readonly count: number
}

/** Each filter's values with every other filter applied, the most common first; what is chosen is always there. */
export const facetsOf = (
  counts: ReadonlyArray<readonly [Shape, number]>,
  filters: ShapeFilters
): { readonly [name: string]: ReadonlyArray<FacetValue> } => {
  const isOfAll = matcherFor(filters)
  const wanted = counts.filter(([shape]) => isOfAll(shape) === "yes")
  return Object.fromEntries(
    FACETS.map(([name, column]) => {
      const chosen = filters.get(column) ?? []
      const others = new Map(Array.from(filters).filter(([filtered]) => filtered !== column))
      const isOfOthers = matcherFor(others)
      const left = chosen.length === 0 ? wanted : counts.filter(([shape]) => isOfOthers(shape) === "yes")
      return [name, valuesIn(column, left, chosen)] as const
    })
  )
}

const valuesIn = (
  column: keyof Shape,
  counts: ReadonlyArray<readonly [Shape, number]>,
  chosen: ReadonlyArray<string>
): ReadonlyArray<FacetValue> => {
  const found = new Map<string, number>()
  for (const [shape, count] of counts)
    for (const value of valuesOf(column, shape[column])) found.set(value, (found.get(value) ?? 0) + count)
  const sorted = Array.from(found).toSorted(([one, a], [other, b]) => b - a || (one < other ? -1 : 1))
  const shown = new Map(sorted.slice(0, SHOWN))
  for (const value of chosen.map((value) => written(column, value)))
    if (!shown.has(value)) shown.set(value, found.get(value) ?? matching(column, value, counts))
  return Array.from(shown, ([value, count]) => ({ value, count }))
}

/** How often a value is meant that is counted under another name, as 404 is under 4xx. */
const matching = (
  column: keyof Shape,
  value: string,
  counts: ReadonlyArray<readonly [Shape, number]>
): number => {
  const isMeant = matcherFor(new Map([[column, [value]]]))
  return counts.reduce((sum, [shape, count]) => sum + (isMeant(shape) === "yes" ? count : 0), 0)
}

/** The values of a cell, as the filter takes them. */
const valuesOf = (column: keyof Shape, cell: string): ReadonlyArray<string> => {
  if (cell === "") return [NONE]
  if (column === "media") return Array.from(new Set(cell.split(",")))
  if (column === "status") return [`${cell[0]}xx`]
  return [written(column, cell)]
}

const written = (column: keyof Shape, value: string): string =>
  column === "streaming" ? String(value === "1") : value

/** Filters that are offered with counts, by the names of their parameters. */
export const FACETS: ReadonlyArray<readonly [name: string, column: keyof Shape]> = [
  ["model", "model_requested"],
  ["routed", "model_routed"],
  ["provider", "provider"],
  ["endpoint", "endpoint"],
  ["status", "status"],
  ["source", "error_source"],
  ["media", "media"],
  ["stream", "streaming"],
  ["state", "state"],
  ["key", "key_id"]
]

/** Values of one filter; the rarest of many are not offered. */
const SHOWN = 50
