import { Either } from "effect"
import { InvalidRequest } from "../Errors.ts"
import * as Money from "../Money.ts"
import * as Cursor from "./Cursor.ts"
import type { Shape } from "./Shape.ts"
import { SORT_COLUMNS, sortColumn } from "./SortColumns.ts"
import type { SortColumn } from "./SortColumns.ts"
import * as Filters from "./ShapeFilter.ts"

/** What is asked of the record: which rows, in which order, which part of them. */
export interface RecordQuery {
  /** What shapes are picked by; none of it picks all. */
  readonly shapes: Filters.ShapeFilters
  readonly ips: ReadonlyArray<string>
  readonly minCost: Money.NanoDollars | undefined
  readonly minMillis: number | undefined
  /** Whether its media were remembered. */
  readonly cache: "hit" | "miss" | undefined
  /** Milliseconds since 1970, the first included, the last not. */
  readonly from: number | undefined
  readonly to: number | undefined
  readonly search: string | undefined
  readonly sort: SortColumn
  readonly descending: boolean
  readonly page: number
  readonly pageSize: number
  readonly place: Cursor.Place | undefined
  /** Everything that decides which rows are listed and in which order, as text: equal for equal questions. */
  readonly question: string
}

/** Reads the parameters of an address; what is wrong with one is said with its name. */
export const parse = (parameters: URLSearchParams, now: number): Either.Either<RecordQuery, InvalidRequest> =>
  Either.gen(function* () {
    const one = (name: string) => single(parameters, name)
    const shapes: Array<readonly [keyof Shape, ReadonlyArray<string>]> = []
    for (const [name, { column, read }] of Filters.PARAMETERS) {
      const values: Array<string> = []
      for (const text of yield* several(parameters, name)) {
        const value = read(text)
        if (value === undefined) return yield* wrong(name, `must be ${Filters.wordsFor(name)}`)
        values.push(value)
      }
      if (values.length > 0) shapes.push([column, Filters.spelledOut(values)])
    }
    const ips = yield* several(parameters, "ip")
    const minCost = yield* read(one("min_cost"), "min_cost", "an amount of dollars, such as 0.05", dollars)
    const minMillis = yield* read(one("min_ms"), "min_ms", MILLIS, whole(0, LONGEST_DURATION))
    const cache = yield* read(one("cache"), "cache", "hit or miss", oneOf("hit", "miss"))
    const span = yield* rangeOf(one, now)
    const search = yield* one("q")
    const order = yield* read(one("sort_order"), "sort_order", "asc or desc", oneOf("asc", "desc"))
    const sort = yield* read(one("sort_by"), "sort_by", SORTABLE, sortColumn)
    const page = yield* read(one("page"), "page", "a whole number from 1 on", whole(1, 1e12))
    const pageSize = yield* read(
      one("page_size"),
      "page_size",
      `a whole number from 1 to ${LARGEST_PAGE}`,
      whole(1, LARGEST_PAGE)
    )
    const asked = {
      shapes: new Map(shapes),
      ips: ips.toSorted(),
      minCost,
      minMillis,
      cache,
      search: search?.trim() === "" ? undefined : search?.trim(),
      sort: sort ?? "id",
      descending: order !== "asc"
    }
    const question = JSON.stringify([
      { ...asked, shapes },
      yield* one("range"),
      yield* one("from"),
      yield* one("to")
    ])
    const place = yield* placeOf(yield* one("cursor"), question, asked.sort)
    return { ...asked, ...span, page: page ?? 1, pageSize: pageSize ?? USUAL_PAGE, place, question }
  })

/** The same without the filters of some columns, as a facet counts: with all filters but its own. */
export const without = (query: RecordQuery, ...columns: ReadonlyArray<keyof Shape>): RecordQuery => ({
  ...query,
  shapes: new Map(Array.from(query.shapes).filter(([column]) => !columns.includes(column)))
})

/** Requests of clients alone, unless kinds are asked for: side calls stand under their parents. */
export const mainByDefault = (query: RecordQuery): RecordQuery =>
  query.shapes.has("kind")
    ? query
    : { ...query, shapes: new Map([...query.shapes, ["kind", ["main"]] as const]) }

/** Whether shapes and time decide alone, so that sums by shape know all about it. */
export const isOfShapes = ({ cache, ips, minCost, minMillis, search }: RecordQuery): boolean =>
  ips.length === 0 &&
  cache === undefined &&
  minCost === undefined &&
  minMillis === undefined &&
  search === undefined

const rangeOf = (one: (name: string) => Either.Either<string | undefined, InvalidRequest>, now: number) =>
  Either.gen(function* () {
    const range = yield* read(one("range"), "range", Object.keys(RANGES).join(", "), (text) =>
      Object.hasOwn(RANGES, text) ? RANGES[text] : undefined
    )
    const from = yield* read(one("from"), "from", TIME, moment)
    const to = yield* read(one("to"), "to", TIME, moment)
    if (range !== undefined && (from !== undefined || to !== undefined))
      return yield* wrong("range", "cannot stand beside from and to")
    if (from !== undefined && to !== undefined && from > to)
      return yield* wrong("from", "must not be after to")
    const back = range ?? Infinity
    return { from: Number.isFinite(back) ? now - back : from, to }
  })

const placeOf = (word: string | undefined, question: string, sort: SortColumn) => {
  if (word === undefined) return Either.right(undefined)
  const place = Cursor.decode(question, word)
  return place === undefined || (place.value !== null && typeof place.value !== typeOf(sort))
    ? wrong("cursor", "is not one of this list: it belongs to other filters or another order, or is damaged")
    : Either.right(place)
}

const typeOf = (column: SortColumn) => (SORT_COLUMNS[column] === "number" ? "number" : "string")

const single = (
  parameters: URLSearchParams,
  name: string
): Either.Either<string | undefined, InvalidRequest> => {
  const values = given(parameters, name)
  if (values.length > 1) return wrong(name, "may stand there once")
  const most = name === "cursor" ? LONGEST_CURSOR : LONGEST
  return (values[0]?.length ?? 0) > most
    ? wrong(name, `may have ${most} characters`)
    : Either.right(values[0])
}

const several = (
  parameters: URLSearchParams,
  name: string
): Either.Either<ReadonlyArray<string>, InvalidRequest> => {
  const values = given(parameters, name)
  if (values.length > MOST_VALUES) return wrong(name, `may stand there ${MOST_VALUES} times`)
  return values.some((value) => value.length > LONGEST)
    ? wrong(name, `may have ${LONGEST} characters`)
    : Either.right(Array.from(new Set(values)))
}

const given = (parameters: URLSearchParams, name: string): ReadonlyArray<string> =>
  parameters.getAll(name).flatMap((value) => (value === "" ? [] : [withoutNul(value)]))

/** No database keeps a NUL; rows have this in its place. */
export const withoutNul = (text: string): string => text.replaceAll("\0", "\uFFFD")

const read = <A>(
  text: Either.Either<string | undefined, InvalidRequest>,
  name: string,
  wanted: string,
  reader: (text: string) => A | undefined
): Either.Either<A | undefined, InvalidRequest> =>
  Either.flatMap(text, (text) => {
    const value = text === undefined ? undefined : reader(text)
    return text !== undefined && value === undefined ? wrong(name, `must be ${wanted}`) : Either.right(value)
  })

const whole =
  (least: number, most: number) =>
  (text: string): number | undefined =>
    /^\d{1,15}$/.test(text) && Number(text) >= least && Number(text) <= most ? Number(text) : undefined

const oneOf =
  <const Names extends ReadonlyArray<string>>(...names: Names) =>
  (text: string): Names[number] | undefined =>
    names.find((name) => name === text.toLowerCase())

const dollars = (text: string): Money.NanoDollars | undefined => {
  const amount = /^[\d.]{1,20}$/.test(text) ? Money.fromDollars(text) : undefined
  return amount !== undefined && amount >= 0 ? amount : undefined
}

/** A moment in milliseconds: ISO 8601, or seconds or milliseconds since 1970. */
const moment = (text: string): number | undefined => {
  if (/^\d{1,14}$/.test(text)) return Number(text) < 1e11 ? Number(text) * 1000 : Number(text)
  const millis = /^\d{4}-\d\d(?:-\d\d|$)/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(millis) ? undefined : millis
}

const wrong = (name: string, problem: string): Either.Either<never, InvalidRequest> =>
  Either.left(new InvalidRequest({ message: `'${name}' ${problem}.`, param: name, code: null }))

const MINUTE = 60_000
const RANGES: { readonly [name: string]: number } = {
  "15m": 15 * MINUTE,
  "1h": 60 * MINUTE,
  "6h": 360 * MINUTE,
  "24h": 1440 * MINUTE,
  "7d": 7 * 1440 * MINUTE,
  "30d": 30 * 1440 * MINUTE,
  all: Infinity
}
const SORTABLE = "a column of the list, such as timestamp, cost_usd or processing_duration_ms"
const TIME = "a time such as 2026-01-31T12:00:00Z, or seconds since 1970"
/** What a column of milliseconds holds at most on every database. */
const LONGEST_DURATION = 2_147_483_647
const MILLIS = `a number of milliseconds, ${LONGEST_DURATION} at most`
const LARGEST_PAGE = 100
const USUAL_PAGE = 50
const LONGEST = 500
const LONGEST_CURSOR = 12_000
const MOST_VALUES = 100
