import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { isOwnKey } from "../../src/domain/PresentedKey.ts"
import { AppConfig } from "../../src/services/AppConfig.ts"
import * as Database from "../../src/services/Database.ts"
import { digestOf, KeyStore } from "../../src/services/KeyStore.ts"
import { everyDatabase } from "../support/Postgres.ts"

for (const { fresh, name } of everyDatabase())
  describe(`keys on ${name}`, () => {
    const open = Effect.gen(function* () {
      const layer = KeyStore.Default.pipe(
        Layer.provide(Database.layer),
        Layer.provide(AppConfig.layer(yield* fresh))
      )
      return Context.get(yield* Effect.orDie(Layer.build(layer)), KeyStore)
    })

    it.scopedLive("are kept with what they may, and never as what they are", () =>
      Effect.gen(function* () {
        const store = yield* open
        assert.deepStrictEqual(yield* store.presence(), { any: false, active: false })
        const expiresAt = Date.now() + 86_400_000
        const wish = {
          name: "all",
          budget: 12_500_000_000,
          rpm: 60,
          tpm: 900_000,
          models: ["gpt-*", "a/b"],
          expiresAt
        }
        const all = yield* store.create(wish)
        const bare = yield* store.create({ name: "bare" })
        assert.isTrue(isOwnKey(all.secret), all.secret)
        assert.notStrictEqual(all.secret, bare.secret)
        const found = yield* store.byHash(digestOf(all.secret))
        assert.deepInclude(found, { ...wish, id: all.id, spent: 0, reserved: 0, revokedAt: undefined })
        const { createdAt: _, ...plain } = (yield* store.byHash(digestOf(bare.secret))) ?? { createdAt: 0 }
        assert.deepStrictEqual(plain, {
          ...{ id: bare.id, name: "bare", hash: digestOf(bare.secret), spent: 0, reserved: 0 },
          ...{ budget: undefined, rpm: undefined, tpm: undefined, models: undefined },
          ...{ expiresAt: undefined, revokedAt: undefined }
        })
        const listed = yield* store.list()
        assert.sameMembers(
          listed.map(({ id }) => id),
          [all.id, bare.id]
        )
        assert.notInclude(JSON.stringify(listed), all.secret.slice(11))
        assert.deepStrictEqual(yield* store.presence(), { any: true, active: true })
        assert.isUndefined(yield* store.byHash(digestOf(`${all.secret} `)))
      })
    )

    it.scopedLive("have names that are free again when they are revoked, by name or by id", () =>
      Effect.gen(function* () {
        const store = yield* open
        const first = yield* store.create({ name: "me" })
        const taken = yield* Effect.flip(store.create({ name: "me" }))
        assert.strictEqual(taken._tag, "NameTaken")
        assert.strictEqual((yield* store.revoke("me"))?.id, first.id)
        const second = yield* store.create({ name: "me" })
        assert.strictEqual((yield* store.revoke("me"))?.id, second.id)
        assert.deepStrictEqual(yield* store.presence(), { any: true, active: false })
        assert.isDefined((yield* store.revoke(first.id))?.revokedAt)
        for (const stranger of ["", "you", "' OR 1=1 --", "%"])
          assert.isUndefined(yield* store.revoke(stranger))
        yield* store.create({ name: "late", expiresAt: Date.now() - 1 })
        assert.deepStrictEqual(yield* store.presence(), { any: true, active: false })
      })
    )
  })
