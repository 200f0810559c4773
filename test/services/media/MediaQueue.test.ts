import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, TestClock } from "effect"
import { AppConfig } from "../../../src/services/AppConfig.ts"
import { MediaQueue } from "../../../src/services/media/MediaQueue.ts"

const withQueue = <A, E>(test: Effect.Effect<A, E, MediaQueue>) =>
  test.pipe(
    Effect.provide(MediaQueue.Default),
    Effect.provide(AppConfig.layer({ MEDIA_JOBS: "2", MEDIA_QUEUE: "2", MEDIA_QUEUE_TIMEOUT: "30" }))
  )

/** Work that lasts until it is told to end, and says when it has begun. */
const makeWork = Effect.gen(function* () {
  const begun = yield* Deferred.make<void>()
  const end = yield* Deferred.make<void>()
  return {
    begun,
    finish: Deferred.succeed(end, undefined),
    run: Effect.zipRight(Deferred.succeed(begun, undefined), Deferred.await(end))
  }
})

const fourJobs = Effect.gen(function* () {
  const queue = yield* MediaQueue
  const works = yield* Effect.all([makeWork, makeWork, makeWork, makeWork])
  const fibers: Array<Fiber.RuntimeFiber<void, unknown>> = []
  for (const work of works) {
    fibers.push(yield* Effect.fork(queue.inTurn(work.run)))
    yield* Effect.yieldNow()
  }
  yield* Deferred.await(works[0].begun)
  yield* Deferred.await(works[1].begun)
  return { queue, works, fibers }
})

describe("the media queue", () => {
  it.effect("works on so many at once, and on the next when one is done", () =>
    withQueue(
      Effect.gen(function* () {
        const { fibers, queue, works } = yield* fourJobs
        assert.deepStrictEqual([queue.working(), queue.waiting()], [2, 2])
        assert.isFalse(yield* Deferred.isDone(works[2].begun))
        yield* works[0].finish
        yield* Deferred.await(works[2].begun)
        assert.deepStrictEqual([queue.working(), queue.waiting()], [2, 1])
        for (const work of works) yield* work.finish
        yield* Fiber.joinAll(fibers)
        assert.deepStrictEqual([queue.working(), queue.waiting()], [0, 0])
      })
    )
  )

  it.effect("refuses who finds it full", () =>
    withQueue(
      Effect.gen(function* () {
        const { fibers, queue, works } = yield* fourJobs
        const failure = yield* Effect.flip(queue.inTurn(Effect.die("must not run")))
        assert.strictEqual(failure.code, "busy")
        assert.strictEqual(failure.status, 503)
        for (const work of works) yield* work.finish
        yield* Fiber.joinAll(fibers)
        assert.strictEqual(yield* queue.inTurn(Effect.succeed("again")), "again")
      })
    )
  )

  it.effect("lets nobody wait for ever, and never ends work that has begun", () =>
    withQueue(
      Effect.gen(function* () {
        const { fibers, queue, works } = yield* fourJobs
        yield* TestClock.adjust("31 seconds")
        const late = yield* Fiber.await(fibers[2] ?? Fiber.void)
        assert.strictEqual(late._tag, "Failure")
        assert.deepStrictEqual([queue.working(), queue.waiting()], [2, 0])
        yield* works[0].finish
        yield* works[1].finish
        yield* Fiber.join(fibers[0] ?? Fiber.void)
        yield* Fiber.join(fibers[1] ?? Fiber.void)
        assert.strictEqual(queue.working(), 0)
      })
    )
  )

  it.effect("forgets who leaves while waiting, without a start", () =>
    withQueue(
      Effect.gen(function* () {
        const { fibers, queue, works } = yield* fourJobs
        yield* Fiber.interrupt(fibers[2] ?? Fiber.void)
        assert.deepStrictEqual([queue.working(), queue.waiting()], [2, 1])
        yield* works[0].finish
        yield* Deferred.await(works[3].begun)
        assert.isFalse(yield* Deferred.isDone(works[2].begun))
        yield* Fiber.interrupt(fibers[3] ?? Fiber.void)
        yield* Fiber.interrupt(fibers[1] ?? Fiber.void)
        assert.deepStrictEqual([queue.working(), queue.waiting()], [0, 0])
      })
    )
  )

  it.effect("keeps a lane for what takes a moment", () =>
    withQueue(
      Effect.gen(function* () {
        const { fibers, queue, works } = yield* fourJobs
        assert.strictEqual(yield* queue.inShortTurn(Effect.succeed("done")), "done")
        const short = yield* Effect.forEach(Array.from({ length: 10 }), () => makeWork)
        const images: Array<Fiber.RuntimeFiber<void, unknown>> = []
        for (const work of short) images.push(yield* Effect.fork(queue.inShortTurn(work.run)))
        yield* Deferred.await(short[7]?.begun ?? (yield* Deferred.make<void>()))
        assert.deepStrictEqual([queue.working(), queue.waiting()], [10, 4])
        assert.strictEqual((yield* Effect.flip(queue.inShortTurn(Effect.die("must not run")))).code, "busy")
        for (const work of [...short, ...works]) yield* work.finish
        yield* Fiber.joinAll([...images, ...fibers])
        assert.deepStrictEqual([queue.working(), queue.waiting()], [0, 0])
      })
    )
  )

  it.effect("passes on how the work ended", () =>
    withQueue(
      Effect.gen(function* () {
        const queue = yield* MediaQueue
        assert.strictEqual(yield* Effect.flip(queue.inTurn(Effect.fail("broken" as const))), "broken")
        assert.strictEqual(queue.working(), 0)
      })
    )
  )
})
