import type { Collected, Family, Histogram } from "./Registry.ts"

/** Prometheus' own text format, or the stricter one that has become a standard. */
export type Format = "prometheus" | "openmetrics"

export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
}

/** What a scraper takes, by its Accept header. */
export const formatFor = (accept: string | undefined): Format =>
  accept?.includes("application/openmetrics-text") === true ? "openmetrics" : "prometheus"

/** Families and their series as text. */
export const exposition = (collected: ReadonlyArray<Collected>, format: Format): string => {
  const lines: Array<string> = []
  for (const { family, series } of collected) {
    const { bounds, help, labels: names, name } = family
    const [title, type] = headOf(family, format)
    lines.push(`# HELP ${title} ${escaped(help)}`, `# TYPE ${title} ${type}`)
    for (const { labels, value } of series)
      if (typeof value !== "object") lines.push(`${name}${braces(names, labels)} ${numeral(value)}`)
      else lines.push(...histogramLines(name, names, labels, bounds ?? [], value))
  }
  if (format === "openmetrics") lines.push("# EOF")
  return `${lines.join("\n")}\n`
}

/** The newer format names a counter without its ending, and knows facts that never change. */
const headOf = ({ name, type }: Family, format: Format): readonly [title: string, type: string] => {
  if (format === "prometheus") return [name, type === "info" ? "gauge" : type]
  return [name.replace(type === "counter" ? /_total$/ : type === "info" ? /_info$/ : "", ""), type]
}

const histogramLines = (
  name: string,
  names: ReadonlyArray<string>,
  labels: ReadonlyArray<string>,
  bounds: ReadonlyArray<number>,
  { count, counts, sum }: Histogram
): ReadonlyArray<string> => {
  let below = 0
  const bucket = (end: string, more: number) => {
    below += more
    return `${name}_bucket${braces([...names, "le"], [...labels, end])} ${below}`
  }
  return [
    ...bounds.map((bound, at) => bucket(numeral(bound), counts[at] ?? 0)),
    bucket("+Inf", counts[bounds.length] ?? 0),
    `${name}_sum${braces(names, labels)} ${numeral(sum)}`,
    `${name}_count${braces(names, labels)} ${count}`
  ]
}

const braces = (names: ReadonlyArray<string>, values: ReadonlyArray<string>): string =>
  names.length === 0
    ? ""
    : `{${names.map((name, at) => `${name}="${escaped(values[at] ?? "").replaceAll('"', '\\"')}"`).join(",")}}`

const escaped = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")

const numeral = (value: number): string => {
  if (Number.isFinite(value)) return String(value)
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf"
}
