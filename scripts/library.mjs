/** Builds lib/, Percept for other Effect programs: each module for itself with its types, and nothing bundled. */
import { spawnSync } from "node:child_process"
import { copyFileSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"

const root = join(import.meta.dirname, "..")
const target = join(root, "lib")
const fresh = join(root, `lib.${process.pid}.new`)

// What it is made of is checked with all else.
const { status } = spawnSync(
  process.execPath,
  [
    join(root, "node_modules/typescript/bin/tsc"),
    "-p",
    "tsconfig.library.json",
    "--outDir",
    fresh,
    "--noCheck"
  ],
  { cwd: root, stdio: "inherit" }
)

if (status === 0) {
  // The compiler leaves the endings of sources in declarations, where there are no sources.
  for (const entry of readdirSync(fresh, { recursive: true, withFileTypes: true })) {
    if (!entry.name.endsWith(".d.ts")) continue
    const path = join(entry.parentPath, entry.name)
    const text = readFileSync(path, "utf8")
    writeFileSync(path, text.replace(/((?:from |import\()"\.[^"]*)\.ts"/g, '$1.js"'))
  }
  // Whoever has the library has chosen a driver already, with the SQL client.
  for (const ending of ["js", "d.ts"])
    copyFileSync(
      join(fresh, `services/database/hostDriver.${ending}`),
      join(fresh, `services/database/sqliteDriver.${ending}`)
    )
  rmSync(target, { recursive: true, force: true })
  renameSync(fresh, target)
} else {
  rmSync(fresh, { recursive: true, force: true })
  process.exit(status ?? 1)
}
