/** What the page's pictures and measurements stand on: a router with a past, a provider, and a host of media. */
import { spawn } from "node:child_process"
import { existsSync, mkdirSync, symlinkSync } from "node:fs"
import http from "node:http"
import path from "node:path"
import { chromium } from "playwright-core"
import { seed } from "../record/seed.mjs"

const root = path.join(import.meta.dirname, "..", "..")

/** Starts the built router in a folder, and waits until it says where it listens. */
export const startRouter = async (folder, env = {}) => {
  const child = spawn(process.execPath, ["--max-semi-space-size=32", path.join(root, "dist/main.js")], {
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      LISTEN_PORT: "0",
      DATA_DIR: folder,
      MAX_LOG_AGE_DAYS: "36500",
      ROLLUP_MAX_AGE_DAYS: "36500",
      DB_MAX_MB: "0",
      ...env
    },
    stdio: ["ignore", "pipe", "pipe"]
  })
  let said = ""
  const url = await new Promise((resolve, reject) => {
    const hear = (bytes) => {
      said = (said + bytes).slice(-10_000)
      const found = /listening on (http:\S+)/.exec(said)
      if (found !== null) resolve(found[1])
    }
    child.stdout.on("data", hear)
    child.stderr.on("data", hear)
    child.once("exit", () => reject(new Error(`The router has ended: ${said}`)))
  })
  const stop = () =>
    new Promise((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) return resolve()
      child.once("exit", resolve)
      child.kill("SIGTERM")
    })
  process.once("exit", () => child.kill("SIGKILL"))
  return { url, pid: child.pid, stop }
}

/** A record of many requests in a folder, as a router makes it. */
export const seedFolder = async (folder, options) => {
  mkdirSync(folder, { recursive: true })
  // Those that the tests have fetched, if they have.
  const models = path.join(root, "node_modules/.percept-test/models")
  if (existsSync(models)) symlinkSync(models, path.join(folder, "models"))
  const first = await startRouter(folder)
  await first.stop()
  seed(path.join(folder, "percept.db"), options)
}

/** A server that answers with what `answer` does, on a port of its own. */
export const startServer = async (answer) => {
  const server = http.createServer((request, response) => {
    const pieces = []
    request.on("data", (piece) => pieces.push(piece))
    request.on("end", () => void answer(request, response, Buffer.concat(pieces).toString("latin1")))
  })
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address()
  return {
    authority: `127.0.0.1:${port}`,
    url: `http://127.0.0.1:${port}`,
    stop: () => {
      server.closeAllConnections()
      server.close()
    }
  }
}

export const ask = (url, model, content, more = {}) =>
  fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model, messages: [{ role: "user", content }], ...more })
  })

export const chromePath = () => {
  const folders = (process.env.PATH ?? "").split(path.delimiter)
  const names = ["chromium", "chromium-browser", "google-chrome"]
  const found =
    process.env.CHROME_PATH ??
    names.flatMap((name) => folders.map((folder) => path.join(folder, name))).find((file) => existsSync(file))
  if (found === undefined) throw new Error("There is no Chromium: apt-get install -y chromium")
  return found
}

export const startBrowser = (args = []) => chromium.launch({ executablePath: chromePath(), args })
