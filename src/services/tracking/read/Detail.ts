import { SqlClient } from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { parseJson } from "../../../domain/Json.ts"
import type { Sighting } from "../../../domain/record/Sighting.ts"
import { ReadDatabase } from "../ReadDatabase.ts"
import { withCost } from "./List.ts"
import type { Listed } from "./List.ts"

/** The two texts of a request. */
export type Which = "request" | "response"

/** One request with all that is kept of it. */
export class RecordDetail extends Effect.Service<RecordDetail>()("percept/RecordDetail", {
  effect: Effect.gen(function* () {
    const reader = yield* ReadDatabase
    const sql = yield* SqlClient

    /** By its own id or its row's number; undefined where there is none. */
    const find = Effect.fnUntraced(function* (id: string) {
      const row = yield* rowOf(id)
      if (row === undefined) return undefined
      const children = yield* reader.rows(
        sql<Omit<Listed, "cost">>`
          SELECT * FROM openrouter_requests WHERE parent_request_id = ${row.internal_request_id}
          ORDER BY id LIMIT ${MOST_CHILDREN}`
      )
      const [bodies] = yield* reader.rows(
        sql<Bodies>`
          SELECT substr(request_body, 1, ${SHOWN}) AS request, octet_length(request_body) AS request_bytes,
            length(request_body) AS request_length, substr(response_body, 1, ${SHOWN}) AS response,
            octet_length(response_body) AS response_bytes, length(response_body) AS response_length
          FROM request_bodies WHERE internal_request_id = ${row.internal_request_id}`
      )
      const own = row.internal_request_id
      const [trace] = yield* reader.rows(
        sql<{ steps: string }>`SELECT steps FROM request_steps WHERE internal_request_id = ${own}`
      )
      const media = yield* reader.rows(
        sql<KeptSighting>`
          SELECT m.place, m.kind, m.param, m.label, i.id AS entry, m.remembered, m.ms, m.failure, m.shown
          FROM request_media m LEFT JOIN media_items i ON i.id = m.entry
          WHERE m.internal_request_id = ${own} ORDER BY m.place`
      )
      return {
        ...withCost(row),
        children: children.map(withCost),
        steps: stepsIn(trace?.steps),
        media: media.map(asSighting),
        request: bodyOf(bodies?.request, bodies?.request_bytes, bodies?.request_length),
        response: bodyOf(bodies?.response, bodies?.response_bytes, bodies?.response_length)
      }
    })

    /** Where the whole of a text is to be had, piece by piece, and how its file is called. */
    const body = Effect.fnUntraced(function* (id: string, which: Which) {
      const row = yield* rowOf(id)
      if (row === undefined) return undefined
      const column = sql.literal(`${which}_body`)
      const piece = (at: number) =>
        Effect.map(
          reader.rows(sql<{ piece: string | null }>`
            SELECT substr(${column}, ${at * PIECE + 1}, ${PIECE}) AS piece FROM request_bodies
            WHERE internal_request_id = ${row.internal_request_id}`),
          ([found]) => found?.piece ?? ""
        )
      const first = yield* piece(0)
      /** Empty at the end; what is shorter than a piece was the last one. */
      const next = (last: string, at: number) => (last.length < PIECE ? Effect.succeed("") : piece(at))
      return first === "" ? undefined : { name: `${row.internal_request_id}-${which}.json`, first, next }
    })

    const rowOf = (id: string) => {
      const number = /^\d{1,15}$/.test(id) ? Number(id) : undefined
      const condition = number === undefined ? sql`internal_request_id = ${id}` : sql`id = ${number}`
      return Effect.map(
        reader.rows(sql<Omit<Listed, "cost">>`SELECT * FROM openrouter_requests WHERE ${condition}`),
        ([row]) => row
      )
    }

    /** A picture that is remembered, of the kinds a page may show. */
    const picture = Effect.fnUntraced(function* (sha256: string) {
      const pieces = yield* reader.rows(
        sql<{ mime: string; size: number; bytes: Uint8Array }>`
          SELECT mime, size, bytes FROM media_blobs WHERE sha256 = ${sha256} ORDER BY part`
      )
      const mime = pieces[0]?.mime ?? ""
      const bytes = Buffer.concat(pieces.map((piece) => piece.bytes))
      const isWhole = bytes.length > 0 && bytes.length === pieces[0]?.size
      return isWhole && hasSignature(mime, bytes.toString("latin1", 0, 12)) ? { mime, bytes } : undefined
    })

    return { find, body, picture }
  })
}) {}

interface Bodies {
  readonly request: string | null
  readonly request_bytes: number | null
  readonly request_length: number | null
  readonly response: string | null
  readonly response_bytes: number | null
  readonly response_length: number | null
}

const bodyOf = (
  text: string | null | undefined,
  bytes: number | null | undefined,
  length: number | null | undefined
) => (typeof text === "string" ? { text, bytes, truncated: (length ?? 0) > SHOWN } : null)

interface KeptSighting extends Omit<Sighting, "remembered"> {
  readonly place: number
  readonly remembered: number
}

const asSighting = ({ remembered, ...rest }: KeptSighting) => ({ ...rest, remembered: remembered === 1 })

const stepsIn = (text: string | undefined): ReadonlyArray<unknown> => {
  const steps = text === undefined ? undefined : parseJson(text)
  return Array.isArray(steps) ? steps : []
}

/** Characters of a text that are shown with its request. */
const SHOWN = 256 * 1024

/** Characters that are read at once. */
const PIECE = 2 * 1024 * 1024

const MOST_CHILDREN = 200

/** What a picture is said to be must be what it begins with. */
const hasSignature = (mime: string, head: string): boolean => {
  if (mime === "image/jpeg") return head.startsWith("\xFF\xD8\xFF")
  if (mime === "image/png") return head.startsWith("\x89PNG\r\n\x1A\n")
  return mime === "image/webp" && head.startsWith("RIFF") && head.endsWith("WEBP")
}
