import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { parseTraceParent, RequestTrace } from "../../src/domain/TraceContext.ts"

const digits = (length: number) =>
  fc
    .array(fc.constantFrom(..."0123456789abcdef"), { minLength: length, maxLength: length })
    .map((all) => all.join(""))
    .filter((id) => /[^0]/.test(id))

const TRACE = "0af7651916cd43dd8448eb211c80319c"
const SPAN = "b7ad6b7169203331"

const traceOf = (spanId: string) =>
  new RequestTrace({
    ...{ traceId: TRACE, spanId, parentId: undefined, sampled: true, state: "", method: "POST" }
  })

describe("a traceparent", () => {
  it("is read as it was written, whatever its flags and later versions say more", () => {
    fc.assert(
      fc.property(digits(32), digits(16), fc.integer({ min: 0, max: 255 }), (traceId, spanId, flags) => {
        const end = flags.toString(16).padStart(2, "0")
        const read = { traceId, spanId, sampled: flags % 2 === 1, state: "" }
        assert.deepStrictEqual(parseTraceParent(`00-${traceId}-${spanId}-${end}`), read)
        assert.deepStrictEqual(parseTraceParent(`cc-${traceId}-${spanId}-${end}-more`), read)
      })
    )
  })

  it("of any other form is none", () => {
    for (const text of [
      ...["", "00", `00-${TRACE}-${SPAN}`, `00-${TRACE}-${SPAN}-1`, `00-${TRACE}-${SPAN}-01-`],
      ...[`ff-${TRACE}-${SPAN}-01`, `0-${TRACE}-${SPAN}-01`, ` 00-${TRACE}-${SPAN}-01`],
      ...[`00-${TRACE}0-${SPAN}-01`, `00-${TRACE}-${SPAN}g-01`, `00-${TRACE}-${SPAN}-01\n`],
      ...[`00-${"0".repeat(32)}-${SPAN}-01`, `00-${TRACE}-${"0".repeat(16)}-01`],
      ...[`00-${TRACE.toUpperCase()}-${SPAN}-01`, `00_${TRACE}_${SPAN}_01`]
    ])
      assert.isUndefined(parseTraceParent(text), JSON.stringify(text))
    fc.assert(
      fc.property(fc.string({ maxLength: 80 }), (text) => {
        assert.isUndefined(parseTraceParent(text))
      })
    )
  })

  it("has a state only where that is one", () => {
    const stateOf = (state: string) => parseTraceParent(`00-${TRACE}-${SPAN}-01`, state)?.state
    for (const state of [
      "a=b",
      "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
      "fw529a3039@dt=FfQ x!",
      "a=1 , b=2"
    ])
      assert.strictEqual(stateOf(state), state)
    const many = Array.from({ length: 33 }, (_, at) => `k${at}=v`).join(",")
    for (const state of ["a", "A=b", "a=b\n", "a=\u00e4", "a=b=c", "=b", many, `a=${"b".repeat(600)}`])
      assert.strictEqual(stateOf(state), "", state)
  })
})

describe("a request's trace", () => {
  it("gives every step and every call a span of its own", () => {
    fc.assert(
      fc.property(
        fc.oneof(digits(16), fc.constantFrom("ffffffffffffffff", "fffffffffffff000", "0000000000000001")),
        (spanId) => {
          const trace = traceOf(spanId)
          const steps = Array.from({ length: 200 }, (_, place) => trace.stepId(place))
          const calls = Array.from({ length: 50 }, (_, nth) => trace.attemptId(nth))
          const all = [spanId, ...steps, ...calls]
          assert.strictEqual(new Set(all).size, all.length)
          for (const id of all) {
            assert.match(id, /^[0-9a-f]{16}$/)
            assert.match(id, /[^0]/)
          }
        }
      ),
      { numRuns: 20 }
    )
  })

  it("tells each call which one it is, and what is made on its behalf where that stands", () => {
    const trace = traceOf(SPAN)
    const [first, second] = [trace.nextAttempt(), trace.nextAttempt()]
    assert.strictEqual(first, `00-${TRACE}-${trace.attemptId(0)}-01`)
    assert.strictEqual(second, `00-${TRACE}-${trace.attemptId(1)}-01`)
    assert.strictEqual(trace.told(), 2)
    const below = trace.below("1111111111111111", 3)
    assert.deepInclude(below, { traceId: TRACE, spanId: "1111111111111111", parentId: trace.stepId(3) })
    assert.strictEqual(trace.below("1111111111111111", undefined).parentId, SPAN)
  })

  it("hears which model answers and why it ends, and no more than that", () => {
    const trace = traceOf(SPAN)
    trace.hear({ model: "a/b", choices: [{ delta: { content: "x" }, finish_reason: null }] })
    trace.hear({ model: "other", choices: [{ finish_reason: "stop" }, { finish_reason: "length" }] })
    trace.hear({ model: 1, choices: "none" })
    assert.strictEqual(trace.model, "a/b")
    assert.deepStrictEqual(trace.finishReasons(), ["stop", "length"])
    for (let more = 0; more < 100; more++) trace.hear({ choices: [{ finish_reason: "x".repeat(1000) }] })
    assert.isBelow(trace.finishReasons().join("").length, 2000)
  })
})
