import type { SqlClient } from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { itemOf, mediumOf } from "../../domain/media/Item.ts"

/** One row for each medium of the memory, kept right by whoever changes the entries. */
export const makeMediaItems = (sql: SqlClient) => {
  /** What an entry tells of its medium is added to what others have told. */
  const tell = (entry: { readonly id: string; readonly value: string; readonly at: number }) =>
    Effect.gen(function* () {
      const item = itemOf(entry.id, entry.value)
      if (item === undefined) return
      const row = { ...item, created_at: entry.at, used_at: entry.at }
      yield* sql`INSERT INTO media_items ${sql.insert(row)} ON CONFLICT (id) DO UPDATE SET
        kind = excluded.kind, used_at = excluded.used_at, ${sql.literal(TOLD)}`
    })

  const touch = (entries: ReadonlyArray<string>, at: number) =>
    sql`UPDATE media_items SET used_at = ${at}
        WHERE used_at < ${at} AND ${sql.in("id", Array.from(new Set(entries.map(mediumOf))))}`

  /** Media of which nothing is left. */
  const dropEmpty = (media: ReadonlyArray<string>) =>
    media.length === 0
      ? Effect.void
      : sql`DELETE FROM media_items WHERE ${sql.in("id", media)} AND NOT EXISTS
            (SELECT 1 FROM media_entries WHERE media_entries.medium = media_items.id)`

  /** Finds out of which media some entries are that an earlier version wrote; whether there may be more. */
  const adopt = Effect.gen(function* () {
    const found = yield* sql<{ id: string; value: string; used_at: number | string }>`
      SELECT id, value, used_at FROM media_entries WHERE medium IS NULL LIMIT ${ADOPTED_AT_ONCE}`
    for (const { id, used_at, value } of found) {
      yield* sql`UPDATE media_entries SET medium = ${mediumOf(id)} WHERE id = ${id}`
      yield* tell({ id, value, at: Number(used_at) })
    }
    return found.length === ADOPTED_AT_ONCE
  })

  return { tell, touch, dropEmpty, adopt }
}

const TOLD = ["duration", "width", "height", "cover", "site", "title", "coverage", "words"]
  .map((column) => `${column} = coalesce(excluded.${column}, media_items.${column})`)
  .join(", ")

const ADOPTED_AT_ONCE = 20
