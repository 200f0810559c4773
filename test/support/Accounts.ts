import { assert } from "@effect/vitest"
import type { Row } from "./Router.ts"

/** A line of `request_rollups` with the shape it counts. */
export interface CountedLine {
  readonly span: number
  readonly start: number
  readonly shape_id: number
  readonly [column: string]: unknown
}

/** What is read from the tables of a record, from whichever database. */
export interface Books {
  readonly rows: ReadonlyArray<Row>
  readonly rollups: ReadonlyArray<CountedLine>
}

export const ALL_ROWS = "SELECT * FROM openrouter_requests ORDER BY id"
export const ALL_ROLLUPS = `SELECT request_rollups.*, kind, state, provider, cost_source, model_routed
  FROM request_rollups JOIN request_shapes ON request_shapes.id = request_rollups.shape_id`

/** Every finished row is counted once by hour and once by day, to the nano-dollar, under its own shape. */
export const assertBalanced = ({ rollups, rows }: Books): void => {
  const expected = new Map<string, Sums>()
  for (const row of rows.filter(({ state }) => state !== "running")) {
    const second = Math.floor(Date.parse(row.timestamp) / 1000)
    for (const span of [3600, 86_400]) {
      const name = [
        ...[span, second - (second % span), row.shape_id, row.kind, row.state, row.provider ?? ""],
        ...[row.cost_source ?? "", row.model_routed_to_openrouter ?? ""]
      ].join(" ")
      const sums = expected.get(name) ?? NOTHING
      expected.set(name, {
        requests: sums.requests + 1,
        prompt_tokens: sums.prompt_tokens + Number(row.prompt_tokens),
        completion_tokens: sums.completion_tokens + Number(row.completion_tokens),
        cached_tokens: sums.cached_tokens + Number(row.cached_tokens),
        reasoning_tokens: sums.reasoning_tokens + Number(row.reasoning_tokens),
        cost_nano_usd: sums.cost_nano_usd + Number(row.cost_nano_usd),
        cost_unknown: sums.cost_unknown + (row.cost_nano_usd === null ? 1 : 0),
        duration_ms: sums.duration_ms + Number(row.processing_duration_ms)
      })
    }
  }
  const counted = new Map(
    rollups.map((line) => [
      ["span", "start", "shape_id", "kind", "state", "provider", "cost_source", "model_routed"]
        .map((column) => String(line[column]))
        .join(" "),
      Object.fromEntries(Object.keys(NOTHING).map((column) => [column, Number(line[column])]))
    ])
  )
  assert.deepStrictEqual(sorted(counted), sorted(expected))
}

const sorted = (lines: ReadonlyMap<string, unknown>) =>
  Array.from(lines).toSorted(([one], [other]) => (one < other ? -1 : 1))

const NOTHING = {
  requests: 0,
  prompt_tokens: 0,
  completion_tokens: 0,
  cached_tokens: 0,
  reasoning_tokens: 0,
  cost_nano_usd: 0,
  cost_unknown: 0,
  duration_ms: 0
}

type Sums = typeof NOTHING
