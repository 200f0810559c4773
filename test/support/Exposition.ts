/** What a text of metrics says, read as strictly as Prometheus' own tool does. */
export interface Exposition {
  readonly families: ReadonlyMap<string, FamilyRead>
  /** Every sample by its name and labels, as they stand there. */
  readonly samples: ReadonlyMap<string, number>
  /** The sum of a family's samples that have these labels. */
  readonly sum: (name: string, labels?: Readonly<Record<string, string>>) => number
}

export interface FamilyRead {
  readonly type: string
  readonly help: string
  readonly samples: ReadonlyArray<Sample>
}

export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Throws at the first thing that is wrong. */
export const readExposition = (
  text: string,
  format: "prometheus" | "openmetrics" = "prometheus"
): Exposition => {
  const families = new Map<string, { type: string; readonly help: string; samples: Array<Sample> }>()
  const samples = new Map<string, number>()
  if (!text.endsWith("\n")) throw new Error("the last line has no end")
  const lines = text.slice(0, -1).split("\n")
  if (format === "openmetrics" && lines.pop() !== "# EOF") throw new Error("no # EOF at the end")
  let current = ""
  for (const line of lines) {
    const fail = (why: string): never => {
      throw new Error(`${why}: ${line}`)
    }
    const [, help, words = ""] = /^# HELP (\S+) (.+)$/.exec(line) ?? []
    const [, typed = "", type = ""] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? []
    if (help !== undefined) {
      if (!NAME.test(help)) fail("no name")
      if (families.has(help)) fail("a family told of twice")
      families.set(help, { type: "", help: words, samples: [] })
      current = help
    } else if (type !== "") {
      const family = families.get(typed)
      if (family === undefined || typed !== current || family.type !== "") fail("a type in the wrong place")
      else family.type = type
      if (TYPES[format]?.has(type) !== true) fail("an unknown type")
    } else {
      const sample = sampleIn(line) ?? fail("no sample")
      const family = families.get(current)
      if (family === undefined || family.type === "") return fail("a sample before its type")
      if (!endings(family.type, format).some((ending) => sample.name === current + ending))
        fail(`a sample that is not of ${current}`)
      const key = line.slice(0, line.lastIndexOf(" "))
      if (samples.has(key)) fail("a sample told of twice")
      samples.set(key, sample.value)
      family.samples.push(sample)
    }
  }
  for (const [name, family] of families) {
    lint(name, family, format)
    if (family.type === "histogram") checkHistogram(name, family.samples)
  }
  const sum = (name: string, labels: Readonly<Record<string, string>> = {}) =>
    Array.from(families.values())
      .flatMap(({ samples }) => samples)
      .filter((sample) => sample.name === name)
      .filter((sample) => Object.entries(labels).every(([key, value]) => sample.labels[key] === value))
      .reduce((sum, { value }) => sum + value, 0)
  return { families, samples, sum }
}

const sampleIn = (line: string): Sample | undefined => {
  const [, name = "", inner, value = ""] =
    /^([a-zA-Z_:][\w:]*)(?:\{((?:[^"{}]|"(?:[^"\\]|\\.)*")*)\})? (\S+)$/.exec(line) ?? []
  if (name === "") return undefined
  const labels: Record<string, string> = {}
  let rest = inner ?? ""
  while (rest !== "") {
    const [whole, label = "", text = ""] = /^([a-zA-Z_]\w*)="((?:[^"\\]|\\[\\"n])*)"(?:,|$)/.exec(rest) ?? []
    if (whole === undefined || label.startsWith("__") || label in labels) return undefined
    labels[label] = text.replaceAll(/\\(.)/g, (_, sign: string) => (sign === "n" ? "\n" : sign))
    rest = rest.slice(whole.length)
  }
  const number = value === "+Inf" ? Infinity : Number(value)
  return Number.isNaN(number) ? undefined : { name, labels, value: number }
}

/** What Prometheus' tool complains of. */
const lint = (name: string, { help, type }: FamilyRead, format: string): void => {
  const isTotal = name.endsWith("_total")
  const complaint =
    type === ""
      ? "has no type"
      : type === "counter" && format === "prometheus" && !isTotal
        ? "is a counter without _total"
        : type !== "counter" && isTotal
          ? "is no counter and says _total"
          : /_(?:ms|millis|milliseconds|minutes|hours|kb|mb|percent)(?:_|$)/.test(name)
            ? "has no base unit"
            : /_(?:count|sum|bucket)$/.test(name)
              ? "ends like a part of a histogram"
              : /[A-Z]/.test(name) || !help.endsWith(".")
                ? "is not written well"
                : undefined
  if (complaint !== undefined) throw new Error(`${name} ${complaint}`)
}

const checkHistogram = (name: string, samples: ReadonlyArray<Sample>): void => {
  const series = new Map<string, Array<Sample>>()
  for (const sample of samples) {
    const { le: _, ...labels } = sample.labels
    const key = JSON.stringify(labels)
    series.set(key, [...(series.get(key) ?? []), sample])
  }
  for (const [key, parts] of series) {
    const buckets = parts.filter((part) => part.name === `${name}_bucket`)
    const one = (ending: string) => {
      const [found, another] = parts.filter((part) => part.name === name + ending)
      if (found === undefined || another !== undefined) throw new Error(`${name}${key} has not one ${ending}`)
      return found.value
    }
    let below = 0
    let end = -Infinity
    for (const { labels, value } of buckets) {
      const bound = labels["le"] === "+Inf" ? Infinity : Number(labels["le"])
      if (!(bound > end) || value < below) throw new Error(`${name}${key} has buckets out of order`)
      end = bound
      below = value
    }
    if (end !== Infinity || below !== one("_count"))
      throw new Error(`${name}${key} lacks some in its buckets`)
    if (!(one("_sum") >= 0)) throw new Error(`${name}${key} has no sum`)
  }
}

const endings = (type: string, format: string): ReadonlyArray<string> => {
  if (type === "histogram") return ["_bucket", "_sum", "_count"]
  if (format === "prometheus") return [""]
  return type === "counter" ? ["_total"] : type === "info" ? ["_info"] : [""]
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const TYPES: Readonly<Record<string, ReadonlySet<string>>> = {
  prometheus: new Set(["counter", "gauge", "histogram", "summary", "untyped"]),
  openmetrics: new Set(["counter", "gauge", "histogram", "summary", "info", "stateset", "unknown"])
}
