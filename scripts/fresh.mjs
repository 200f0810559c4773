/** Brings a checkout up to date before it is run: installs locked packages and builds, each only when stale. */
import { spawn, spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, lstatSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

const OLDEST_NODE = [20, 19]

export const requireNode = () => {
  const [major, minor] = process.versions.node.split(".").map(Number)
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return
  fail(`Percept needs Node ${OLDEST_NODE.join(".")} or newer; this is ${process.versions.node}.`)
}

export const installIfStale = () => {
  const stamp = join(root, "node_modules", ".percept-installed")
  // How the project's own scripts are called changes nothing of what is installed.
  const { scripts: _, ...packages } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
  const described = JSON.stringify(packages)
  const wanted = digest(["package-lock.json", ".npmrc"], described, process.version, process.arch)
  if (read(stamp) === wanted) return
  if (lstatSync(join(root, "node_modules"), { throwIfNoEntry: false })?.isSymbolicLink())
    fail("node_modules is a link: installing would empty the folder it leads to. Remove the link first.")
  say("Installing packages (about a minute, once) …")
  run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], { npm_config_nodedir: headersFolder() })
  writeFileSync(stamp, wanted)
}

export const buildIfStale = () => {
  const stamp = join(root, "dist", ".percept-built")
  const scripts = ["scripts/build.mjs", "scripts/page.mjs", ...filesBelow("scripts/page")]
  const wanted = digest([...filesBelow("src"), "package-lock.json", ...scripts])
  if (read(stamp) === wanted) return
  say("Building …")
  run(process.execPath, ["scripts/build.mjs"])
  writeFileSync(stamp, wanted)
}

/** Runs a command of the project to its end; its failure is ours. */
export const run = (command, args, env = {}) => {
  const clean = Object.fromEntries(
    Object.entries({ ...process.env, ...env }).filter(([, value]) => value !== undefined)
  )
  const { error, signal, status } = spawnSync(command, args, { cwd: root, stdio: "inherit", env: clean })
  if (error !== undefined) fail(`${command} cannot be run: ${error.message}`)
  if (status !== 0) fail(`${command} ${args.join(" ")} failed (${signal ?? status}).`)
}

/** Runs such commands side by side, each to its end. */
export const runTogether = async (commands) => {
  const failures = await Promise.all(
    commands.map(
      ([command, ...args]) =>
        new Promise((resolve) => {
          spawn(command, args, { cwd: root, stdio: "inherit" })
            .once("error", ({ message }) => resolve(`${command} cannot be run: ${message}`))
            .once("close", (status, signal) =>
              resolve(status === 0 ? "" : `${command} ${args.join(" ")} failed (${signal ?? status}).`)
            )
        })
    )
  )
  if (failures.some((failure) => failure !== "")) fail(failures.filter(Boolean).join("\n"))
}

/** Where this Node's headers lie, if they came with it: then native packages compile without a download. */
const headersFolder = () => {
  const prefix = dirname(dirname(process.execPath))
  return existsSync(join(prefix, "include", "node", "node.h")) ? prefix : process.env.npm_config_nodedir
}

const digest = (files, ...more) => {
  const hash = createHash("sha256")
  for (const file of files) hash.update(file).update(read(join(root, file)) ?? "")
  return hash.update(more.join()).digest("hex")
}

const filesBelow = (folder) =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .toSorted()

const read = (file) => (existsSync(file) ? readFileSync(file, "utf8") : undefined)

const say = (text) => console.error(text)

const fail = (text) => {
  console.error(text)
  process.exit(1)
}
