import { Clock, Effect } from "effect"
import type { InvalidRequest } from "../../domain/Errors.ts"
import type { RecordQuery } from "../../domain/record/RecordQuery.ts"
import { answering } from "./read/answers.ts"
import { ReadDatabase } from "./ReadDatabase.ts"
import type { ReadFailed } from "./ReadFailed.ts"
import type { Answer, Subject } from "./workers/readMessages.ts"

/** Answers questions about the record as a whole: in a thread beside a file, or here where a server does the work. */
export class RecordAnswers extends Effect.Service<RecordAnswers>()("percept/RecordAnswers", {
  effect: Effect.gen(function* () {
    const { ask } = yield* ReadDatabase
    const here = yield* answering

    const answer = (
      about: Subject,
      query: RecordQuery
    ): Effect.Effect<Answer, ReadFailed | InvalidRequest> =>
      ask === undefined
        ? here(about, query)
        : Effect.flatMap(Clock.currentTimeMillis, (now) => ask({ about, query, now }))

    return { answer }
  })
}) {}
