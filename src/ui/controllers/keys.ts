import type { App } from "../app.ts"
import { isPlain } from "./links.ts"

/** Single keys for the whole page; they are nobody's while somebody types, holds a modifier, or has a dialog open. */
export const press = (app: App, event: KeyboardEvent, path: ReadonlyArray<EventTarget>): void => {
  const act = KEYS.get(event.key)
  if (act === undefined || !isPlain(event) || event.isComposing) return
  if (app.renderRoot.querySelector("dialog[open], :popover-open")) return
  const taken = event.key.startsWith("Arrow") ? `${TEXTS}, ${ARROWS}` : TEXTS
  if (path.some((node) => node instanceof Element && node.matches(taken))) return
  if (act(app) !== false) event.preventDefault()
}

/** What keys do; where that is false they do what they always do. */
const KEYS: ReadonlyMap<string, (app: App) => unknown> = new Map([
  ["j", (app) => app.step(1)],
  ["k", (app) => app.step(-1)],
  ["ArrowDown", (app) => app.step(1)],
  ["ArrowUp", (app) => app.step(-1)],
  ["Escape", (app) => app.go({ selected: undefined })],
  ["/", (app) => app.renderRoot.querySelector<HTMLInputElement>("search input")?.select()],
  ["l", (app) => app.go({ tail: !app.query.tail })],
  ["r", (app) => app.data.loadAll()],
  ["[", (app) => turn(app, app.data.rows.value?.prev_cursor)],
  ["]", (app) => turn(app, app.data.rows.value?.next_cursor)],
  ["?", (app) => app.help()]
])

const turn = (app: App, cursor: string | null | undefined): void => {
  if (cursor) app.go({ cursor })
}

const TEXTS = "textarea, select, [contenteditable], input:not([type=checkbox], [type=radio])"

/** Tabs, trees and choices move by arrows themselves. */
const ARROWS = "[role=tab], [role=treeitem], [role=slider], [type=radio], [data-arrows]"
