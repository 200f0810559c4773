import { html, nothing } from "lit/html.js"
import { count } from "../format/count.ts"

/** A text from outside, as text; of a long one the beginning, and what can be laid out at once when it is opened. */
export const textView = (text: string, look = "") =>
  text.length <= FOLDED
    ? html`<bdi class="text ${look}">${text}</bdi>`
    : html`<details class=${look}>
        <summary>
          <bdi class="text">${text.slice(0, FOLDED / 2)}…</bdi><span>${count(text.length)} characters</span>
        </summary>
        <bdi class="text">${text.slice(0, LONGEST)}</bdi>
        ${text.length > LONGEST ? "The rest is in the file." : nothing}
      </details>`

const FOLDED = 800
const LONGEST = 50_000
