import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { shapeOf } from "../../src/domain/record/Shape.ts"
import * as ShapeFilter from "../../src/domain/record/ShapeFilter.ts"
import type { RequestRecord } from "../../src/domain/RequestRecord.ts"
import type { Row } from "../../src/ui/api/rows.ts"
import { matches, merged } from "../../src/ui/model/matches.ts"
import { INITIAL } from "../../src/ui/model/query.ts"
import type { Filters } from "../../src/ui/model/query.ts"
import { rowOf } from "../support/Rows.ts"

const row = (more: Partial<RequestRecord> = {}, id = "req_1"): Row => ({
  ...rowOf(id, more),
  cost: null,
  cost_usd: null
})
const answer = (filters: Filters, more: Partial<RequestRecord> = {}) =>
  matches(row(more), { ...INITIAL, filters })

describe("a row of the live feed", () => {
  it("belongs to the list by the server's own rules", () => {
    const records = fc.record({
      status_code_returned_to_client: fc.constantFrom(null, 200, 404, 502),
      error_source: fc.constantFrom(null, "client" as const, "upstream" as const),
      media_type_processed: fc.constantFrom(null, "image", "image,video"),
      is_streaming: fc.constantFrom(0, 1),
      kind: fc.constantFrom("main" as const, "describe" as const),
      key_id: fc.constantFrom(null, "key_a")
    })
    const values = {
      status: ["2xx", "5xx", "404", "(none)"],
      source: ["client", "(none)"],
      media: ["image", "video", "(none)"],
      stream: ["true", "false"],
      kind: ["main", "describe"],
      key: ["key_a", "(none)"]
    }
    const filters = fc.record(
      Object.fromEntries(
        Object.entries(values).map(([name, all]) => [
          name,
          fc.uniqueArray(fc.constantFrom(...all), { minLength: 1, maxLength: 2 })
        ])
      ),
      { requiredKeys: [] }
    )
    fc.assert(
      fc.property(records, filters, (more, chosen) => {
        const parameters = ShapeFilter.PARAMETERS.flatMap(([name, { column, read }]) => {
          const wanted = name === "kind" ? (chosen[name] ?? ["main"]) : chosen[name]
          return wanted === undefined ? [] : [[column, wanted.flatMap((value) => read(value) ?? [])] as const]
        })
        const expected = ShapeFilter.matches(new Map(parameters), shapeOf(rowOf("req_1", more)))
        assert.strictEqual(answer(chosen, more), expected)
      }),
      { numRuns: 500 }
    )
  })

  it("is a request unless side calls are asked for", () => {
    assert.strictEqual(answer({}), "yes")
    assert.strictEqual(answer({}, { kind: "transcribe" }), "no")
    assert.strictEqual(answer({ kind: ["all"] }, { kind: "transcribe" }), "yes")
  })

  it("is known by its models, its address and its memory", () => {
    assert.strictEqual(answer({ model: ["fast"], routed: ["vendor/fast"], ip: ["127.0.0.1"] }), "yes")
    assert.strictEqual(answer({ model: ["slow"] }), "no")
    assert.strictEqual(answer({ cache: ["hit"] }, { is_multimodal: 1, cache_hits: 2 }), "yes")
    assert.strictEqual(answer({ cache: ["miss"] }, { is_multimodal: 1, cache_hits: null }), "yes")
    assert.strictEqual(answer({ cache: ["miss"] }), "no")
  })

  it("is only perhaps one where words are looked for, or never in another time", () => {
    assert.strictEqual(matches(row(), { ...INITIAL, search: "x" }), "perhaps")
    const before = { ...INITIAL, range: "custom", to: "2026-11-20T10:00:00Z" }
    assert.strictEqual(matches(row(), before), "no")
    assert.strictEqual(matches(row(), { ...before, to: undefined, from: "2026-11-20T10:00:00Z" }), "yes")
  })
})

describe("a list with news", () => {
  const at = (second: number, id: string, more: Partial<RequestRecord> = {}) =>
    row({ timestamp: `2026-11-20T10:00:0${second}.000Z`, ...more }, id)
  const ids = (rows: ReadonlyArray<Row>) => rows.map((row) => row.internal_request_id)

  it("has them in the order in which requests came", () => {
    const rows = [at(5, "e"), at(3, "c"), at(1, "a")]
    assert.deepStrictEqual(ids(merged(rows, [at(4, "d"), at(6, "f")], 10)), ["f", "e", "d", "c", "a"])
    assert.deepStrictEqual(ids(merged(rows, [at(6, "f")], 3)), ["f", "e", "c"])
  })

  it("has each once, and what is new of it", () => {
    const rows = [at(5, "e", { state: "running" }), at(3, "c")]
    const news = merged(rows, [at(5, "e", { state: "failed" })], 10)
    assert.deepStrictEqual(ids(news), ["e", "c"])
    assert.strictEqual(news[0]?.state, "failed")
  })
})
