import type { LitElement, ReactiveController } from "lit"
import { isOfPage } from "../model/query.ts"

/** What keys do; where that is false they do what they always do. */
export type KeyMap = { readonly [key: string]: () => unknown }

/** Single keys for the whole page; they are nobody's while somebody types, holds a modifier, or has a dialog open. */
export class Keys implements ReactiveController {
  private readonly host: LitElement
  private readonly keys: KeyMap

  constructor(host: LitElement, keys: KeyMap) {
    this.host = host
    this.keys = keys
  }

  hostConnected(): void {
    addEventListener("keydown", this.press)
  }

  hostDisconnected(): void {
    removeEventListener("keydown", this.press)
  }

  private readonly press = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
    if (this.host.renderRoot.querySelector("dialog[open], :popover-open") !== null) return
    const path = event.composedPath()
    if (path.some(takesText) || (event.key.startsWith("Arrow") && path.some(takesArrows))) return
    const act = Object.hasOwn(this.keys, event.key) ? this.keys[event.key] : undefined
    if (act !== undefined && act() !== false) event.preventDefault()
  }
}

/** The link of the page that is followed, unless it is to be opened elsewhere; the browser leaves it to the page. */
export const pageLinkOf = (event: MouseEvent): HTMLAnchorElement | undefined => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
  const link = event.composedPath().find((node) => node instanceof HTMLAnchorElement)
  if (link === undefined || link.download !== "" || !isOfPage(link.pathname)) return
  event.preventDefault()
  return link
}

const takesText = (node: EventTarget): boolean =>
  node instanceof Element &&
  node.matches("textarea, select, [contenteditable], input:not([type=checkbox], [type=radio])")

/** Tabs, trees and choices move by arrows themselves. */
const takesArrows = (node: EventTarget): boolean =>
  node instanceof Element &&
  node.matches("[role=tab], [role=treeitem], [role=slider], [type=radio], [data-arrows]")
