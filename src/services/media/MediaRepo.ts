import { SqlClient } from "@effect/sql/SqlClient"
import { Effect } from "effect"
import type { Blob } from "../../domain/media/Evidence.ts"
import { describedBy, mediumOf } from "../../domain/media/Item.ts"
import { inTransaction } from "../database/transaction.ts"
import { makeMediaItems } from "./MediaItems.ts"

/** One thing remembered, as text, with what it takes: its text and all its pictures. */
export interface Entry {
  readonly id: string
  readonly value: string
  readonly bytes: number
  /** Milliseconds. */
  readonly at: number
}

/**
 * The only place that knows the tables of media. A transaction takes the row of `media_room` first: so writers
 * come one after the other, on every database, and that row is right. A picture of two entries counts for both;
 * more may be counted than is kept, never less.
 */
export const makeMediaRepo = Effect.map(SqlClient, (sql) => {
  const items = makeMediaItems(sql)
  const inTurn = <A, E, R>(change: (taken: number) => Effect.Effect<A, E, R>) =>
    inTransaction(sql, () =>
      Effect.flatMap(
        sql<{ bytes: number | string }>`UPDATE media_room SET bytes = bytes RETURNING bytes`,
        ([room]) => change(Number(room?.bytes ?? 0))
      )
    )

  const find = Effect.fnUntraced(function* (id: string) {
    const [row] = yield* sql<{ value: string; used_at: number | string }>`
      SELECT value, used_at FROM media_entries WHERE id = ${id}`
    return row === undefined ? undefined : { value: row.value, usedAt: Number(row.used_at) }
  })

  /** Pictures that fit come with their entry; more of them follow by and by, so that nobody waits long. */
  const save = Effect.fnUntraced(function* (entry: Entry, blobs: ReadonlyArray<Blob>) {
    const [first = [], ...more] = handfuls(blobs)
    yield* inTurn(() =>
      Effect.gen(function* () {
        const { freed, loose } = yield* detach([entry.id])
        yield* sql`INSERT INTO media_entries ${sql.insert({
          id: entry.id,
          bytes: entry.bytes,
          created_at: entry.at,
          used_at: entry.at,
          value: entry.value,
          medium: mediumOf(entry.id)
        })}`
        yield* items.tell(entry)
        yield* sql`UPDATE media_room SET bytes = bytes + ${entry.bytes - freed}`
        for (const sha256 of new Set(blobs.map((blob) => blob.sha256)))
          yield* sql`INSERT INTO media_entry_blobs ${sql.insert({ entry: entry.id, sha256 })}`
        yield* putPieces(first)
        yield* dropUnused(loose)
      })
    )
    for (const pieces of more)
      yield* inTurn(() =>
        Effect.gen(function* () {
          // It may have been replaced meanwhile, by one with other pictures.
          const still = yield* sql<{ sha256: string }>`
            SELECT sha256 FROM media_entry_blobs WHERE entry = ${entry.id}`
          yield* putPieces(pieces.filter((piece) => still.some(({ sha256 }) => sha256 === piece.sha256)))
        })
      )
  })

  const putPieces = (pieces: ReadonlyArray<Piece>) =>
    Effect.forEach(
      pieces,
      (piece) =>
        sql`INSERT INTO media_blobs ${sql.insert({ ...piece })} ON CONFLICT (sha256, part) DO NOTHING`,
      { discard: true }
    )

  /** Takes entries away; the pictures they had may be in use elsewhere. */
  const detach = Effect.fnUntraced(function* (ids: ReadonlyArray<string>) {
    const loose = yield* sql<{ sha256: string }>`
      DELETE FROM media_entry_blobs WHERE ${sql.in("entry", ids)} RETURNING sha256`
    const gone = yield* sql<{ bytes: number | string; medium: string | null }>`
      DELETE FROM media_entries WHERE ${sql.in("id", ids)} RETURNING bytes, medium`
    return {
      freed: gone.reduce((sum, { bytes }) => sum + Number(bytes), 0),
      media: gone.flatMap(({ medium }) => medium ?? []),
      loose: Array.from(new Set(loose.map(({ sha256 }) => sha256)))
    }
  })

  const dropUnused = (sha256s: ReadonlyArray<string>) =>
    sha256s.length === 0
      ? Effect.void
      : sql`DELETE FROM media_blobs WHERE ${sql.in("sha256", sha256s)} AND NOT EXISTS
            (SELECT 1 FROM media_entry_blobs WHERE media_entry_blobs.sha256 = media_blobs.sha256)`

  /** Forgets a few of the least recently used, if more is taken than the limit; true if it did. */
  const makeRoom = (limit: number) =>
    inTurn((taken) =>
      Effect.gen(function* () {
        if (taken <= limit) return false
        const oldest = yield* sql<{ id: string; bytes: number | string }>`
          SELECT id, bytes FROM media_entries ORDER BY used_at, id LIMIT ${STEP_ENTRIES}`
        const victims: Array<string> = []
        let toFree = Math.min(taken - limit, STEP_BYTES)
        for (const { bytes, id } of oldest) {
          if (toFree <= 0) break
          victims.push(id)
          toFree -= Number(bytes)
        }
        if (victims.length === 0) {
          yield* sql`UPDATE media_room SET bytes = 0`
          return false
        }
        yield* drop(victims)
        return true
      })
    )

  const drop = Effect.fnUntraced(function* (ids: ReadonlyArray<string>) {
    const { freed, loose, media } = yield* detach(ids)
    yield* dropUnused(loose)
    yield* items.dropEmpty(media)
    yield* sql`UPDATE media_room SET bytes = bytes - ${freed}`
  })

  /** Forgets a medium: what was found out about it, what leads to it, and what its pictures were said to show. */
  const forget = (medium: string) =>
    inTurn(() =>
      Effect.gen(function* () {
        const entries = yield* sql<{ id: string }>`SELECT id FROM media_entries WHERE medium = ${medium}`
        const ids = entries.map(({ id }) => id)
        const described = ids.length === 0 ? [] : yield* descriptionsOf(ids)
        if (ids.length > 0) yield* drop([...ids, ...described])
        yield* sql`DELETE FROM media_links WHERE target = ${medium}`
        yield* sql`DELETE FROM media_items WHERE id = ${medium}`
        return ids.length > 0
      })
    )

  /** Of pictures that no other medium has. */
  const descriptionsOf = Effect.fnUntraced(function* (entries: ReadonlyArray<string>) {
    const own = yield* sql<{ sha256: string }>`
      SELECT DISTINCT sha256 FROM media_entry_blobs one WHERE ${sql.in("entry", entries)} AND NOT EXISTS
        (SELECT 1 FROM media_entry_blobs other
         WHERE other.sha256 = one.sha256 AND NOT (${sql.in("other.entry", entries)}))`
    if (own.length === 0) return []
    const found = yield* sql<{ id: string }>`
      SELECT id FROM media_entries WHERE ${sql.in(
        "medium",
        own.map(({ sha256 }) => describedBy(sha256))
      )}`
    return found.map(({ id }) => id)
  })

  /** Brings what an earlier version has written into the list of media; whether there may be more. */
  const adopt = inTurn(() => items.adopt)

  const touch = (ids: ReadonlyArray<string>, at: number) =>
    Effect.zipRight(
      sql`UPDATE media_entries SET used_at = ${at} WHERE ${sql.in("id", ids)}`,
      items.touch(ids, at)
    )

  const blobs = Effect.fnUntraced(function* (sha256s: ReadonlyArray<string>) {
    const found = new Map<string, Blob>()
    const starts = yield* sql<Piece>`
      SELECT sha256, part, mime, size, bytes FROM media_blobs WHERE part = 0 AND ${sql.in("sha256", sha256s)}`
    for (const { bytes, mime, sha256, size } of starts) {
      const whole = bytes.length === Number(size) ? bytes : yield* gather(sha256, Number(size), bytes)
      if (whole !== undefined) found.set(sha256, { sha256, mime, bytes: whole })
    }
    return found
  })

  /** A long one in its pieces; undefined where some have not come yet. */
  const gather = Effect.fnUntraced(function* (sha256: string, size: number, start: Uint8Array) {
    const pieces = [start]
    for (let had = start.length; had < size;) {
      const [next] = yield* sql<Pick<Piece, "bytes">>`
        SELECT bytes FROM media_blobs WHERE sha256 = ${sha256} AND part = ${pieces.length}`
      if (next === undefined) return undefined
      pieces.push(next.bytes)
      had += next.bytes.length
    }
    return Buffer.concat(pieces)
  })

  const findLink = Effect.fnUntraced(function* (key: string) {
    const [row] = yield* sql<{ value: string }>`SELECT value FROM media_links WHERE key = ${key}`
    return row?.value
  })

  const saveLink = (link: {
    readonly key: string
    readonly target: string
    readonly checked_at: number
    readonly value: string
  }) =>
    sql`INSERT INTO media_links ${sql.insert(link)} ON CONFLICT (key) DO UPDATE SET
        target = excluded.target, checked_at = excluded.checked_at, value = excluded.value`

  /** Forgets some links beyond the number that may stay, those that were not asked for the longest. */
  const trimLinks = (most: number) =>
    sql`DELETE FROM media_links WHERE key IN
        (SELECT key FROM media_links ORDER BY checked_at DESC, key DESC LIMIT ${STEP_LINKS} OFFSET ${most})`

  /** What this installation calls by that name: the first value anybody proposed. */
  const settle = Effect.fnUntraced(function* (name: string, proposal: string) {
    yield* sql`INSERT INTO installation ${sql.insert({ name, value: proposal })} ON CONFLICT (name) DO NOTHING`
    const [row] = yield* sql<{ value: string }>`SELECT value FROM installation WHERE name = ${name}`
    return row?.value ?? proposal
  })

  return { find, save, makeRoom, forget, adopt, touch, blobs, findLink, saveLink, trimLinks, settle }
})

interface Piece {
  readonly sha256: string
  readonly part: number
  readonly mime: string
  readonly size: number
  readonly bytes: Uint8Array
}

/** Pieces in groups that are written at once without holding up anybody. */
const handfuls = (blobs: ReadonlyArray<Blob>): ReadonlyArray<ReadonlyArray<Piece>> => {
  const groups: Array<Array<Piece>> = []
  let room = 0
  for (const { bytes, mime, sha256 } of new Map(blobs.map((blob) => [blob.sha256, blob])).values())
    for (let from = 0, part = 0; part === 0 || from < bytes.length; from += PIECE_BYTES, part++) {
      const piece = bytes.subarray(from, from + PIECE_BYTES)
      if (room < piece.length || groups.length === 0) {
        groups.push([])
        room = STEP_BYTES
      }
      groups.at(-1)?.push({ sha256, part, mime, size: bytes.length, bytes: piece })
      room -= piece.length
    }
  return groups
}

const PIECE_BYTES = 512 * 1024

/** Bytes written or forgotten in one transaction; the driver holds the only thread there is for so long. */
const STEP_BYTES = 1024 * 1024

const STEP_ENTRIES = 16

const STEP_LINKS = 100
