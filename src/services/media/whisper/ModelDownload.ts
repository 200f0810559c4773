import { Data, Effect, Schedule } from "effect"
import { open, stat } from "node:fs/promises"
import { EnvHttpProxyAgent, request } from "undici"
import type { Dispatcher } from "undici"
import { steadyConnector } from "../../SteadySocket.ts"

/** Why a file did not come, for the operator. */
export class DownloadFailed extends Data.TaggedError("DownloadFailed")<{
  readonly why: string
  /** Asking again, from where it broke off, may help. */
  readonly passing: boolean
}> {}

export type Progress = (bytes: number, total: number | undefined) => void

/**
 * Fetches a large file from an address the operator chose. What an earlier attempt left in the file is kept, and the
 * server asked for the rest; whether it is the right file, the caller must check.
 */
export const download = Effect.fn("ModelDownload.download")((url: URL, file: string, progress: Progress) =>
  Effect.acquireRelease(
    // A proxy, if the host wants one; and an end to waiting for hosts that do not answer.
    Effect.sync(() => new EnvHttpProxyAgent({ connect: steadyConnector({ timeout: CONNECT }), ...PATIENCE })),
    (agent) => Effect.promise(() => agent.destroy())
  ).pipe(
    Effect.flatMap((agent) =>
      Effect.tryPromise({ try: (signal) => receive(url, file, agent, signal, progress), catch: failed })
    ),
    Effect.scoped,
    Effect.retry({ schedule: AGAIN, while: ({ passing }) => passing })
  )
)

const receive = async (
  url: URL,
  file: string,
  agent: Dispatcher,
  signal: AbortSignal,
  progress: Progress
): Promise<void> => {
  const there = await stat(file).then(
    ({ size }) => size,
    () => 0
  )
  const headers: Record<string, string> = there === 0 ? {} : { range: `bytes=${there}-` }
  const answer = await following(url, (here) => request(here, { dispatcher: agent, signal, headers }))
  const resumed = answer.statusCode === 206 && startOf(answer.headers["content-range"]) === there
  // Nothing is missing, or what is there belongs to another file: the caller's check finds out.
  if (answer.statusCode === 416) return void (await answer.body.dump())
  if (answer.statusCode !== 200 && !resumed) throw refused(url, answer.statusCode)
  const length = Number(answer.headers["content-length"])
  let bytes = resumed ? there : 0
  const total = Number.isFinite(length) ? bytes + length : undefined
  const handle = await open(file, resumed ? "a" : "w")
  try {
    for await (const chunk of answer.body) {
      await handle.appendFile(chunk)
      bytes += chunk.length
      progress(bytes, total)
    }
  } finally {
    await handle.close()
  }
}

const following = async (
  url: URL,
  ask: (url: URL) => Promise<Dispatcher.ResponseData>
): Promise<Dispatcher.ResponseData> => {
  let here = url
  for (let hop = 0; hop <= MOST_HOPS; hop++) {
    const answer = await ask(here)
    const { location } = answer.headers
    if (answer.statusCode < 300 || answer.statusCode > 399 || typeof location !== "string") return answer
    await answer.body.dump()
    here = new URL(location, here)
  }
  throw new DownloadFailed({ why: `${url.host} redirects too often`, passing: false })
}

const startOf = (range: string | Array<string> | undefined): number | undefined =>
  typeof range === "string" ? Number(/^bytes (\d+)-/.exec(range)?.[1]) : undefined

const refused = ({ host }: URL, status: number) =>
  new DownloadFailed({ why: `${host} answers ${status}`, passing: status === 429 || status >= 500 })

const failed = (error: unknown): DownloadFailed => {
  if (error instanceof DownloadFailed) return error
  const code = error instanceof Error && "code" in error ? String(error.code) : ""
  return new DownloadFailed({ why: code || String(error), passing: PASSING.has(code) })
}

/** Milliseconds. */
const CONNECT = 5000
const PATIENCE = { headersTimeout: 15_000, bodyTimeout: 30_000 }

const MOST_HOPS = 5

const AGAIN = Schedule.intersect(Schedule.jittered(Schedule.exponential("500 millis")), Schedule.recurs(4))

/** A connection that broke off after it had been there. */
const PASSING = new Set([
  "UND_ERR_SOCKET",
  "UND_ERR_BODY_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "ECONNRESET",
  "EPIPE",
  "UND_ERR_ABORTED"
])
