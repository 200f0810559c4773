import { Effect } from "effect"
import { mkdtemp, rm } from "node:fs/promises"
import { join } from "node:path"
import { MediaFailure } from "../../../domain/Errors.ts"

/** A folder within another for one run of a program, gone with its scope. */
export const ownFolder = (parent: string, name: string) =>
  Effect.acquireRelease(
    Effect.tryPromise({ try: () => mkdtemp(join(parent, `${name}-`)), catch: noRoom }),
    (folder) => Effect.ignoreLogged(Effect.tryPromise(() => rm(folder, { recursive: true, force: true })))
  )

/** A file of ours cannot be written. */
export const noRoom = (error: unknown) =>
  new MediaFailure({
    code: "no_space",
    message: "There is no room to work on media at the moment.",
    detail: String(error)
  })
