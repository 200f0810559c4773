import type { Failure } from "../../domain/Errors.ts"
import type { Recording } from "./Recording.ts"
import type { LastAttempt } from "./Steps.ts"

/** What was tried last for a request that has ended; undefined where nobody was asked. */
export const lastAttemptOf = (
  { assembly, row, startedAt, upstreamAt }: Told,
  failure: Failure | undefined
): LastAttempt | undefined => {
  // What is answered here is no attempt at anything.
  if (upstreamAt === 0 || row.provider === "percept") return undefined
  const asked = Math.round(upstreamAt - startedAt)
  return {
    asked,
    latency: row.openrouter_latency_ms,
    to: row.processing_duration_ms ?? asked,
    streamed: assembly !== undefined,
    failure
  }
}

type Told = Pick<Recording, "assembly" | "row" | "startedAt" | "upstreamAt">
