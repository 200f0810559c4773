import { html } from "lit/html.js"
import { go, query } from "../controllers/place.ts"
import { isNarrowed } from "../model/query.ts"
import type { Query } from "../model/query.ts"

/** A list without rows, though the record has some: why that is, and the one way out. */
export const empty = () => {
  const [what, others, out, change]: readonly [string, string, string, Partial<Query>] = isNarrowed(query)
    ? [
        "matches",
        "others, but none with these filters in this time",
        "Clear all filters",
        { filters: {}, search: "" }
      ]
    : [
        "in this time",
        "earlier or later ones",
        "Show all time",
        { range: "all", from: undefined, to: undefined }
      ]
  return html`<section class="empty box">
    <h2>No request ${what}</h2>
    <p class="muted">There are ${others}.</p>
    <button class="primary" @click=${() => go(change)}>${out}</button>
  </section>`
}
