import type { Row } from "../api/rows.ts"
import { count } from "../format/count.ts"
import { duration } from "../format/duration.ts"
import { money } from "../format/money.ts"

/** A column of the list. */
export interface Column {
  readonly name: string
  readonly label: string
  /** What the server sorts by; undefined where it cannot. */
  readonly sort?: string
  readonly isNumber?: boolean
  /** What stands in its cells, unless the row draws them itself. */
  readonly text?: (row: Row) => string
}

/** The columns of a list that nobody has chosen others for. */
export const USUAL: ReadonlyArray<Column> = [
  { name: "time", label: "Time", sort: "timestamp" },
  { name: "status", label: "Status", sort: "status" },
  { name: "model", label: "Model", sort: "model" },
  { name: "media", label: "Media", sort: "media" },
  { name: "prompt", label: "Prompt" },
  number("in", "In", "prompt_tokens", (row) => count(row.prompt_tokens)),
  number("out", "Out", "completion_tokens", (row) => count(row.completion_tokens)),
  number("cost", "Cost", "cost_usd", (row) => money(row.cost)),
  number("duration", "Duration", "duration", (row) => duration(row.processing_duration_ms))
]

/** The next order of a list whose header is pressed: one way, the other way, and as usual. */
export const nextOrder = (
  { isNumber, sort = "" }: Column,
  now: { readonly sort: string; readonly order: "asc" | "desc" }
): { readonly sort: string; readonly order: "asc" | "desc" } => {
  const first = isNumber === true || sort === "timestamp" ? "desc" : "asc"
  if (now.sort !== sort) return { sort, order: first }
  if (now.order === first) return { sort, order: first === "asc" ? "desc" : "asc" }
  return { sort: "timestamp", order: "desc" }
}

export function number(name: string, label: string, sort: string, text: (row: Row) => string): Column {
  return { name, label, sort, text, isNumber: true }
}
