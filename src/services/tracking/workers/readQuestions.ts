import type { Statement } from "@effect/sql/Statement"
import { Clock, Effect, Either, Layer, Logger, LogLevel } from "effect"
import { wordsOf } from "../../database/SqliteReading.ts"
import type { openForReading } from "../../database/SqliteReading.ts"
import { oneQueue } from "../../lightFibers.ts"
import * as StatementWriter from "../../database/statementWriter.ts"
import { answering, layer as services } from "../read/answers.ts"
import { ReadDatabase } from "../ReadDatabase.ts"
import { ReadFailed } from "../ReadFailed.ts"
import { makeSearchIndex, SearchIndex } from "../SearchIndex.ts"
import type { Question, ReadAnswer } from "./readMessages.ts"

/** Answers whole questions beside the database: no statement of theirs goes from thread to thread. */
export const makeQuestions = (database: ReturnType<typeof openForReading>, searchIndex: boolean) => {
  const here = <A>(read: () => A): Effect.Effect<A, ReadFailed> =>
    Effect.try({
      try: read,
      catch: (error) => new ReadFailed({ code: "record_unreadable", detail: wordsOf(error) })
    })
  const reader = new ReadDatabase({
    rows: <A extends object>(statement: Statement<A>) =>
      here(() => database.rows(compiled(statement)) as ReadonlyArray<A>),
    numbers: (statement) => here(() => database.numbers(compiled(statement))),
    ask: undefined,
    // There is nothing to wait for.
    atOnce: 1
  })
  const layer = services.pipe(
    Layer.provide(
      Layer.effect(
        SearchIndex,
        Effect.map(makeSearchIndex(searchIndex), (index) => new SearchIndex(index))
      )
    ),
    Layer.provide(Layer.succeed(ReadDatabase, reader)),
    Layer.provide(StatementWriter.layer),
    Layer.provide(Logger.minimumLogLevel(LogLevel.None))
  )
  const answers = Effect.runSync(Effect.scoped(Effect.provide(answering, layer)))

  return async ({ about, now, query }: Question): Promise<ReadAnswer> => {
    try {
      const found = await database.together(() =>
        Effect.runPromise(
          Effect.either(answers(about, query)).pipe(
            Effect.withClock(clockAt(now)),
            Effect.withScheduler(oneQueue)
          )
        )
      )
      if (Either.isRight(found)) return { answer: found.right }
      const { left } = found
      if (left instanceof ReadFailed) return { failed: { code: left.code, detail: left.detail } }
      return { invalid: { message: left.message, param: left.param ?? null, code: left.code } }
    } catch (error) {
      return { failed: { code: "record_unreadable", detail: wordsOf(error) } }
    }
  }
}

const compiled = (statement: Statement<object>) => {
  const [text, parameters] = statement.compile()
  return { text, parameters }
}

/** A question is answered as of when it was asked. */
const clockAt = (now: number): Clock.Clock =>
  Object.assign(Clock.make(), {
    unsafeCurrentTimeMillis: () => now,
    currentTimeMillis: Effect.succeed(now)
  })
