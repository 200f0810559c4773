import { html, LitElement, nothing } from "lit"
import type { PropertyValues } from "lit"
import type { Row } from "../api/rows.ts"
import { ChangeQuery } from "../events.ts"
import { columnsOf, nextOrder } from "../model/columns.ts"
import type { Column } from "../model/columns.ts"
import type { Query } from "../model/query.ts"
import { shared } from "../styles/shared.ts"
import { icon } from "./icon.ts"
import { rowTemplate } from "./row.ts"
import { tableStyles } from "./table.styles.ts"

/** The list of requests. */
class Table extends LitElement {
  static override properties = {
    rows: { attribute: false },
    query: { attribute: false },
    isBusy: { attribute: false }
  }
  declare rows: ReadonlyArray<Row>
  declare query: Query
  declare isBusy: boolean

  static override styles = [shared, tableStyles]

  /** Rows move on when others come; the focus stays with its request. */
  override update(changed: PropertyValues) {
    const { focused } = this
    super.update(changed)
    if (focused !== this.focused) this.focusRow(focused, true)
  }

  override render() {
    const columns = columnsOf(this.query.columns)
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
      <button
        class="plain"
        @click=${() => this.dispatchEvent(new ChangeQuery(nextOrder(column, this.query)))}
      >
        ${label}${isSorted ? icon(order === "asc" ? "up" : "down") : nothing}
      </button>
    </th>`
  }

  /** A press anywhere on a row opens it, as its link does. */
  private readonly open = ({ target }: MouseEvent) => {
    const id =
      target instanceof Element && !target.closest("a") && target.closest("tr")?.getAttribute("data-id")
    if (id && getSelection()?.type !== "Range") this.dispatchEvent(new ChangeQuery({ selected: id }))
  }
}

customElements.define("percept-table", Table)

declare global {
  interface HTMLElementTagNameMap {
    "percept-table": Table
  }
}
