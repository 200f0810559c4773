/** Builds dist/main.js, server and command line in one file, each worker program beside it, and the page. */
import { build } from "esbuild"
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { buildPage } from "./page.mjs"

const root = new URL("..", import.meta.url).pathname

const workerEntries = ["src/services/media/workers", "src/services/tracking/workers"].flatMap((workers) =>
  readdirSync(join(root, workers))
    .filter((file) => file.endsWith("Worker.ts"))
    .map((file) => ({ in: `${workers}/${file}`, out: `workers/${file.slice(0, -"Worker.ts".length)}` }))
)

const { outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: [{ in: "src/main.ts", out: "main" }, ...workerEntries],
  outdir: "dist",
  write: false,
  bundle: true,
  platform: "node",
  target: "node20",
  format: "esm",
  sourcemap: true,
  legalComments: "none",
  define: { "process.env.NODE_ENV": '"production"' },
  // They bring native code, which stays where it was installed.
  external: ["sharp", "@napi-rs/whisper"],
  // So does SQLite's driver, which is chosen when it runs.
  alias: { "better-sqlite3": "./src/services/database/chosenSqlite.ts" },
  // Some dependencies are CommonJS and ask for `require`.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);'
  },
  logLevel: "warning"
})

const page = await buildPage(root, join(root, "dist/ui"))

// Each file at once, so that a router that runs from here finds its workers at any time.
for (const { contents, path } of [...outputFiles, ...page]) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.${process.pid}.new`, contents, { mode: path.endsWith(".js") ? 0o755 : 0o644 })
  renameSync(`${path}.${process.pid}.new`, path)
}

const built = new Set([...outputFiles, ...page].map(({ path }) => path))
for (const entry of readdirSync(join(root, "dist"), { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name)
  if (entry.isFile() && !built.has(path) && !path.endsWith(".new")) rmSync(path, { force: true })
}
