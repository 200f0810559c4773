import { html, nothing } from "lit/html.js"
import { isSignedIn } from "../api/client.ts"
import type { App } from "../app.ts"
import { addressOf, changed } from "../model/query.ts"
import type { Query, View } from "../model/query.ts"
import { icon } from "./icon.ts"
import { rangePicker } from "./range-picker.ts"

export type Theme = "auto" | "light" | "dark"

/** What holds for the whole page: its views, its time, its colours. */
export const topBar = (app: App) => {
  const { go, help, query, theme } = app
  return html`<header class="bar">
    <button class="skip" @click=${() => app.renderRoot.querySelector("main")?.focus()}>
      Skip to the list
    </button>
    <h1>${EYE}<span>Percept</span></h1>
    <nav aria-label="Views">${VIEWS.map(([view, label]) => link(query, view, label))}</nav>
    ${query.view === "requests" ? rangePicker(app) : nothing}
    <div>
      <button
        class="plain"
        aria-label="Times in ${query.utc ? "UTC" : "local time"}; change"
        @click=${() => go({ utc: !query.utc }, true)}
      >
        ${query.utc ? "UTC" : "Local time"}
      </button>
      <button
        class="plain"
        aria-label="Colours: ${theme.value}; change"
        title="Colours: ${theme.value}"
        @click=${() => theme.set(NEXT[theme.value])}
      >
        ${icon(SIGNS[theme.value])}
      </button>
      <button class="plain" aria-label="Keys" title="Keys (?)" @click=${help}>?</button>
      ${isSignedIn() ? html`<button class="plain" @click=${() => app.leave()}>Sign out</button>` : nothing}
    </div>
  </header>`
}

export const readTheme = (value: unknown): Theme => (value === "light" || value === "dark" ? value : "auto")

const link = (query: Query, view: View, label: string) => {
  const change = { view, selected: undefined, medium: undefined }
  return html`<a
    href=${addressOf(changed(query, change))}
    aria-current=${query.view === view ? "page" : nothing}
    >${label}</a
  >`
}

const VIEWS = [
  ["requests", "Requests"],
  ["media", "Media"]
] as const
const NEXT = { auto: "light", light: "dark", dark: "auto" } as const
const SIGNS = { auto: "auto", light: "sun", dark: "moon" } as const

const EYE = html`<svg viewBox="0 0 32 32" aria-hidden="true">
  <path
    d="M2.5 16C6 9.5 10.5 6.5 16 6.5S26 9.5 29.5 16C26 22.5 21.5 25.5 16 25.5S6 22.5 2.5 16zM12 14v4M16 12v8M20 14v4"
  />
</svg>`
