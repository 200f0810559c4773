/** Turns the rows of a run into tables: the median over the rounds, and how far the rounds spread. */

const yardstick = "raw"

const median = (values) => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

const middleOf = (values, digits) => {
  const known = values.filter(Number.isFinite)
  return known.length === 0 ? "-" : median(known).toFixed(digits)
}

const withSpread = (values, digits) => {
  const known = values.filter(Number.isFinite)
  if (known.length < 2) return middleOf(known, digits)
  const [least, most] = [Math.min(...known), Math.max(...known)].map((value) => value.toFixed(digits))
  return `${middleOf(known, digits)} (${least}-${most})`
}

const table = (rows) => {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  const line = (row) =>
    row.map((text, i) => (i < 2 ? text.padEnd(widths[i]) : text.padStart(widths[i]))).join("  ")
  return rows.map(line).join("\n")
}

const goalText = (goal, ratios) => {
  if (goal === undefined || ratios.length === 0) return ""
  return `${median(ratios) <= goal ? "met" : "MISSED"}: at most ${goal.toFixed(1)}`
}

const cellTable = (rows, cells, targets) => {
  const head = [
    "cell",
    "target",
    "us CPU/request",
    "us CPU/chunk",
    "x raw",
    "goal",
    "answers/s",
    "p50 ms",
    "p99 ms",
    "bad"
  ]
  const lines = cells.flatMap(({ name, stream, goal }) =>
    targets.map((target) => {
      const mine = rows.filter((row) => row.cell === name && row.target === target)
      const ratios = mine.flatMap((row) => {
        const raw = rows.find(
          (other) => other.cell === name && other.target === yardstick && other.round === row.round
        )
        const ratio = raw === undefined || target === yardstick ? NaN : row.cpuPerUnit / raw.cpuPerUnit
        return Number.isFinite(ratio) ? [ratio] : []
      })
      const of = (field) => mine.map((row) => row[field])
      return [
        name,
        target,
        withSpread(of("cpuPerRequest"), 0),
        stream ? withSpread(of("cpuPerUnit"), 1) : "",
        ratios.length === 0 ? "" : withSpread(ratios, 2),
        goalText(goal, ratios),
        middleOf(of("perSecond"), 0),
        middleOf(of(stream ? "firstP50Ms" : "p50Ms"), 2),
        middleOf(of(stream ? "firstP99Ms" : "p99Ms"), 2),
        String(mine.reduce((sum, row) => sum + row.errors + row.broken, 0))
      ]
    })
  )
  return table([head, ...lines])
}

const processTable = (rows, targets) => {
  const head = ["target", "", "ready ms", "RSS MB after json-c256", "RSS MB at the end"]
  const lines = targets.map((target) => {
    const of = (cell, field) =>
      rows.filter((row) => row.target === target && row.cell === cell).map((row) => row[field])
    return [
      target,
      "",
      withSpread(of("process", "readyMs"), 0),
      withSpread(of("json-c256", "rssMb"), 0),
      withSpread(of("process", "rssMb"), 0)
    ]
  })
  return table([head, ...lines])
}

export const report = (rows, cells, targets) =>
  [
    cellTable(rows, cells, targets),
    "x raw: CPU against the raw proxy in the same round, per request (json) or per chunk (stream)." +
      " p50, p99: the whole answer (json), the first event (stream).",
    processTable(rows, targets)
  ].join("\n\n")
