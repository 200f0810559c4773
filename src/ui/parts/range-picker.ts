import { html } from "lit/html.js"
import { later } from "../soon.ts"
import { go, query } from "../controllers/place.ts"
import { clock } from "../format/time.ts"
import { RANGES } from "../model/query.ts"
import { menu } from "./menu.ts"

/** How far back the page looks. */
export const rangePicker = () => {
  const { from, range, to, utc } = query
  return html`<div class="ranges row" role="group" aria-label="Time range">
    ${RANGES.map(
      (name) =>
        html`<button
          aria-pressed=${range === name}
          @click=${() => go({ range: name, from: undefined, to: undefined })}
        >
          ${name}
        </button>`
    )}
    ${menu(
      "custom",
      range === "custom" ? `${from ? clock(from, utc) : "…"} – ${to ? clock(to, utc) : "now"}` : "Custom",
      later?.customRange()
    )}
  </div>`
}
