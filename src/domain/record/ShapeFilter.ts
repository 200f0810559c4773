import { OTHER } from "./Shape.ts"
import type { Shape } from "./Shape.ts"

const KINDS = ["main", "describe", "transcribe"]
const ALL = "all"

/** Values wanted of columns; rows match one value of each column. */
export type ShapeFilters = ReadonlyMap<keyof Shape, ReadonlyArray<string>>

/** Stands for "has none". */
export const NONE = "(none)"

/**
 * Whether rows of this shape are wanted. `perhaps` is the answer where the shape has lost a name that was asked for:
 * its rows must be looked at.
 */
export const matches = (filters: ShapeFilters, shape: Shape): "yes" | "no" | "perhaps" =>
  matcherFor(filters)(shape)

/** The same for many shapes: thousands of them are asked for each question. */
export const matcherFor = (filters: ShapeFilters): ((shape: Shape) => "yes" | "no" | "perhaps") => {
  const wanted = Array.from(filters)
  return (shape) => {
    let answer: "yes" | "perhaps" = "yes"
    for (let at = 0; at < wanted.length; at++) {
      const [column, values] = wanted[at] ?? NO_FILTER
      if (isOneOf(column, shape[column], values)) continue
      if (shape[column] !== OTHER) return "no"
      answer = "perhaps"
    }
    return answer
  }
}

const isOneOf = (column: keyof Shape, has: string, values: ReadonlyArray<string>): boolean => {
  for (let at = 0; at < values.length; at++) if (isOf(column, has, values[at] ?? "")) return true
  return false
}

const NO_FILTER: readonly [keyof Shape, ReadonlyArray<string>] = ["kind", []]

const isOf = (column: keyof Shape, has: string, wanted: string): boolean => {
  if (wanted === NONE) return has === ""
  if (column === "media") return has.split(",").includes(wanted)
  if (column === "status" && wanted.endsWith("xx")) return has.length === 3 && has[0] === wanted[0]
  return has === (wanted.length > LONGEST_NAME ? wanted.slice(0, LONGEST_NAME) : wanted)
}

/** How values are read from an address; undefined where one is nothing that could be meant. */
export const PARAMETERS: ReadonlyArray<
  readonly [
    name: string,
    { readonly column: keyof Shape; readonly read: (text: string) => string | undefined }
  ]
> = [
  ["kind", { column: "kind", read: oneOf(...KINDS, ALL) }],
  ["state", { column: "state", read: oneOf("running", "done", "failed", "cancelled", "interrupted") }],
  ["endpoint", { column: "endpoint", read: asItIs }],
  ["model", { column: "model_requested", read: asItIs }],
  ["routed", { column: "model_routed", read: asItIs }],
  ["provider", { column: "provider", read: asItIs }],
  ["key", { column: "key_id", read: asItIs }],
  ["status", { column: "status", read: status }],
  ["source", { column: "error_source", read: oneOf("client", "router", "upstream", NONE) }],
  ["media", { column: "media", read: asItIs }],
  ["stream", { column: "streaming", read: flag }]
]

/** The values in one order, each once; side calls are shown beside requests where all kinds are asked for. */
export const spelledOut = (values: ReadonlyArray<string>): ReadonlyArray<string> =>
  Array.from(new Set(values.flatMap((value) => (value === ALL ? KINDS : [value])))).toSorted()

/** What a parameter takes, for whoever wrote something else. */
export const wordsFor = (name: string): string => WORDS[name] ?? "a text"

const WORDS: { readonly [name: string]: string } = {
  kind: "main, describe, transcribe or all",
  state: "running, done, failed, cancelled or interrupted",
  status: "a status such as 200, a class such as 5xx, or (none)",
  source: "client, router, upstream or (none)",
  stream: "true or false"
}

function asItIs(text: string): string {
  return text
}

function oneOf(...names: ReadonlyArray<string>) {
  return (text: string): string | undefined => names.find((name) => name === text.toLowerCase())
}

function status(text: string): string | undefined {
  return /^(?:[1-5]\d\d|[1-5]xx|\(none\))$/i.test(text) ? text.toLowerCase() : undefined
}

function flag(text: string): string | undefined {
  const word = text.toLowerCase()
  return ["true", "1"].includes(word) ? "1" : ["false", "0"].includes(word) ? "0" : undefined
}

/** As long as a shape keeps a name. */
const LONGEST_NAME = 120
