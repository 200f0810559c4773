import type { ReactiveController, ReactiveControllerHost } from "lit"
import { SignInNeeded } from "../api/client.ts"
import { readFacets } from "../api/facets.ts"
import type { Facets } from "../api/facets.ts"
import { readErrors, readSeries, readStats } from "../api/figures.ts"
import type { ErrorGroups, Series, Stats } from "../api/figures.ts"
import { PAGE_SIZE, readIsBare, readRows } from "../api/rows.ts"
import type { Row, Rows } from "../api/rows.ts"
import { matches, merged } from "../model/matches.ts"
import { filterParameters, INITIAL, listParameters } from "../model/query.ts"
import type { Query } from "../model/query.ts"
import { Load } from "./load.ts"

/** Everything the list and its figures show, and when it is asked for. */
export class PageData implements ReactiveController {
  readonly rows: Load<Rows>
  readonly facets: Load<Facets>
  readonly stats: Load<Stats>
  readonly series: Load<Series>
  readonly errors: Load<ErrorGroups>
  /** Whether the record has nothing at all; undefined while nobody knows. */
  readonly bare: Load<boolean>
  /** Rows that wait to be shown. */
  waiting = 0
  private readonly host: ReactiveControllerHost
  private readonly onSignInNeeded: () => void
  private query: Query
  /** Rows that ended a moment ago; a list that was asked for meanwhile may not have them yet. */
  private recent: ReadonlyArray<readonly [number, Row]> = []
  private figuresAt = 0
  private figuresTimer: ReturnType<typeof setTimeout> | undefined
  private listTimer: ReturnType<typeof setTimeout> | undefined

  constructor(host: ReactiveControllerHost, query: Query, onSignInNeeded: () => void) {
    this.host = host
    this.onSignInNeeded = onSignInNeeded
    this.query = query
    this.rows = new Load(host)
    this.facets = new Load(host)
    this.stats = new Load(host)
    this.series = new Load(host)
    this.errors = new Load(host)
    this.bare = new Load(host)
    host.addController(this)
  }

  hostDisconnected(): void {
    clearTimeout(this.figuresTimer)
    clearTimeout(this.listTimer)
  }

  /** What went wrong with the list, without which nothing can be shown. */
  get error(): Error | undefined {
    return this.rows.error
  }

  /** Asks for what the change from one query to the next makes necessary. */
  follow(next: Query): void {
    const former = this.query
    this.query = next
    const isOtherSet = String(filterParameters(next)) !== String(filterParameters(former))
    const isOtherList =
      isOtherSet ||
      String(listParameters(next)) !== String(listParameters(former)) ||
      next.cursor !== former.cursor
    if (isOtherSet) this.loadFigures()
    if (isOtherList) void this.loadRows()
  }

  /** Nothing of it stays, such as for somebody who has signed out. */
  forget(): void {
    for (const load of [this.rows, this.facets, this.stats, this.series, this.errors, this.bare])
      load.forget()
  }

  /** The list comes first: whoever has to sign in is asked once. */
  async loadAll(): Promise<void> {
    await this.loadRows()
    if (this.error === undefined) this.loadFigures()
  }

  async loadRows(): Promise<void> {
    const { query } = this
    clearTimeout(this.listTimer)
    this.listTimer = undefined
    const isThere = await this.rows.run((signal) => readRows(query, signal))
    if (this.error instanceof SignInNeeded) return this.onSignInNeeded()
    if (!isThere) return
    this.waiting = 0
    this.show(
      this.latest().filter((row) => matches(row, query) === "yes"),
      false
    )
    if (this.rows.value?.items.length !== 0) return this.bare.set(false)
    await this.bare.run(readIsBare)
    if (this.bare.value === true) await import("../later.ts")
  }

  loadFigures(): void {
    const { query } = this
    clearTimeout(this.figuresTimer)
    this.figuresTimer = undefined
    this.figuresAt = Date.now()
    void this.facets.run((signal) => readFacets(query, signal))
    void this.stats.run((signal) => readStats(query, signal))
    void this.series.run((signal) => readSeries(query, signal))
    void this.errors.run((signal) => readErrors(query, signal))
  }

  /** Requests have ended. */
  take(news: ReadonlyArray<Row>, mayMove: boolean): void {
    this.latest(news)
    this.show(news, mayMove)
    this.loadFiguresSoon()
  }

  private latest(news: ReadonlyArray<Row> = []): ReadonlyArray<Row> {
    const now = Date.now()
    this.recent = [
      ...this.recent.filter(([at]) => at > now - LATELY),
      ...news.map((row) => [now, row] as const)
    ]
    return this.recent.map(([, row]) => row)
  }

  /** Rows of the list are shown at once where that moves nothing, or is wanted; others wait. */
  private show(news: ReadonlyArray<Row>, mayMove: boolean): void {
    const page = this.rows.value
    if (page === undefined) return
    const known = new Set(page.items.map((row) => row.internal_request_id))
    const others = news.filter((row) => !known.has(row.internal_request_id))
    const wanted = others.filter((row) => matches(row, this.query) !== "no")
    const isEmpty = page.items.length === 0
    const mayShow = isFirstPage(this.query) && (mayMove || isEmpty)
    const shown = mayShow ? wanted.filter((row) => matches(row, this.query) === "yes") : []
    if (mayShow && shown.length < wanted.length) this.loadRowsSoon()
    const updates = news.filter((row) => known.has(row.internal_request_id))
    if (updates.length + shown.length > 0) {
      const items = merged(page.items, [...updates, ...shown], PAGE_SIZE)
      this.rows.set({ ...page, items, total: page.isCapped ? page.total : page.total + shown.length })
    }
    if (shown.length > 0) this.bare.set(false)
    if (!mayShow) this.waiting += wanted.length
    this.host.requestUpdate()
  }

  /** Figures are summed up anew now and then, not for each request. */
  private loadFiguresSoon(): void {
    if (this.figuresTimer !== undefined || document.hidden) return
    const wait = Math.max(SOON, this.figuresAt + SELDOM - Date.now())
    this.figuresTimer = setTimeout(() => this.loadFigures(), wait)
  }

  private loadRowsSoon(): void {
    this.listTimer ??= setTimeout(() => void this.loadRows(), SOON * 2)
  }
}

/** Only there do new rows belong to what is seen. */
const isFirstPage = ({ cursor, order, sort }: Query): boolean =>
  cursor === undefined && sort === INITIAL.sort && order === INITIAL.order

/** Milliseconds. */
const SOON = 1000
const SELDOM = 10_000
const LATELY = 3000
