import { html } from "lit"
import { Unreachable } from "../api/client.ts"
import { icon } from "./icon.ts"

/** Says what went wrong with the page's own questions. */
export const errorBanner = (error: Error, retry: () => void) => {
  const isGone = error instanceof Unreachable
  return html`<div class="banner" role="alert">
    ${icon("alert")}
    <span
      ><b>The server cannot ${isGone ? "be reached" : "answer this"}.</b>
      ${isGone ? "What you see is what was last known." : error.message}</span
    >
    <button @click=${retry}>Try again</button>
  </div>`
}
