import { Effect } from "effect"

/** Says what the step that is being taken is about, in a few plain words. */
export const noteStep = (note: string): Effect.Effect<void> => Effect.annotateCurrentSpan(NOTE, note)

/** The attribute of a span that becomes its step's note. */
export const NOTE = "note"
