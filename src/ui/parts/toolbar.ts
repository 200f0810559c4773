import { html, nothing } from "lit/html.js"
import type { App } from "../app.ts"
import { isNarrowed } from "../model/query.ts"
import { later } from "../soon.ts"
import { icon } from "./icon.ts"
import { livePill } from "./live-pill.ts"
import { menu } from "./menu.ts"

/** Search, and what is done with the list. */
export const toolbar = (app: App) => {
  const { data, fetch, go, query } = app
  return html`<div class="tools">
    <search>
      ${icon("search")}
      <input
        type="search"
        aria-label="Search requests"
        placeholder="Search prompts, errors, ids"
        maxlength="500"
        autocomplete="off"
        spellcheck="false"
        .value=${query.search}
        @input=${(event: Event) => type(event, app)}
        @keydown=${(event: KeyboardEvent) => press(event, app)}
      />
      <kbd aria-hidden="true">/</kbd>
    </search>
    ${livePill(app)}
    ${
      isNarrowed(query)
        ? html`<button @click=${() => go({ filters: {}, search: "" })}>${icon("cross")}Clear filters</button>`
        : nothing
    }
    <div class="end">
      <button
        class="plain ${data.rows.pending ? "busy" : ""}"
        aria-label="Refresh"
        title="Refresh (r)"
        @click=${() => data.loadAll()}
      >
        ${icon("refresh")}
      </button>
      ${menu("views", "Views", fetch, later?.savedViews(app))}
      ${menu("columns", "Columns", fetch, later?.columnMenu(app))}
      ${menu("export", html`${icon("save")}Export`, fetch, later?.exportMenu(app))}
    </div>
  </div>`
}

/** Letters follow each other: the list follows when there are no more for a moment. */
const type = ({ target }: Event, { go, query: { search } }: App, wait = 250): void => {
  clearTimeout(timer)
  if (target instanceof HTMLInputElement)
    timer = setTimeout(() => go({ search: target.value }, search !== ""), wait)
}

const press = (event: KeyboardEvent, app: App): void => {
  if (event.key === "Enter") type(event, app, 0)
  if (event.key !== "Escape") return
  event.preventDefault()
  if (event.target instanceof HTMLElement) event.target.blur()
}

let timer: ReturnType<typeof setTimeout> | undefined
