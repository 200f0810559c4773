import { html } from "lit/html.js"
import { go, query } from "../controllers/place.ts"
import { COLUMNS, columnsOf, withColumn } from "../model/all-columns.ts"
import type { Query } from "../model/query.ts"

/** Which columns the list has, and how close its rows stand. */
export const columnMenu = () => {
  const { columns, dense } = query
  const shown = columnsOf(columns)
  const box = (label: string, isOn: boolean, change: Partial<Query>) =>
    html`<label><input type="checkbox" .checked=${isOn} @change=${() => go(change)} />${label}</label>`
  return html`<ul class="columns">
      ${COLUMNS.map(
        (column) =>
          html`<li>
            ${box(column.label, shown.includes(column), { columns: withColumn(columns, column.name) })}
          </li>`
      )}
    </ul>
    <div class="line">
      ${box("Dense rows", dense, { dense: !dense })}
      <button class="plain" ?disabled=${!columns} @click=${() => go({ columns: undefined })}>As usual</button>
    </div>`
}
