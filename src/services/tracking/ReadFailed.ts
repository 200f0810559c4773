import { Data } from "effect"

/** The record could not be read: it is busy, the question is too large, or the database does not answer. */
export class ReadFailed extends Data.TaggedError("ReadFailed")<{
  readonly code: "record_busy" | "record_slow" | "record_unreadable"
  readonly detail: string
}> {
  readonly status = 503
  readonly type = "server_error"
  readonly source = "router"
  readonly retryAfter = 5
  override get message() {
    return MESSAGES[this.code]
  }
}

const MESSAGES = {
  record_busy: "Too many questions are waiting for the record; please ask again in a moment.",
  record_slow: "The record takes too long to answer this; a shorter range or fewer conditions help.",
  record_unreadable: "The record cannot be read at the moment."
}
