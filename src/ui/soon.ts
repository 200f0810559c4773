import { draw } from "./drawing.ts"
import type * as Later from "./later.ts"

let load: () => Promise<typeof Later>

/** What most visits do not need at first, once somebody has fetched it. */
export let later: typeof Later | undefined

export const loadWith = (how: typeof load): void => {
  load = how
}

/** Undefined where the server is away, or has another version of it. */
export const fetchLater = async () => {
  later ??= await load().catch(() => undefined)
  draw()
  return later
}
