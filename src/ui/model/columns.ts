import type { Row } from "../api/rows.ts"
import { count } from "../format/count.ts"
import type { Numeric } from "../format/count.ts"
import { duration } from "../format/duration.ts"
import { money } from "../format/money.ts"

/** A column of the list. */
export interface Column {
  readonly name: string
  readonly label: string
  /** What the server sorts by; empty where it cannot. */
  readonly sort: string
  readonly isNumber?: boolean
  /** What stands in its cells, unless the row draws them itself. */
  readonly text?: (row: Row) => string
}

/** A name at the head of a column or a group. */
export const titled = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1)

export const column = (name: string, sort = name, label = titled(name)): Column => ({ name, sort, label })

/** A column of figures, in the words of `format`. */
export const figure = (
  name: string,
  field: keyof Row,
  format: (value: Numeric) => string,
  sort: string = field,
  label?: string
): Column => ({ ...column(name, sort, label), isNumber: true, text: (row) => format(row[field]) })

/** The columns of a list that nobody has chosen others for. */
export const USUAL: ReadonlyArray<Column> = [
  column("time", "timestamp"),
  column("status"),
  column("model"),
  column("media"),
  column("prompt", ""),
  figure("in", "prompt_tokens", count),
  figure("out", "completion_tokens", count),
  figure("cost", "cost", money, "cost_usd"),
  figure("duration", "processing_duration_ms", duration, "duration")
]

/** The next order of a list whose header is pressed: one way, the other way, and as usual. */
export const nextOrder = (
  { isNumber, sort }: Column,
  now: { readonly sort: string; readonly order: "asc" | "desc" }
): { readonly sort: string; readonly order: "asc" | "desc" } => {
  const first = isNumber === true || sort === "timestamp" ? "desc" : "asc"
  if (now.sort !== sort) return { sort, order: first }
  if (now.order === first) return { sort, order: first === "asc" ? "desc" : "asc" }
  return { sort: "timestamp", order: "desc" }
}
