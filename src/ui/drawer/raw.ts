import { html, nothing } from "lit/html.js"
import type { Detail, Which } from "../api/detail.ts"
import { bytes } from "../format/bytes.ts"
import { jsonTree, lazily } from "./json-tree.ts"
import type { Opened } from "./json-tree.ts"
import { textView } from "./text.ts"

interface Actions {
  readonly download: () => void
  readonly showAll: () => void
}

/** A text of the record as it is kept; `value` is what it says, where it is all there. */
export const rawView = (
  detail: Detail,
  which: Which,
  value: unknown,
  opened: Opened,
  { download, showAll }: Actions
) => {
  const body = detail[which]
  if (body === null) return nothing
  const size = html`<span class="muted">${bytes(body.bytes)}</span>`
  return lazily(which, opened, html`Raw ${which} ${size}`, () => {
    const cut = html`<span class="warn">This is its beginning.</span> ${button("Show all of it", showAll)}`
    return html`<p class="row">${body.truncated ? cut : nothing} ${button("Download", download)}</p>
      ${value === undefined ? textView(body.text, "mono") : jsonTree({ [which]: value }, which, opened)}`
  })
}

export const button = (name: string, act: () => void) => html`<button @click=${act}>${name}</button>`
