import { html } from "lit/html.js"
import type { App } from "../app.ts"
import { isNarrowed } from "../model/query.ts"

/** A list without rows, though the record has some: why that is, and the one way out. */
export const empty = ({ go, query }: App) =>
  isNarrowed(query)
    ? html`<section class="empty">
        <h2>No request matches</h2>
        <p class="muted">There are others in the record, but none with these filters in this time.</p>
        <button class="primary" @click=${() => go({ filters: {}, search: "" })}>Clear all filters</button>
      </section>`
    : html`<section class="empty">
        <h2>No request in this time</h2>
        <p class="muted">There are earlier or later ones.</p>
        <button class="primary" @click=${() => go({ range: "all", from: undefined, to: undefined })}>
          Show all time
        </button>
      </section>`
