import { SqlClient } from "@effect/sql/SqlClient"
import { Data, Effect } from "effect"
import * as crypto from "node:crypto"
import { KEY_PREFIX } from "../domain/PresentedKey.ts"
import type { NanoDollars } from "../domain/Money.ts"
import { codeOf } from "./database/problems.ts"

/** Another key that is not revoked has this name. */
export class NameTaken extends Data.TaggedError("NameTaken")<{ readonly name: string }> {}

/** What a key is made with; undefined where it has no limit. Times are milliseconds since 1970. */
export interface KeyWish {
  readonly name: string
  readonly budget?: NanoDollars | undefined
  readonly rpm?: number | undefined
  readonly tpm?: number | undefined
  readonly models?: ReadonlyArray<string> | undefined
  readonly expiresAt?: number | undefined
}

/** A key as it is kept: the key itself is not. */
export interface StoredKey {
  readonly id: string
  readonly name: string
  readonly hash: string
  readonly createdAt: number
  readonly expiresAt: number | undefined
  readonly revokedAt: number | undefined
  readonly budget: NanoDollars | undefined
  readonly spent: NanoDollars
  /** What running requests may cost at most. */
  readonly reserved: NanoDollars
  readonly rpm: number | undefined
  readonly tpm: number | undefined
  /** Patterns of names. */
  readonly models: ReadonlyArray<string> | undefined
}

/** Keys in the database: made, listed, revoked, and found by what they hash to. */
export class KeyStore extends Effect.Service<KeyStore>()("percept/KeyStore", {
  effect: Effect.gen(function* () {
    const sql = yield* SqlClient

    /** A new key, and its secret, which nobody can ever be told again. */
    const create = Effect.fn("KeyStore.create")(
      function* (wish: KeyWish) {
        const secret = KEY_PREFIX + crypto.randomBytes(32).toString("base64url")
        const id = crypto.randomBytes(6).toString("hex")
        yield* sql`INSERT INTO api_keys ${sql.insert({
          id,
          name: wish.name,
          hash: digestOf(secret),
          created_at: Date.now(),
          expires_at: wish.expiresAt ?? null,
          budget_nano: wish.budget ?? null,
          rpm: wish.rpm ?? null,
          tpm: wish.tpm ?? null,
          models: wish.models === undefined ? null : wish.models.join(",")
        })}`
        return { id, secret }
      },
      (made, { name }) => Effect.catchIf(made, isTaken, () => Effect.fail(new NameTaken({ name: name })))
    )

    /** All there ever were, oldest first. */
    const list = Effect.fn("KeyStore.list")(function* () {
      return (yield* sql<KeyRow>`SELECT * FROM api_keys ORDER BY created_at, id`).map(keyOf)
    })

    /** By id or name; undefined where there is none. Of several with one name it is the one in force. */
    const revoke = Effect.fn("KeyStore.revoke")(function* (idOrName: string) {
      const [found] = yield* sql<KeyRow>`
        SELECT * FROM api_keys WHERE id = ${idOrName} OR name = ${idOrName}
        ORDER BY CASE WHEN id = ${idOrName} THEN 0 WHEN revoked_at IS NULL THEN 1 ELSE 2 END LIMIT 1`
      if (found === undefined) return undefined
      yield* sql`UPDATE api_keys SET revoked_at = ${Date.now()} WHERE id = ${found.id} AND revoked_at IS NULL`
      return keyOf(found)
    })

    const byHash = Effect.fn("KeyStore.byHash")(function* (hash: string) {
      const [found] = yield* sql<KeyRow>`SELECT * FROM api_keys WHERE hash = ${hash}`
      return found === undefined ? undefined : keyOf(found)
    })

    /** Whether there ever was a key, and whether one is good now. */
    const presence = Effect.fn("KeyStore.presence")(function* () {
      const [found] = yield* sql<{ readonly any: number; readonly active: number }>`
        SELECT
          CASE WHEN EXISTS (SELECT 1 FROM api_keys) THEN 1 ELSE 0 END AS "any",
          CASE WHEN EXISTS (SELECT 1 FROM api_keys WHERE revoked_at IS NULL
            AND (expires_at IS NULL OR expires_at > ${Date.now()})) THEN 1 ELSE 0 END AS active`
      return { any: found?.any === 1, active: found?.active === 1 }
    })

    return { byHash, create, list, presence, revoke }
  })
}) {}

/** Node 20.12 has a one-shot hash, four times as fast. */
export const digestOf = (key: string): string => crypto.hash("sha256", key)

interface KeyRow {
  readonly id: string
  readonly name: string
  readonly hash: string
  readonly created_at: Large
  readonly expires_at: Large | null
  readonly revoked_at: Large | null
  readonly budget_nano: Large | null
  readonly spent_nano: Large
  readonly reserved_nano: Large
  readonly rpm: number | null
  readonly tpm: number | null
  readonly models: string | null
}

/** Postgres gives its large integers as text. */
type Large = number | string

const keyOf = (row: KeyRow): StoredKey => ({
  id: row.id,
  name: row.name,
  hash: row.hash,
  createdAt: Number(row.created_at),
  expiresAt: numberIn(row.expires_at),
  revokedAt: numberIn(row.revoked_at),
  budget: numberIn(row.budget_nano),
  spent: Number(row.spent_nano),
  reserved: Number(row.reserved_nano),
  rpm: row.rpm ?? undefined,
  tpm: row.tpm ?? undefined,
  models: row.models?.split(",")
})

const numberIn = (cell: Large | null): number | undefined => (cell === null ? undefined : Number(cell))

const isTaken = (error: unknown): boolean => /^(SQLITE_CONSTRAINT|23505)/.test(codeOf(error))
