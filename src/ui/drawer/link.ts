import { html } from "lit"
import { ChangeQuery } from "../events.ts"

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
const link = (path: string, change: ChangeQuery["change"], label: unknown, look = "") =>
  html`<a
    href=${path}
    class=${look}
    @click=${(event: MouseEvent) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return
      event.preventDefault()
      event.target?.dispatchEvent(new ChangeQuery(change))
    }}
    >${label}</a
  >`
