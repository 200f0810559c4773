import { SqlClient } from "@effect/sql/SqlClient"
import { Context, Effect, Layer, Logger, LogLevel } from "effect"
import type { Scope } from "effect"
import { AppConfig } from "../../src/services/AppConfig.ts"
import * as Database from "../../src/services/Database.ts"
import { KeyStore } from "../../src/services/KeyStore.ts"
import type { KeyWish, StoredKey } from "../../src/services/KeyStore.ts"

/** Keys as the command line makes them: by a connection of its own to the database of a router. */
export interface Keys {
  readonly make: (wish: Partial<KeyWish>) => Effect.Effect<{ readonly id: string; readonly secret: string }>
  readonly revoke: (idOrName: string) => Effect.Effect<void>
  readonly look: (id: string) => Effect.Effect<StoredKey>
  readonly sql: SqlClient
}

export const openKeys = (env: { readonly [name: string]: string }): Effect.Effect<Keys, never, Scope.Scope> =>
  Effect.gen(function* () {
    const layer = KeyStore.Default.pipe(
      Layer.provideMerge(Database.layer),
      Layer.provide([AppConfig.layer(env), Logger.minimumLogLevel(LogLevel.None)])
    )
    const context = yield* Effect.orDie(Layer.build(layer))
    const store = Context.get(context, KeyStore)
    const look = (id: string) =>
      Effect.flatMap(Effect.orDie(store.list()), (keys) => {
        const found = keys.find((key) => key.id === id)
        return found === undefined ? Effect.dieMessage(`no key ${id}`) : Effect.succeed(found)
      })
    return {
      make: (wish) =>
        Effect.orDie(Effect.retry(store.create({ name: "test", ...wish }), Database.whileLocked)),
      revoke: (idOrName) =>
        Effect.orDie(Effect.asVoid(Effect.retry(store.revoke(idOrName), Database.whileLocked))),
      look,
      sql: Context.get(context, SqlClient)
    }
  })

export const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` })
