import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { build } from "esbuild"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { root } from "../../../../scripts/fresh.mjs"
import { workerPath } from "../../../../src/services/media/workers/workerPath.ts"
import { temporaryFolder } from "../../../support/Router.ts"

it("the sources find their workers where they are built", () => {
  for (const name of ["image", "whisper"] as const) assert.isTrue(existsSync(workerPath(name)), name)
})

it.scopedLive("the built router finds its workers beside itself", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const outfile = join(folder, "main.mjs")
    const entry = join(root, "src", "services", "media", "workers", "workerPath.ts")
    yield* Effect.promise(() =>
      build({
        entryPoints: [entry],
        outfile,
        bundle: true,
        platform: "node",
        format: "esm",
        logLevel: "error"
      })
    )
    const built: { readonly workerPath: typeof workerPath } = yield* Effect.promise(
      () => import(pathToFileURL(outfile).href)
    )
    assert.strictEqual(built.workerPath("image"), join(folder, "workers", "image.js"))
  })
)
