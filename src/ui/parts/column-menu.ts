import { html } from "lit"
import type { Go } from "../events.ts"
import { COLUMNS, columnsOf, withColumn } from "../model/columns.ts"
import type { Query } from "../model/query.ts"
import { menu } from "./menu.ts"

/** Which columns the list has, and how close its rows stand. */
export const columnMenu = ({ columns, dense }: Query, go: Go) => {
  const shown = columnsOf(columns)
  const box = (label: string, isOn: boolean, change: Partial<Query>) =>
    html`<label><input type="checkbox" .checked=${isOn} @change=${() => go(change)} />${label}</label>`
  return menu(
    "columns",
    "Columns",
    html`<ul class="columns">
        ${COLUMNS.map(
          (column) =>
            html`<li>
              ${box(column.label, shown.includes(column), { columns: withColumn(columns, column.name) })}
            </li>`
        )}
      </ul>
      <div class="line">
        ${box("Dense rows", dense, { dense: !dense })}
        <button class="plain" ?disabled=${columns === undefined} @click=${() => go({ columns: undefined })}>
          As usual
        </button>
      </div>`
  )
}
