import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { join, sep } from "node:path"
import { root } from "../../../scripts/fresh.mjs"
import { driver, sqlite } from "../../../scripts/sqlite.mjs"
import * as hostDriver from "../../../src/services/database/hostDriver.ts"
import Database from "../../../src/services/database/chosenSqlite.ts"
import { driverFile, driverFor } from "../../../src/services/database/sqliteDriver.ts"

const filesBelow = (folder: string, ending: string) =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => join(entry.parentPath, entry.name))

/** Files with an import or a call that brings a driver by its name, not counting types. */
const naming = (files: ReadonlyArray<string>) =>
  files.filter((file) =>
    /^\s*(?:import(?!\s+type\b)|export)\b(?:[^"'`]*\sfrom)?\s*["']better-sqlite3|\b(?:import|require|load)\w*\(\s*["'`]better-sqlite3/m.test(
      readFileSync(file, "utf8")
    )
  )

describe("the driver of SQLite", () => {
  it.each([
    ["20.19.0", "9", "better-sqlite3"],
    ["22.0.0", "9", "better-sqlite3"],
    ["22.13.1", "9", "better-sqlite3"],
    ["22.14.0", "10", "better-sqlite3-next"],
    ["23.5.0", "9", "better-sqlite3"],
    ["24.21.0", "10", "better-sqlite3-next"],
    ["26.10.0", "10", "better-sqlite3-next"],
    ["one without native code", undefined, "better-sqlite3"]
  ])("of Node %s, which has Node-API %s, is %s", (_node, napi, name) => {
    assert.strictEqual(driverFor({ napi }), name)
  })

  it("opens a database on this Node, and is the one that scripts take", () => {
    assert.strictEqual(driver, driverFor(process.versions))
    assert.include(driverFile(), `${sep}node_modules${sep}${driver}${sep}`)
    assert.strictEqual(sqlite(), Database)
    const database = new Database(":memory:")
    assert.deepStrictEqual(database.prepare("SELECT 1 + 1 AS two").get(), { two: 2 })
    database.close()
  })

  it("lets go of what is forgotten, whenever this Node collects it", () => {
    const words = ["--expose-gc", "-e", FORGETTING, driverFile()]
    assert.strictEqual(execFileSync(process.execPath, words, { encoding: "utf8", stdio: "pipe" }), "fine")
  })

  it("of the library is the one that the SQL client brings", () => {
    assert.include(hostDriver.driverFile(), `${sep}node_modules${sep}better-sqlite3${sep}`)
  })

  it("is imported by nothing else, in the sources as in what is built of them and of the SQL client", () => {
    const built = filesBelow("dist", ".js")
    const main = built.find((file) => file === join(root, "dist", "main.js")) ?? ""
    assert.include(readFileSync(main, "utf8"), '"better-sqlite3-next"')
    assert.deepStrictEqual(
      naming([...filesBelow("src", ".ts"), ...filesBelow("scripts", ".mjs"), ...built]),
      []
    )
    const client = join(root, "node_modules/@effect/sql-sqlite-node/dist/esm/SqliteClient.js")
    assert.deepStrictEqual(naming([client]), [client])
  })
})

/** A wrong driver aborts while they are collected. */
const FORGETTING = `
  const Database = require(process.argv[1])
  for (let count = 0; count < 2500; count++) new Database(":memory:").prepare("SELECT 1").get()
  const collect = () => gc({ type: "major", execution: "async" })
  collect().then(collect).then(() => process.stdout.write("fine"))
`
