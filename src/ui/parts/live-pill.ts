import { LitElement, css, html } from "lit"
import { ChangeQuery } from "../events.ts"
import { count } from "../format/count.ts"
import { shared } from "../styles/shared.ts"

/** Whether the page hears of what happens, whether new rows come in by themselves, and how many wait to be shown. */
class LivePill extends LitElement {
  static override properties = {
    state: { attribute: false },
    tail: { attribute: false },
    fresh: { attribute: false },
    paused: { attribute: false }
  }
  declare state: "live" | "lost" | "off"
  declare tail: boolean
  /** Requests that have ended and are not in the list yet. */
  declare fresh: number
  /** Why rows do not come in although they should, such as an open request. */
  declare paused: string | undefined

  constructor() {
    super()
    this.state = "off"
    this.tail = false
    this.fresh = 0
  }

  override render() {
    const { fresh, paused, state, tail } = this
    return html`<button
        aria-pressed=${tail ? "true" : "false"}
        title=${paused ?? (tail ? "New rows come in by themselves (l)" : "Let new rows come in by themselves (l)")}
        @click=${() => this.dispatchEvent(new ChangeQuery({ tail: !tail }))}
      >
        <i class=${state} aria-hidden="true"></i>Live tail${tail && paused !== undefined ? " (paused)" : ""}
      </button>
      <span role="status" class=${state === "live" ? "hidden" : ""}>${WORDS[state]}</span>
      ${
        fresh > 0
          ? html`<button
              class="primary"
              @click=${() => this.dispatchEvent(new Event("percept-show-new", { bubbles: true, composed: true }))}
            >
              ${fresh > MOST ? `${count(MOST)}+` : count(fresh)} new
            </button>`
          : ""
      }`
  }

  static override styles = [
    shared,
    css`
      :host {
        display: inline-flex;
        align-items: center;
        gap: var(--space-2);
      }
      i {
        width: 8px;
        height: 8px;
        border-radius: 50%;
        background: var(--ok);
      }
      i.lost {
        background: var(--warn);
      }
      i.off {
        background: none;
        box-shadow: inset 0 0 0 1.5px currentColor;
      }
      [aria-pressed="true"] i.live {
        background: var(--on-accent);
      }
      [role="status"] {
        font-size: var(--small);
        color: var(--warn);
      }
    `
  ]
}

const WORDS = { live: "live", lost: "connection lost, trying again", off: "not live" }
const MOST = 999

customElements.define("percept-live-pill", LivePill)
