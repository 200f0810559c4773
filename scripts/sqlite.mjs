/** SQLite for scripts: the driver that src/services/database/sqliteDriver.ts takes on this Node. */
import { createRequire } from "node:module"

export const driver = Number(process.versions.napi) >= 10 ? "better-sqlite3-next" : "better-sqlite3"

const load = createRequire(import.meta.url)

/** Loads it where it is wanted; whoever only needs its name need not have it. */
export const sqlite = () => load(driver)
