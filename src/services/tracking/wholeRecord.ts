import { SqlClient } from "@effect/sql/SqlClient"
import { Effect } from "effect"
import type { RequestBodies } from "../../domain/RequestRecord.ts"
import { whileLocked } from "../Database.ts"
import type { ExportFormat } from "./read/exportFormats.ts"
import { costOf } from "./read/List.ts"
import type { Listed } from "./read/List.ts"
import { withNumbers } from "./withNumbers.ts"

/** Which rows, by when they began; in milliseconds. */
export interface Range {
  readonly from: number | undefined
  readonly to: number | undefined
}

/**
 * Tells every row, side calls and running ones too, with its texts where they are wanted, in the order of their
 * numbers, for as long as somebody listens. Memory holds a page of rows and a megabyte of texts.
 */
export const wholeRecord = <E, R>(
  format: ExportFormat,
  range: Range,
  withBodies: boolean,
  tell: (text: string) => Effect.Effect<boolean, E, R>
) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const page = (after: number) =>
      sql<Found>`
          SELECT r.*, ${sql.literal(withBodies ? SIZE : "0")} AS size FROM openrouter_requests r
          LEFT JOIN request_bodies b ON b.internal_request_id = r.internal_request_id
          WHERE ${sql.and([
            sql`r.id > ${after}`,
            ...(range.from === undefined ? [] : [sql`r.timestamp >= ${iso(range.from)}`]),
            ...(range.to === undefined ? [] : [sql`r.timestamp < ${iso(range.to)}`])
          ])} ORDER BY r.id LIMIT ${ROWS}`.pipe(Effect.retry(whileLocked))

    const texts = (rows: ReadonlyArray<Found>) =>
      sql<RequestBodies>`
          SELECT internal_request_id, request_body, response_body FROM request_bodies
          WHERE ${sql.in(
            "internal_request_id",
            rows.map((row) => row.internal_request_id)
          )}`.pipe(
        Effect.retry(whileLocked),
        Effect.map((bodies) => new Map(bodies.map((body) => [body.internal_request_id, body])))
      )

    let isHeard = yield* tell(format.head)
    let after: number | undefined = 0
    while (isHeard && after !== undefined) {
      const rows: ReadonlyArray<Found> = yield* page(after)
      for (const group of groups(rows)) {
        if (!isHeard) break
        const bodies = withBodies ? yield* texts(group) : undefined
        const lines = group.map((row) =>
          format.line(listed(row), bodies && (bodies.get(row.internal_request_id) ?? NO_TEXTS))
        )
        isHeard = yield* tell(lines.join(""))
      }
      after = rows.length < ROWS ? undefined : Number(rows.at(-1)?.id)
    }
  })

type Found = Listed & { readonly size: number | string }

const listed = (row: Found): Listed => {
  const read = { ...withNumbers(row), id: Number(row.id) }
  return { ...read, cost: costOf(read) }
}

/** Rows together whose texts are not too much at once. */
const groups = (rows: ReadonlyArray<Found>): ReadonlyArray<ReadonlyArray<Found>> => {
  const found: Array<Array<Found>> = []
  let room = 0
  for (const row of rows) {
    const size = Number(row.size)
    const last = found.at(-1)
    if (last === undefined || size > room) {
      found.push([row])
      room = BYTES - size
    } else {
      last.push(row)
      room -= size
    }
  }
  return found
}

const iso = (millis: number): string => new Date(millis).toISOString()

const SIZE = "coalesce(octet_length(b.request_body), 0) + coalesce(octet_length(b.response_body), 0)"
const NO_TEXTS: RequestBodies = { internal_request_id: "", request_body: null, response_body: null }

const ROWS = 200
const BYTES = 1024 * 1024
