import type { SqlClient } from "@effect/sql/SqlClient"
import { Effect } from "effect"
import type { RequestRecord } from "../../../domain/RequestRecord.ts"
import type { RecordQuery } from "../../../domain/record/RecordQuery.ts"
import { shapeOf } from "../../../domain/record/Shape.ts"
import type { Shape } from "../../../domain/record/Shape.ts"
import { matches } from "../../../domain/record/ShapeFilter.ts"
import type { ReadDatabase } from "../ReadDatabase.ts"
import { conditionsOf } from "./Conditions.ts"

/** What is under way in all processes and asked for, as the shapes it would have; filters of shapes are left to do. */
export const runningShapes = (reader: ReadDatabase, sql: SqlClient, query: RecordQuery) =>
  Effect.map(
    reader.rows(
      sql<RequestRecord>`
        SELECT * FROM openrouter_requests WHERE state = 'running'
          AND ${conditionsOf(sql, { ...query, search: undefined }, NO_SHAPES, "walk")}
        LIMIT ${RUNNING_AT_MOST}`
    ),
    (rows): ReadonlyArray<Shape> => rows.map(shapeOf)
  )

/** How many of them are wanted. */
export const countOf = (running: ReadonlyArray<Shape>, { shapes }: RecordQuery): number =>
  running.filter((shape) => matches(shapes, shape) === "yes").length

/** The filters of shapes are none of the statement's business. */
const NO_SHAPES = { sure: [], perhaps: [], not: [], all: true, rows: 0, rowsOfAll: 0 }

const RUNNING_AT_MOST = 5000
