import { PAGE_SIZE } from "../api/rows.ts"
import type { Row } from "../api/rows.ts"
import { matches, merged } from "../model/matches.ts"
import { INITIAL } from "../model/query.ts"
import { bare, loadFiguresSoon, loadRowsSoon, rows, wait } from "./data.ts"
import { query } from "./place.ts"

/** Puts requests that have ended into the list, or into what waits for it. */
export const takeNews = (news: ReadonlyArray<Row>, mayMove: boolean): void => {
  const now = Date.now()
  recent = [...recent.filter(([at]) => at > now - LATELY), ...news.map((row) => [now, row] as const)]
  show(news, mayMove)
  if (!document.hidden) loadFiguresSoon()
}

/** A list that was asked for a moment ago may not have what ended meanwhile. */
export const takeLate = (): void => {
  const late = recent.filter(([at]) => at > Date.now() - LATELY).map(([, row]) => row)
  show(
    late.filter((row) => matches(row, query) === "yes"),
    false
  )
}

/** Rows are shown at once where that moves nothing, or is wanted; others wait. */
const show = (news: ReadonlyArray<Row>, mayMove: boolean): void => {
  const page = rows.value
  if (!page) return
  const { items, total_is_capped, total_items } = page
  const known = new Set(items.map((row) => row.internal_request_id))
  const isKnown = (row: Row) => known.has(row.internal_request_id)
  const wanted = news.filter((row) => !isKnown(row) && matches(row, query) !== "no")
  const { cursor, order, sort } = query
  // Only there do new rows belong to what is seen.
  const isFirstPage = !cursor && sort === INITIAL.sort && order === INITIAL.order
  const mayShow = isFirstPage && (mayMove || items.length === 0)
  const shown = mayShow ? wanted.filter((row) => matches(row, query) === "yes") : []
  if (!mayShow) wait(wanted.length)
  else if (shown.length < wanted.length) loadRowsSoon()
  if (shown.length > 0) bare.set(false)
  rows.set({
    ...page,
    items: merged(items, [...news.filter(isKnown), ...shown], PAGE_SIZE),
    total_items: total_is_capped ? total_items : total_items + shown.length
  })
}

/** Requests that ended lately, with when that was heard of. */
let recent: ReadonlyArray<readonly [number, Row]> = []

/** Milliseconds. */
const LATELY = 3000
