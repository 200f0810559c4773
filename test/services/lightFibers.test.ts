import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { globalValue } from "effect/GlobalValue"
import { forgetRoots, oneQueue } from "../../src/services/lightFibers.ts"

const restored = Effect.sync(() => {
  const scope: unknown = globalValue(Symbol.for("effect/FiberScope/Global"), () => undefined)
  if (typeof scope === "object" && scope !== null) Reflect.deleteProperty(scope, "add")
})

/** What nobody catches, instead of failing the run. */
const uncaught = Effect.gen(function* () {
  const told: Array<string> = []
  const others = process.listeners("uncaughtException")
  process.removeAllListeners("uncaughtException").on("uncaughtException", (error) => told.push(String(error)))
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      process.removeAllListeners("uncaughtException")
      for (const other of others) process.on("uncaughtException", other)
    })
  )
  return told
})

/** Whether it is listed, and what comes of it. */
const aFiber = Effect.gen(function* () {
  const wait = yield* Deferred.make<string>()
  const fiber = Effect.runFork(Deferred.await(wait))
  const isListed = Fiber.unsafeRoots().includes(fiber)
  yield* Deferred.succeed(wait, "done")
  return { isListed, said: yield* Fiber.join(fiber) }
})

describe("one queue for all fibers", () => {
  it.scopedLive("lets timers and sockets have their turn, however long fibers go on", () =>
    Effect.gen(function* () {
      let isOver = false
      const busy = Effect.iterate(0, {
        while: () => !isOver,
        body: (turn) => Effect.as(Effect.yieldNow(), turn + 1)
      })
      const fiber = Effect.runFork(busy, { scheduler: oneQueue })
      yield* Effect.async<void>((resume) => {
        setTimeout(() => resume(Effect.void), 1)
      })
      isOver = true
      assert.isAbove(yield* Fiber.join(fiber), 0)
    })
  )

  it.scopedLive("goes on behind what breaks, and tells of it", () =>
    Effect.gen(function* () {
      const told = yield* uncaught
      oneQueue.scheduleTask(() => {
        throw new Error("a bug")
      }, 0)
      const fiber = Effect.runFork(Effect.as(Effect.yieldNow(), "done"), { scheduler: oneQueue })
      assert.strictEqual(yield* Fiber.join(fiber), "done")
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      assert.deepStrictEqual(told, ["Error: a bug"])
    })
  )
})

describe("fibers that nobody waits for", () => {
  it.scopedLive("are no longer listed, and run as before", () =>
    Effect.gen(function* () {
      yield* Effect.addFinalizer(() => restored)
      assert.deepStrictEqual(yield* aFiber, { isListed: true, said: "done" })
      forgetRoots()
      assert.deepStrictEqual(yield* aFiber, { isListed: false, said: "done" })
    })
  )
})
