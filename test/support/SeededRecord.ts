import { Effect } from "effect"
import type { Scope } from "effect"
import Database from "better-sqlite3"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { seed } from "../../bench/record/seed.mjs"
import type { RequestRecord } from "../../src/domain/RequestRecord.ts"
import { emptyRecord, startRouter, temporaryFolder } from "./Router.ts"
import type { Router } from "./Router.ts"

/** A router whose record has had requests of all kinds for two days, the last of them a moment ago, and some others. */
export const startSeeded = (
  count: number,
  env: { readonly [name: string]: string } = {},
  others: ReadonlyArray<RequestRecord> = []
): Effect.Effect<Router, never, Scope.Scope> =>
  Effect.flatMap(seededRecord(count, others), (place) => startRouter({ ...place, ...env }))

/** Such a record by itself: the settings that lead a router there. */
export const seededRecord = (count: number, others: ReadonlyArray<RequestRecord> = []) =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const file = join(folder, "percept.db")
    writeFileSync(file, yield* emptyRecord)
    seed(file, { rows: count, days: 2 })
    insert(file, others)
    return { DATA_DIR: folder }
  })

/** They take the place of the oldest ones, each as a request that ended well. */
const insert = (file: string, rows: ReadonlyArray<RequestRecord>): void => {
  const database = new Database(file)
  const shape = database
    .prepare("SELECT shape_id FROM openrouter_requests WHERE kind = 'main' AND state = 'done' LIMIT 1")
    .pluck()
    .get()
  for (const [at, row] of rows.entries()) {
    const known = { ...row, id: at + 1, shape_id: shape }
    const names = Object.keys(known)
    const values = names.map((name) => `@${name}`)
    database
      .prepare(`REPLACE INTO openrouter_requests (${names.join(", ")}) VALUES (${values.join(", ")})`)
      .run(known)
  }
  database.close()
}
