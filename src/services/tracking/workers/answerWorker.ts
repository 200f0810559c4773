import { openForReading } from "../../database/SqliteReading.ts"
import { forgetRoots } from "../../lightFibers.ts"
import { makeQuestions } from "./readQuestions.ts"
import { serve } from "./readServing.ts"

/** A thread that answers questions about the record, one after the other. */
forgetRoots()
serve((options) => {
  const answered = makeQuestions(openForReading(options), options.searchIndex)
  return async (request) =>
    "about" in request ? answered(request) : { failed: { code: "record_unreadable", detail: "no question" } }
})
