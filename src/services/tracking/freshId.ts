import { randomUUID } from "node:crypto"

/** Ids that sort by time, so that the record's indexes grow at their end. */
export const freshId = (): string => {
  const random = randomUUID()
  return `req_${Date.now().toString(16).padStart(12, "0")}${random.slice(0, 8)}${random.slice(24)}`
}
