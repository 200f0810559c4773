import { cut, readFigures } from "../api/figures.ts"
import type { ErrorGroups, Facets, Series, Stats } from "../api/figures.ts"
import { readIsBare, readRows } from "../api/rows.ts"
import type { Row, Rows } from "../api/rows.ts"
import { filterParameters, listParameters } from "../model/query.ts"
import { fetchLater, later } from "../soon.ts"
import { Load } from "./load.ts"
import { query } from "./place.ts"

/** Everything the list and its figures show. */
export const rows = new Load<Rows>()
export const facets = new Load<Facets>()
export const stats = new Load<Stats>()
export const series = new Load<Series>()
export const errors = new Load<ErrorGroups>()
/** Whether the record has nothing at all; undefined while nobody knows. */
export const bare = new Load<boolean>()
/** Rows that wait to be shown. */
export let waiting = 0

/** When the figures were asked for. */
let figuresAt = 0
let figuresTimer: Timer
let listTimer: Timer

/** Asks for what the change from one query to the next makes necessary. */
export const follow = (): void => {
  const [figures, list] = asked
  asked = questions()
  if (asked[0] !== figures) loadFigures()
  if (asked[1] !== list) void loadRows()
}

/** Nothing of it stays, such as for somebody who has signed out. */
export const forget = (): void => {
  for (const part of [rows, facets, stats, series, errors, bare]) part.forget()
}

/** The list comes first: whoever has to sign in is asked once. */
export const loadAll = async (): Promise<void> => {
  if (await loadRows()) loadFigures()
}

/** True once the list is there. */
export const loadRows = async (): Promise<boolean> => {
  clearTimeout(listTimer)
  listTimer = undefined
  if (!(await rows.run((signal) => readRows(query, signal)))) return false
  waiting = 0
  later?.takeLate()
  if (rows.value?.items.length !== 0) bare.set(false)
  else await Promise.all([bare.run(readIsBare), fetchLater()])
  return true
}

export const loadFigures = (): void => {
  const asking = query
  clearTimeout(figuresTimer)
  figuresTimer = undefined
  figuresAt = Date.now()
  void facets.run((signal) => readFigures("facets", "facets", asking, signal))
  void stats.run((signal) => readFigures("stats", "totals", asking, signal))
  void series.run((signal) => readFigures<Series>("series", "buckets", asking, signal).then(cut))
  void errors.run((signal) => readFigures("errors", "groups", asking, signal))
}

/** Requests have ended. */
export const take = async (news: ReadonlyArray<Row>, mayMove: boolean): Promise<void> => {
  await fetchLater()
  later?.takeNews(news, mayMove)
}

/** So many more wait to be shown. */
export const wait = (count: number): void => {
  waiting += count
}

/** Figures are summed up anew now and then, not for each request. */
export const loadFiguresSoon = (): void => {
  figuresTimer ??= setTimeout(loadFigures, Math.max(SOON, figuresAt + SELDOM - Date.now()))
}

export const loadRowsSoon = (): void => {
  listTimer ??= setTimeout(loadRows, SOON * 2)
}

/** Which requests a query means, and which list of them. */
const questions = () => [String(filterParameters(query)), `${listParameters(query)} ${query.cursor}`]

let asked = questions()

type Timer = ReturnType<typeof setTimeout> | undefined

/** Milliseconds. */
const SOON = 1000
const SELDOM = 10_000
