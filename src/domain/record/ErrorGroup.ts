import type { Shape } from "./Shape.ts"
import { modelOf } from "./Statistics.ts"

/** Failures of one shape. Times are in milliseconds. */
export interface CountedErrors {
  readonly shape: number
  readonly requests: number
  readonly first: number
  readonly last: number
  /** The number of its newest row, where that is known already. */
  readonly newest: number | undefined
}

/** Failures that are alike, whatever was asked of whom. */
export interface ErrorGroup {
  readonly state: string
  readonly source: string | null
  readonly status: number | null
  readonly endpoint: string
  readonly provider: string | null
  readonly count: number
  /** How many models they befell, and the one that most of them did. */
  readonly models: number
  readonly model: string
  readonly first: number
  readonly last: number
  readonly newest: number | undefined
  /** The shapes that it is made of, those first that were seen last. */
  readonly shapes: ReadonlyArray<number>
}

/** The commonest first. */
export const groupsOf = (
  counted: ReadonlyArray<CountedErrors>,
  known: ReadonlyMap<number, Shape>
): ReadonlyArray<ErrorGroup> => {
  const groups = new Map<string, { readonly shape: Shape; readonly parts: Array<CountedErrors> }>()
  for (const part of counted) {
    const shape = known.get(part.shape)
    if (shape === undefined || part.requests === 0) continue
    const name = ALIKE.map((column) => shape[column]).join("\0")
    const group = groups.get(name) ?? { shape, parts: [] }
    groups.set(name, group)
    group.parts.push(part)
  }
  return Array.from(groups.values(), ({ parts, shape }) => groupOf(shape, parts, known)).toSorted(
    (one, other) => other.count - one.count || other.last - one.last
  )
}

const groupOf = (
  { endpoint, error_source, provider, state, status }: Shape,
  parts: ReadonlyArray<CountedErrors>,
  known: ReadonlyMap<number, Shape>
): ErrorGroup => {
  const models = new Map<string, number>()
  for (const { requests, shape } of parts) {
    const found = known.get(shape)
    const model = found === undefined ? "" : modelOf(found)
    models.set(model, (models.get(model) ?? 0) + requests)
  }
  const newest = parts.flatMap(({ newest }) => newest ?? [])
  return {
    state,
    source: error_source || null,
    status: status === "" ? null : Number(status),
    endpoint,
    provider: provider || null,
    count: parts.reduce((sum, { requests }) => sum + requests, 0),
    models: models.size,
    model: Array.from(models).reduce((most, next) => (next[1] > most[1] ? next : most), ["", 0] as const)[0],
    first: parts.reduce((first, part) => Math.min(first, part.first), Infinity),
    last: parts.reduce((last, part) => Math.max(last, part.last), -Infinity),
    newest: newest.length === 0 ? undefined : newest.reduce((most, next) => Math.max(most, next)),
    shapes: Array.from(
      new Set(parts.toSorted((one, other) => other.last - one.last).map(({ shape }) => shape))
    )
  }
}

const ALIKE = ["state", "error_source", "status", "endpoint", "provider"] as const
