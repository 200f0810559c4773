import { html } from "lit/html.js"
import { Refused } from "../api/client.ts"
import { loadAll } from "../controllers/data.ts"
import { icon } from "./icon.ts"

/** Says what went wrong with the page's own questions. */
export const errorBanner = (error: Error) => {
  const isGone = error instanceof Refused && error.status === 0
  return html`<div class="banner box row" role="alert">
    ${icon("alert")}
    <span
      ><b>The server cannot ${isGone ? "be reached" : "answer this"}.</b>
      ${isGone ? "This is what was last known." : error.message}</span
    >
    <button @click=${loadAll}>Try again</button>
  </div>`
}
