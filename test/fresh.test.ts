import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../scripts/fresh.mjs"
import { temporaryFolder } from "./support/TemporaryFolder.ts"

describe("a checkout whose packages are a link to another one's", () => {
  it.scopedLive("installs nothing, and leaves what the link leads to as it is", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const packages = join(folder, "packages")
      const checkout = join(folder, "checkout")
      mkdirSync(packages)
      writeFileSync(join(packages, "kept"), "")
      for (const name of ["package.json", "package-lock.json", ".npmrc", "scripts/fresh.mjs"])
        cpSync(join(root, name), join(checkout, name))
      symlinkSync(packages, join(checkout, "node_modules"))
      const install = `import { installIfStale } from "./scripts/fresh.mjs"; installIfStale()`
      // Without npm: were it called after all, it would not be found.
      const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", install], {
        cwd: checkout,
        env: { PATH: "" },
        encoding: "utf8"
      })
      assert.strictEqual(status, 1)
      assert.strictEqual(
        stderr,
        "node_modules is a link: installing would empty the folder it leads to. Remove the link first.\n"
      )
      assert.deepStrictEqual(readdirSync(packages), ["kept"])
    })
  )
})
