import { defineConfig } from "vitest/config"

/** Nothing of theirs outlives a test, so that these files need not each load the router anew. */
const SHARING = ["test/domain/**/*.test.ts", "test/http/**/*.test.ts"]

export default defineConfig({
  test: {
    globalSetup: ["test/support/Build.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    reporters: ["default", "./test/support/ClosingLine.ts"],
    projects: [
      { extends: true, test: { name: "sharing", include: SHARING, isolate: false } },
      { extends: true, test: { name: "alone", include: ["test/**/*.test.ts"], exclude: SHARING } }
    ]
  }
})
