import { Effect } from "effect"
import { build } from "esbuild"
import { spawn } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../../scripts/fresh.mjs"
import type { SandboxReport } from "../../src/services/media/Sandbox.ts"
import { eventually, temporaryFolder } from "./Router.ts"

/** What an owner says of itself once it is at work: its host, its program's group and its folder. */
type Said = SandboxReport & { readonly pid: number; readonly folder: string }

/** A process of its own that works in a folder with a program; gone with the test, as its program is. */
export const startOwner = (options: {
  readonly workspace: string
  readonly script: string
  readonly path?: string | undefined
  /** How it ends when it is told to. */
  readonly how?: "exit" | "throw"
}) =>
  Effect.gen(function* () {
    const program = join(yield* temporaryFolder, "owner.mjs")
    writeFileSync(program, yield* Effect.promise(() => (built ??= bundle())))
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, [program, options.workspace, options.script, options.how ?? "none"], {
          env: { PATH: options.path ?? process.env["PATH"] }
        })
      ),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    let output = ""
    child.stdout.on("data", (bytes: Buffer) => (output += bytes.toString()))
    const line = yield* eventually(
      Effect.sync(() => output),
      (said) => said.endsWith("\n")
    )
    const said = JSON.parse(line) as Said
    yield* Effect.addFinalizer(() => Effect.ignore(Effect.try(() => process.kill(-said.pid, "SIGKILL"))))
    return {
      said,
      kill: () => child.kill("SIGKILL"),
      tell: (text: string) => child.stdin.write(text),
      ended: Effect.async<void>((resume) => {
        if (child.exitCode !== null || child.signalCode !== null) resume(Effect.void)
        else child.once("exit", () => resume(Effect.void))
      })
    }
  })

let built: Promise<string> | undefined

const bundle = async (): Promise<string> => {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ["test/support/Owner.ts"],
    write: false,
    bundle: true,
    platform: "node",
    format: "esm",
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);'
    },
    logLevel: "error"
  })
  return outputFiles.map(({ text }) => text).join("")
}
