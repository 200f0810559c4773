import { SqlClient } from "@effect/sql/SqlClient"
import { Effect, Stream } from "effect"
import type { RequestBodies } from "../../../domain/RequestRecord.ts"
import { ReadDatabase } from "../ReadDatabase.ts"
import type { ReadFailed } from "../ReadFailed.ts"
import type { Listed } from "./List.ts"

/** A row and its texts; what is too long to be read in one piece is null. */
export type WithBodies = readonly [row: Listed, bodies: RequestBodies]

/** The texts of rows, in groups that are small enough to be held in memory. */
export const makeBodies = Effect.gen(function* () {
  const reader = yield* ReadDatabase
  const sql = yield* SqlClient

  const bodiesOf = (rows: ReadonlyArray<Listed>): Stream.Stream<ReadonlyArray<WithBodies>, ReadFailed> =>
    Stream.unwrap(
      Effect.map(sizesOf(rows), (sizes) => Stream.mapEffect(Stream.fromIterable(groupsOf(rows, sizes)), read))
    )

  const sizesOf = Effect.fnUntraced(function* (rows: ReadonlyArray<Listed>) {
    if (rows.length === 0) return new Map<string, number>()
    const sizes = yield* reader.rows(sql<{ id: string; size: number }>`
      SELECT internal_request_id AS id,
        coalesce(octet_length(request_body), 0) + coalesce(octet_length(response_body), 0) AS size
      FROM request_bodies WHERE internal_request_id IN ${sql.in(rows.map((row) => row.internal_request_id))}`)
    return new Map(sizes.map(({ id, size }) => [id, size]))
  })

  const read = Effect.fnUntraced(function* ({ hasBodies, rows }: Group) {
    const found = hasBodies
      ? yield* reader.rows(sql<RequestBodies>`
          SELECT internal_request_id, request_body, response_body FROM request_bodies
          WHERE internal_request_id IN ${sql.in(rows.map((row) => row.internal_request_id))}`)
      : []
    const byId = new Map(found.map((bodies) => [bodies.internal_request_id, bodies]))
    return rows.map((row): WithBodies => {
      const { internal_request_id } = row
      return [
        row,
        byId.get(internal_request_id) ?? { internal_request_id, request_body: null, response_body: null }
      ]
    })
  })

  return bodiesOf
})

interface Group {
  readonly rows: ReadonlyArray<Listed>
  readonly hasBodies: boolean
}

const groupsOf = (rows: ReadonlyArray<Listed>, sizes: ReadonlyMap<string, number>): ReadonlyArray<Group> => {
  const groups: Array<{ rows: Array<Listed>; hasBodies: boolean; size: number }> = []
  for (const row of rows) {
    const size = sizes.get(row.internal_request_id) ?? 0
    const hasBodies = size <= LARGEST
    const group = groups.at(-1)
    if (group !== undefined && group.hasBodies === hasBodies && group.size + size <= AT_ONCE) {
      group.rows.push(row)
      group.size += size
    } else groups.push({ rows: [row], hasBodies, size })
  }
  return groups
}

/** Bytes. */
const AT_ONCE = 1024 * 1024
const LARGEST = 24 * 1024 * 1024
