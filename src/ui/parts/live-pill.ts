import { html, nothing } from "lit/html.js"
import { waiting } from "../controllers/data.ts"
import { live, pause, showNew } from "../controllers/page.ts"
import { go, query } from "../controllers/place.ts"
import { count } from "../format/count.ts"

/** Whether the page hears of what happens, whether new rows come in by themselves, and how many wait to be shown. */
export const livePill = () => {
  const { state } = live
  const { tail } = query
  const why = pause()
  return html`<percept-live-pill class="row"
    ><button
      aria-pressed=${tail}
      title=${why ?? "New rows come in by themselves (l)"}
      @click=${() => go({ tail: !tail })}
    >
      <i class=${state === "opening" ? "off" : state} aria-hidden="true"></i>Live
      tail${tail && why ? " (paused)" : ""}
    </button>
    <span role="status" class=${state === "lost" || state === "off" ? "small warn" : "hidden"}
      >${WORDS[state]}</span
    >
    ${
      waiting > 0
        ? html`<button class="primary" @click=${showNew}>
            ${waiting > MOST ? `${count(MOST)}+` : count(waiting)} new
          </button>`
        : nothing
    }</percept-live-pill
  >`
}

const WORDS = { opening: "", live: "live", lost: "connection lost, trying again", off: "not live" }
const MOST = 999
