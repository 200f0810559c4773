/** `npm run dev`: builds and restarts the router whenever a source file changes. */
import { spawn } from "node:child_process"
import { watch } from "node:fs"
import { join } from "node:path"
import { buildIfStale, installIfStale, requireNode, root } from "./fresh.mjs"

requireNode()
installIfStale()

let server
let timer

const restart = () => {
  server?.kill("SIGTERM")
  buildIfStale()
  server = spawn(process.execPath, ["--enable-source-maps", "dist/main.js"], { cwd: root, stdio: "inherit" })
}

watch(join(root, "src"), { recursive: true }, () => {
  clearTimeout(timer)
  timer = setTimeout(restart, 150)
})
process.once("exit", () => server?.kill("SIGTERM"))
restart()
