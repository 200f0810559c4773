/** `npm test`: types, lint, formatting and every test, from a bare clone. Further words go to vitest. */
import { installIfStale, requireNode, run, runTogether } from "./fresh.mjs"

requireNode()
installIfStale()

const words = process.argv.slice(2)
if (words.length === 0)
  await runTogether([
    ...[".", "src/ui", "test/ui"].map((project) => ["node_modules/.bin/tsc", "-p", project]),
    ["node_modules/.bin/oxlint", "--quiet"],
    ["node_modules/.bin/prettier", "--check", "--log-level", "warn", "."]
  ])
run("node_modules/.bin/vitest", ["run", ...words])
