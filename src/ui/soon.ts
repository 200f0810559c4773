/** What most visits do not need at first, once somebody has fetched it. */
export let later: Awaited<ReturnType<typeof load>> | undefined

/** Undefined where the server is away, or has another version of it. */
export const fetchLater = async () => (later ??= await load().catch(() => undefined))

const load = () => import("./later.ts")
