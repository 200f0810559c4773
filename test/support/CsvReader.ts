/** The cells of RFC 4180; anything else is an error. */
export const readCsv = (text: string): ReadonlyArray<ReadonlyArray<string>> => {
  const lines: Array<Array<string>> = []
  let cells: Array<string> = []
  let at = 0
  while (at < text.length) {
    const [whole = "", quoted, plain = "", end = ""] =
      /^(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/.exec(text.slice(at)) ?? []
    if (whole === "") throw new Error(`no CSV from ${JSON.stringify(text.slice(at, at + 60))} on`)
    cells.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'))
    if (end === "\r\n") {
      lines.push(cells)
      cells = []
    }
    at += whole.length
  }
  if (cells.length > 0) throw new Error("the last line has no end")
  return lines
}
