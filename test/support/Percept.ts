import { Effect } from "effect"
import { execFile } from "node:child_process"
import { join } from "node:path"
import { root } from "../../scripts/fresh.mjs"

export interface Told {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** The built program with these words, run to its end in a folder. */
export const percept = (
  folder: string,
  env: { readonly [name: string]: string },
  ...words: ReadonlyArray<string>
): Effect.Effect<Told> =>
  Effect.async((resume) => {
    const options = { cwd: folder, env: { PATH: process.env["PATH"], HOME: folder, ...env }, maxBuffer: 1e8 }
    const child = execFile(process.execPath, [mainFile, ...words], options, (error, out, err) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1
      resume(Effect.succeed({ code, out, err }))
    })
    return Effect.sync(() => void child.kill("SIGKILL"))
  })

const mainFile = join(root, "dist", "main.js")
