// Styles beside each other are smaller when they are compressed.
import { shared } from "./styles/shared.ts"
import { page } from "./styles/page.ts"
import { figures } from "./styles/figures.ts"
import "./styles/table.ts"
import { html } from "lit/html.js"
import { signOut } from "./api/client.ts"
import { pageLinkOf } from "./controllers/links.ts"
import { LiveFeed } from "./controllers/live-feed.ts"
import { PageData } from "./controllers/page-data.ts"
import { Stored } from "./controllers/stored.ts"
import { UrlState } from "./controllers/url-state.ts"
import { Component, define } from "./element.ts"
import type { Go, Wish } from "./events.ts"
import { pauseOf } from "./model/pause.ts"
import { parse } from "./model/query.ts"
import type { Query } from "./model/query.ts"
import { listView } from "./parts/list-view.ts"
import { readTheme, topBar } from "./parts/top-bar.ts"
import { fetchLater, later } from "./soon.ts"

/** The page: it alone knows what is shown and changes it; its parts show what it has and say what is wanted. */
export class App extends Component {
  protected override readonly styles = [shared, page, figures]
  readonly go: Go = (change, replace) => this.url.change(change, replace)
  private readonly url = new UrlState((query, former) => this.follow(query, former))
  readonly data = new PageData(this, this.url.query, () => this.leave(this.data.rows.error?.message))
  readonly live = new LiveFeed(this, {
    url: "/ui/tracking_live",
    onDone: (rows) => this.data.take(rows, this.isTailing),
    onSnapshot: (isFirst) => void (isFirst || this.data.loadAll())
  })
  readonly theme = new Stored(this, "theme", readTheme)
  /** Why somebody has to sign in; nobody has to where there is none. */
  reason: string | undefined
  private notice = ""
  private timer: ReturnType<typeof setTimeout> | undefined
  private feedState = this.live.state
  private hasAsked = false

  override connectedCallback() {
    super.connectedCallback()
    addEventListener("keydown", this.press)
    document.addEventListener("visibilitychange", this.showNewIfTailing)
    void this.data.loadAll()
  }

  protected override render() {
    const { query } = this
    const isOpen = query.selected !== undefined && query.view === "requests"
    const isAlone = isOpen && query.alone
    if (this.reason !== undefined) return later?.signInView(this)
    return html`<div @percept-wish=${this.grant} @click=${this.followLink}>
      ${topBar(this)}
      <div class="page ${isAlone ? "alone" : isOpen ? "open" : query.view}">
        ${isAlone || query.view === "media" ? later?.aloneView(this) : listView(this)}
        ${isOpen && !isAlone ? later?.besideView(this) : ""}
      </div>
      ${later?.help()}
      <div role="status" class="notice">${this.notice}</div>
    </div>`
  }

  get query(): Query {
    return this.url.query
  }

  /** Why new rows do not come in by themselves, although they should. */
  get pause(): string | undefined {
    return pauseOf(this.query, document.hidden)
  }

  readonly say = (notice: string) => {
    clearTimeout(this.timer)
    this.notice = notice
    this.requestUpdate()
    if (notice) this.timer = setTimeout(this.say, 2500, "")
  }

  /** What is not needed at first comes when it is; another version of the server has other files. */
  readonly fetch = async () => {
    this.hasAsked = true
    if (!(await fetchLater())) this.say("The server has another version of this page: please load it anew")
    this.requestUpdate()
    this.table?.requestUpdate()
  }

  readonly help = async () => {
    await this.fetch()
    await this.updateComplete
    this.renderRoot.querySelector("dialog")?.showModal()
  }

  readonly showNew = () => {
    if (this.query.cursor === undefined) void this.data.loadRows()
    else this.go({ cursor: undefined })
  }

  step(by: 1 | -1): boolean {
    const row = this.table?.step(by)
    if (row && this.query.selected !== undefined) this.go({ selected: row.internal_request_id }, true)
    return row !== undefined
  }

  leave(reason = ""): void {
    signOut()
    this.reason = reason
    this.live.stop()
    this.data.forget()
  }

  readonly enter = () => {
    this.reason = undefined
    void this.data.loadAll()
    this.live.start()
  }

  private readonly press = (event: KeyboardEvent) => {
    const path = event.composedPath()
    if (later) later.press(this, event, path)
    else void fetchLater().then((there) => there?.press(this, event, path))
  }

  private readonly grant = ({ detail: { change, notice, replace, step } }: CustomEvent<Wish>) => {
    if (change) this.go(change, replace)
    if (notice) this.say(notice)
    if (step) this.step(step)
  }

  private readonly followLink = (event: MouseEvent) => {
    const link = pageLinkOf(event)
    if (link) this.go(parse(link.pathname, link.search))
  }

  private get isTailing(): boolean {
    return this.query.tail && !this.pause
  }

  private get table() {
    return this.renderRoot.querySelector("percept-table")
  }

  private follow(query: Query, former: Query): void {
    this.hasAsked = later !== undefined
    this.data.follow(query)
    this.showNewIfTailing()
    if (former.selected !== undefined && query.selected === undefined)
      void this.updateComplete.then(() => this.table?.focusRow(former.selected))
  }

  private readonly showNewIfTailing = () => {
    if (this.isTailing && this.data.waiting > 0) this.showNew()
    else this.requestUpdate()
  }

  protected override willUpdate() {
    const { data, live, query, reason, styles } = this
    if (later && !styles.includes(later.late)) {
      styles.push(later.late)
      this.renderRoot.adoptedStyleSheets = styles
    }
    const { state } = live
    const isAsked = query.columns ?? query.selected ?? live.ongoing[0] ?? reason ?? query.view === "media"
    if ((isAsked || reason === "") && !this.hasAsked) void this.fetch()
    // Whether it is the server that is gone, or only its feed, the list shows.
    const isOther = state !== this.feedState
    this.feedState = state
    if (isOther && (state === "lost" || (state === "live" && data.rows.error))) void data.loadRows()
  }

  protected override updated() {
    document.documentElement.dataset["theme"] = this.theme.value
    const { error, pending, value } = this.data.rows
    // Whoever has gone back to the first page is to see what is new there.
    const isBack = this.query.cursor !== undefined && value?.prev_cursor === null
    if (isBack && !pending && !error) this.go({ cursor: undefined }, true)
  }
}

define("percept-app", App)
