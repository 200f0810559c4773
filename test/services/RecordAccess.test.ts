import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, TestClock } from "effect"
import { Unauthorized } from "../../src/domain/Errors.ts"
import { ApiKeys } from "../../src/services/ApiKeys.ts"
import { AppConfig } from "../../src/services/AppConfig.ts"
import { RecordAccess } from "../../src/services/RecordAccess.ts"

const basic = (name: string, password: string) => ({
  header: (header: string) =>
    header === "authorization" ? `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}` : undefined
})

/** A record with a login, where the password `a-key` is a key as well. */
const open = Effect.gen(function* () {
  const keys = new ApiKeys({
    admit: ({ header }) =>
      header("authorization") === basic("any", "a-key").header("authorization")
        ? Effect.succeed({ keyId: "one" })
        : new Unauthorized({ message: "No." })
  })
  const { admit } = yield* RecordAccess.pipe(
    Effect.provide(RecordAccess.Default),
    Effect.provide([
      Layer.succeed(ApiKeys, keys),
      AppConfig.layer({ UI_USERNAME: "admin", UI_PASSWORD: "right" })
    ])
  )
  return (name: string, password: string) => Effect.exit(admit(basic(name, password)))
})

describe("the login of the record", () => {
  it.effect("lets in at once who knows it, or has a key", () =>
    Effect.gen(function* () {
      const admit = yield* open
      assert.deepStrictEqual(yield* admit("admin", "right"), Exit.succeed({ keyId: null }))
      assert.deepStrictEqual(yield* admit("any", "a-key"), Exit.succeed({ keyId: "one" }))
    })
  )

  it.effect("is not to be guessed quickly, by however many at once, nor by leaving early", () =>
    Effect.gen(function* () {
      const admit = yield* open
      const wrong = yield* Effect.fork(admit("admin", "wrong"))
      yield* TestClock.adjust("499 millis")
      assert.isNull(wrong.unsafePoll())
      yield* TestClock.adjust("1 millis")
      assert.isTrue(Exit.isFailure(yield* Fiber.join(wrong)))

      const guesses = yield* Effect.forEach(Array.from({ length: 80 }), (_, at) =>
        Effect.forkDaemon(admit("admin", String(at)))
      )
      yield* TestClock.adjust(0)
      for (const guess of guesses) yield* Fiber.interruptFork(guess)
      const right = yield* Effect.fork(admit("admin", "right"))
      yield* TestClock.adjust("499 millis")
      assert.isNull(right.unsafePoll())
      yield* TestClock.adjust("1 millis")
      assert.isTrue(Exit.isSuccess(yield* Fiber.join(right)))

      const patient = yield* Effect.forEach(Array.from({ length: 80 }), (_, at) =>
        Effect.fork(admit("admin", String(at)))
      )
      yield* TestClock.adjust("2 seconds")
      assert.isAtMost(patient.filter((guess) => guess.unsafePoll() !== null).length, 40)
      yield* TestClock.adjust("1 minute")
      yield* Fiber.joinAll(patient)
    })
  )
})
