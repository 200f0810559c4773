import { PAGE_SIZE } from "../api/rows.ts"
import type { Row } from "../api/rows.ts"
import { matches, merged } from "../model/matches.ts"
import { INITIAL } from "../model/query.ts"
import type { Query } from "../model/query.ts"
import type { PageData } from "./page-data.ts"

/** Puts requests that have ended into the list, or into what waits for it. */
export const takeNews = (data: PageData, news: ReadonlyArray<Row>, mayMove: boolean): void => {
  const now = Date.now()
  recent = [...recent.filter(([at]) => at > now - LATELY), ...news.map((row) => [now, row] as const)]
  show(data, news, mayMove)
  // Figures are summed up anew now and then, not for each request.
  if (!document.hidden)
    data.figuresTimer ??= setTimeout(() => data.loadFigures(), Math.max(SOON, data.figuresAt + SELDOM - now))
}

/** A list that was asked for a moment ago may not have what ended meanwhile. */
export const takeLate = (data: PageData): void => {
  const rows = recent.filter(([at]) => at > Date.now() - LATELY).map(([, row]) => row)
  show(
    data,
    rows.filter((row) => matches(row, data.query) === "yes"),
    false
  )
}

/** Rows are shown at once where that moves nothing, or is wanted; others wait. */
const show = (data: PageData, news: ReadonlyArray<Row>, mayMove: boolean): void => {
  const { query, rows } = data
  const page = rows.value
  if (page === undefined) return
  const { items, total_is_capped, total_items } = page
  const known = new Set(items.map((row) => row.internal_request_id))
  const isKnown = (row: Row) => known.has(row.internal_request_id)
  const wanted = news.filter((row) => !isKnown(row) && matches(row, query) !== "no")
  const mayShow = isFirstPage(query) && (mayMove || items.length === 0)
  const shown = mayShow ? wanted.filter((row) => matches(row, query) === "yes") : []
  if (!mayShow) data.waiting += wanted.length
  else if (shown.length < wanted.length) data.listTimer ??= setTimeout(() => data.loadRows(), SOON * 2)
  if (shown.length > 0) data.bare.set(false)
  const updates = news.filter(isKnown)
  rows.set(
    updates.length + shown.length === 0
      ? page
      : {
          ...page,
          items: merged(items, [...updates, ...shown], PAGE_SIZE),
          total_items: total_is_capped ? total_items : total_items + shown.length
        }
  )
}

/** Only there do new rows belong to what is seen. */
const isFirstPage = ({ cursor, order, sort }: Query): boolean =>
  cursor === undefined && sort === INITIAL.sort && order === INITIAL.order

/** Requests that ended lately, with when that was heard of. */
let recent: ReadonlyArray<readonly [number, Row]> = []

/** Milliseconds. */
const SOON = 1000
const SELDOM = 10_000
const LATELY = 3000
