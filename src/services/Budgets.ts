import { SqlClient } from "@effect/sql/SqlClient"
import { Effect, FiberSet, Schedule } from "effect"
import { KeysUnavailable } from "../domain/Errors.ts"
import type { NanoDollars } from "../domain/Money.ts"
import { isPassing } from "./Database.ts"
import { inTransaction } from "./database/transaction.ts"
import type { Run } from "./database/transaction.ts"
import { makeCharges } from "./tracking/charges.ts"
import { Instances } from "./tracking/Instances.ts"
import { makeUpsert } from "./tracking/upsert.ts"

/** What a request may cost at most, to be taken from its key's budget. */
export interface Hold {
  /** Of the request. */
  readonly id: string
  readonly key: string
  readonly nano: NanoDollars
}

/**
 * Budgets of keys. Before a call its worst case is held, in one transaction that sees what everybody else holds and
 * has spent; when its row is finished, that is exchanged for what it did cost (`charges.ts`). Whoever asks while
 * the database is busy shares the next transaction.
 */
export class Budgets extends Effect.Service<Budgets>()("percept/Budgets", {
  scoped: Effect.gen(function* () {
    const sql = yield* SqlClient
    const { id: instance } = yield* Instances
    const { release } = makeCharges(sql)
    const run = yield* FiberSet.makeRuntime<never>()
    const isPostgres = sql.onDialectOrElse({ pg: () => true, orElse: () => false })
    const put = makeUpsert(sql, {
      table: "budget_reservations",
      columns: ["internal_request_id", "key_id", "nano", "instance_id", "held_at"],
      key: ["internal_request_id"],
      update: "nano = budget_reservations.nano"
    })
    const read = isPostgres
      ? `SELECT id, budget_nano, spent_nano, reserved_nano FROM api_keys
          WHERE id IN (SELECT json_array_elements_text($1::json)) ORDER BY id FOR UPDATE`
      : `SELECT id, budget_nano, spent_nano, reserved_nano FROM api_keys WHERE id IN (SELECT value FROM json_each(?))`
    const find = `SELECT internal_request_id FROM budget_reservations WHERE internal_request_id IN (SELECT ${
      isPostgres ? "json_array_elements_text($1::json)" : "value FROM json_each(?)"
    })`
    const book = `UPDATE api_keys SET reserved_nano = reserved_nano + ${isPostgres ? "$1" : "?"} WHERE id = ${isPostgres ? "$2" : "?"}`

    let waiting: Array<Waiting> = []
    let busy = false

    /** True where the budget holds it; then it is held until the request's row is finished. */
    const hold = (wanted: Hold): Effect.Effect<boolean, KeysUnavailable> =>
      Effect.async((resume) => {
        const asked: Waiting = { ...wanted, tell: resume }
        waiting.push(asked)
        if (!busy) {
          busy = true
          run(serve)
        }
        return Effect.suspend(() => {
          if (!waiting.includes(asked)) return takeBack(asked)
          waiting = waiting.filter((other) => other !== asked)
          return Effect.void
        })
      })

    /** Who leaves while the transaction runs waits for its end, so that nothing stays held for nobody. */
    const takeBack = (asked: Waiting) =>
      Effect.async<boolean, KeysUnavailable>((resume) => {
        if (asked.answer === undefined) asked.tell = resume
        else resume(asked.answer)
      }).pipe(
        Effect.flatMap((held) =>
          held ? inTransaction(sql, (run) => release(run, [asked.id])) : Effect.void
        ),
        Effect.retry({ schedule: PATIENCE, while: isPassing }),
        Effect.ignoreLogged
      )

    const answer = (asked: Waiting, answer: Effect.Effect<boolean, KeysUnavailable>): void => {
      asked.answer = answer
      asked.tell(answer)
    }

    const serve: Effect.Effect<void> = Effect.suspend(() => {
      const batch = waiting.slice(0, MOST_AT_ONCE)
      waiting = waiting.slice(MOST_AT_ONCE)
      if (batch.length === 0) {
        busy = false
        return Effect.void
      }
      let attempts = 0
      return Effect.suspend(() => holdAll(batch, attempts++ > 0)).pipe(
        Effect.retry({ schedule: PATIENCE, while: isPassing }),
        Effect.matchCause({
          onSuccess: (held) => batch.forEach((asked) => answer(asked, Effect.succeed(held.has(asked.id)))),
          onFailure: (cause) => {
            const failure = new KeysUnavailable({ detail: `A budget cannot be asked: ${String(cause)}` })
            for (const asked of batch) answer(asked, Effect.fail(failure))
          }
        }),
        Effect.zipRight(serve)
      )
    }).pipe((served) => Effect.zipRight(Effect.yieldNow(), served))

    /** Which of them are held. A commit whose answer was lost may have held them already. */
    const holdAll = (batch: ReadonlyArray<Hold>, mayBeHeld: boolean) =>
      inTransaction(
        sql,
        Effect.fnUntraced(function* (run: Run) {
          const keys = JSON.stringify(Array.from(new Set(batch.map(({ key }) => key))))
          const accounts = new Map(
            (yield* run(read, [keys])).map((row) => [String(row["id"]), accountOf(row)])
          )
          const held = new Set<string>()
          if (mayBeHeld)
            for (const row of yield* run(find, [JSON.stringify(batch.map(({ id }) => id))]))
              held.add(String(row["internal_request_id"]))
          const fitting = batch.filter(({ id, key, nano }) => {
            const account = accounts.get(key)
            if (account === undefined || held.has(id) || account.left < nano) return false
            account.left -= nano
            account.taken += nano
            return true
          })
          yield* put(
            run,
            fitting.map(({ id, key, nano }) => [id, key, nano, instance, Date.now()])
          )
          for (const [id, { taken }] of accounts) if (taken > 0) yield* run(book, [taken, id])
          for (const { id } of fitting) held.add(id)
          return held
        })
      )

    return { hold }
  })
}) {}

interface Waiting extends Hold {
  answer?: Effect.Effect<boolean, KeysUnavailable>
  tell: (answer: Effect.Effect<boolean, KeysUnavailable>) => void
}

const accountOf = (row: { readonly [column: string]: unknown }) => ({
  left:
    row["budget_nano"] === null
      ? Infinity
      : Number(row["budget_nano"]) - Number(row["spent_nano"]) - Number(row["reserved_nano"]),
  taken: 0
})

const MOST_AT_ONCE = 500

/** Three seconds of asking again; then who waits is told to come back. */
const PATIENCE = Schedule.intersect(Schedule.jittered(Schedule.spaced("200 millis")), Schedule.recurs(15))
