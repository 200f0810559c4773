import type { SqlClient } from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { keptIdIn } from "../../domain/PresentedKey.ts"
import type { RequestRecord } from "../../domain/RequestRecord.ts"
import type { Run } from "../database/transaction.ts"

/**
 * What requests cost, put on the account of their keys in the transaction that finishes their rows: so each is
 * charged once, and what a key has spent is what its rows say. Where nobody says what an answer did cost, all that
 * was held for it is taken as spent, until somebody does.
 */
export const makeCharges = (sql: SqlClient) => {
  const theirs = sql.onDialectOrElse({
    pg: () => "internal_request_id IN (SELECT json_array_elements_text($1::json))",
    orElse: () => "internal_request_id IN (SELECT value FROM json_each(?))"
  })
  const [first, second, third] = sql.onDialectOrElse({
    pg: () => ["$1", "$2", "$3"] as const,
    orElse: () => ["?", "?", "?"] as const
  })
  const take = `DELETE FROM budget_reservations WHERE ${theirs} RETURNING key_id, nano, charged`
  const keep = `UPDATE budget_reservations SET charged = 1 WHERE ${theirs} AND charged = 0 RETURNING key_id, nano`
  const post = `UPDATE api_keys SET spent_nano = spent_nano + ${first}, reserved_nano = reserved_nano - ${second} WHERE id = ${third}`
  const orphaned = `DELETE FROM budget_reservations
    WHERE charged = 0 AND instance_id NOT IN (SELECT id FROM instances) RETURNING key_id, nano, charged`
  const old = `DELETE FROM budget_reservations WHERE charged = 1 AND held_at < ${first}`

  /** Rows that have just been finished, or whose cost has just become known. */
  const charge = Effect.fnUntraced(function* (run: Run, rows: ReadonlyArray<RequestRecord>) {
    const accounts = new Accounts()
    const settled: Array<string> = []
    const unsure: Array<string> = []
    for (const row of rows) {
      const key = keptIdIn(row.key_id)
      if (key === undefined) continue
      if (row.cost_nano_usd !== null) accounts.of(key).spent += row.cost_nano_usd
      const list = row.cost_nano_usd === null && mayHaveCost(row) ? unsure : settled
      list.push(row.internal_request_id)
    }
    if (settled.length > 0) accounts.giveBack(yield* run(take, [JSON.stringify(settled)]))
    if (unsure.length > 0) accounts.spend(yield* run(keep, [JSON.stringify(unsure)]))
    yield* book(run, accounts)
  })

  /** Gives back what was held for requests that have come to nothing. */
  const release = Effect.fnUntraced(function* (run: Run, ids: ReadonlyArray<string>) {
    const accounts = new Accounts()
    accounts.giveBack(yield* run(take, [JSON.stringify(ids)]))
    yield* book(run, accounts)
  })

  /** The same for what dead processes held, and forgets what can no longer be corrected. */
  const releaseDead = Effect.fnUntraced(function* (run: Run) {
    const accounts = new Accounts()
    accounts.giveBack(yield* run(orphaned))
    yield* run(old, [Date.now() - LONGEST_DOUBT])
    yield* book(run, accounts)
  })

  const book = Effect.fnUntraced(function* (run: Run, accounts: Accounts) {
    for (const [key, { reserved, spent }] of accounts.inOrder())
      if (reserved !== 0 || spent !== 0) yield* run(post, [spent, reserved, key])
  })

  return { charge, release, releaseDead }
}

/** What changes for each key. */
class Accounts {
  private readonly byKey = new Map<string, { spent: number; reserved: number }>()

  of(key: string) {
    const found = this.byKey.get(key) ?? { spent: 0, reserved: 0 }
    this.byKey.set(key, found)
    return found
  }

  giveBack(held: ReadonlyArray<Held>): void {
    for (const { charged, key_id, nano } of held)
      if (Number(charged) === 1) this.of(String(key_id)).spent -= Number(nano)
      else this.of(String(key_id)).reserved += Number(nano)
  }

  spend(held: ReadonlyArray<Held>): void {
    for (const { key_id, nano } of held) {
      const account = this.of(String(key_id))
      account.reserved += Number(nano)
      account.spent += Number(nano)
    }
  }

  /** All processes take keys in one order, so that none waits for another in a circle. */
  inOrder() {
    return Array.from(this.byKey).toSorted(([one], [other]) => (one < other ? -1 : 1))
  }
}

interface Held {
  readonly [column: string]: unknown
}

/** Whether an answer came, or may have come and nobody waited for it. What ended with its process is not held against its key. */
const mayHaveCost = ({ openrouter_latency_ms, state }: RequestRecord): boolean =>
  state === "failed" ? openrouter_latency_ms !== null : state !== "interrupted"

/** Milliseconds; a day later nobody tells any more what an answer did cost. */
const LONGEST_DOUBT = 2 * 86_400_000
