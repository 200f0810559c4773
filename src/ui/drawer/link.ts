import { html } from "lit/html.js"
import { wish } from "../events.ts"
import type { Query } from "../model/query.ts"

export const requestPath = (id: string): string => `/ui/tracking/${encodeURIComponent(id)}`

export const requestLink = (id: string, label: unknown) =>
  link(requestPath(id), { view: "requests", selected: id, medium: undefined }, label)

export const mediumLink = (id: string, label: unknown, look = "") =>
  link(
    `/ui/tracking?view=media&medium=${encodeURIComponent(id)}`,
    { view: "media", medium: id, selected: undefined },
    label,
    look
  )

/** Leads on within the page; with a modifier it is the browser's business, and the address works there too. */
const link = (path: string, change: Partial<Query>, label: unknown, look = "") =>
  html`<a
    href=${path}
    class=${look}
    @click=${(event: MouseEvent) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return
      event.preventDefault()
      if (event.target) wish(event.target, { change })
    }}
    >${label}</a
  >`
