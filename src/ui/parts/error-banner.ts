import { html } from "lit/html.js"
import { Refused } from "../api/client.ts"
import type { App } from "../app.ts"
import { icon } from "./icon.ts"

/** Says what went wrong with the page's own questions. */
export const errorBanner = ({ data }: App, error: Error) => {
  const isGone = error instanceof Refused && error.status === 0
  return html`<div class="banner" role="alert">
    ${icon("alert")}
    <span
      ><b>The server cannot ${isGone ? "be reached" : "answer this"}.</b>
      ${isGone ? "What you see is what was last known." : error.message}</span
    >
    <button @click=${() => data.loadAll()}>Try again</button>
  </div>`
}
