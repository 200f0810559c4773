import { Effect, Layer, Logger, LogLevel } from "effect"
import { AppConfig } from "../../src/services/AppConfig.ts"
import { AddressGuard } from "../../src/services/media/AddressGuard.ts"
import { EgressProxy } from "../../src/services/media/EgressProxy.ts"
import { MediaTools } from "../../src/services/media/MediaTools.ts"
import { Subprocess } from "../../src/services/media/Subprocess.ts"
import { Workspace } from "../../src/services/media/Workspace.ts"
import { YtDlp } from "../../src/services/media/YtDlp.ts"

/** All that stands between an environment and sites. */
export const ytDlp = (env: Record<string, string>) =>
  YtDlp.Default.pipe(
    Layer.provide(EgressProxy.Default),
    Layer.provide(AddressGuard.Default),
    Layer.provide(MediaTools.Default),
    Layer.provide(Layer.mergeAll(Subprocess.Default, Workspace.Default)),
    Layer.provide(AppConfig.layer(env)),
    Layer.provide(Logger.minimumLogLevel(LogLevel.None))
  )

/** What a program of ours would inherit, until the scope closes. */
export const inEnvironment = (variables: Record<string, string>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const before = { ...process.env }
      Object.assign(process.env, variables)
      return before
    }),
    (before) =>
      Effect.sync(() => {
        for (const name of Object.keys(variables))
          if (before[name] === undefined) delete process.env[name]
          else process.env[name] = before[name]
      })
  )
