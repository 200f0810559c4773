import { createRequire } from "node:module"

/**
 * Takes the place of sqliteDriver.ts in the library, where the client is the host's and brings a driver: threads open
 * the record with that one, because two drivers in one process would not see each other's locks.
 */
export const driverFile = (): string => {
  const client = createRequire(import.meta.url).resolve("@effect/sql-sqlite-node/SqliteClient")
  return createRequire(client).resolve("better-sqlite3")
}
