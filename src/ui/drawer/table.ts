import { html } from "lit/html.js"

/** A plain table; `figures` of its last columns are numbers. */
export const table = (
  heads: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<unknown>>,
  figures: number
) => {
  const side = (at: number) => (at < heads.length - figures ? "" : "number")
  return html`<table>
    <tr>
      ${heads.map((head, at) => html`<th scope="col" class=${side(at)}>${head}</th>`)}
    </tr>
    ${rows.map(
      (cells) =>
        html`<tr>
          ${cells.map((cell, at) => html`<td class=${side(at)}>${cell}</td>`)}
        </tr>`
    )}
  </table>`
}
