import { SqlClient } from "@effect/sql/SqlClient"
import { Effect } from "effect"
import type { Item } from "../../../domain/media/Item.ts"
import * as ItemQuery from "../../../domain/media/ItemQuery.ts"
import { AppConfig } from "../../AppConfig.ts"
import { ReadDatabase } from "../ReadDatabase.ts"

/** What the memory of media holds, one row for each medium, with what the record knows of its use. */
export class MediaList extends Effect.Service<MediaList>()("percept/MediaList", {
  effect: Effect.gen(function* () {
    const { mediaCacheMb } = yield* AppConfig
    const reader = yield* ReadDatabase
    const sql = yield* SqlClient

    /** Those that were used last come first. */
    const list = Effect.fnUntraced(function* (query: ItemQuery.ItemQuery) {
      const conditions = matching(query)
      const { after, size } = query
      const behind =
        after === undefined
          ? []
          : [sql`(i.used_at < ${after.usedAt} OR (i.used_at = ${after.usedAt} AND i.id < ${after.id}))`]
      const found = yield* reader.rows(
        sql<Row>`SELECT ${columns} FROM media_items i WHERE ${sql.and([...conditions, ...behind])}
          ORDER BY i.used_at DESC, i.id DESC LIMIT ${size + 1}`
      )
      const [totals] = yield* reader.rows(
        sql<{ items: number; bytes: number }>`
          SELECT (SELECT count(*) FROM media_items i WHERE ${sql.and(conditions)}) AS items,
            (SELECT max(bytes) FROM media_room) AS bytes`
      )
      const rows = found.slice(0, size)
      const last = rows.at(-1)
      return {
        items: yield* completed(rows),
        next_cursor:
          last === undefined || found.length <= size
            ? null
            : ItemQuery.encode({ id: last.id, usedAt: last.used_at }),
        total_items: totals?.items ?? 0,
        total_bytes: totals?.bytes ?? 0,
        limit_bytes: mediaCacheMb * 1024 * 1024
      }
    })

    /** One of them; undefined where it is not remembered. */
    const find = Effect.fnUntraced(function* (id: string) {
      const rows = yield* reader.rows(sql<Row>`SELECT ${columns} FROM media_items i WHERE i.id = ${id}`)
      const [item] = yield* completed(rows)
      return item
    })

    const matching = ({ kind, words }: ItemQuery.ItemQuery) => {
      // One pattern for both sides, so that each database folds letters as it does.
      const pattern = `%${words.replaceAll(/[\\%_]/g, "\\$&")}%`
      const holds = (column: string) => sql`lower(${sql.literal(column)}) LIKE lower(${pattern}) ESCAPE '\\'`
      return [
        sql.in("i.kind", kind === undefined ? ["image", "video", "audio"] : [kind]),
        ...(words === ""
          ? []
          : [
              sql.or([
                ...["i.id", "i.title", "i.site", "i.words"].map(holds),
                sql`EXISTS (SELECT 1 FROM request_media m WHERE m.entry = i.id AND ${holds("m.label")})`
              ])
            ])
      ]
    }

    const completed = Effect.fnUntraced(function* (rows: ReadonlyArray<Row>) {
      if (rows.length === 0) return []
      const ids = rows.map(({ id }) => id)
      const sizes = yield* reader.rows(
        sql<{ id: string; bytes: number }>`
          SELECT medium AS id, sum(bytes) AS bytes FROM media_entries WHERE ${sql.in("medium", ids)}
          GROUP BY medium`
      )
      // Who looked took so long; who remembered was spared it.
      const uses = yield* reader.rows(
        sql<Use>`
          SELECT entry AS id, count(DISTINCT internal_request_id) AS requests, sum(remembered) AS hits,
            max(CASE WHEN remembered = 0 THEN ms END) AS looked
          FROM request_media WHERE ${sql.in("entry", ids)} GROUP BY entry`
      )
      const labels = yield* reader.rows(
        sql<{ id: string; label: string | null }>`
          SELECT i.id, (SELECT m.label FROM request_media m WHERE m.entry = i.id AND m.label <> ''
            ORDER BY m.internal_request_id DESC LIMIT 1) AS label
          FROM media_items i WHERE ${sql.in("i.id", ids)}`
      )
      return rows.map((row) => {
        const { hits = 0, looked, requests = 0 } = uses.find(({ id }) => id === row.id) ?? {}
        return {
          ...row,
          created_at: new Date(row.created_at).toISOString(),
          used_at: new Date(row.used_at).toISOString(),
          coverage: row.coverage ?? "",
          words: row.words ?? "",
          bytes: sizes.find(({ id }) => id === row.id)?.bytes ?? 0,
          label: labels.find(({ id }) => id === row.id)?.label ?? null,
          ...{ requests, hits, saved_ms: hits * (looked ?? 0) }
        }
      })
    })

    const columns = sql.literal(
      `i.id, i.kind, i.title, i.site, i.duration, i.width, i.height, i.created_at, i.used_at, i.coverage, i.words,
       CASE WHEN EXISTS (SELECT 1 FROM media_blobs b WHERE b.sha256 = i.cover) THEN i.cover END AS cover`
    )

    return { list, find }
  })
}) {}

interface Row extends Item {
  /** Milliseconds. */
  readonly created_at: number
  readonly used_at: number
}

interface Use {
  readonly id: string
  readonly requests: number
  readonly hits: number
  readonly looked: number | null
}
