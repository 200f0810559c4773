import { html, nothing } from "lit/html.js"
import type { App } from "../app.ts"
import { count } from "../format/count.ts"

/** Whether the page hears of what happens, whether new rows come in by themselves, and how many wait to be shown. */
export const livePill = ({ data: { waiting }, go, live: { state }, pause, query: { tail }, showNew }: App) =>
  html`<percept-live-pill
    ><button
      aria-pressed=${tail}
      title=${pause ?? (tail ? "New rows come in by themselves (l)" : "Let new rows come in by themselves (l)")}
      @click=${() => go({ tail: !tail })}
    >
      <i class=${state === "opening" ? "off" : state} aria-hidden="true"></i>Live
      tail${tail && pause ? " (paused)" : ""}
    </button>
    <span role="status" class=${state === "lost" || state === "off" ? "" : "hidden"}>${WORDS[state]}</span>
    ${
      waiting > 0
        ? html`<button class="primary" @click=${showNew}>
            ${waiting > MOST ? `${count(MOST)}+` : count(waiting)} new
          </button>`
        : nothing
    }</percept-live-pill
  >`

const WORDS = { opening: "", live: "live", lost: "connection lost, trying again", off: "not live" }
const MOST = 999
