import { basename, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

/** Where the built program of a worker lies, for the built router as for its sources and for the library. */
export const workerPath = (name: "answer" | "image" | "read" | "whisper"): string =>
  join(workers, `${name}.js`)

const here = dirname(fileURLToPath(import.meta.url))

const workers =
  basename(here) === "workers" ? join(here, "..", "..", "..", "..", "dist", "workers") : join(here, "workers")
