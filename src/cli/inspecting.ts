import { Effect, Layer } from "effect"
import { existsSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { senses } from "../senses.ts"
import { AppConfig } from "../services/AppConfig.ts"
import * as Database from "../services/Database.ts"
import * as Sqlite from "../services/database/Sqlite.ts"
import { Describer } from "../services/media/Describer.ts"
import { Presentation } from "../services/media/Presentation.ts"

/** The router's memory where there is one; else one that is gone with the command. */
const memory = Layer.unwrapScoped(
  Effect.gen(function* () {
    const { databaseFile, databaseServer } = yield* AppConfig
    if (databaseServer !== undefined || existsSync(databaseFile)) return Database.layer
    const folder = yield* Effect.acquireRelease(
      Effect.promise(() => mkdtemp(join(tmpdir(), "percept-inspect-"))),
      (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
    )
    return Sqlite.layer(join(folder, "percept.db"))
  })
)

/** Who looks for itself needs nobody to put pictures into words. */
const nobody = Layer.succeed(
  Describer,
  Describer.make({ model: "", describe: () => Effect.succeed(new Map()) })
)

/** Eyes and ears as the router has them. */
export const inspecting = Effect.provide(
  Presentation.Default.pipe(
    Layer.provide(nobody),
    Layer.provideMerge(senses),
    Layer.provideMerge(memory),
    Layer.provideMerge(AppConfig.layerFromEnv)
  )
)
