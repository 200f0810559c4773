import { html, nothing } from "lit/html.js"
import { bodyPath, readBody, readDetail } from "../api/detail.ts"
import type { Detail, Which } from "../api/detail.ts"
import { download } from "../api/download.ts"
import type { Ongoing } from "../api/live.ts"
import type { Row } from "../api/rows.ts"
import { Load } from "../controllers/load.ts"
import { Component, define } from "../element.ts"
import type { Changes } from "../element.ts"
import { wish } from "../events.ts"
import { duration } from "../format/duration.ts"
import "../media/media.ts"
import { icon } from "../parts/icon.ts"
import type { IconName } from "../parts/icon.ts"
import { shared } from "../styles/shared.ts"
import { copy, copyCurl } from "./actions.ts"
import { answered, asked } from "./conversation.ts"
import { parsed } from "./json-nodes.ts"
import type { Opened } from "./json-tree.ts"
import { readKnown } from "./known.ts"
import type { Known } from "./known.ts"
import { requestPath } from "./link.ts"
import { messagesView } from "./messages.ts"
import { errorCard, overview, sideCalls } from "./overview.ts"
import { button, rawView } from "./raw.ts"
import { sightingsView } from "./sightings.ts"
import { drawerStyles, panel } from "./styles.ts"
import { waterfallView } from "./waterfall.ts"
import { waterfall } from "./waterfall-rows.ts"

/** One request, from its answer down to its bytes, beside the list it was chosen from. */
class Drawer extends Component {
  /** Its id. */
  declare request: string
  declare row: Row | undefined
  declare ongoing: Ongoing | undefined
  declare utc: boolean
  /** It has the page to itself. */
  declare full: boolean
  protected override readonly styles = [shared, panel, drawerStyles]
  private readonly detail = new Load<Detail>(this)
  private readonly known = new Load<Known>(this)
  /** The texts, read. */
  private values: { readonly [which in Which]?: unknown } = {}
  private open = new Set<string>()
  private clock: ReturnType<typeof setInterval> | undefined

  override connectedCallback(): void {
    super.connectedCallback()
    // Arrows scroll here, where they step through the list elsewhere.
    this.toggleAttribute("data-arrows", true)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    clearInterval(this.clock)
  }

  protected override willUpdate(changed: Changes): void {
    const isOther = changed.has("request")
    if (isOther) {
      this.detail.set(undefined)
      this.known.set(undefined)
      this.open = new Set()
    }
    if (isOther || (changed.get("ongoing") && !this.ongoing)) void this.load()
    if (!changed.has("ongoing")) return
    clearInterval(this.clock)
    if (this.ongoing) this.clock = setInterval(() => this.requestUpdate(), 250)
  }

  protected override updated(changed: Changes): void {
    if (changed.has("request")) this.parentElement?.scrollTo(0, 0)
    if (changed.has("request") && !changed.get("request")) this.renderRoot.querySelector("h2")?.focus()
  }

  protected override render() {
    const { ongoing, request: id } = this
    const { error, value } = this.detail
    const row = value ?? (this.row?.internal_request_id === id ? this.row : undefined)
    const step = (by: 1 | -1) => () => wish(this, { step: by })
    return html`<div class="head">
        <h2 tabindex="-1" class="cut">Request <span class="mono muted">${id}</span></h2>
        ${this.full ? nothing : [sign("Previous (k)", "up", step(-1)), sign("Next (j)", "down", step(1))]}
        ${sign("Close (Esc)", "cross", () => wish(this, { change: { selected: undefined } }))}
      </div>
      <div class="row">
        ${value?.request ? button("Copy as cURL", () => this.attempt(copyCurl(this, value))) : nothing}
        ${button("Copy id", () => copy(this, id, "The id is copied."))}
        ${button("Copy link", () => copy(this, location.origin + requestPath(id), "The link is copied."))}
      </div>
      ${
        ongoing
          ? html`<p class="live running">
              ◌ <bdi>${ongoing.stage}</bdi> ${duration(Date.now() - ongoing.began)}
            </p>`
          : error && html`<p class="err" role="alert">✕ ${error.message}</p>`
      }
      ${row && [errorCard(row), overview(row, this.utc)]} ${value && this.whole(value)}`
  }

  private whole(detail: Detail) {
    const known = this.known.value ?? NOTHING
    return html`${detail.state === "running" ? nothing : waterfallView(waterfall(detail, detail.steps))}
    ${sightingsView(detail.media, known)} ${sideCalls(detail.children)}
    ${messagesView("Asked", asked(this.values.request), known)}
    ${messagesView("Answered", answered(this.values.response), known)} ${this.raw("request", detail)}
    ${this.raw("response", detail)}`
  }

  private raw(which: Which, detail: Detail) {
    return rawView(detail, which, this.values[which], this.opened, {
      download: () => this.attempt(download(bodyPath(this.request, which), `${this.request}-${which}.json`)),
      showAll: () => this.attempt(this.readWhole(which, detail))
    })
  }

  private async load(tries = TRIES): Promise<void> {
    const { request: id } = this
    if (!(await this.detail.run((signal) => readDetail(id, signal)))) return
    const detail = this.detail.value
    if (!detail) return
    this.take(detail)
    // A row is written a moment after its request has ended.
    if (detail.state === "running" && !this.ongoing && tries > 0)
      setTimeout(() => this.request === id && this.isConnected && this.load(tries - 1), 400)
    void this.known.run((signal) => readKnown(detail, signal))
  }

  private take(detail: Detail): void {
    const read = (which: Which) => (detail[which]?.truncated ? undefined : parsed(detail[which]?.text ?? ""))
    this.values = { request: read("request"), response: read("response") }
    this.detail.set(detail)
  }

  /** The whole of a text that was shown in part. */
  private async readWhole(which: Which, detail: Detail): Promise<void> {
    const whole = await readBody(this.request, which)
    this.take({ ...detail, [which]: { text: await whole.text(), bytes: whole.size, truncated: false } })
  }

  private attempt(action: Promise<void>): void {
    action.catch((cause: unknown) => {
      if (cause instanceof Error) wish(this, { notice: cause.message })
    })
  }

  private readonly opened: Opened = (path, open) => {
    const { size } = this.open
    if (open === true) this.open.add(path)
    if (this.open.size !== size) this.requestUpdate()
    return this.open.has(path)
  }
}

const sign = (name: string, shape: IconName, act: () => void) =>
  html`<button class="plain" aria-label=${name} title=${name} @click=${act}>${icon(shape)}</button>`

const NOTHING: Known = new Map()
const TRIES = 5

define("percept-drawer", Drawer, "request", "row", "ongoing", "utc", "full")
