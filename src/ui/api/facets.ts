import { FILTERS, filterParameters } from "../model/query.ts"
import type { FilterName, Query } from "../model/query.ts"
import { field, getJson } from "./client.ts"

/** A value of a filter, and how many requests it would leave; where nobody counts there is no number. */
export interface FacetValue {
  readonly value: string
  readonly count: number | undefined
}

export interface Facets {
  readonly values: { readonly [Name in FilterName]?: ReadonlyArray<FacetValue> }
  /** Only the newest rows were counted. */
  readonly isPartial: boolean
}

export const readFacets = async (query: Query, signal: AbortSignal): Promise<Facets> => {
  const answer = await getJson(`/ui/tracking_facets?${filterParameters(query)}`, signal)
  const found = field(answer, "facets")
  const values: { [Name in FilterName]?: ReadonlyArray<FacetValue> } = {}
  for (const name of FILTERS) {
    const list = field(found, name)
    if (Array.isArray(list)) values[name] = list.filter(isValue)
  }
  return { values, isPartial: field(answer, "is_partial") === true }
}

const isValue = (value: unknown): value is FacetValue =>
  typeof field(value, "value") === "string" && typeof field(value, "count") === "number"
