import { html } from "lit/html.js"
import { later } from "../soon.ts"
import { underWay } from "../controllers/page.ts"

/** How many requests are under way; what they are at comes with the first of them. */
export const inFlight = () => {
  const count = underWay()
  return html`<percept-in-flight class="box" role="region" aria-label="Requests under way">
    <h2>In flight <span class=${count ? "count" : "muted"}>${count || "nothing under way"}</span></h2>
    ${later?.ongoing()}
  </percept-in-flight>`
}
