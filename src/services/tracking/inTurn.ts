import { open, rm } from "node:fs/promises"

/** Runs what only one process may do at a time. A lock whose owner is gone is taken over after a while. */
export const inTurn = async (lock: string, work: () => Promise<void>): Promise<void> => {
  for (let tries = 0; !(await taken(lock)); tries++) {
    if (tries === MOST_TRIES) await rm(lock, { force: true })
    else await new Promise((resolve) => setTimeout(resolve, PAUSE))
  }
  try {
    await work()
  } finally {
    await rm(lock, { force: true })
  }
}

const taken = async (lock: string): Promise<boolean> => {
  try {
    await (await open(lock, "wx", 0o600)).close()
    return true
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false
    throw error
  }
}

/** Milliseconds; renaming a few files takes one. */
const PAUSE = 5
const MOST_TRIES = 400
