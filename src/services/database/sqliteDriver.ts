import type Sqlite from "better-sqlite3"
import { createRequire } from "node:module"

/**
 * The package that opens SQLite on this Node. Version 13 asks for Node-API 10, which came with 22.14, and dies without
 * it; version 12 is for older ones, and dies on 24.19 and newer.
 */
export const driverFor = (versions: { readonly [name: string]: string | undefined }): string =>
  Number(versions["napi"]) >= 10 ? "better-sqlite3-next" : "better-sqlite3"

const load = createRequire(import.meta.url)

/** Where it lies, for threads: two drivers in one process would not see each other's locks. */
export const driverFile: string = load.resolve(driverFor(process.versions))

/** What the build puts wherever `better-sqlite3` is imported. */
const Database: typeof Sqlite = load(driverFile)
export default Database
