import { Console, Effect, Layer } from "effect"
import type { Scope } from "effect"
import { MediaFailure } from "../domain/Errors.ts"
import { AppConfig } from "../services/AppConfig.ts"
import { Subprocess } from "../services/media/Subprocess.ts"
import { buildEngine } from "../services/media/whisper/EngineBuild.ts"
import { ModelTable } from "../services/media/whisper/ModelTable.ts"
import { WhisperModels } from "../services/media/WhisperModels.ts"
import { Workspace } from "../services/media/Workspace.ts"
import { progressOn } from "./progress.ts"
import { NotDone } from "./words.ts"

/** Fetches the weights that listen, if they are not there; says where they are. */
export const pull = (wanted: string | undefined) =>
  withTools(
    Effect.gen(function* () {
      const { whisperModel } = yield* AppConfig
      const { path } = yield* WhisperModels
      const name = wanted ?? whisperModel
      const { end, tell } = progressOn(process.stderr)
      const progress = (bytes: number, total: number | undefined) => {
        if (total !== undefined) tell(`${name} ${Math.floor((bytes / total) * 100)}%`, bytes / total)
      }
      yield* Console.log(yield* Effect.ensuring(path(name, progress), Effect.sync(end)))
    })
  )

/** Builds the engine that listens. */
export const build = Effect.suspend(() =>
  withTools(
    Effect.flatMap(
      buildEngine((line) => console.error(line)),
      Console.log
    )
  )
)

/** What there is to do with models. */
export const help = Effect.flatMap(ModelTable, (known) =>
  Console.log(`percept models list [--provider name]   every model there is, by name
percept models resolve [name]           where a request for this name goes, and why
percept models pull [name]              fetch a speech model into DATA_DIR/models
percept models build-engine             build whisper-cli into DATA_DIR/bin (needs cmake and a compiler)

Speech models: ${Array.from(known.keys()).join(", ")}`)
)

const withTools = <A, E>(
  program: Effect.Effect<A, E, AppConfig | Subprocess | WhisperModels | Workspace | Scope.Scope>
) =>
  Effect.scoped(program).pipe(
    // Here the operator is who reads it.
    Effect.mapError((error) =>
      error instanceof MediaFailure
        ? new NotDone({ message: `${error.message} ${error.detail ?? ""}` })
        : error
    ),
    Effect.provide(
      WhisperModels.Default.pipe(
        Layer.provideMerge(Workspace.Default),
        Layer.provideMerge(Subprocess.Default),
        Layer.provideMerge(AppConfig.layerFromEnv)
      )
    )
  )
