import { html, LitElement, nothing } from "lit"
import { signOut } from "./api/client.ts"
import { appStyles } from "./app.styles.ts"
import { Keys, pageLinkOf } from "./controllers/keys.ts"
import { LiveFeed } from "./controllers/live-feed.ts"
import { PageData } from "./controllers/page-data.ts"
import { SearchField } from "./controllers/search-field.ts"
import { Stored } from "./controllers/stored.ts"
import { UrlState } from "./controllers/url-state.ts"
import type { ChangeQuery, Go, Notice, StepRow } from "./events.ts"
import { pauseOf } from "./model/pause.ts"
import { parse } from "./model/query.ts"
import type { Query } from "./model/query.ts"
import { help } from "./parts/help.ts"
import { listView } from "./parts/list-view.ts"
import { readViews } from "./parts/saved-views.ts"
import { readTheme, showTheme, topBar } from "./parts/top-bar.ts"

/** The page: it alone knows what is shown and changes it; its parts get what they show and say what is wanted. */
class App extends LitElement {
  static override properties = { notice: { state: true }, isOut: { state: true } }
  declare notice: string
  /** Somebody has to sign in. */
  declare isOut: boolean

  static override styles = appStyles
  private readonly go: Go = (change, replace) => this.url.change(change, replace)
  private readonly url = new UrlState(this, (query, former) => this.follow(query, former))
  private readonly data = new PageData(this, this.url.query, () => this.leave(this.data.error?.message))
  private readonly live = new LiveFeed(this, {
    url: "/ui/tracking_live",
    onDone: (rows) => this.data.take(rows, this.isTailing),
    onSnapshot: (isFirst) => void (isFirst || this.data.loadAll())
  })
  private readonly search = new SearchField(this, () => this.url.query.search, this.go)
  private readonly theme = new Stored(this, "theme", readTheme)
  private readonly views = new Stored(this, "views", readViews)
  private readonly say = (text: string) => {
    clearTimeout(this.timer)
    this.notice = text
    this.timer = setTimeout(() => (this.notice = ""), 2500)
  }
  private timer: ReturnType<typeof setTimeout> | undefined
  private feedState = this.live.state
  private reason = ""

  constructor() {
    super()
    this.notice = ""
    this.isOut = false
    this.addController(
      new Keys(this, {
        j: () => this.step(1),
        k: () => this.step(-1),
        ArrowDown: () => this.step(1),
        ArrowUp: () => this.step(-1),
        Escape: () => this.go({ selected: undefined }),
        "/": () => this.search.input?.select(),
        l: () => this.go({ tail: !this.url.query.tail }),
        r: () => this.data.loadAll(),
        "[": () => this.turn(this.data.rows.value?.previous),
        "]": () => this.turn(this.data.rows.value?.next),
        "?": this.help
      })
    )
  }

  override connectedCallback() {
    super.connectedCallback()
    document.addEventListener("visibilitychange", this.showNewIfTailing)
    this.fetchParts(this.url.query)
    void this.data.loadAll()
  }

  override disconnectedCallback() {
    super.disconnectedCallback()
    document.removeEventListener("visibilitychange", this.showNewIfTailing)
  }

  override render() {
    if (this.isOut)
      return html`<main>
        <percept-sign-in .reason=${this.reason} @signed-in=${this.enter}></percept-sign-in>
      </main>`
    const { data, go, live, say, search, url, views } = this
    const { query } = url
    const isOpen = query.selected !== undefined && query.view === "requests"
    return html`<div
      @percept-query=${(event: ChangeQuery) => go(event.change, event.replace)}
      @percept-step=${(event: StepRow) => this.step(event.by)}
      @percept-notice=${(event: Notice) => say(event.text)}
      @percept-show-new=${this.showNew}
      @click=${this.followLink}
    >
      ${topBar(query, this.theme, {
        go,
        help: this.help,
        skip: () => this.renderRoot.querySelector("main")?.focus(),
        signOut: () => this.leave("")
      })}
      <div class="page ${isOpen ? (query.alone ? "alone" : "open") : query.view}">
        ${
          query.view === "media"
            ? html`<main tabindex="-1">
                <percept-media
                  .medium=${query.medium}
                  .search=${query.search}
                  .utc=${query.utc}
                ></percept-media>
              </main>`
            : isOpen && query.alone
              ? html`<main tabindex="-1">${this.drawer(query)}</main>`
              : listView(data, live, query, pauseOf(query, document.hidden), { go, say, search, views })
        }
        ${isOpen && !query.alone ? html`<aside class="drawer" aria-label="Request">${this.drawer(query)}</aside>` : nothing}
      </div>
      ${help()}
      <div role="status" class="notice">${this.notice}</div>
    </div>`
  }

  private drawer(query: Query) {
    const is = ({ internal_request_id: id }: { readonly internal_request_id: string }) =>
      id === query.selected
    return html`<percept-drawer
      ?full=${query.alone}
      .id=${query.selected}
      .row=${this.data.rows.value?.items.find(is)}
      .ongoing=${this.live.ongoing.find(is)}
      .utc=${query.utc}
    ></percept-drawer>`
  }

  private get isTailing(): boolean {
    return this.url.query.tail && pauseOf(this.url.query, document.hidden) === undefined
  }

  private get table() {
    return this.renderRoot.querySelector("percept-table")
  }

  private follow(query: Query, former: Query): void {
    this.fetchParts(query)
    this.data.follow(query)
    this.showNewIfTailing()
    if (former.selected !== undefined && query.selected === undefined)
      void this.updateComplete.then(() => this.table?.focusRow(former.selected))
  }

  private readonly followLink = (event: MouseEvent) => {
    const link = pageLinkOf(event)
    if (link !== undefined) this.go(parse(link.pathname, link.search))
  }

  private step(by: 1 | -1): boolean {
    const row = this.table?.step(by)
    if (row !== undefined && this.url.query.selected !== undefined)
      this.go({ selected: row.internal_request_id }, true)
    return row !== undefined
  }

  private turn(cursor: string | undefined): void {
    if (cursor !== undefined) this.go({ cursor })
  }

  private readonly showNew = () => {
    if (this.url.query.cursor === undefined) void this.data.loadRows()
    else this.go({ cursor: undefined })
  }

  private readonly showNewIfTailing = () => {
    if (this.isTailing && this.data.waiting > 0) this.showNew()
    else this.requestUpdate()
  }

  private readonly help = () => this.renderRoot.querySelector("dialog")?.showModal()

  private readonly enter = () => {
    this.isOut = false
    void this.data.loadAll()
    this.live.start()
  }

  private leave(reason = ""): void {
    this.fetchLater()
    signOut()
    this.reason = reason
    this.isOut = true
    this.live.stop()
    this.data.forget()
  }

  /** What is not needed at first comes when it is. */
  private fetchParts({ selected, view }: Query): void {
    if (view === "media" || selected !== undefined) this.fetchLater()
  }

  /** Another version of the server has other files. */
  private fetchLater(): void {
    import("./later.ts").catch(() =>
      this.say("The server has another version of this page: please load it anew")
    )
  }

  /** Whether it is the server that is gone, or only its feed, the list shows. */
  override willUpdate() {
    const { state } = this.live
    const isOther = state !== this.feedState
    this.feedState = state
    if (isOther && (state === "lost" || (state === "live" && this.data.error))) void this.data.loadRows()
  }

  override updated() {
    showTheme(this.theme.value)
    const { error, pending, value } = this.data.rows
    // Whoever has gone back to the first page is to see what is new there.
    const isBack = this.url.query.cursor !== undefined && value?.previous === undefined
    if (isBack && value && !pending && !error) this.go({ cursor: undefined }, true)
  }
}

customElements.define("percept-app", App)
