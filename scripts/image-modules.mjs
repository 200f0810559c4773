/** Puts together what a container runs: the build, and of all packages those that the build leaves outside of itself. */
import { cpSync, existsSync, mkdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { driver } from "./sqlite.mjs"

const root = dirname(import.meta.dirname)
const target = process.argv[2]
if (target === undefined) throw new Error("Say which folder it goes to.")

/** The bundled speech engine is left out, because whisper-cli is in the image. */
const OUTSIDE = [driver, "sharp"]

/** Of a package that carries its sources, what is run of it. */
const ONLY = {
  "better-sqlite3": ["package.json", "LICENSE", "lib", "build/Release/better_sqlite3.node"],
  "better-sqlite3-next": ["package.json", "LICENSE", "lib", `prebuilds/linux-${process.arch}.node`]
}

/** What a package asks for while it is installed is not asked for later. */
const ONLY_TO_INSTALL = new Set(["prebuild-install", "node-addon-api"])

const wanted = new Set()
const want = (name) => {
  const folder = join(root, "node_modules", name)
  if (wanted.has(name) || ONLY_TO_INSTALL.has(name) || !existsSync(folder)) return
  wanted.add(name)
  const { dependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(folder, "package.json"), "utf8")
  )
  Object.keys({ ...dependencies, ...optionalDependencies }).forEach(want)
}
OUTSIDE.forEach(want)

const copy = (path) => {
  mkdirSync(dirname(join(target, path)), { recursive: true })
  // Maps to sources that are not there would be half of it.
  cpSync(join(root, path), join(target, path), { recursive: true, filter: (file) => !file.endsWith(".map") })
}
for (const name of wanted) (ONLY[name] ?? ["."]).forEach((part) => copy(join("node_modules", name, part)))
for (const part of ["package.json", "dist"]) copy(part)
