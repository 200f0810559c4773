import { html } from "lit/html.js"

export const requestPath = (id: string): string => `/ui/tracking/${encodeURIComponent(id)}`

export const requestLink = (id: string, label: unknown) => html`<a href=${requestPath(id)}>${label}</a>`

export const mediumLink = (id: string, label: unknown, look: string) =>
  html`<a href="/ui/tracking?view=media&medium=${encodeURIComponent(id)}" class=${look}>${label}</a>`
