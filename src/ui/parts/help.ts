import { html } from "lit/html.js"

/** What the keys do. */
export const help = () =>
  html`<dialog class="box" id="help" aria-labelledby="keys">
    <h2 id="keys">Keys</h2>
    <dl>
      ${KEYS.map(
        ([keys, what]) =>
          html`<dt>${keys.split(" ").map((key) => html`<kbd>${key}</kbd> `)}</dt>
            <dd>${what}</dd>`
      )}
    </dl>
    <form method="dialog"><button class="primary">Close</button></form>
  </dialog>`

const KEYS = [
  ["j ↓", "next request"],
  ["k ↑", "request before"],
  ["Enter", "open the request"],
  ["Esc", "close it"],
  ["/", "search"],
  ["l", "live tail on and off"],
  ["r", "refresh"],
  ["[ ]", "newer and older page"],
  ["?", "this help"]
] as const
