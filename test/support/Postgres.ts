import { Effect } from "effect"
import type { Scope } from "effect"
import { randomBytes } from "node:crypto"
import { join } from "node:path"
import { inject } from "vitest"
import { hasPostgres } from "./PostgresPrograms.ts"
import { postgresAt, startPostgres } from "./PostgresServer.ts"
import type { PostgresServer } from "./PostgresServer.ts"
import { temporaryFolder } from "./TemporaryFolder.ts"

export { hasPostgres }

/** The server of all test files, started when one of them first asks for it. */
export const sharedPostgres = (): Effect.Effect<PostgresServer> =>
  Effect.promise(async () => {
    const answer = await fetch(inject("postgres"))
    const said = await answer.text()
    if (!answer.ok) throw new Error(said)
    const [port, folder = ""] = said.split(" ")
    return postgresAt({ port: Number(port), folder })
  })

/** For suites that hold on every database: what names a fresh one of each kind. */
export const everyDatabase = (): ReadonlyArray<{
  readonly name: string
  readonly fresh: Effect.Effect<{ readonly [setting: string]: string }, never, Scope.Scope>
}> => {
  const sqlite = Effect.map(temporaryFolder, (folder) => ({ DB_PATH: join(folder, "kept.db") }))
  if (!hasPostgres) return [{ name: "SQLite", fresh: sqlite }]
  const server = sharedPostgres()
  const postgres = Effect.map(server, (server) => ({ DATABASE_URL: freshDatabase(server) }))
  return [
    { name: "SQLite", fresh: sqlite },
    { name: "Postgres", fresh: postgres }
  ]
}

/** A server that one test may stop and restart. */
export const ownPostgres: Effect.Effect<PostgresServer, never, Scope.Scope> = Effect.acquireRelease(
  Effect.promise(startPostgres),
  ({ close }) => Effect.promise(close)
).pipe(Effect.map(postgresAt))

/** A new database's address. */
export const freshDatabase = (server: PostgresServer): string => {
  const name = `test_${randomBytes(8).toString("hex")}`
  server.psql(`CREATE DATABASE ${name} TEMPLATE template0 STRATEGY file_copy`)
  return server.url(name)
}
