import { html, nothing } from "lit/html.js"
import type { Row } from "../api/rows.ts"
import { Component, define } from "../element.ts"
import { wish } from "../events.ts"
import { nextOrder, USUAL } from "../model/columns.ts"
import type { Column } from "../model/columns.ts"
import type { Query } from "../model/query.ts"
import { later } from "../soon.ts"
import { shared } from "../styles/shared.ts"
import { icon } from "./icon.ts"
import { rowTemplate } from "./row.ts"
import { tableStyles } from "../styles/table.ts"

/** The list of requests. */
class Table extends Component {
  declare rows: ReadonlyArray<Row>
  declare query: Query
  declare isBusy: boolean
  protected override readonly styles = [shared, tableStyles]

  /** Rows move on when others come; the focus stays with its request. */
  protected override update() {
    const { focused } = this
    super.update()
    if (focused !== this.focused) this.focusRow(focused, true)
  }

  protected override render() {
    const { columns: names } = this.query
    const columns = (names && later?.columnsOf(names)) ?? USUAL
    return html`<div class="scroll ${this.query.dense ? "dense" : ""}" aria-busy=${this.isBusy}>
      <table>
        <caption class="hidden">
          Requests
        </caption>
        <thead>
          <tr>
            ${columns.map((column) => this.header(column))}
          </tr>
        </thead>
        <tbody @click=${this.open}>
          ${this.rows.map((row) => rowTemplate(row, columns, this.query))}
        </tbody>
      </table>
    </div>`
  }

  /** Moves the focus a row up or down, and says which row has it now. */
  step(by: 1 | -1): Row | undefined {
    const from = this.focused ?? this.query.selected
    const at = this.rows.findIndex((row) => row.internal_request_id === from)
    const next = this.rows[at < 0 ? (by > 0 ? 0 : this.rows.length - 1) : at + by]
    if (next !== undefined) this.focusRow(next.internal_request_id)
    return next
  }

  focusRow(id: string | null | undefined, preventScroll = false): void {
    for (const row of this.renderRoot.querySelectorAll("tbody tr"))
      if (row.getAttribute("data-id") === id) row.querySelector("a")?.focus({ preventScroll })
  }

  private get focused() {
    return this.renderRoot.querySelector("tbody tr:focus-within")?.getAttribute("data-id")
  }

  private header(column: Column) {
    const { isNumber = false, label, sort } = column
    if (sort === undefined) return html`<th scope="col" class="c-${column.name}"><span>${label}</span></th>`
    const { order } = this.query
    const isSorted = this.query.sort === sort
    return html`<th
      scope="col"
      class=${isNumber ? "number" : `c-${column.name}`}
      aria-sort=${isSorted ? (order === "asc" ? "ascending" : "descending") : nothing}
    >
      <button class="plain" @click=${() => wish(this, { change: nextOrder(column, this.query) })}>
        ${label}${isSorted ? icon(order === "asc" ? "up" : "down") : nothing}
      </button>
    </th>`
  }

  /** A press anywhere on a row opens it, as its link does. */
  private readonly open = ({ target }: MouseEvent) => {
    const id =
      target instanceof Element && !target.closest("a") && target.closest("tr")?.getAttribute("data-id")
    if (id && getSelection()?.type !== "Range") wish(this, { change: { selected: id } })
  }
}

define("percept-table", Table, "rows", "query", "isBusy")

declare global {
  interface HTMLElementTagNameMap {
    "percept-table": Table
  }
}
