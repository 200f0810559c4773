/** Builds, then runs the bench that is named, or all of them: `npm run bench -- [name] [flags]`. */
import { spawnSync } from "node:child_process"
import { existsSync, readdirSync } from "node:fs"
import path from "node:path"

const root = path.join(import.meta.dirname, "..")
const build = path.join(root, "scripts/build.mjs")
const benchFile = (name) => path.join(root, "bench", name, "run.mjs")

const [first, ...rest] = process.argv.slice(2)
const isNamed = first !== undefined && !first.startsWith("-")
const flags = isNamed ? rest : process.argv.slice(2)
const known = readdirSync(path.join(root, "bench")).filter((name) => existsSync(benchFile(name)))

if (isNamed && !known.includes(first)) {
  console.error(`no bench named ${first}; there is: ${known.join(", ")}`)
  process.exit(2)
}

const files = (isNamed ? [first] : known).map(benchFile)
for (const file of existsSync(build) ? [build, ...files] : files) {
  const { status } = spawnSync(process.execPath, [file, ...(file === build ? [] : flags)], {
    stdio: "inherit"
  })
  if (status !== 0) process.exit(status ?? 1)
}
