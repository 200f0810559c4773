import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Meters } from "../../src/services/Meters.ts"
import type { Ended } from "../../src/services/Meters.ts"
import { exposition } from "../../src/services/metrics/exposition.ts"
import { observe, Registry } from "../../src/services/metrics/Registry.ts"
import type { Family } from "../../src/services/metrics/Registry.ts"
import { readExposition } from "../support/Exposition.ts"
import { rowOf } from "../support/Rows.ts"

const ended = (change: Partial<Ended["row"]>, listedAs?: string): Ended => ({
  ...{
    row: rowOf("req_1", change),
    listedAs,
    startedAt: 100,
    upstreamAt: 0,
    steps: undefined,
    sightings: undefined
  }
})

const readAll = (meters: Meters, format: "prometheus" | "openmetrics" = "prometheus") =>
  readExposition(exposition(meters.collect(), format), format)

describe("what has ended", () => {
  it.effect("is told apart by models of the catalogue, two hundred of them, whatever they are called", () =>
    Effect.gen(function* () {
      const meters = yield* Meters
      for (let number = 0; number < 300; number++) {
        meters.count(
          ended({ provider: "p", prompt_tokens: 1, model_routed_to_openrouter: `made up ${number}` })
        )
        meters.count(ended({ provider: "p", prompt_tokens: 1 }, `evil "${number}"\\\n} 1`))
      }
      const { families } = readAll(meters)
      const samples = families.get("percept_tokens_total")?.samples ?? []
      const input = samples.filter(({ labels }) => labels["type"] === "input")
      assert.strictEqual(input.length, 201)
      assert.strictEqual(input.find(({ labels }) => labels["model"] === "other")?.value, 400)
      assert.isDefined(input.find(({ labels }) => labels["model"] === 'evil "199"\\\n} 1'))
      assert.strictEqual(readAll(meters, "openmetrics").sum("percept_requests_total"), 600)
    }).pipe(Effect.provide(Meters.Default))
  )

  it.effect("costs to the nano-dollar, and what is unknown is not nothing", () =>
    Effect.gen(function* () {
      const meters = yield* Meters
      const cost = (cost_nano_usd: number | null, cost_source: "provider" | "estimated" | null) =>
        meters.count(ended({ provider: "p", openrouter_latency_ms: 5, cost_nano_usd, cost_source }))
      for (let number = 0; number < 1000; number++) cost(1, "provider")
      cost(3_000_000_000_000, "provider")
      cost(140_000, "estimated")
      cost(0, "provider")
      cost(null, null)
      meters.count(ended({ provider: "p", openrouter_latency_ms: null, cost_nano_usd: null }))
      const { sum } = readAll(meters)
      assert.strictEqual(sum("percept_cost_dollars_total", { source: "provider" }), 3000.000001)
      assert.strictEqual(sum("percept_cost_dollars_total", { source: "estimated" }), 0.00014)
      assert.strictEqual(sum("percept_cost_unknown_total"), 1)
    }).pipe(Effect.provide(Meters.Default))
  )

  it.effect("took the router what is left when the media are taken off", () =>
    Effect.gen(function* () {
      const meters = yield* Meters
      meters.count({ ...ended({ provider: "p", media_ms: 900 }), upstreamAt: 1002 })
      meters.count({ ...ended({ provider: "p", media_ms: 900 }), upstreamAt: 500 })
      meters.count({ ...ended({ provider: "percept" }), upstreamAt: 500 })
      const { sum } = readAll(meters)
      assert.strictEqual(sum("percept_router_overhead_seconds_count"), 2)
      assert.closeTo(sum("percept_router_overhead_seconds_sum"), 0.002, 1e-9)
      assert.strictEqual(sum("percept_router_overhead_seconds_bucket", { le: "0.001" }), 1)
    }).pipe(Effect.provide(Meters.Default))
  )
})

describe("a histogram", () => {
  it("counts a value that is a bound below it, and one beyond all bounds too", () => {
    const family: Family = { name: "a_seconds", type: "histogram", help: "A.", labels: ["x"], bounds: [1, 2] }
    const registry = new Registry()
    for (const value of [0, 1, 1.5, 2, 2.5, 1e9]) observe(registry.histogram(family, "\n\\"), value)
    const text = exposition([registry.collect(family)], "prometheus")
    const { samples } = readExposition(text)
    assert.deepStrictEqual(Array.from(samples.values()), [2, 4, 6, 1_000_000_007, 6])
    assert.include(text, '{x="\\n\\\\",le="+Inf"} 6')
  })
})

describe("the reader of metrics, which must be able to find fault,", () => {
  for (const [why, text] of Object.entries({
    "a sample before its type": "a_total 1\n",
    "a sample told of twice":
      '# HELP a_total A.\n# TYPE a_total counter\na_total{x="1"} 1\na_total{x="1"} 2\n',
    "without _total": "# HELP a A.\n# TYPE a counter\na 1\n",
    "no sample": "# HELP a_total A.\n# TYPE a_total counter\na_total{x=1} 1\n",
    "out of order":
      '# HELP a A.\n# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n',
    "lacks some": '# HELP a A.\n# TYPE a histogram\na_bucket{le="1"} 1\na_sum 1\na_count 1\n',
    "not of b": "# HELP a A.\n# TYPE a gauge\n# HELP b B.\n# TYPE b gauge\na 1\n",
    "no end": "# HELP a A.\n# TYPE a gauge\na 1"
  }))
    it(`says: ${why}`, () => assert.throws(() => readExposition(text), why))
})
