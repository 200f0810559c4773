import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { UpstreamFailure } from "../../../src/domain/Errors.ts"
import type { JsonObject } from "../../../src/domain/Json.ts"
import type { Reply } from "../../../src/domain/Reply.ts"
import { OllamaRelay } from "../../../src/services/gateway/OllamaRelay.ts"
import type { StreamState } from "../../../src/services/gateway/StreamRelay.ts"
import { upstreamErrors } from "../../../src/services/gateway/UpstreamErrors.ts"

interface Options {
  readonly chunksOf?: (line: JsonObject) => ReadonlyArray<JsonObject>
  readonly silence?: number
  readonly takes?: () => boolean
}

/** A relay whose lines become chunks as they are, and what a client gets of it. */
const relaying = ({
  chunksOf = (line: JsonObject) => [line],
  silence = 60_000,
  takes = () => true
}: Options = {}) => {
  const said: Array<Buffer> = []
  const heard: Array<JsonObject> = []
  let ends = 0
  const reply: Reply = {
    opened: () => {},
    whole: () => {},
    events: (bytes, chunks) => {
      said.push(bytes)
      heard.push(...chunks)
      return takes()
    },
    onDrain: () => {},
    end: () => {
      ends += 1
    }
  }
  const errors = upstreamErrors("ollama", (text) => text)
  const relay = new OllamaRelay(chunksOf, reply, errors, silence)
  return { relay, heard, ends: () => ends, text: () => Buffer.concat(said).toString("utf8") }
}

/** Sends the pieces until one of them ends the stream, and then the end. */
const pushAll = (relay: OllamaRelay, pieces: ReadonlyArray<Buffer | string>): StreamState => {
  for (const piece of pieces) {
    const state = relay.push(Buffer.from(piece))
    if (state !== "open") return state
  }
  return relay.close()
}

const failureOf = (state: StreamState): UpstreamFailure => {
  assert.instanceOf(state, UpstreamFailure)
  return state
}

const said = (content: string) => `${JSON.stringify({ content, done: false })}\n`
const DONE = '{"done":true,"eval_count":3}\n'
const event = (line: string) => `data: ${line.trim()}\n\n`

describe("lines of JSON become events", () => {
  it("one each, and [DONE] after the last", () => {
    const { ends, heard, relay, text } = relaying()
    assert.strictEqual(relay.push(Buffer.from(said("Hel") + said("lo"))), "open")
    assert.strictEqual(text(), event(said("Hel")) + event(said("lo")))
    assert.strictEqual(ends(), 0)
    assert.strictEqual(relay.push(Buffer.from(DONE)), "complete")
    assert.strictEqual(text(), event(said("Hel")) + event(said("lo")) + event(DONE) + "data: [DONE]\n\n")
    assert.deepStrictEqual(heard.at(-1), { done: true, eval_count: 3 })
    assert.strictEqual(ends(), 1)
  })

  const text = fc.string({ unit: "grapheme", maxLength: 8 })
  const value = fc.record({ content: text, done: fc.constant(false) }, { noNullPrototype: true })
  const end = fc.constantFrom("\n", "\r\n", "\n\n", " \n")
  const stream = fc.array(fc.tuple(value, end), { maxLength: 8 })
  const cuts = fc.array(fc.nat(), { maxLength: 12 })

  it("whatever pieces they come in, and with or without the last line break", () => {
    fc.assert(
      fc.property(stream, fc.boolean(), cuts, fc.boolean(), (values, ended, cuts, singly) => {
        const lines = values.map(([value, end]) => JSON.stringify(value) + end).join("")
        const bytes = Buffer.from(lines + (ended ? DONE : DONE.trim()))
        const places = singly
          ? Array.from(bytes, (_, index) => index + 1)
          : [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b)
        const pieces = places.map((place, index) => bytes.subarray(places[index - 1] ?? 0, place))
        const { ends, heard, relay, text } = relaying()
        assert.strictEqual(pushAll(relay, pieces), "complete")
        assert.deepStrictEqual(heard, [...values.map(([value]) => value), { done: true, eval_count: 3 }])
        const events = heard.map((chunk) => event(JSON.stringify(chunk)))
        assert.strictEqual(text(), `${events.join("")}data: [DONE]\n\n`)
        assert.strictEqual(ends(), 1)
      })
    )
  })

  it("and what comes after the end is not heard", () => {
    const { heard, relay } = relaying()
    assert.strictEqual(relay.push(Buffer.from(DONE + said("more") + '{"error":"late"}\n')), "complete")
    assert.strictEqual(heard.length, 1)
  })
})

describe("a stream that goes wrong", () => {
  it("fails with the words of an error that comes first, and nothing has gone out", () => {
    const { relay, text } = relaying()
    const failure = failureOf(relay.push(Buffer.from('{"error":"model runner has unexpectedly stopped"}\n')))
    assert.strictEqual(failure.message, "model runner has unexpectedly stopped")
    assert.strictEqual(failure.status, 502)
    assert.isTrue(failure.retryable)
    assert.isFalse(relay.begun)
    assert.strictEqual(text(), "")
  })

  it("keeps the status an error names", () => {
    const failure = failureOf(relaying().relay.push(Buffer.from('{"error":"slow down","status":429}\n')))
    assert.strictEqual(failure.status, 429)
    assert.strictEqual(failure.message, "slow down")
  })

  it("gives what came before an error in the same piece", () => {
    const { ends, relay, text } = relaying()
    const failure = failureOf(
      relay.push(Buffer.from(`${said("Hel")}{"error":"out of memory"}\n${said("lo")}`))
    )
    assert.strictEqual(failure.message, "out of memory")
    assert.isFalse(failure.retryable)
    assert.strictEqual(text(), event(said("Hel")))
    assert.isTrue(relay.begun)
    assert.strictEqual(ends(), 0)
  })

  for (const [what, rest] of [
    ["nothing more", ""],
    ["half a line", '{"content":"lo'],
    ["half a character", Buffer.from('{"content":"ö').subarray(0, -1)],
    ["a whole line that is not the last", said("lo").trim()]
  ] as const)
    it(`broke off where it ends after ${what}`, () => {
      const { ends, relay } = relaying()
      const failure = failureOf(pushAll(relay, [said("Hel"), rest]))
      assert.strictEqual(failure.code, "upstream_broke_off")
      assert.isFalse(failure.retryable)
      assert.strictEqual(ends(), 0)
    })

  for (const line of ["<html>", "[]", "7", '"text"', "null", '{"content":'])
    it(`is told from an answer at the line ${line}`, () => {
      const { relay, text } = relaying()
      const failure = failureOf(relay.push(Buffer.from(`${said("Hel")}${line}\n`)))
      assert.strictEqual(failure.code, "bad_upstream_answer")
      assert.strictEqual(text(), event(said("Hel")))
    })

  it("has no line without an end", () => {
    const { relay } = relaying()
    const piece = Buffer.alloc(1024 * 1024, "x")
    const states = [1, 2, 3, 4].map(() => relay.push(piece))
    assert.deepStrictEqual(states, ["open", "open", "open", "open"])
    assert.match(failureOf(relay.push(Buffer.from("x"))).message, /too long/)
  })

  it("does not live on blank lines alone", () => {
    const { relay } = relaying({ silence: -1 })
    assert.match(failureOf(relay.push(Buffer.from("\n"))).message, /too long without a whole line/)
    assert.strictEqual(relay.push(Buffer.from(said("Hel"))), "open")
  })
})

it("asks for a pause as soon as the client does not keep up", () => {
  let keepsUp = true
  const { relay } = relaying({ takes: () => keepsUp })
  relay.push(Buffer.from(said("Hel")))
  assert.isTrue(relay.flowing)
  keepsUp = false
  relay.push(Buffer.from(said("lo")))
  assert.isFalse(relay.flowing)
})

it("says nothing for a line that is no news", () => {
  const { relay, text } = relaying({ chunksOf: () => [] })
  assert.strictEqual(relay.push(Buffer.from('{"content":"","done":false}\n')), "open")
  assert.isFalse(relay.begun)
  assert.strictEqual(text(), "")
})
