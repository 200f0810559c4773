import { assert, describe, it } from "@effect/vitest"
import { Chunk, Deferred, Effect, Exit, Fiber, Scope, TestClock } from "effect"
import { makeBatch } from "../../src/services/tracking/Batch.ts"

type Options<A> = Parameters<typeof makeBatch<A>>[0]

/** A batch in a scope of its own, and what it has handed on. */
const start = (options: Partial<Options<number>> = {}) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const handedOn: Array<ReadonlyArray<number>> = []
    const batch = yield* makeBatch<number>({
      every: "25 millis",
      bound: 100,
      flush: (items) => Effect.sync(() => void handedOn.push(items)),
      ...options
    }).pipe(Scope.extend(scope))
    yield* settle
    return { ...batch, handedOn, close: Scope.close(scope, Exit.void) }
  })

/** Lets every fiber go as far as it can without time passing. */
const settle = TestClock.adjust(0)

const sleepers = Effect.map(TestClock.sleeps(), Chunk.size)

describe("a batch", () => {
  it.effect("sleeps while nothing comes", () =>
    Effect.gen(function* () {
      const batch = yield* start()
      assert.strictEqual(yield* sleepers, 0)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* sleepers, 0)
      assert.deepStrictEqual(batch.handedOn, [])
      yield* batch.close
      assert.deepStrictEqual(batch.handedOn, [])
    })
  )

  it.effect("hands on together what came within one beat, in order", () =>
    Effect.gen(function* () {
      const batch = yield* start()
      batch.add(1)
      yield* TestClock.adjust("10 millis")
      batch.add(2)
      batch.add(3)
      yield* TestClock.adjust("14 millis")
      assert.deepStrictEqual(batch.handedOn, [])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(batch.handedOn, [[1, 2, 3]])
    })
  )

  it.effect("falls asleep again, and wakes again", () =>
    Effect.gen(function* () {
      const batch = yield* start()
      for (const item of [1, 2, 3]) {
        batch.add(item)
        yield* settle
        assert.strictEqual(yield* sleepers, 1)
        yield* TestClock.adjust("25 millis")
        assert.strictEqual(yield* sleepers, 0)
      }
      assert.deepStrictEqual(batch.handedOn, [[1], [2], [3]])
    })
  )

  it.effect("keeps what comes while it is handing on for the next beat", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const handedOn: Array<ReadonlyArray<number>> = []
      const batch = yield* start({
        flush: (items) =>
          Effect.zipRight(
            Deferred.await(gate),
            Effect.sync(() => void handedOn.push(items))
          )
      })
      batch.add(1)
      yield* TestClock.adjust("25 millis")
      batch.add(2)
      batch.add(3)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(handedOn, [])
      yield* Deferred.succeed(gate, undefined)
      yield* TestClock.adjust("25 millis")
      assert.deepStrictEqual(handedOn, [[1], [2, 3]])
    })
  )

  it.effect("takes no more than its bound, counts the rest, and takes again when it has handed on", () =>
    Effect.gen(function* () {
      const batch = yield* start({ bound: 3 })
      for (const item of [1, 2, 3, 4, 5]) batch.add(item)
      assert.strictEqual(batch.dropped(), 2)
      yield* TestClock.adjust("25 millis")
      for (const item of [6, 7, 8, 9]) batch.add(item)
      assert.strictEqual(batch.dropped(), 3)
      yield* TestClock.adjust("25 millis")
      assert.deepStrictEqual(batch.handedOn, [
        [1, 2, 3],
        [6, 7, 8]
      ])
    })
  )

  it.effect("measures its bound in what sizeOf says", () =>
    Effect.gen(function* () {
      const batch = yield* start({ bound: 10, sizeOf: (item) => item })
      for (const item of [6, 5, 4, 1]) batch.add(item)
      assert.strictEqual(batch.dropped(), 2)
      yield* TestClock.adjust("25 millis")
      batch.add(11)
      batch.add(10)
      assert.strictEqual(batch.dropped(), 3)
      yield* TestClock.adjust("25 millis")
      assert.deepStrictEqual(batch.handedOn, [[6, 4], [10]])
    })
  )

  it.effect("goes on after a flush that died", () =>
    Effect.gen(function* () {
      const handedOn: Array<ReadonlyArray<number>> = []
      const batch = yield* start({
        flush: (items) =>
          items.includes(1) ? Effect.die("a bug") : Effect.sync(() => void handedOn.push(items))
      })
      batch.add(1)
      yield* TestClock.adjust("25 millis")
      batch.add(2)
      yield* TestClock.adjust("25 millis")
      assert.deepStrictEqual(handedOn, [[2]])
    })
  )
})

describe("a batch whose scope closes", () => {
  it.effect("hands on what is left", () =>
    Effect.gen(function* () {
      const batch = yield* start()
      batch.add(1)
      batch.add(2)
      yield* batch.close
      assert.deepStrictEqual(batch.handedOn, [[1, 2]])
    })
  )

  it.effect("loses nothing of a flush that it interrupts", () =>
    Effect.gen(function* () {
      const handedOn: Array<ReadonlyArray<number>> = []
      let first = true
      const batch = yield* start({
        flush: (items) => {
          const stuck = first
          first = false
          return stuck ? Effect.never : Effect.sync(() => void handedOn.push(items))
        }
      })
      batch.add(1)
      batch.add(2)
      yield* TestClock.adjust("25 millis")
      batch.add(3)
      yield* batch.close
      assert.deepStrictEqual(handedOn, [[1, 2, 3]])
    })
  )

  const stuck: ReadonlyArray<readonly [string, Effect.Effect<void>]> = [
    ["never ends", Effect.never],
    ["never ends and cannot be interrupted", Effect.uninterruptible(Effect.never)]
  ]
  for (const [how, flush] of stuck)
    for (const [when, wait] of [
      ["while it runs", TestClock.adjust("25 millis")],
      ["at the end", settle]
    ] as const)
      it.effect(`is not held for ever by a flush that ${how}, ${when}`, () =>
        Effect.gen(function* () {
          const batch = yield* start({ flush: () => flush })
          batch.add(1)
          yield* wait
          const closing = yield* Effect.forkDaemon(batch.close)
          yield* settle
          assert.isNull(closing.unsafePoll())
          yield* TestClock.adjust("10 seconds")
          const end = closing.unsafePoll()
          yield* Fiber.interruptFork(closing)
          assert.isTrue(end !== null && Exit.isSuccess(end), "the scope is closed after ten seconds")
        })
      )

  it.effect("closes in order though its last flush dies", () =>
    Effect.gen(function* () {
      const batch = yield* start({ flush: () => Effect.die("a bug") })
      batch.add(1)
      assert.isTrue(Exit.isSuccess(yield* Effect.exit(batch.close)))
    })
  )

  it.effect("waits for a flush that takes a moment", () =>
    Effect.gen(function* () {
      const handedOn: Array<ReadonlyArray<number>> = []
      const batch = yield* start({
        flush: (items) =>
          Effect.delay(
            Effect.sync(() => void handedOn.push(items)),
            "2 seconds"
          )
      })
      batch.add(1)
      const closing = yield* Effect.fork(batch.close)
      yield* TestClock.adjust("1999 millis")
      assert.isNull(closing.unsafePoll())
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(closing)
      assert.deepStrictEqual(handedOn, [[1]])
    })
  )
})
