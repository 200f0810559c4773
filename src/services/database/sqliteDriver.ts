import { createRequire } from "node:module"

/**
 * The package that opens SQLite on this Node. Version 13 asks for Node-API 10, which came with 22.14, and dies without
 * it; version 12 is for older ones, and dies on 24.19 and newer.
 */
export const driverFor = (versions: { readonly [name: string]: string | undefined }): string =>
  Number(versions["napi"]) >= 10 ? "better-sqlite3-next" : "better-sqlite3"

/** Where it lies, for threads: two drivers in one process would not see each other's locks. */
export const driverFile = (): string => createRequire(import.meta.url).resolve(driverFor(process.versions))
