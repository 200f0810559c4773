import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { pauseOf } from "../../src/ui/model/pause.ts"
import {
  addressOf,
  changed,
  filterParameters,
  FILTERS,
  INITIAL,
  listParameters,
  parse,
  RANGES,
  toggled
} from "../../src/ui/model/query.ts"
import type { Filters, Query } from "../../src/ui/model/query.ts"

const read = (address: string): Query => {
  const { pathname, search } = new URL(address, "http://here")
  return parse(pathname, search)
}

/** Anything that can stand in an address; halves of signs cannot. */
const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 })
const maybe = <A>(value: fc.Arbitrary<A>) => fc.option(value, { nil: undefined })
const filters: fc.Arbitrary<Filters> = fc
  .dictionary(fc.constantFrom(...FILTERS), fc.uniqueArray(text, { minLength: 1, maxLength: 3 }), {
    noNullPrototype: true
  })
  .map((found) =>
    Object.assign(found, found["cache"] === undefined ? {} : { cache: found["cache"].slice(0, 1) })
  )

const query: fc.Arbitrary<Query> = fc
  .record({
    view: fc.constantFrom("requests" as const, "media" as const),
    range: fc.constantFrom(...RANGES, "custom"),
    from: maybe(text),
    to: maybe(text),
    search: fc.string({ unit: "grapheme", maxLength: 12 }),
    filters,
    sort: fc.constantFrom("timestamp", "cost_usd", "model"),
    order: fc.constantFrom("asc" as const, "desc" as const),
    cursor: maybe(text),
    selected: maybe(text),
    alone: fc.boolean(),
    medium: maybe(text),
    tail: fc.boolean(),
    columns: maybe(fc.uniqueArray(fc.constantFrom("time", "status", "cost"), { minLength: 1 })),
    dense: fc.boolean(),
    utc: fc.boolean()
  })
  .map((query) =>
    Object.assign(query, query.range === "custom" ? {} : { from: undefined, to: undefined }, {
      alone: query.alone && !/^\.{0,2}$/.test(query.selected ?? "")
    })
  )

describe("the address", () => {
  it("says all that is shown", () =>
    fc.assert(
      fc.property(query, (query) => assert.deepStrictEqual(read(addressOf(query)), query)),
      {
        numRuns: 300
      }
    ))

  it("is short where all is as usual", () => assert.strictEqual(addressOf(INITIAL), "/ui/tracking"))

  it("may be anything at all", () =>
    fc.assert(
      fc.property(fc.string(), fc.string(), (path, search) => {
        const found = parse(`/ui/tracking/${path}`, `?${search}`)
        // Whatever was understood is understood the same again.
        assert.deepStrictEqual(read(addressOf(found)), found)
      })
    ))

  it("with an id is one request alone, until it is closed", () => {
    const alone = read("/ui/tracking/req_%2F1?tz=utc")
    assert.deepInclude(alone, { selected: "req_/1", alone: true, utc: true })
    assert.strictEqual(addressOf(changed(alone, { selected: undefined })), "/ui/tracking?tz=utc")
    assert.strictEqual(read("/ui/tracking/%E0%A4%A").selected, "%E0%A4%A")
    for (const dots of [".", "..", "%2e"]) assert.deepStrictEqual(parse(`/ui/tracking/${dots}`, ""), INITIAL)
  })

  it("takes what it does not know for not there", () => {
    const odd = "range=5y&view=secrets&order=sideways&tail=yes&rows=1&nonsense=1&from=2026-01-01"
    assert.deepStrictEqual(read(`/ui/tracking?${odd}`), INITIAL)
    assert.deepInclude(read("/ui/tracking?from=2026-01-01"), { range: "custom", from: "2026-01-01" })
  })
})

describe("what the server is asked", () => {
  it("has the range or its ends, the words without space around them, and each value", () => {
    const asked = filterParameters({
      ...INITIAL,
      search: "  100% & more ",
      filters: { status: ["5xx", "404"], cache: ["hit"] },
      sort: "cost_usd",
      cursor: "here"
    })
    assert.strictEqual(String(asked), "range=24h&q=100%25+%26+more&status=5xx&status=404&cache=hit")
    assert.strictEqual(
      String(filterParameters({ ...INITIAL, range: "custom", to: "2026-01-01" })),
      "to=2026-01-01"
    )
  })

  it("has an order where it is not the usual one", () => {
    assert.strictEqual(String(listParameters(INITIAL)), "range=24h")
    assert.strictEqual(
      String(listParameters({ ...INITIAL, sort: "cost_usd", order: "asc" })),
      "range=24h&sort_by=cost_usd&sort_order=asc"
    )
  })
})

describe("the live tail", () => {
  it("pauses wherever new rows would not be seen, or in the way", () => {
    assert.isUndefined(pauseOf(INITIAL, false))
    assert.isDefined(pauseOf(INITIAL, true))
    for (const change of [
      { selected: "x" },
      { cursor: "x" },
      { sort: "cost_usd" },
      { order: "asc" as const }
    ])
      assert.isDefined(pauseOf({ ...INITIAL, ...change }, false))
  })
})

describe("a change", () => {
  const later = { ...INITIAL, cursor: "page two" }

  it("of which rows there are begins at the first page", () => {
    for (const change of [
      { search: "x" },
      { range: "7d" },
      { order: "asc" as const },
      { filters: { ip: ["1"] } }
    ])
      assert.isUndefined(changed(later, change).cursor)
  })

  it("of anything else stays where it is", () => {
    for (const change of [{ selected: "x" }, { tail: true }, { utc: true }, { range: later.range }])
      assert.strictEqual(changed(later, change).cursor, "page two")
    assert.strictEqual(changed(later, { search: "x", cursor: "mine" }).cursor, "mine")
  })

  it("turns a filter's value on and off", () => {
    const once = toggled({ status: ["4xx"] }, "status", "5xx")
    assert.deepStrictEqual(once, { status: ["4xx", "5xx"] })
    assert.deepStrictEqual(toggled(toggled(once, "status", "4xx"), "status", "5xx"), {})
    assert.deepStrictEqual(toggled({ cache: ["hit"] }, "cache", "miss"), { cache: ["miss"] })
  })
})
