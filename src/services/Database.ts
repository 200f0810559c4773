import { Effect, Layer } from "effect"
import { AppConfig } from "./AppConfig.ts"
import * as Postgres from "./database/Postgres.ts"
import * as Sqlite from "./database/Sqlite.ts"

export { DatabaseUnusable, isPassing, whileLocked, wordsOf } from "./database/problems.ts"

/** The record's database: a Postgres server where one is named, else a file. */
export const layer = Layer.unwrapEffect(
  Effect.map(AppConfig, ({ databaseFile, databaseServer }) =>
    databaseServer === undefined ? Sqlite.layer(databaseFile) : Postgres.layer(databaseServer)
  )
)
