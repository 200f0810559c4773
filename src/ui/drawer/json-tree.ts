import { html, nothing } from "lit/html.js"
import { entriesOf, sizeOf } from "./json-nodes.ts"
import type { Entry } from "./json-nodes.ts"
import { textView } from "./text.ts"

/** Which parts are open, by their paths; what is not is not built. */
export type Opened = (path: string, open?: boolean) => boolean

/** Something that is built when it is opened. */
export const lazily = (path: string, opened: Opened, summary: unknown, content: () => unknown) =>
  html`<details
    @toggle=${({ target }: Event) => opened(path, target instanceof HTMLDetailsElement && target.open)}
  >
    <summary>${summary}</summary>
    ${opened(path) ? content() : nothing}
  </details>`

/** A value as a tree. */
export const jsonTree = (value: unknown, path: string, opened: Opened): unknown =>
  html`<ul class="tree">
    ${entriesOf(value).map((entry) => html`<li>${node(entry, path, opened)}</li>`)}
  </ul>`

const node = ([name, value]: Entry, path: string, opened: Opened) => {
  const label = html`<bdi class="name">${name.slice(0, LONGEST_NAME)}</bdi>`
  const size = sizeOf(value)
  if (size === undefined) return html`${label} ${textView(JSON.stringify(value), "value")}`
  const inside = `${path}\n${name}`
  return lazily(inside, opened, html`${label} <span class="muted">${size}</span>`, () =>
    jsonTree(value, inside, opened)
  )
}

const LONGEST_NAME = 200
