import { html } from "lit/html.js"
import type { Row } from "../api/rows.ts"

/** How a request stands: a sign, a word and a colour. */
export const statusOf = ({ state, status_code_returned_to_client: status }: Row) =>
  html`<span class=${state}>${SIGNS[state]} ${state === "running" ? "" : status} ${state}</span>`

const SIGNS: Readonly<Record<Row["state"], string>> = {
  running: "◌",
  done: "✓",
  failed: "✕",
  cancelled: "⊘",
  interrupted: "⊘"
}
