import { html } from "lit/html.js"

/** A button with a small panel under it; the browser closes it when it is done with. */
export const menu = (id: string, label: unknown, fetch: () => unknown, content: unknown) =>
  html`<button popovertarget=${id}>${label}</button>
    <div class="menu" popover id=${id} @beforetoggle=${place} @toggle=${fetch}>${content}</div>`

const place = ({ currentTarget: panel }: Event) => {
  if (!(panel instanceof HTMLElement)) return
  const button = panel.previousElementSibling?.getBoundingClientRect()
  panel.style.top = `${(button?.bottom ?? 0) + 4}px`
  panel.style.right = `${document.documentElement.clientWidth - (button?.right ?? 0)}px`
}
