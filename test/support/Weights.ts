import { Effect, Layer, Logger, LogLevel } from "effect"
import { mkdirSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { root } from "../../scripts/fresh.mjs"
import { AppConfig } from "../../src/services/AppConfig.ts"
import { Subprocess } from "../../src/services/media/Subprocess.ts"
import { WhisperModels } from "../../src/services/media/WhisperModels.ts"
import { Workspace } from "../../src/services/media/Workspace.ts"

/** What tests need and cannot carry, kept between runs. */
const kept = join(root, "node_modules", ".percept-test")

/** The weights that tests listen with: as `WHISPER_MODEL_NAME`, or linked into a data folder by `linkWeights`. */
export const weightsFile = join(kept, "models", "ggml-base.en.bin")

/** The file of the weights, fetched as the router itself fetches them if it is not there. */
export const weights: Effect.Effect<string> = Effect.flatMap(WhisperModels, ({ path }) =>
  path("base.en")
).pipe(
  Effect.provide(
    WhisperModels.Default.pipe(
      Layer.provide(Layer.mergeAll(Subprocess.Default, Workspace.Default)),
      Layer.provide(AppConfig.layer({ DATA_DIR: kept })),
      Layer.provide(Logger.minimumLogLevel(LogLevel.Info))
    )
  ),
  Effect.catchAll((failure) =>
    Effect.dieMessage(`${failure.message} ${"detail" in failure ? failure.detail : ""}`)
  )
)

/** For tests of a whole router: its speech models are the ones the tests have. */
export const linkWeights = (dataDir: string): void => {
  mkdirSync(dataDir, { recursive: true })
  symlinkSync(join(kept, "models"), join(dataDir, "models"))
}

/** Called before all tests, so that none of them downloads. */
export const fetchWeights = (): Promise<string> => Effect.runPromise(weights)
