import { SqlClient } from "@effect/sql/SqlClient"
import { Effect, Option, Stream } from "effect"
import type { Place } from "../../../domain/record/Cursor.ts"
import { isOfShapes, mainByDefault } from "../../../domain/record/RecordQuery.ts"
import type { RecordQuery } from "../../../domain/record/RecordQuery.ts"
import { AppConfig } from "../../AppConfig.ts"
import { ReadDatabase } from "../ReadDatabase.ts"
import type { ReadFailed } from "../ReadFailed.ts"
import { SearchIndex } from "../SearchIndex.ts"
import { indexFor, makeApproach } from "./Approach.ts"
import { makeBodies } from "./Bodies.ts"
import { conditionsOf } from "./Conditions.ts"
import type { ExportFormat } from "./exportFormats.ts"
import { makeIds } from "./Ids.ts"
import type { Part } from "./Ids.ts"
import { RecordList } from "./List.ts"
import type { Listed } from "./List.ts"

/** All rows of a question as the text of a file. */
export interface Exported {
  /** Rows the file will have, as long as none is forgotten meanwhile. */
  readonly rows: number
  /** There are more than a file may have. */
  readonly isTruncated: boolean
  /** Nothing is read before it is asked for. */
  readonly pieces: Stream.Stream<string, ReadFailed>
}

/** Writes the record to files, a page at a time: memory does not grow with the number of rows. */
export class Export extends Effect.Service<Export>()("percept/Export", {
  effect: Effect.gen(function* () {
    const { exportMaxRows } = yield* AppConfig
    const approachOf = yield* makeApproach
    const bodiesOf = yield* makeBodies
    const idsOf = yield* makeIds
    const lists = yield* RecordList
    const reader = yield* ReadDatabase
    const search = yield* SearchIndex
    const sql = yield* SqlClient

    /** The rows there are by now, each as it is when its turn comes, in the order of the list. */
    const open = Effect.fnUntraced(function* (
      asked: RecordQuery,
      format: ExportFormat,
      { bodies = false, most = exportMaxRows }: { readonly bodies?: boolean; readonly most?: number } = {}
    ) {
      const found = yield* search.find(asked.search)
      const query = { ...(found.isOne ? asked : mainByDefault(asked)), place: undefined }
      const picked = yield* lists.pick(query)
      const [newest] = yield* reader.rows(
        sql<{ id: number | null }>`SELECT max(id) AS id FROM openrouter_requests`
      )
      const near = yield* approachOf(query, picked, IDS_AT_ONCE)
      if (near === undefined) return exported(0, false, Stream.make(format.head))
      const approach = { ...near, high: Math.min(near.high, newest?.id ?? 0) }
      const part = { query, picked, approach, found, skip: 0, take: IDS_AT_ONCE }
      const items = yield* count(part, most + 1)
      const rows = Math.min(items, most)
      const pages = Stream.unfoldEffect({ ids: [], place: undefined, left: rows }, (at: At) => next(part, at))
      const lines = bodies
        ? Stream.flatMap(pages, (rows) =>
            Stream.map(bodiesOf(rows), (group) => group.map((one) => format.line(...one)).join(""))
          )
        : Stream.map(pages, (rows) => rows.map((row) => format.line(row)).join(""))
      return exported(rows, items > most, Stream.concat(Stream.make(format.head), lines))
    })

    const count = Effect.fnUntraced(function* ({ approach, found, picked, query }: Part, most: number) {
      const { high, low } = approach
      const isShaped = isOfShapes(query) && !picked.all
      const visible = !found.isAll ? "walk" : isShaped ? "shapes" : indexFor(approach)
      const [row] = yield* reader.rows(
        sql<{ items: number }>`
          SELECT count(*) AS items FROM (SELECT 1 AS one FROM ${found.from}
            WHERE ${found.where} AND ${conditionsOf(sql, query, picked, visible)}
            AND openrouter_requests.id BETWEEN ${low} AND ${high} LIMIT ${most}) AS few`
      )
      return row?.items ?? 0
    })

    /** The next page; many numbers are looked for at once, and few rows. */
    const next = Effect.fnUntraced(function* (part: Part, { ids, left, place }: At) {
      if (left <= 0) return Option.none()
      const query = { ...part.query, place }
      const known = ids.length > 0 ? ids : yield* idsOf({ ...part, query, take: Math.min(IDS_AT_ONCE, left) })
      const now = known.slice(0, ROWS_AT_ONCE)
      const last = now.at(-1)
      if (last === undefined) return Option.none()
      const rows = yield* lists.rows(now)
      const at = {
        ids: known.slice(ROWS_AT_ONCE),
        left: left - now.length,
        place: placeBehind(part.query, rows.at(-1), last, place)
      }
      return Option.some([rows, at] as const)
    })

    return { open }
  })
}) {}

/** How far a file is. */
interface At {
  readonly ids: ReadonlyArray<number>
  readonly place: Place | undefined
  /** Rows that may still come. */
  readonly left: number
}

const exported = (rows: number, isTruncated: boolean, pieces: Exported["pieces"]): Exported => ({
  rows,
  isTruncated,
  pieces: Stream.filter(pieces, (piece) => piece !== "")
})

/** Rows may be forgotten between being found and being read; then the last that was read leads on. */
const placeBehind = (
  { sort }: RecordQuery,
  row: Listed | undefined,
  id: number,
  before: Place | undefined
): Place | undefined =>
  sort === "id"
    ? { backwards: false, value: null, id }
    : row === undefined
      ? before
      : { backwards: false, value: row[sort], id: row.id }

const IDS_AT_ONCE = 10_000

/** They are read and turned into text in a millisecond or two: requests do not wait for longer. */
const ROWS_AT_ONCE = 100
