import { html } from "lit/html.js"
import type { App } from "../app.ts"
import { clock } from "../format/time.ts"
import { RANGES } from "../model/query.ts"
import { later } from "../soon.ts"
import { menu } from "./menu.ts"

/** How far back the page looks. */
export const rangePicker = (app: App) => {
  const { from, range, to, utc } = app.query
  return html`<div class="ranges" role="group" aria-label="Time range">
    ${RANGES.map(
      (name) =>
        html`<button
          aria-pressed=${range === name}
          @click=${() => app.go({ range: name, from: undefined, to: undefined })}
        >
          ${name}
        </button>`
    )}
    ${menu(
      "custom",
      range === "custom" ? `${from ? clock(from, utc) : "…"} – ${to ? clock(to, utc) : "now"}` : "Custom",
      app.fetch,
      later?.customRange(app)
    )}
  </div>`
}
