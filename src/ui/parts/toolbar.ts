import { html, nothing } from "lit/html.js"
import { loadAll, rows } from "../controllers/data.ts"
import { later } from "../soon.ts"
import { go, query } from "../controllers/place.ts"
import { isNarrowed } from "../model/query.ts"
import { icon } from "./icon.ts"
import { livePill } from "./live-pill.ts"
import { menu } from "./menu.ts"

/** Search, and what is done with the list. */
export const toolbar = () =>
  html`<div class="row">
    <search>
      ${icon("search")}
      <input
        type="search"
        aria-label="Search requests"
        placeholder="Search prompts, errors, ids"
        maxlength="500"
        autocomplete="off"
        .value=${query.search}
        @input=${type}
        @keydown=${press}
      />
      <kbd aria-hidden="true">/</kbd>
    </search>
    ${livePill()}
    ${
      isNarrowed(query)
        ? html`<button @click=${() => go({ filters: {}, search: "" })}>${icon("cross")}Clear filters</button>`
        : nothing
    }
    <div class="end row">
      <button
        class="plain ${rows.pending ? "busy" : ""}"
        aria-label="Refresh"
        title="Refresh (r)"
        @click=${loadAll}
      >
        ${icon("refresh")}
      </button>
      ${menu("views", "Views", later?.savedViews())} ${menu("columns", "Columns", later?.columnMenu())}
      ${menu("export", html`${icon("save")}Export`, later?.exportMenu())}
    </div>
  </div>`

/** Letters follow each other: the list follows when there are no more for a moment. */
export const type = ({ target, type }: Event): void => {
  clearTimeout(timer)
  if (target instanceof HTMLInputElement)
    timer = setTimeout(() => go({ search: target.value }, query.search !== ""), type === "input" ? 250 : 0)
}

const press = (event: KeyboardEvent): void => {
  if (event.key === "Enter") type(event)
  if (event.key !== "Escape") return
  event.preventDefault()
  if (event.target instanceof HTMLElement) event.target.blur()
}

let timer: ReturnType<typeof setTimeout> | undefined
