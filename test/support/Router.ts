import { SqlClient } from "@effect/sql/SqlClient"
import { Context, Effect, Layer, Logger, LogLevel } from "effect"
import type { Scope } from "effect"
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join, relative } from "node:path"
import type { RequestRecord } from "../../src/domain/RequestRecord.ts"
import { HttpServer } from "../../src/http/Server.ts"
import { router, routerWithoutLanes } from "../../src/program.ts"
import { AppConfig } from "../../src/services/AppConfig.ts"
import * as Database from "../../src/services/Database.ts"
import { temporaryFolder } from "./TemporaryFolder.ts"

export type Row = RequestRecord & { readonly id: number; readonly cost_usd: number | null }

/** A whole router in this process, on a free port, with a data folder of its own. */
export interface Router {
  readonly url: string
  readonly dataDir: string
  /** Every row, oldest first, once none of them is `running` any more. */
  readonly rows: Effect.Effect<ReadonlyArray<Row>>
  /** Every row as it is now. */
  readonly rowsNow: Effect.Effect<ReadonlyArray<Row>>
  readonly post: (body: unknown, init?: RequestInit) => Effect.Effect<Response>
  /** What those ask it who only want to see that it serves, where that is not the same for all. */
  readonly hi?: object
}

export const startRouter = (
  env: { readonly [name: string]: string },
  options: { readonly lanes?: boolean } = {}
): Effect.Effect<Router, never, Scope.Scope> =>
  Effect.gen(function* () {
    const dataDir = yield* temporaryFolder
    if (ELSEWHERE.every((name) => env[name] === undefined))
      writeFileSync(join(dataDir, "percept.db"), yield* emptyRecord)
    const config = AppConfig.layer({ LISTEN_PORT: "0", DATA_DIR: dataDir, LOG_LEVEL: "none", ...env })
    const built = options.lanes === false ? routerWithoutLanes : router
    const quiet = Logger.minimumLogLevel(LogLevel.None)
    const context = yield* Effect.orDie(
      Layer.build(built.pipe(Layer.provideMerge(config), Layer.provide(quiet)))
    )
    const { url } = Context.get(context, HttpServer)
    const sql = Context.get(context, SqlClient)
    const rowsNow = Effect.map(
      Effect.orDie(sql<Row>`SELECT * FROM openrouter_requests ORDER BY id`),
      (rows) => rows.map(withNumbers)
    )
    return {
      url,
      dataDir,
      rowsNow,
      rows: settled(rowsNow),
      post: (body, init) =>
        Effect.promise(() =>
          fetch(`${url}/v1/chat/completions`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: typeof body === "string" ? body : JSON.stringify(body),
            ...init
          })
        )
    }
  })

/** Rows once there are any and none of them is `running` any more. */
export const settled = (rowsNow: Router["rowsNow"]): Router["rows"] =>
  eventually(rowsNow, (rows) => rows.length > 0 && rows.every((row) => row.state !== "running"))

/** What a router makes of its record's file at its first start, made once for all who start with a new one. */
export const emptyRecord = Effect.suspend(() =>
  Effect.promise(() => (made ??= Effect.runPromise(makeRecord)))
)

let made: Promise<Buffer> | undefined

const makeRecord = Effect.gen(function* () {
  const folder = yield* temporaryFolder
  const database = Database.layer.pipe(Layer.provide(AppConfig.layer({ DATA_DIR: folder })))
  yield* Effect.scoped(Layer.build(database))
  return readFileSync(join(folder, "percept.db"))
}).pipe(Effect.scoped)

/** Settings of where a record is. */
const ELSEWHERE = ["DATABASE_URL", "DATA_DIR", "DB_PATH"]

/** Postgres gives its large integers as text. */
const withNumbers = (row: Row): Row => {
  const integerOrNull = (value: number | null) => (value === null ? null : Number(value))
  return {
    ...row,
    id: Number(row.id),
    prompt_tokens: integerOrNull(row.prompt_tokens),
    completion_tokens: integerOrNull(row.completion_tokens),
    total_tokens: integerOrNull(row.total_tokens),
    cached_tokens: integerOrNull(row.cached_tokens),
    reasoning_tokens: integerOrNull(row.reasoning_tokens),
    cost_nano_usd: integerOrNull(row.cost_nano_usd),
    shape_id: integerOrNull(row.shape_id)
  }
}

export { temporaryFolder }

/** Every file below a folder, by its path from there; what vanishes meanwhile is not there. */
export const filesIn = (folder: string): ReadonlyArray<readonly [name: string, content: Buffer]> =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => existsSync(path))
    .map((path) => [relative(folder, path), readFileSync(path)])

/** Asks again until the answer is as wanted; a condition that never comes fails with the last answer. */
export const eventually = <A, E, R>(
  look: Effect.Effect<A, E, R>,
  wanted: (answer: A) => boolean,
  seconds = 10
): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const deadline = performance.now() + seconds * 1000
    const again: Effect.Effect<A, E, R> = Effect.flatMap(look, (answer) => {
      if (wanted(answer)) return Effect.succeed(answer)
      if (performance.now() > deadline)
        return Effect.dieMessage(`waited ${seconds} s in vain; last seen: ${JSON.stringify(answer)}`)
      return Effect.zipRight(
        Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 20))),
        again
      )
    })
    return again
  })
