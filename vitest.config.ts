import { defineConfig } from "vitest/config"

/** Nothing of theirs outlives a test, so that these files need not each load the router anew. */
const SHARING = ["cli", "domain", "http", "lifecycle", "services"].map(
  (folder) => `test/${folder}/**/*.test.ts`
)

export default defineConfig({
  test: {
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
