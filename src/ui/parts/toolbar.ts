import { css, html, nothing } from "lit"
import type { PageData } from "../controllers/page-data.ts"
import type { SearchField } from "../controllers/search-field.ts"
import type { Stored } from "../controllers/stored.ts"
import type { Go } from "../events.ts"
import { isNarrowed } from "../model/query.ts"
import type { Query } from "../model/query.ts"
import { columnMenu } from "./column-menu.ts"
import { exportMenu } from "./export-menu.ts"
import { icon } from "./icon.ts"
import { savedViews } from "./saved-views.ts"
import type { SavedView } from "./saved-views.ts"

export interface Tools {
  readonly go: Go
  readonly say: (text: string) => void
  readonly search: SearchField
  readonly views: Stored<ReadonlyArray<SavedView>>
}

/** Search, and what is done with the list. */
export const toolbar = (query: Query, data: PageData, { go, say, search, views }: Tools, live: unknown) =>
  html`<div class="tools">
    <search>
      ${icon("search")}
      <input
        type="search"
        aria-label="Search requests"
        placeholder="Search prompts, errors, ids"
        maxlength="500"
        autocomplete="off"
        spellcheck="false"
        @input=${search.type}
        @keydown=${search.press}
      />
      <kbd aria-hidden="true">/</kbd>
    </search>
    ${live}
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
      ${savedViews(views, query, go)}${columnMenu(query, go)}${exportMenu(query, say)}
    </div>
  </div>`

export const toolbarStyles = css`
  .tools,
  .end {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: var(--space-2);
  }
  .end {
    margin-left: auto;
  }
  search {
    position: relative;
    flex: 1 1 260px;
    max-width: 560px;
  }
  search > * {
    position: absolute;
    top: 8px;
    right: 9px;
    color: var(--muted);
    pointer-events: none;
  }
  search svg {
    left: 9px;
    top: 9px !important;
  }
  search input {
    position: static;
    width: 100%;
    min-height: 32px !important;
    padding: 0 30px !important;
    color: var(--text);
    pointer-events: auto;
  }
  search :not(:placeholder-shown) ~ kbd,
  search :focus ~ kbd {
    display: none;
  }
  .busy svg {
    animation: turn 0.9s linear infinite;
  }
  @keyframes turn {
    to {
      transform: rotate(1turn);
    }
  }
  @media (prefers-reduced-motion: reduce) {
    .busy svg {
      animation: none;
    }
  }
`
