import { openForReading } from "../../database/SqliteReading.ts"
import { serve } from "./readServing.ts"

/** A thread that runs statements for others, one after the other. */
serve((options) => {
  const database = openForReading(options)
  return async (request) =>
    "text" in request
      ? database.found(request)
      : { failed: { code: "record_unreadable", detail: "no statement" } }
})
