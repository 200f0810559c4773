import { html } from "lit/html.js"
import type { Ongoing as Request } from "../api/live.ts"
import { track } from "../charts/track.ts"
import { Component, define } from "../element.ts"
import { wish } from "../events.ts"
import { duration } from "../format/duration.ts"
import { isStalled, progressOf } from "../model/stages.ts"
import { shared } from "../styles/shared.ts"
import { icon } from "./icon.ts"
import { ongoingStyles } from "./ongoing.styles.ts"

/** The requests under way, each with its stages. What is over in a moment is not shown. */
class Ongoing extends Component {
  declare requests: ReadonlyArray<Request>
  declare selected: string | undefined
  declare isOpen: boolean
  private timer: ReturnType<typeof setInterval> | undefined
  private lines: ReadonlyArray<Request> = []
  /** Lines that are kept free, so that the page does not jump with each request that ends. */
  private room = 0
  private drawnAt = 0

  constructor() {
    super()
    this.isOpen = false
  }

  override connectedCallback(): void {
    super.connectedCallback()
    document.addEventListener("visibilitychange", this.wind)
    this.wind()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    document.removeEventListener("visibilitychange", this.wind)
    this.wind()
  }

  protected override willUpdate(): void {
    const now = Date.now()
    this.drawnAt = now
    this.lines = this.requests.filter(({ began, kind }) => kind === "main" && now - began >= MOMENT)
    this.room = Math.max(this.room, Math.min(this.lines.length, MOST))
    this.wind()
  }

  protected override render() {
    const { isOpen, lines, room } = this
    const most = Math.min(lines.length, MOST_OPEN)
    return html`<ul class=${isOpen ? "open" : ""}>
        ${lines.slice(0, isOpen ? most : MOST).map((request) => this.line(request))}
      </ul>
      ${Array.from({ length: room - Math.min(lines.length, MOST) }, () => html`<div class="room"></div>`)}
      ${
        lines.length > MOST
          ? html`<button class="plain more" aria-expanded=${isOpen} @click=${() => (this.isOpen = !isOpen)}>
              ${isOpen ? "Show fewer" : `Show ${most - MOST} more`}
            </button>`
          : ""
      }`
  }

  private line(request: Request) {
    const now = Date.now()
    const { endpoint_called, internal_request_id: id, model_requested_by_client: model } = request
    const helping = this.requests.filter(({ parent_request_id }) => parent_request_id === id)
    const kinds = helping.map(({ kind }) => kind)
    const { media, stages, words } = progressOf(request, kinds)
    const isLate = isStalled(request, now) && helping.length === 0
    return html`<li>
      <button
        class="plain line ${isLate ? "stalled" : ""}"
        aria-current=${this.selected === id}
        title=${model ?? endpoint_called}
        @click=${() => wish(this, { change: { selected: id } })}
      >
        <span>${media === undefined ? "" : icon(media)}<span class="hidden">${media ?? ""}</span></span>
        <span class="cut">${model ?? endpoint_called}</span>
        ${track(stages)}
        <span class="cut words">${words}${isLate ? html` <b>· no news</b>` : ""}</span>
        <span class="time">${elapsed(now - request.began)}</span>
      </button>
    </li>`
  }

  /** Time goes on only while something is under way and somebody looks. */
  private readonly wind = (): void => {
    const isNeeded = (this.requests.length > 0 || this.room > 0) && !document.hidden && this.isConnected
    if (isNeeded) this.timer ??= setInterval(this.tick, 1000)
    else {
      clearInterval(this.timer)
      this.timer = undefined
    }
  }

  /** Room that is no longer needed is given back line by line. */
  private readonly tick = (): void => {
    const hasRoom = this.room > this.lines.length
    if (hasRoom) this.room--
    if (hasRoom || Date.now() - this.drawnAt > 800) this.requestUpdate()
  }

  protected override readonly styles = [shared, ongoingStyles]
}

/** Whole seconds: tenths that fly by say nothing. */
const elapsed = (millis: number): string => {
  const seconds = Math.max(0, Math.floor(millis / 1000))
  return seconds < 60 ? `${seconds} s` : duration(seconds * 1000)
}

/** Milliseconds. */
const MOMENT = 700

/** Lines. */
const MOST = 5
const MOST_OPEN = 50

define("percept-ongoing", Ongoing, "requests", "selected", "isOpen")
