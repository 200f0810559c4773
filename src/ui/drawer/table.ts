import { html } from "lit/html.js"

/** A table; the first cells name their rows, and the `figures` last columns are numbers. */
export const table = (
  heads: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<unknown>>,
  figures: number
) => {
  const side = (at: number) => (at < heads.length - figures ? "" : "number")
  return html`<table>
    <thead>
      <tr>
        ${heads.map((head, at) => html`<th scope="col" class=${side(at)}>${head}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        ([name, ...cells]) =>
          html`<tr>
            <th scope="row">${name}</th>
            ${cells.map((cell, at) => html`<td class=${side(at + 1)}>${cell}</td>`)}
          </tr>`
      )}
    </tbody>
  </table>`
}
