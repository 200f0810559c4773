import { css, html, nothing, svg } from "lit"
import { isSignedIn } from "../api/client.ts"
import type { Stored } from "../controllers/stored.ts"
import type { Go } from "../events.ts"
import { addressOf, changed } from "../model/query.ts"
import type { Query, View } from "../model/query.ts"
import { icon } from "./icon.ts"
import { rangePicker } from "./range-picker.ts"

export type Theme = "auto" | "light" | "dark"

interface Acts {
  readonly go: Go
  readonly help: () => void
  readonly signOut: () => void
  readonly skip: () => void
}

/** What holds for the whole page: its views, its time, its colours. */
export const topBar = (query: Query, theme: Stored<Theme>, { go, help, signOut, skip }: Acts) =>
  html`<header class="bar">
    <button class="skip" @click=${skip}>Skip to the list</button>
    <h1>${EYE}<span>Percept</span></h1>
    <nav aria-label="Views">${VIEWS.map(([view, label]) => link(query, view, label))}</nav>
    ${query.view === "requests" ? rangePicker(query, go) : nothing}
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
      ${isSignedIn() ? html`<button class="plain" @click=${signOut}>Sign out</button>` : nothing}
    </div>
  </header>`

export const readTheme = (value: unknown): Theme => (value === "light" || value === "dark" ? value : "auto")

export const showTheme = (theme: Theme): void => {
  document.documentElement.dataset["theme"] = theme
}

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
  ${svg`<path d="M2.500 16C6 9.500 10.500 6.500 16 6.500S26 9.500 29.500 16C26 22.500 21.500 25.500 16 25.500S6 22.500 2.500 16zM12 14v4M16 12v8M20 14v4" />`}
</svg>`

export const topBarStyles = css`
  .bar {
    position: sticky;
    z-index: 30;
    top: 0;
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: var(--space-2) var(--space-3);
    min-height: 49px;
    padding: var(--space-2) var(--space-4);
    border-bottom: 1px solid var(--line);
    background: var(--surface);
  }
  .skip:not(:focus) {
    position: absolute;
    top: -60px;
  }
  h1 {
    display: flex;
    align-items: center;
    gap: 7px;
    font-size: 1.15rem;
  }
  h1 svg {
    width: 22px;
    fill: none;
    stroke: var(--accent);
    stroke-width: 2.2;
    stroke-linecap: round;
  }
  .bar nav {
    display: flex;
    gap: 2px;
    margin-right: auto;
  }
  .bar nav a {
    padding: 4px 10px;
    border-radius: var(--radius);
    color: var(--muted);
    text-decoration: none;
  }
  .bar nav a:hover {
    background: var(--hover);
  }
  .bar nav [aria-current] {
    background: var(--chosen);
    color: var(--accent);
    font-weight: 600;
  }
  .ranges {
    display: flex;
  }
  .ranges > button {
    min-width: 36px;
    margin-left: -1px;
    border-radius: 0;
  }
  .ranges > button:first-child {
    border-radius: var(--radius) 0 0 var(--radius);
  }
  .ranges > button:last-of-type {
    border-radius: 0 var(--radius) var(--radius) 0;
  }
  .ranges > button:focus-visible {
    z-index: 1;
  }
  @media (max-width: 800px) {
    .bar {
      position: static;
      padding: var(--space-2) var(--space-3);
    }
    h1 span {
      position: absolute;
      clip-path: inset(50%);
    }
    .ranges {
      order: 1;
    }
    .ranges > button {
      min-width: 0;
      padding: 0 7px;
    }
  }
`
