import { assert, describe, it } from "@effect/vitest"
import { SqlError } from "@effect/sql/SqlError"
import { Context, Effect, Fiber, Layer, TestClock } from "effect"
import { ApiKeys } from "../../src/services/ApiKeys.ts"
import { AppConfig } from "../../src/services/AppConfig.ts"
import { KeyRing } from "../../src/services/KeyRing.ts"
import { digestOf, KeyStore } from "../../src/services/KeyStore.ts"
import type { StoredKey } from "../../src/services/KeyStore.ts"

const keyOf = (secret: string): StoredKey => ({
  ...{ id: secret.slice(-4), name: "me", hash: digestOf(secret), createdAt: 0, spent: 0, reserved: 0 },
  ...{ expiresAt: undefined, revokedAt: undefined, budget: undefined },
  ...{ rpm: undefined, tpm: undefined, models: undefined }
})

const own = (letter: string) => `pk-percept-${letter.repeat(43)}`

/** A gate before a database that counts what it is asked, and may be away. */
const open = (env: { readonly [name: string]: string } = {}) =>
  Effect.gen(function* () {
    const database = {
      keys: new Map<string, StoredKey>(),
      asked: 0,
      made: 0,
      state: "there" as "there" | "gone" | "hanging"
    }
    const answer = <A>(say: () => A) =>
      Effect.suspend((): Effect.Effect<A, SqlError> => {
        database.asked++
        if (database.state === "hanging") return Effect.never
        return database.state === "there"
          ? Effect.zipRight(Effect.yieldNow(), Effect.sync(say))
          : Effect.fail(new SqlError({ cause: "gone" }))
      })
    const store = KeyStore.make({
      byHash: (hash) => answer(() => database.keys.get(hash)),
      presence: () => answer(() => ({ any: database.made > 0, active: database.keys.size > 0 })),
      create: () => Effect.die("not asked"),
      list: () => Effect.die("not asked"),
      revoke: () => Effect.die("not asked")
    })
    const layer = ApiKeys.Default.pipe(
      Layer.provide(KeyRing.Default),
      Layer.provide([Layer.succeed(KeyStore, store), AppConfig.layer(env)])
    )
    const { admit } = Context.get(yield* Effect.orDie(Layer.build(layer)), ApiKeys)
    const ask = (key?: string) =>
      Effect.suspend(() => admit({ header: (name) => (name === "x-api-key" ? key : undefined) })).pipe(
        Effect.match({ onFailure: ({ _tag }): string | null => _tag, onSuccess: ({ keyId }) => keyId })
      )
    const make = (secret: string) => {
      database.made++
      database.keys.set(digestOf(secret), keyOf(secret))
    }
    return { ask, database, make }
  })

/** As long as anything is believed. */
const seconds = TestClock.adjust("2 seconds")

describe("a key of the database", () => {
  it.scoped("is asked for once, whoever shows it how often, and again seconds later by one of all", () =>
    Effect.gen(function* () {
      const { ask, database, make } = yield* open()
      make(own("a"))
      assert.strictEqual(yield* ask(own("a")), "db:aaaa")
      database.asked = 0
      for (let at = 0; at < 100; at++) assert.strictEqual(yield* ask(own("a")), "db:aaaa")
      assert.strictEqual(database.asked, 0)
      yield* seconds
      yield* Effect.forEach(Array.from({ length: 100 }), () => ask(own("a")), { concurrency: "unbounded" })
      assert.strictEqual(database.asked, 1)
    })
  )

  it.scoped("that is none is asked for once too, and never where it cannot be one", () =>
    Effect.gen(function* () {
      const { ask, database, make } = yield* open({ API_KEYS: "of-the-environment" })
      make(own("a"))
      database.asked = 0
      for (let at = 0; at < 100; at++) assert.strictEqual(yield* ask(own("b")), "Unauthorized")
      assert.strictEqual(database.asked, 1)
      const strangers = [
        "",
        "x",
        "pk-percept-short",
        `${own("a")}a`,
        own("a").replace("pk", "sk"),
        "y".repeat(1e6)
      ]
      for (const stranger of strangers) assert.strictEqual(yield* ask(stranger), "Unauthorized")
      assert.match(String(yield* ask("of-the-environment")), /^env:/)
      assert.strictEqual(database.asked, 1)
      // Looked up at once, though another one was refused just now.
      make(own("c"))
      assert.strictEqual(yield* ask(own("c")), "db:cccc")
    })
  )

  it.scoped("is good on while the database is away; one that was never seen waits for it", () =>
    Effect.gen(function* () {
      const { ask, database, make } = yield* open()
      make(own("a"))
      assert.strictEqual(yield* ask(own("a")), "db:aaaa")
      database.asked = 0
      for (const state of ["gone", "hanging"] as const) {
        database.state = state
        yield* seconds
        const asking = yield* Effect.fork(ask(own("a")))
        yield* TestClock.adjust("250 millis")
        assert.strictEqual(yield* Fiber.join(asking), "db:aaaa")
        assert.strictEqual(database.asked, 1)
        database.asked = 0
      }
      database.state = "gone"
      assert.strictEqual(yield* ask(own("b")), "KeysUnavailable")
      database.state = "there"
      make(own("b"))
      assert.strictEqual(yield* ask(own("b")), "db:bbbb")
    })
  )

  it.scoped("shuts the router, also where strangers may in, as long as it is good", () =>
    Effect.gen(function* () {
      const shut = yield* open()
      assert.isNull(yield* shut.ask())
      shut.make(own("a"))
      yield* seconds
      assert.strictEqual(yield* shut.ask(), "Unauthorized")
      shut.database.keys.clear()
      assert.strictEqual(yield* shut.ask(), "Unauthorized")

      const anybody = yield* open({ ALLOW_ANONYMOUS: "true" })
      anybody.make(own("a"))
      yield* seconds
      assert.strictEqual(yield* anybody.ask(), "Unauthorized")
      anybody.database.keys.clear()
      yield* seconds
      assert.strictEqual(yield* anybody.ask(), null)
      // It has been told as well that no key is good any more.
      assert.strictEqual(yield* shut.ask(), "Unauthorized")
    })
  )
})
