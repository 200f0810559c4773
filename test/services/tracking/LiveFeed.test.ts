import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Either, Layer, TestClock } from "effect"
import type { RequestRecord } from "../../../src/domain/RequestRecord.ts"
import { AppConfig } from "../../../src/services/AppConfig.ts"
import { InFlight } from "../../../src/services/tracking/InFlight.ts"
import { Instances } from "../../../src/services/tracking/Instances.ts"
import { LiveFeed } from "../../../src/services/tracking/LiveFeed.ts"
import type { Viewer } from "../../../src/services/tracking/LiveFeed.ts"
import { Redaction } from "../../../src/services/tracking/Redaction.ts"
import { EventParser } from "../../support/EventReader.ts"
import { rowOf } from "../../support/Rows.ts"

const SECRET = "sk-or-v1-a-secret-of-the-operator"

const open = Effect.gen(function* () {
  const instance = Layer.succeed(Instances, new Instances({ id: "01234567-89ab-cdef-0123-456789abcdef" }))
  const layer = LiveFeed.Default.pipe(
    Layer.provideMerge(Layer.mergeAll(InFlight.Default, Redaction.Default, instance)),
    Layer.provide(AppConfig.layer({ OPENROUTER_API_KEY: SECRET }))
  )
  const context = yield* Layer.build(layer)
  const inFlight = Context.get(context, InFlight)
  const feed = Context.get(context, LiveFeed)

  /** A request that has come and is somewhere on its way. */
  const start = (id: string, more: Partial<RequestRecord> = {}) => {
    const row = rowOf(id, { state: "running", status_code_returned_to_client: null, ...more })
    const request = { row, stage: "reading", elapsed: 0 }
    const place = inFlight.enter({
      id,
      cutShort: () => {},
      stage: () => request.stage,
      row,
      elapsed: () => request.elapsed
    })
    const end = (last: Partial<RequestRecord> = {}) => {
      inFlight.leave(place)
      inFlight.ended(Object.assign(row, { state: "done", status_code_returned_to_client: 200 }, last))
    }
    return { ...request, at: (stage: string) => (request.stage = stage), row, end }
  }

  const look = Effect.fnUntraced(function* (lastEventId?: string) {
    const watching = new Watching()
    const leave = yield* feed.join(watching, lastEventId)
    return Object.assign(watching, { leave })
  })

  return { feed, inFlight, look, start }
})

/** What a page would see. */
class Watching implements Viewer {
  readonly seen = new EventParser()
  batches = 0
  isSlow = false
  ended: "end" | "cut" | undefined
  private resume: (() => void) | undefined

  readonly write = (bytes: Uint8Array) => {
    this.batches++
    this.seen.push(new TextDecoder().decode(bytes))
    return !this.isSlow
  }
  readonly onDrain = (resume: () => void) => {
    this.resume = resume
  }
  readonly end = () => {
    this.ended = "end"
  }
  readonly cut = () => {
    this.ended = "cut"
  }
  readonly drain = () => {
    this.isSlow = false
    this.resume?.()
  }

  ids(name: string): ReadonlyArray<unknown> {
    return this.seen.named(name).map((data) => data["internal_request_id"])
  }
}

const beats = (count: number) => TestClock.adjust(count * 250)

describe("who looks on", () => {
  it.scoped("sees at first what is going on, and whose process it is", () =>
    Effect.gen(function* () {
      const { look, start } = yield* open
      start("one", { model_requested_by_client: `fast?key=${SECRET}` }).at("answering")
      start("two", { kind: "describe", parent_request_id: "one", media_type_processed: "image" })
      const { seen } = yield* look()
      const [snapshot] = seen.events
      assert.strictEqual(snapshot?.name, "snapshot")
      if (snapshot === undefined) return
      assert.strictEqual(snapshot.data["instance"], "01234567-89ab-cdef-0123-456789abcdef")
      assert.strictEqual(snapshot.data["last_event_id"], snapshot.id)
      assert.deepInclude(snapshot.data["stats"], { in_flight: 2, requests: 0 })
      const [one, two] = snapshot.data["requests"] as ReadonlyArray<object>
      assert.deepInclude(one, { internal_request_id: "one", stage: "answering", elapsed_ms: 0 })
      assert.deepInclude(one, { model_requested_by_client: "fast?key=[redacted]" })
      assert.deepInclude(two, { kind: "describe", parent_request_id: "one", media_type_processed: "image" })
      assert.strictEqual(seen.retry, 2000)
    })
  )

  it.scoped("sees what all see who come at once, which is put together once", () =>
    Effect.gen(function* () {
      const { inFlight, look } = yield* open
      let asked = 0
      inFlight.enter({
        ...{ id: "one", cutShort: () => {}, stage: () => "reading", row: rowOf("one", { state: "running" }) },
        elapsed: () => asked++
      })
      const [one, two] = [yield* look(), yield* look()]
      assert.deepStrictEqual(one.seen.events, two.seen.events)
      assert.strictEqual(asked, 1)
      yield* beats(1)
      yield* look()
      assert.strictEqual(asked, 2)
    })
  )

  it.scoped("is told of new requests, of stages and of the end, with cost, tokens and state", () =>
    Effect.gen(function* () {
      const { look, start } = yield* open
      const { seen } = yield* look()
      const request = start("one", { model_requested_by_client: null })
      yield* beats(1)
      request.row.model_requested_by_client = "fast"
      request.at("video 2/4")
      yield* beats(1)
      request.row.model_routed_to_openrouter = "vendor/faster"
      yield* beats(2)
      request.end({ cost_nano_usd: 140_000, cost_source: "provider", total_tokens: 15, state: "done" })
      yield* beats(1)
      const stages = seen.named("stage")
      assert.deepStrictEqual(
        stages.map(({ model_requested_by_client: model, model_routed_to_openrouter: to, stage }) => [
          stage,
          model,
          to
        ]),
        [
          ["reading", null, "vendor/fast"],
          ["video 2/4", "fast", "vendor/fast"],
          ["video 2/4", "fast", "vendor/faster"]
        ]
      )
      const [done] = seen.named("done")
      assert.deepInclude(done, { internal_request_id: "one", state: "done", total_tokens: 15 })
      assert.deepInclude(done, { cost: "0.00014", cost_usd: 0.00014, cost_source: "provider" })
      assert.deepStrictEqual(
        seen.events.map(({ id }) => id),
        [0, 1, 2, 3, 3, 4].map((number) => `01234567-${number}`)
      )
    })
  )

  it.scoped("gets four batches a second at most, each with the latest alone", () =>
    Effect.gen(function* () {
      const { look, start } = yield* open
      const watching = yield* look()
      const request = start("one")
      const before = watching.batches
      for (let step = 1; step <= 20; step++) {
        request.at(`early in step ${step}`)
        yield* TestClock.adjust(200)
        request.at(`late in step ${step}`)
        yield* TestClock.adjust(50)
      }
      assert.strictEqual(watching.batches - before, 20)
      assert.deepStrictEqual(
        watching.seen.named("stage").map(({ stage }) => stage),
        Array.from({ length: 20 }, (_, at) => `late in step ${at + 1}`)
      )
      start("short").end()
      yield* beats(1)
      assert.deepStrictEqual(watching.ids("done"), ["short"])
      assert.notInclude(watching.ids("stage"), "short")
    })
  )

  it.scoped("gets figures once a second, and a comment every 15", () =>
    Effect.gen(function* () {
      const { look, start } = yield* open
      const { seen } = yield* look()
      yield* TestClock.adjust(999)
      assert.strictEqual(seen.named("stats").length, 0)
      start("one").end({ cost_nano_usd: 5, prompt_tokens: 7, completion_tokens: 2 })
      start("two").end({ state: "failed" })
      start("three", { kind: "describe" }).end({ cost_nano_usd: 1 })
      start("four")
      yield* TestClock.adjust(1)
      const [stats] = seen.named("stats")
      assert.deepInclude(stats, { in_flight: 1, requests: 2, side_calls: 1, done: 2, failed: 1, viewers: 1 })
      assert.deepInclude(stats, {
        prompt_tokens: 7,
        completion_tokens: 2,
        cost: "0.000000006",
        cost_unknown: 1
      })
      yield* TestClock.adjust(13_999)
      assert.deepStrictEqual(seen.comments, [])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(seen.comments, ["heartbeat"])
      yield* TestClock.adjust("15 seconds")
      assert.strictEqual(seen.comments.length, 2)
      assert.strictEqual(seen.named("stats").length, 30)
    })
  )

  it.scoped("goes on where it was, without loss or repetition", () =>
    Effect.gen(function* () {
      const { look, start } = yield* open
      const first = yield* look()
      start("one").end()
      yield* beats(1)
      first.leave()
      start("two").end()
      yield* beats(100)
      start("three").end()
      const again = yield* look(first.seen.lastEventId)
      yield* beats(1)
      assert.deepStrictEqual(again.seen.named("snapshot"), [])
      assert.deepStrictEqual(again.seen.comments, ["resumed"])
      assert.deepStrictEqual([...first.ids("done"), ...again.ids("done")], ["one", "two", "three"])
    })
  )

  it.scoped("begins anew where too much lies between, or where it is of another process", () =>
    Effect.gen(function* () {
      const { look, start } = yield* open
      const first = yield* look()
      start("first").end()
      yield* beats(1)
      const id = first.seen.lastEventId
      for (let step = 0; step < 999; step++) start(`more ${step}`).end()
      yield* beats(1)
      assert.deepStrictEqual((yield* look(id)).seen.named("snapshot"), [])
      assert.strictEqual((yield* look(id)).ids("done").length, 999)
      start("one").end()
      start("two").end()
      yield* beats(1)
      for (const strange of [id, "fedcba98-1", "01234567-999999", "01234567-", "", "1\n2", "01234567-1e3"])
        assert.strictEqual((yield* look(strange)).seen.events[0]?.name, "snapshot", strange)
      assert.deepStrictEqual((yield* look("01234567-1002")).seen.events, [])
    })
  )

  it.scoped("gets a snapshot in place of more news than are remembered", () =>
    Effect.gen(function* () {
      const { look, start } = yield* open
      const watching = yield* look()
      start("going on")
      for (let step = 0; step < 5000; step++) start(`more ${step}`).end()
      yield* beats(1)
      assert.deepStrictEqual(watching.ids("done"), [])
      const [, snapshot] = watching.seen.named("snapshot")
      assert.deepInclude(snapshot?.["stats"], { requests: 5000, in_flight: 1 })
      assert.lengthOf(snapshot?.["requests"] as ReadonlyArray<unknown>, 1)
      start("afterwards").end()
      yield* beats(1)
      assert.deepStrictEqual(watching.ids("done"), ["afterwards"])
    })
  )
})

describe("who does not read", () => {
  it.scoped("is written nothing more, and reads on from where it was", () =>
    Effect.gen(function* () {
      const { look, start } = yield* open
      const slow = yield* look()
      slow.isSlow = true
      start("one").end()
      yield* beats(1)
      const { batches } = slow
      start("two").end()
      yield* beats(8)
      assert.strictEqual(slow.batches, batches)
      slow.drain()
      start("three").end()
      yield* beats(1)
      assert.deepStrictEqual(slow.ids("done"), ["one", "two", "three"])
      assert.strictEqual(slow.ended, undefined)
    })
  )

  it.scoped(
    "is dropped after ten seconds, or once it has missed too much; others are not, and it is counted",
    () =>
      Effect.gen(function* () {
        const { feed, look, start } = yield* open
        const good = yield* look()
        const asleep = yield* look()
        asleep.isSlow = true
        start("one").end()
        yield* beats(40)
        assert.strictEqual(asleep.ended, undefined)
        yield* beats(1)
        assert.strictEqual(asleep.ended, "cut")
        const behind = yield* look()
        behind.isSlow = true
        start("two").end()
        yield* beats(1)
        for (let step = 0; step < 4; step++) {
          for (let more = 0; more < 300; more++) start(`more ${step} ${more}`).end()
          yield* beats(1)
        }
        assert.strictEqual(behind.ended, "cut")
        yield* beats(4)
        assert.deepInclude(good.seen.named("stats").at(-1), { viewers: 1, viewers_dropped: 2 })
        assert.strictEqual(feed.dropped(), 2)
        assert.strictEqual(good.ids("done").length, 1202)
      })
  )
})

describe("the feed", () => {
  it.scoped("has 64 seats, one more when one leaves", () =>
    Effect.gen(function* () {
      const { feed, look } = yield* open
      const first = yield* look()
      for (let seat = 1; seat < 64; seat++) yield* look()
      const refused = yield* Effect.either(look())
      assert.isTrue(Either.isLeft(refused) && refused.left._tag === "TooManyViewers")
      first.leave()
      yield* look()
      assert.strictEqual(feed.viewers(), 64)
    })
  )

  it.scoped("ends for all when the router goes down, and lets nobody in", () =>
    Effect.gen(function* () {
      const { feed, look } = yield* open
      const [reading, asleep] = [yield* look(), yield* look()]
      asleep.isSlow = true
      yield* beats(4)
      feed.close()
      assert.deepStrictEqual([reading.ended, asleep.ended], ["end", "cut"])
      const refused = yield* Effect.either(look())
      assert.isTrue(Either.isLeft(refused) && refused.left._tag === "ShuttingDown")
      const { batches } = reading
      yield* beats(8)
      assert.strictEqual(reading.batches, batches)
    })
  )

  it.scoped("sleeps a minute after the last one has left, and counts in its sleep", () =>
    Effect.gen(function* () {
      const { look, start } = yield* open
      start("before").end()
      const first = yield* look()
      first.leave()
      yield* TestClock.adjust("61 seconds")
      start("unseen").end()
      const going = start("going on")
      const second = yield* look(first.seen.lastEventId)
      const [snapshot] = second.seen.named("snapshot")
      assert.deepInclude(snapshot?.["stats"], { requests: 2, in_flight: 1 })
      going.end()
      yield* beats(1)
      assert.deepStrictEqual(second.ids("done"), ["going on"])
    })
  )
})
