import { SqlClient } from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import Sqlite from "better-sqlite3"
import { Context, Effect, Fiber, Layer, Logger, LogLevel } from "effect"
import type { RequestRecord, RequestState } from "../../src/domain/RequestRecord.ts"
import { AppConfig } from "../../src/services/AppConfig.ts"
import { Budgets } from "../../src/services/Budgets.ts"
import * as Database from "../../src/services/Database.ts"
import { KeyStore } from "../../src/services/KeyStore.ts"
import { Instances } from "../../src/services/tracking/Instances.ts"
import { TrackingRepo } from "../../src/services/tracking/TrackingRepo.ts"
import { everyDatabase } from "../support/Postgres.ts"
import { eventually, temporaryFolder } from "../support/Router.ts"
import { rowOf } from "../support/Rows.ts"

/** Budgets as a process has them. */
const open = (env: { readonly [name: string]: string }) =>
  Effect.gen(function* () {
    const layer = Layer.mergeAll(Budgets.Default, KeyStore.Default).pipe(
      Layer.provideMerge(Instances.Default),
      Layer.provideMerge(TrackingRepo.Default),
      Layer.provideMerge(Database.layer),
      Layer.provide([AppConfig.layer(env), Logger.minimumLogLevel(LogLevel.None)])
    )
    const context = yield* Effect.orDie(Layer.build(layer))
    const store = Context.get(context, KeyStore)
    const { hold } = Context.get(context, Budgets)
    const { id: instance } = Context.get(context, Instances)
    const account = (key: string) =>
      Effect.map(Effect.orDie(store.list()), (keys) => {
        const { reserved = -1, spent = -1 } = keys.find(({ id }) => id === key) ?? {}
        return [spent, reserved] as const
      })
    return {
      account,
      hold,
      instance,
      store,
      repo: Context.get(context, TrackingRepo),
      sql: Context.get(context, SqlClient)
    }
  })

const rowBy = (id: string, key: string, more: Partial<RequestRecord>): RequestRecord =>
  rowOf(id, { key_id: `db:${key}`, ...UNSAID, ...more })

/** As a row begins. */
const UNSAID = {
  model_routed_to_openrouter: null,
  provider: null,
  status_code_returned_to_client: null,
  state: "running"
} as const

for (const { fresh, name } of everyDatabase())
  describe(`budgets on ${name}`, () => {
    it.scopedLive("hold no more than they have, whoever asks at once in how many processes", () =>
      Effect.gen(function* () {
        const env = yield* fresh
        const processes = yield* Effect.all([open(env), open(env), open(env)])
        const [{ account, store }] = processes
        const { id: key } = yield* store.create({ name: "a", budget: 1000 })
        const { id: rich } = yield* store.create({ name: "b" })
        const asked = Array.from({ length: 90 }, (_, at) => ({
          ...{ id: `r${at}`, key: at % 9 === 0 ? rich : key, nano: 1 + ((at * 37) % 60) }
        }))
        const held = yield* Effect.forEach(
          asked,
          (wanted, at) => processes[at % 3]?.hold(wanted) ?? Effect.dieMessage("no process"),
          { concurrency: "unbounded" }
        )
        const taken = asked.filter((wanted, at) => held[at] === true && wanted.key === key)
        const left = asked.filter((_, at) => held[at] !== true)
        const sum = taken.reduce((sum, { nano }) => sum + nano, 0)
        assert.isAtMost(sum, 1000)
        // Nobody was turned away who fits even now.
        for (const { key: whose, nano } of left) {
          assert.strictEqual(whose, key)
          assert.isAbove(sum + nano, 1000)
        }
        assert.deepStrictEqual(yield* account(key), [0, sum])
      })
    )

    const endings: ReadonlyArray<readonly [RequestState, Partial<RequestRecord>, number]> = [
      ["done", { cost_nano_usd: 70, cost_source: "provider" }, 70],
      ["done", { cost_nano_usd: 130, cost_source: "provider" }, 130],
      ["done", { cost_nano_usd: 0, cost_source: "provider" }, 0],
      ["done", {}, 100],
      ["cancelled", {}, 100],
      ["cancelled", { cost_nano_usd: 5, cost_source: "estimated" }, 5],
      ["failed", {}, 0],
      ["failed", { openrouter_latency_ms: 12 }, 100],
      ["failed", { openrouter_latency_ms: 12, cost_nano_usd: 3, cost_source: "provider" }, 3],
      ["interrupted", {}, 0]
    ]
    it.scopedLive("charge what a request did cost, once, however it ended and however often it is told", () =>
      Effect.gen(function* () {
        const { account, hold, repo, store } = yield* open(yield* fresh)
        for (const [at, [state, more, cost]] of endings.entries()) {
          const { id: key } = yield* store.create({ name: `k${at}`, budget: 1000 })
          assert.isTrue(yield* hold({ id: `r${at}`, key, nano: 100 }))
          yield* repo.save([rowBy(`r${at}`, key, {})], [])
          assert.deepStrictEqual(yield* account(key), [0, 100])
          const ended = rowBy(`r${at}`, key, { state, ...more })
          yield* repo.save([ended], [])
          yield* repo.save([{ ...ended, cost_nano_usd: 999 }], [])
          assert.deepStrictEqual(yield* account(key), [cost, 0], `${state} ${JSON.stringify(more)}`)
        }
      })
    )

    it.scopedLive("charge what is told long afterwards in place of what was held", () =>
      Effect.gen(function* () {
        const { account, hold, repo, store } = yield* open(yield* fresh)
        const { id: key } = yield* store.create({ name: "late", budget: 1000 })
        const usage = {
          ...{ promptTokens: 1, completionTokens: 1, totalTokens: 2 },
          ...{ cachedTokens: undefined, reasoningTokens: undefined }
        }
        yield* hold({ id: "cut", key, nano: 100 })
        yield* repo.save(
          [rowBy("cut", key, { state: "cancelled" }), rowBy("free", key, { state: "cancelled" })],
          []
        )
        assert.deepStrictEqual(yield* account(key), [100, 0])
        for (const _ of [1, 2]) yield* repo.complete("cut", { ...usage, cost: 42 })
        assert.deepStrictEqual(yield* account(key), [42, 0])
        yield* repo.complete("free", { ...usage, cost: 7 })
        assert.deepStrictEqual(yield* account(key), [49, 0])
      })
    )

    it.scopedLive("get back what a dead process held, with its rows and without, and nobody else's", () =>
      Effect.gen(function* () {
        const { account, hold, instance, repo, sql, store } = yield* open(yield* fresh)
        const { id: key } = yield* store.create({ name: "dead", budget: 1000 })
        for (const id of ["mine", "theirs", "unwritten"]) yield* hold({ id, key, nano: 100 })
        const dead = { id: "dead", host: "elsewhere", pid: 1, process_start: "" }
        yield* repo.beat(dead)
        yield* sql`UPDATE budget_reservations SET instance_id = 'dead' WHERE internal_request_id <> 'mine'`
        yield* repo.save(
          [rowBy("mine", key, { instance_id: instance }), rowBy("theirs", key, { instance_id: "dead" })],
          []
        )
        yield* repo.bury([])
        assert.deepStrictEqual(yield* account(key), [0, 300])
        yield* repo.bury(["dead"])
        assert.deepStrictEqual(yield* account(key), [0, 100])
        const left = yield* sql`SELECT internal_request_id FROM budget_reservations`
        assert.deepStrictEqual(left, [{ internal_request_id: "mine" }])
      })
    )

    it.scopedLive("hold nothing for who has left while it was asked", () =>
      Effect.gen(function* () {
        const { account, hold, sql, store } = yield* open(yield* fresh)
        const { id: key } = yield* store.create({ name: "gone", budget: 1000 })
        const fibers = yield* Effect.forEach(Array.from({ length: 20 }), (_, at) =>
          Effect.fork(hold({ id: `r${at}`, key, nano: 10 }))
        )
        for (const [at, fiber] of fibers.entries()) {
          if (at % 4 === 0) yield* Effect.yieldNow()
          yield* Fiber.interruptFork(fiber)
        }
        const exits = yield* Effect.forEach(fibers, Fiber.await)
        const kept = exits.filter(({ _tag }) => _tag === "Success").length
        yield* eventually(account(key), ([spent, reserved]) => spent === 0 && reserved === kept * 10)
        const held = yield* sql`SELECT * FROM budget_reservations`
        assert.strictEqual(held.length, kept)
      })
    )
  })

describe("while somebody else holds the file", () => {
  it.scopedLive("a budget waits a little, and says so where that is not enough", () =>
    Effect.gen(function* () {
      const file = `${yield* temporaryFolder}/kept.db`
      const { account, hold, store } = yield* open({ DB_PATH: file })
      const { id: key } = yield* store.create({ name: "patient", budget: 1000 })
      const other = yield* Effect.acquireRelease(
        Effect.sync(() => new Sqlite(file)),
        (other) => Effect.sync(() => other.close())
      )
      other.exec("BEGIN IMMEDIATE")
      const waiting = yield* Effect.fork(hold({ id: "short", key, nano: 10 }))
      yield* Effect.sleep("300 millis")
      other.exec("ROLLBACK")
      assert.isTrue(yield* Fiber.join(waiting))
      other.exec("BEGIN IMMEDIATE")
      const failure = yield* Effect.flip(hold({ id: "long", key, nano: 10 }))
      assert.deepInclude(failure, { _tag: "KeysUnavailable", status: 503, retryAfter: 5 })
      other.exec("ROLLBACK")
      assert.isTrue(yield* hold({ id: "after", key, nano: 10 }))
      assert.deepStrictEqual(yield* account(key), [0, 20])
    })
  )
})
