import { defineConfig } from "vitest/config"
import { join } from "node:path"

/** Nothing of theirs outlives a test, so that these files need not each load the router anew. */
const SHARING = ["cli", "domain", "http", "lifecycle", "services"].map(
  (folder) => `test/${folder}/**/*.test.ts`
)

export default defineConfig({
  // As the build does it: one driver for whoever opens SQLite, the client from its package too.
  resolve: {
    alias: [
      {
        find: /^better-sqlite3$/,
        replacement: join(import.meta.dirname, "src/services/database/chosenSqlite.ts")
      }
    ]
  },
  test: {
    server: { deps: { inline: ["@effect/sql-sqlite-node"] } },
    globalSetup: ["test/support/Build.ts"],
    setupFiles: ["test/support/PlainTests.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // One more than the processors of a small machine: most tests wait now and then, for a program or for a time.
    maxWorkers: 3,
    reporters: ["default", "./test/support/ClosingLine.ts"],
    projects: [
      { extends: true, test: { name: "sharing", include: SHARING, isolate: false } },
      { extends: true, test: { name: "alone", include: ["test/**/*.test.ts"], exclude: SHARING } }
    ]
  }
})
