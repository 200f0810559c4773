import { html, nothing } from "lit/html.js"
import { isSignedIn } from "../api/client.ts"
import { fetchMore, leave, theme } from "../controllers/page.ts"
import { go, query } from "../controllers/place.ts"
import { drawn } from "../drawing.ts"
import { addressOf, changed } from "../model/query.ts"
import type { View } from "../model/query.ts"
import { icon } from "./icon.ts"
import { rangePicker } from "./range-picker.ts"

/** What holds for the whole page: its views, its time, its colours. */
export const topBar = () =>
  html`<header class="bar row">
    <button class="skip" @click=${() => document.querySelector("main")?.focus()}>Skip to the list</button>
    <h1 class="row">${EYE}<span>Percept</span></h1>
    <nav class="row" aria-label="Views">${VIEWS.map(([view, label]) => link(view, label))}</nav>
    ${query.view === "requests" ? rangePicker() : nothing}
    <div class="row">
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
      ${isSignedIn() ? html`<button class="plain" @click=${() => leave()}>Sign out</button>` : nothing}
    </div>
  </header>`

export const help = async () => {
  await fetchMore()
  await drawn
  document.querySelector<HTMLDialogElement>("#help")?.showModal()
}

const link = (view: View, label: string) => {
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

const EYE = html`<svg class="icon" viewBox="0 0 32 32" aria-hidden="true">
  <path d="M2 16q14-20 28 0-14 20-28 0zM12 14v4M16 12v8M20 14v4" />
</svg>`
