import { Refused } from "../api/client.ts"
import { cut, readFigures } from "../api/figures.ts"
import type { ErrorGroups, Facets, Series, Stats } from "../api/figures.ts"
import { readIsBare, readRows } from "../api/rows.ts"
import type { Row, Rows } from "../api/rows.ts"
import type { Host } from "../element.ts"
import { filterParameters, listParameters } from "../model/query.ts"
import type { Query } from "../model/query.ts"
import { fetchLater, later } from "../soon.ts"
import { Load } from "./load.ts"

/** Everything the list and its figures show, and when it is asked for. */
export class PageData {
  readonly rows: Load<Rows>
  readonly facets: Load<Facets>
  readonly stats: Load<Stats>
  readonly series: Load<Series>
  readonly errors: Load<ErrorGroups>
  /** Whether the record has nothing at all; undefined while nobody knows. */
  readonly bare: Load<boolean>
  /** Rows that wait to be shown. */
  waiting = 0
  query: Query
  /** When the figures were asked for, and when they and the list will be. */
  figuresAt = 0
  figuresTimer: Timer
  listTimer: Timer
  private readonly host: Host
  private readonly onSignInNeeded: () => void

  constructor(host: Host, query: Query, onSignInNeeded: () => void) {
    this.host = host
    this.onSignInNeeded = onSignInNeeded
    this.query = query
    this.rows = new Load(host)
    this.facets = new Load(host)
    this.stats = new Load(host)
    this.series = new Load(host)
    this.errors = new Load(host)
    this.bare = new Load(host)
  }

  /** Asks for what the change from one query to the next makes necessary. */
  follow(next: Query): void {
    const [setBefore, listBefore] = asked(this.query)
    const [set, list] = asked(next)
    this.query = next
    if (set !== setBefore) this.loadFigures()
    if (list !== listBefore) void this.loadRows()
  }

  /** Nothing of it stays, such as for somebody who has signed out. */
  forget(): void {
    for (const part of Object.values(this)) if (part instanceof Load) part.forget()
  }

  /** The list comes first: whoever has to sign in is asked once. */
  async loadAll(): Promise<void> {
    await this.loadRows()
    if (this.rows.error === undefined) this.loadFigures()
  }

  async loadRows(): Promise<void> {
    const { bare, query, rows } = this
    clearTimeout(this.listTimer)
    this.listTimer = undefined
    const isThere = await rows.run((signal) => readRows(query, signal))
    if (rows.error instanceof Refused && rows.error.status === 401) return this.onSignInNeeded()
    if (!isThere) return
    this.waiting = 0
    later?.takeLate(this)
    if (rows.value?.items.length !== 0) return bare.set(false)
    await Promise.all([bare.run(readIsBare), fetchLater()])
    this.host.requestUpdate()
  }

  loadFigures(): void {
    const { query } = this
    clearTimeout(this.figuresTimer)
    this.figuresTimer = undefined
    this.figuresAt = Date.now()
    void this.facets.run((signal) => readFigures("facets", "facets", query, signal))
    void this.stats.run((signal) => readFigures("stats", "totals", query, signal))
    void this.series.run((signal) => readFigures<Series>("series", "buckets", query, signal).then(cut))
    void this.errors.run((signal) => readFigures("errors", "groups", query, signal))
  }

  /** Requests have ended. */
  async take(news: ReadonlyArray<Row>, mayMove: boolean): Promise<void> {
    await fetchLater()
    later?.takeNews(this, news, mayMove)
  }
}

/** Which requests a query means, and which list of them. */
const asked = (query: Query) => [String(filterParameters(query)), `${listParameters(query)} ${query.cursor}`]

type Timer = ReturnType<typeof setTimeout> | undefined
