import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

/** Where the built program of a worker lies, for the built router as for its sources. */
export const workerPath = (name: "image" | "read" | "whisper"): string => join(workers, `${name}.js`)

const here = dirname(fileURLToPath(import.meta.url))

const workers = import.meta.url.endsWith(".ts")
  ? join(here, "..", "..", "..", "..", "dist", "workers")
  : join(here, "workers")
