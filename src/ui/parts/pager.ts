import { html } from "lit"
import type { Rows } from "../api/rows.ts"
import type { Go } from "../events.ts"
import { count } from "../format/count.ts"
import type { Query } from "../model/query.ts"
import { icon } from "./icon.ts"

/** Where in the list the page is, and the way to what comes before and behind. */
export const pager = ({ isCapped, items, next, previous, total }: Rows, { cursor }: Query, go: Go) =>
  html`<nav class="pager" aria-label="Pages">
    <button
      ?disabled=${cursor === undefined || previous === undefined}
      @click=${() => go({ cursor: previous })}
    >
      ${icon("left")}Newer
    </button>
    <span class="muted">${count(items.length)} of ${isCapped ? "more than " : ""}${count(total)}</span>
    <button ?disabled=${next === undefined} @click=${() => go({ cursor: next })}>
      Older${icon("right")}
    </button>
  </nav>`
