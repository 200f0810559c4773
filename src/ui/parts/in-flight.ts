import { LitElement, css, html, nothing } from "lit"
import type { Ongoing } from "../api/live.ts"
import { shared } from "../styles/shared.ts"

/** How many requests are under way; what they are at comes with the first of them. */
class InFlight extends LitElement {
  static override properties = { requests: { attribute: false }, selected: { attribute: false } }
  declare requests: ReadonlyArray<Ongoing>
  declare selected: string | undefined
  private hadSome = false

  override willUpdate(): void {
    if (this.hadSome || this.requests.length === 0) return
    this.hadSome = true
    void import("../later.ts")
  }

  override render() {
    const count = this.requests.filter(({ kind }) => kind === "main").length
    return html`<section aria-label="Requests under way">
      <h2>
        In flight
        <span class=${count === 0 ? "muted" : "count"}>${count === 0 ? "nothing under way" : count}</span>
      </h2>
      ${
        this.hadSome
          ? html`<percept-ongoing .requests=${this.requests} .selected=${this.selected}></percept-ongoing>`
          : nothing
      }
    </section>`
  }

  static override styles = [
    shared,
    css`
      :host {
        display: block;
      }
      section {
        padding: var(--space-1) var(--space-3);
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--surface);
      }
      h2 {
        line-height: 28px;
      }
      span {
        margin-left: var(--space-1);
        font-size: var(--small);
        font-weight: 400;
      }
      .count {
        padding: 2px 8px;
        border-radius: 10px;
        background: var(--sunken);
      }
    `
  ]
}

customElements.define("percept-in-flight", InFlight)
