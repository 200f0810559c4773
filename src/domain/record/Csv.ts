/** A cell as it is written: numbers as they are, null as nothing. */
export type Cell = string | number | null

/**
 * A line of RFC 4180, with its end. Texts that a spreadsheet would take for a formula get an apostrophe before
 * them, which it takes for "this is text".
 */
export const line = (cells: ReadonlyArray<Cell>): string => `${cells.map(cellText).join(",")}\r\n`

const cellText = (cell: Cell): string => {
  if (cell === null) return ""
  if (typeof cell === "number") return String(cell)
  const text = FORMULA.test(cell) ? `'${cell}` : cell
  return QUOTED.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** Spreadsheets of East Asia take the wide signs for the narrow ones. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/

const QUOTED = /[",\r\n]/
