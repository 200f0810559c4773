import { html } from "lit/html.js"
import type { Rows } from "../api/rows.ts"
import { go, query } from "../controllers/place.ts"
import { count } from "../format/count.ts"
import { icon } from "./icon.ts"

/** Where in the list the page is, and the way to what comes before and behind. */
export const pager = (rows: Rows) => {
  const { items, next_cursor: next, prev_cursor: previous, total_is_capped, total_items } = rows
  return html`<nav class="pager row" aria-label="Pages">
    <button ?disabled=${!query.cursor || !previous} @click=${() => go({ cursor: previous ?? undefined })}>
      ${icon("left")}Newer
    </button>
    <span class="muted"
      >${count(items.length)} of ${total_is_capped ? "more than " : ""}${count(total_items)}</span
    >
    <button ?disabled=${!next} @click=${() => go({ cursor: next ?? undefined })}>
      Older${icon("right")}
    </button>
  </nav>`
}
