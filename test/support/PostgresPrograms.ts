import { spawnSync } from "node:child_process"
import { existsSync, readdirSync } from "node:fs"
import { delimiter, join } from "node:path"

const folders = [
  ...(process.env["PATH"] ?? "").split(delimiter),
  ...(existsSync("/usr/lib/postgresql")
    ? readdirSync("/usr/lib/postgresql")
        .toSorted((one, other) => Number(other) - Number(one))
        .map((version) => join("/usr/lib/postgresql", version, "bin"))
    : [])
]

/** Where the server's programs are. */
export const binaries = folders.find((folder) =>
  ["initdb", "pg_ctl", "psql"].every((name) => existsSync(join(folder, name)))
)

/** Tests of Postgres are left out where it is not installed; not so where all tests must run. */
export const hasPostgres = binaries !== undefined || process.env["CI"] === "true"

/** Before all tests: installs the server where that is easy, or says that it is missing. */
export const providePostgres = (): void => {
  if (hasPostgres) return
  if (process.getuid?.() === 0 && spawnSync("apt-get", ["--version"]).status === 0) {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" }
    spawnSync("apt-get", ["update", "-qq"], { env })
    if (spawnSync("apt-get", ["install", "-y", "-qq", "postgresql"], { env }).status === 0) return
  }
  console.warn("Tests of Postgres are left out: it is not installed (apt-get install -y postgresql).")
}
