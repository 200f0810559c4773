import { html, nothing } from "lit/html.js"
import type { Row } from "../api/rows.ts"
import { later } from "../soon.ts"
import { go, query } from "../controllers/place.ts"
import { nextOrder, USUAL } from "../model/columns.ts"
import type { Column } from "../model/columns.ts"
import { icon } from "./icon.ts"
import { rowTemplate } from "./row.ts"

/** The list of requests. */
export const table = (rows: ReadonlyArray<Row>, isBusy: boolean) => {
  const columns = (query.columns && later?.columnsOf(query.columns)) ?? USUAL
  return html`<percept-table class="box ${query.dense ? "dense" : ""}" aria-busy=${isBusy}>
    <table>
      <caption class="hidden">
        Requests
      </caption>
      <thead>
        <tr>
          ${columns.map(header)}
        </tr>
      </thead>
      <tbody @click=${open}>
        ${rows.map((row) => rowTemplate(row, columns))}
      </tbody>
    </table>
  </percept-table>`
}

export const focusedRow = () =>
  document.querySelector<HTMLElement>("percept-table tr:focus-within")?.dataset["id"]

export const focusRow = (id: string | undefined, preventScroll = false): void => {
  const at = ids().indexOf(id)
  if (at >= 0) lines()[at]?.querySelector("a")?.focus({ preventScroll })
}

/** Moves the focus a row up or down, and what is open with it; false where there is no such row. */
export const step = (by: 1 | -1): boolean => {
  const all = ids()
  const at = all.indexOf(focusedRow() ?? query.selected)
  const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by]
  focusRow(next)
  if (next && query.selected) go({ selected: next }, true)
  return next !== undefined
}

const lines = () => Array.from(document.querySelectorAll<HTMLElement>("percept-table tbody tr"))

const ids = () => lines().map(({ dataset }) => dataset["id"])

const header = (column: Column) => {
  const { isNumber = false, label, name, sort } = column
  if (!sort) return html`<th scope="col" class="c-${name}"><span>${label}</span></th>`
  const isUp = query.order === "asc"
  const isSorted = query.sort === sort
  return html`<th
    scope="col"
    class=${isNumber ? "number" : `c-${name}`}
    aria-sort=${isSorted ? (isUp ? "ascending" : "descending") : nothing}
  >
    <button class="plain" @click=${() => go(nextOrder(column, query))}>
      ${label}${isSorted ? icon(isUp ? "up" : "down") : nothing}
    </button>
  </th>`
}

/** A press anywhere on a row opens it, as its link does. */
const open = ({ target }: MouseEvent) => {
  const row = target instanceof Element && !target.closest("a") && target.closest("tr")
  if (row && getSelection()?.type !== "Range") go({ selected: row.dataset["id"] })
}
