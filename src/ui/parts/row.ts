import { html, nothing } from "lit/html.js"
import type { Row } from "../api/rows.ts"
import { query } from "../controllers/place.ts"
import { clock, full } from "../format/time.ts"
import type { Column } from "../model/columns.ts"
import { mediumOf } from "../model/medium.ts"
import { addressOf, changed } from "../model/query.ts"
import { icon } from "./icon.ts"
import type { IconName } from "./icon.ts"

/** A request as a row of the list. */
export const rowTemplate = (row: Row, columns: ReadonlyArray<Column>) => {
  const { id, internal_request_id: name, state } = row
  const isSelected = query.selected === name || query.selected === String(id)
  return html`<tr
    data-id=${name}
    class="${state} ${isSelected ? "selected" : ""}"
    aria-current=${isSelected || nothing}
  >
    ${columns.map((column) =>
      column.name === "time"
        ? html`<th scope="row">${timeOf(row)}</th>`
        : html`<td class=${column.isNumber ? "number" : `c-${column.name}`}>
            ${(CELLS[column.name] ?? plainOf)(row, column)}
          </td>`
    )}
  </tr>`
}

const timeOf = (row: Row) =>
  html`<a
    href=${addressOf(changed(query, { selected: row.internal_request_id }))}
    title=${full(row.timestamp, query.utc)}
    >${clock(row.timestamp, query.utc)}<span class="hidden"
      >, ${row.model_requested_by_client ?? "no model"}, ${row.state}</span
    ></a
  >`

/** How a request stands, in a sign, a colour, and words. */
export const statusOf = ({ state }: Row, words: unknown) =>
  html`<span class="status ${state}" title=${state}
    >${icon(SIGNS[state] ?? "alert")}<span>${words}</span></span
  >`

const cut = (title: string | null, content: unknown = title) =>
  html`<span class="cut" title=${title ?? ""}>${content}</span>`

const muted = (text: string) => html`<span class="muted">${text}</span>`

const plainOf = (row: Row, { text }: Column) => cut(text?.(row) ?? "")

const CELLS: { readonly [column: string]: (row: Row, column: Column) => unknown } = {
  status: (row) => {
    const { state, status_code_returned_to_client: status } = row
    return statusOf(row, state === "done" || state === "failed" ? (status ?? state) : state)
  },
  model: ({ model_requested_by_client: asked, model_routed_to_openrouter: routed }) => {
    const other = asked !== null && routed !== null && routed !== asked ? ` → ${routed}` : ""
    return cut(`${asked ?? routed ?? ""}${other}`, [asked ?? muted("none"), other && muted(other)])
  },
  media: ({ media_type_processed }) =>
    media_type_processed?.split(",").map((kind) => {
      const medium = mediumOf(kind)
      return html`<span class="medium muted" title=${kind}
        >${medium ? [icon(medium), html`<span class="hidden">${kind}</span>`] : kind}</span
      >`
    }),
  prompt: ({ error_message: error, error_source: source, preview, state }) =>
    state !== "failed" && state !== "interrupted"
      ? cut(preview)
      : cut(`${source ?? ""}: ${error ?? ""}\n${preview ?? ""}`, [
          html`<span class="error">${source && html`<b>${source}</b> `}${error ?? state}</span>`,
          preview && muted(` · ${preview}`)
        ])
}

const SIGNS: { readonly [State in Row["state"]]: IconName } = {
  running: "dots",
  done: "check",
  failed: "cross",
  cancelled: "stop",
  interrupted: "alert"
}
