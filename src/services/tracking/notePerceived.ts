import type { RequestRecord } from "../../domain/RequestRecord.ts"
import type { Perceived } from "./told.ts"

/** What Perception did, in the request's row; it may have been at work for several prompts side by side. */
export const notePerceived = (row: RequestRecord, { hits, kinds, millis }: Perceived): void => {
  const known = row.media_type_processed?.split(",") ?? []
  row.is_multimodal = 1
  row.media_type_processed = Array.from(new Set([...known, ...kinds])).join(",")
  row.media_ms = Math.max(row.media_ms ?? 0, millis)
  row.cache_hits = (row.cache_hits ?? 0) + hits
}
