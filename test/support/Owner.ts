import { Effect, Layer, Logger, LogLevel } from "effect"
import { AppConfig } from "../../src/services/AppConfig.ts"
import { Subprocess } from "../../src/services/media/Subprocess.ts"
import { Workspace } from "../../src/services/media/Workspace.ts"

/** Works in a folder with a program of its own until it is ended: `owner <root> <script> <how>`. */
const [root = "", script = "", how] = process.argv.slice(2)

const work = Effect.gen(function* () {
  const folder = yield* Effect.flatMap(Workspace, ({ folder }) => folder)
  const { open, sandbox } = yield* Subprocess
  const command = { command: "/bin/sh", args: ["-c", script], cwd: folder, timeout: "1 minute" } as const
  const { exit, pid } = yield* open(command)
  console.log(JSON.stringify({ ...(yield* sandbox), pid, folder }))
  process.stdin.once("data", () => {
    if (how === "exit") process.exit(0)
    throw new Error("a bug outside of every fiber")
  })
  yield* exit
})

const layers = Layer.mergeAll(Subprocess.Default, Workspace.Default).pipe(
  Layer.provide(AppConfig.layer({ MEDIA_TMP_DIR: root })),
  Layer.provide(Logger.minimumLogLevel(LogLevel.None))
)

Effect.runFork(Effect.scoped(Effect.provide(work, layers)))
