/** Builds dist/main.js, server and command line in one file. */
import { build } from "esbuild"
import { chmodSync, rmSync } from "node:fs"

const root = new URL("..", import.meta.url).pathname

rmSync(`${root}dist`, { recursive: true, force: true })
await build({
  absWorkingDir: root,
  entryPoints: ["src/main.ts"],
  outfile: "dist/main.js",
  bundle: true,
  platform: "node",
  target: "node20",
  format: "esm",
  sourcemap: true,
  legalComments: "none",
  define: { "process.env.NODE_ENV": '"production"' },
  external: ["better-sqlite3"],
  // Some dependencies are CommonJS and ask for `require`.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);'
  },
  logLevel: "warning"
})
chmodSync(`${root}dist/main.js`, 0o755)
