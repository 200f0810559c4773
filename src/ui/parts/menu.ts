import { html } from "lit/html.js"
import { fetchMore } from "../controllers/page.ts"

/** A button with a small panel under it; the browser closes it when it is done with. */
export const menu = (id: string, label: unknown, content: unknown) =>
  html`<button popovertarget=${id}>${label}</button>
    <div class="menu box" popover id=${id} @beforetoggle=${place} @toggle=${fetchMore}>${content}</div>`

const place = ({ currentTarget: panel }: Event) => {
  if (!(panel instanceof HTMLElement)) return
  const button = panel.previousElementSibling?.getBoundingClientRect()
  panel.style.top = `${(button?.bottom ?? 0) + 4}px`
  panel.style.right = `${document.documentElement.clientWidth - (button?.right ?? 0)}px`
}
