import { Effect } from "effect"
import type { Scope } from "effect"
import { InvalidRequest } from "../../domain/Errors.ts"
import { ReaderThreads } from "./ReaderThreads.ts"
import type { ThreadOptions } from "./ReaderThreads.ts"
import { ReadFailed } from "./ReadFailed.ts"
import type { Answer, Found, Question } from "./workers/readMessages.ts"

/** Reads a file of SQLite in threads: statements, lists and figures, so that no list waits for a figure. */
export const makeSqliteReader = Effect.fnUntraced(function* (options: Omit<ThreadOptions, "program">) {
  const statements = yield* threads({ ...options, program: "read" })
  const lists = yield* threads({ ...options, program: "answer" })
  // Their sums are remembered where they are made, so that there is one such thread.
  const figures = yield* threads({ ...options, program: "answer", readers: 1 })

  const read = (text: string, parameters: ReadonlyArray<unknown>) =>
    Effect.flatMap(statements.ask({ text, parameters }), (told) =>
      "failed" in told
        ? new ReadFailed(told.failed)
        : Effect.sync(() => ("json" in told || "rows" in told ? rowsIn(told) : []))
    )

  const ask = (question: Question): Effect.Effect<Answer, ReadFailed | InvalidRequest> =>
    Effect.flatMap(
      (question.about === "list" ? lists : figures).ask(question, nameOf(question)),
      (told): Effect.Effect<Answer, ReadFailed | InvalidRequest> => {
        if ("answer" in told) return Effect.succeed(told.answer)
        if ("invalid" in told) return new InvalidRequest(told.invalid)
        return "failed" in told ? new ReadFailed(told.failed) : NO_ANSWER
      }
    )

  return { read, ask }
})

const threads = (options: ThreadOptions): Effect.Effect<ReaderThreads, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => new ReaderThreads(options)),
    (threads) => threads.close()
  )

const rowsIn = (found: Found): ReadonlyArray<object> =>
  "json" in found
    ? (JSON.parse(found.json) as ReadonlyArray<object>)
    : found.rows.map((row) => Object.fromEntries(found.columns.map((name, place) => [name, row[place]])))

/** Equal for questions that have one answer, as long as neither has been begun. */
const nameOf = ({ about, query: { page, pageSize, place, question } }: Question): string =>
  JSON.stringify([about, question, page, pageSize, place])

const NO_ANSWER = new ReadFailed({ code: "record_unreadable", detail: "rows, where an answer was asked for" })
