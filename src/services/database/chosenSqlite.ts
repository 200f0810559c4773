import type Sqlite from "better-sqlite3"
import { createRequire } from "node:module"
import { driverFile } from "./sqliteDriver.ts"

/** What the build puts wherever `better-sqlite3` is imported. */
const Database: typeof Sqlite = createRequire(import.meta.url)(driverFile())
export default Database
