/** The servers to compare: how each is started before the upstream, and how Percept's record is counted. */
import { existsSync } from "node:fs"
import path from "node:path"
import { sqlite } from "../../scripts/sqlite.mjs"

const here = import.meta.dirname
const perceptMain = path.join(here, "../../dist/main.js")

/** The key the load sends; Percept is told to accept it, the raw proxy hands it on. */
export const clientKey = "bench-key"

const percept = (settings) => ({
  recordFile: "percept.db",
  start: ({ port, upstream, folder }) => {
    if (!existsSync(perceptMain)) throw new Error("dist/main.js is missing: run `npm run build` first")
    return {
      command: [process.execPath, "--max-semi-space-size=32", perceptMain],
      env: {
        PATH: process.env.PATH,
        NODE_ENV: "production",
        LISTEN_HOST: "127.0.0.1",
        LISTEN_PORT: String(port),
        DATA_DIR: folder,
        API_KEYS: clientKey,
        OPENROUTER_API_KEY: "sk-or-bench",
        OPENROUTER_API_URL: `${upstream}/v1/chat/completions`,
        OPENROUTER_MODELS_API_URL: `${upstream}/v1/models`,
        ...settings
      }
    }
  }
})

export const targets = {
  raw: {
    start: ({ port, upstream }) => ({
      command: [process.execPath, path.join(here, "raw-proxy.mjs")],
      env: { PATH: process.env.PATH, PORT: String(port), UPSTREAM: upstream }
    })
  },
  percept: percept({}),
  "percept-unsearched": percept({ SEARCH_INDEX: "false" }),
  "percept-quiet": percept({ ENABLE_LOGGING: "false", SEARCH_INDEX: "false" })
}

export const defaultTargets = ["raw", "percept-unsearched", "percept"]

/** How many requests Percept has recorded as done. */
export const recordedAnswers = async (file) => {
  const Database = sqlite()
  const database = new Database(file, { readonly: true, fileMustExist: true })
  try {
    return database.prepare("SELECT count(*) FROM openrouter_requests WHERE state = 'done'").pluck().get()
  } finally {
    database.close()
  }
}
