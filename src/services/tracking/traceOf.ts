import { parseJson } from "../../domain/Json.ts"
import type { Trace } from "../../domain/record/Sighting.ts"
import type { Recording } from "./Recording.ts"
import type { Redaction } from "./Redaction.ts"

/** How an ended request came about, fit to be kept; undefined where its row says it all. */
export const traceOf = (
  { bodyLimit, row, sightings = [], steps }: Recording,
  redaction: Pick<Redaction, "json" | "scrub">
): Trace | undefined => {
  const taken = steps?.all() ?? []
  if (taken.length + sightings.length === 0) return undefined
  const isSilent = bodyLimit === 0
  const scrubbed = (text: string | null) => (text === null ? null : redaction.scrub(text).slice(0, LONGEST))
  const noted = taken.map((step) => Object.assign({}, step, { note: isSilent ? null : scrubbed(step.note) }))
  const media = sightings.map((sighting) => ({
    ...sighting,
    failure: scrubbed(sighting.failure),
    label: isSilent ? "" : labelOf(sighting.label, redaction)
  }))
  return {
    internal_request_id: row.internal_request_id,
    steps: noted.length === 0 ? null : JSON.stringify(noted),
    media
  }
}

/** As it would stand in the request's text. */
const labelOf = (label: string, { json }: Pick<Redaction, "json">): string => {
  const kept = parseJson(json(JSON.stringify(label)))
  return typeof kept === "string" ? kept.slice(0, LONGEST) : "data"
}

/** Characters. */
const LONGEST = 2000
