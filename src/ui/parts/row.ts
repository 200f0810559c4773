import { html, nothing } from "lit"
import type { Row } from "../api/rows.ts"
import { clock, full } from "../format/time.ts"
import type { Column } from "../model/columns.ts"
import { addressOf, changed } from "../model/query.ts"
import type { Query } from "../model/query.ts"
import { icon } from "./icon.ts"
import type { IconName } from "./icon.ts"

/** A request as a row of the list. */
export const rowTemplate = (row: Row, columns: ReadonlyArray<Column>, query: Query) => {
  const id = row.internal_request_id
  const isSelected = query.selected === id || query.selected === String(row.id)
  return html`<tr
    data-id=${id}
    class="${row.state} ${isSelected ? "selected" : ""}"
    aria-current=${isSelected ? "true" : nothing}
  >
    ${columns.map((column) =>
      column.name === "time"
        ? html`<th scope="row">${timeOf(row, query)}</th>`
        : html`<td class=${column.isNumber ? "number" : `c-${column.name}`}>${cellOf(row, column)}</td>`
    )}
  </tr>`
}

/** How a request ended, in a sign, a word and a colour. */
export const statusTemplate = ({ state, status_code_returned_to_client: status }: Row) => {
  const [sign, word] = STATES[state] ?? STATES.interrupted
  return html`<span class="status ${state}" title=${word}
    >${icon(sign)}<span>${state === "done" || state === "failed" ? (status ?? word) : word}</span></span
  >`
}

const cellOf = (row: Row, { name, text }: Column) => {
  switch (name) {
    case "status":
      return statusTemplate(row)
    case "model":
      return modelOf(row)
    case "media":
      return (row.media_type_processed ?? "").split(",").map(mediumOf)
    case "prompt":
      return promptOf(row)
    default: {
      const shown = text?.(row) ?? ""
      return html`<span class="cut" title=${shown}>${shown}</span>`
    }
  }
}

const timeOf = (row: Row, query: Query) =>
  html`<a
    href=${addressOf(changed(query, { selected: row.internal_request_id }))}
    title=${full(row.timestamp, query.utc)}
    >${clock(row.timestamp, query.utc)}<span class="hidden"
      >, ${row.model_requested_by_client ?? "no model"}, ${row.state}</span
    ></a
  >`

const modelOf = ({ model_requested_by_client: asked, model_routed_to_openrouter: routed }: Row) =>
  html`<span class="cut" title=${routed === null || routed === asked ? asked : `${asked} → ${routed}`}
    >${asked ?? html`<span class="muted">none</span>`}${
      routed === null || routed === asked || asked === null
        ? nothing
        : html`<span class="muted"> → ${routed}</span>`
    }</span
  >`

const mediumOf = (kind: string) => {
  if (kind === "") return nothing
  const sign = MEDIA[kind]
  return html`<span class="medium" title=${kind}
    >${sign === undefined ? kind : html`${icon(sign)}<span class="hidden">${kind}</span>`}</span
  >`
}

const promptOf = ({ error_message: error, error_source: source, preview, state }: Row) =>
  state !== "failed" && state !== "interrupted"
    ? html`<span class="cut" title=${preview ?? ""}>${preview ?? ""}</span>`
    : html`<span class="cut" title=${`${source ?? ""}: ${error ?? ""}\n${preview ?? ""}`}
        ><span class="error">${source === null ? "" : html`<b>${source}</b> `}${error ?? state}</span
        >${preview === null ? nothing : html`<span class="muted"> · ${preview}</span>`}</span
      >`

const STATES: { readonly [State in Row["state"]]: readonly [IconName, string] } = {
  running: ["dots", "running"],
  done: ["check", "done"],
  failed: ["cross", "failed"],
  cancelled: ["stop", "cancelled"],
  interrupted: ["alert", "interrupted"]
}

const MEDIA: { readonly [kind: string]: IconName } = { image: "image", video: "video", audio: "audio" }
