import { SqlClient } from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Logger, LogLevel, Scope, TestClock } from "effect"
import { spawn, spawnSync } from "node:child_process"
import { readlinkSync } from "node:fs"
import { hostname } from "node:os"
import { join } from "node:path"
import { AppConfig } from "../../src/services/AppConfig.ts"
import * as Database from "../../src/services/Database.ts"
import { Instances } from "../../src/services/tracking/Instances.ts"
import { TrackingRepo } from "../../src/services/tracking/TrackingRepo.ts"
import type { Instance as Announced } from "../../src/services/tracking/TrackingRepo.ts"
import { temporaryFolder } from "../support/Router.ts"

const quiet = Logger.minimumLogLevel(LogLevel.None)

/** A database, what is in it, and a process of ours that may come and go. */
const start = Effect.gen(function* () {
  const config = AppConfig.layer({ DB_PATH: join(yield* temporaryFolder, "kept.db") })
  const layer = TrackingRepo.Default.pipe(Layer.provideMerge(Database.layer), Layer.provide([config, quiet]))
  const context = yield* Effect.orDie(Layer.build(layer))
  const sql = Context.get(context, SqlClient)

  const enter = Effect.gen(function* () {
    const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
    const layer = Instances.Default.pipe(Layer.provide([Layer.succeedContext(context), quiet]))
    const { id } = Context.get(yield* Layer.buildWithScope(layer, scope), Instances)
    return { id, leave: Scope.close(scope, Exit.void) }
  })

  /** A process that announced itself and has a request in every state. */
  const remember = (instance: Instance) =>
    Effect.zipRight(sql`INSERT INTO instances ${sql.insert({ ...instance })}`, remembersRows(instance.id))

  const remembersRows = (id: string) =>
    Effect.forEach(STATES, (state) => {
      const row = {
        timestamp: new Date().toISOString(),
        internal_request_id: `${id}:${state}`,
        endpoint_called: "/v1/chat/completions",
        state,
        instance_id: id
      }
      return sql`INSERT INTO openrouter_requests ${sql.insert(row)}`
    })

  const states = (id: string) =>
    Effect.map(
      sql<Row>`SELECT state, error_source, error_message FROM openrouter_requests
               WHERE instance_id = ${id} ORDER BY id`,
      (rows) => rows.map(({ state }) => state)
    )

  const present = Effect.map(sql<Instance>`SELECT * FROM instances ORDER BY id`, (all) =>
    all.map(({ id }) => id)
  )
  const row = (id: string) =>
    Effect.map(sql<Instance>`SELECT * FROM instances WHERE id = ${id}`, ([row]) => row)

  const repo = Context.get(context, TrackingRepo)

  return { enter, present, remember, remembersRows, repo, row, sql, states }
})

interface Instance extends Announced {
  readonly heartbeat_at: number
}

interface Row {
  readonly state: string
  readonly error_source: string | null
  readonly error_message: string | null
}

const STATES = ["running", "done", "failed", "cancelled", "interrupted"]
const BURIED = ["interrupted", "done", "failed", "cancelled", "interrupted"]

/** A pid that nobody has any more. */
const gone = (): number => spawnSync("true").pid

/** A process that lives as long as the test. */
const living = Effect.acquireRelease(
  Effect.sync(() => spawn("sleep", ["60"], { stdio: "ignore" })),
  (child) => Effect.sync(() => child.kill("SIGKILL"))
)

/** How this process announces itself, from what it writes. */
const ownMark = (house: Effect.Effect.Success<typeof start>) =>
  Effect.gen(function* () {
    const self = yield* house.enter
    const mark = yield* house.row(self.id)
    yield* self.leave
    assert.isDefined(mark)
    return mark ?? (yield* Effect.dieMessage("no mark"))
  })

describe("an instance", () => {
  it.scoped("is there while it runs, and not afterwards", () =>
    Effect.gen(function* () {
      const house = yield* start
      const from = Date.now()
      const self = yield* house.enter
      const mark = yield* house.row(self.id)
      assert.deepInclude(mark, {
        host: `${hostname()} ${readlinkSync("/proc/self/ns/pid")}`,
        pid: process.pid
      })
      assert.isAbove(mark?.process_start.length ?? 0, 0)
      assert.isAtLeast(mark?.heartbeat_at ?? 0, from)
      yield* self.leave
      assert.deepStrictEqual(yield* house.present, [])
    })
  )

  it.scoped("is another one each time", () =>
    Effect.gen(function* () {
      const house = yield* start
      const [first, second] = [yield* house.enter, yield* house.enter]
      assert.notStrictEqual(first.id, second.id)
      assert.strictEqual((yield* house.present).length, 2)
    })
  )

  it.scoped("shows again and again that it lives", () =>
    Effect.gen(function* () {
      const house = yield* start
      const self = yield* house.enter
      yield* house.sql`UPDATE instances SET heartbeat_at = 7`
      yield* TestClock.adjust("14 seconds")
      assert.strictEqual((yield* house.row(self.id))?.heartbeat_at, 7)
      yield* TestClock.adjust("1 second")
      assert.isAbove((yield* house.row(self.id))?.heartbeat_at ?? 0, 7)
      yield* house.sql`UPDATE instances SET heartbeat_at = 7`
      yield* TestClock.adjust("15 seconds")
      assert.isAbove((yield* house.row(self.id))?.heartbeat_at ?? 0, 7)
    })
  )

  it.scoped("that was taken for dead announces itself again", () =>
    Effect.gen(function* () {
      const house = yield* start
      const self = yield* house.enter
      yield* house.sql`DELETE FROM instances`
      yield* TestClock.adjust("15 seconds")
      assert.deepStrictEqual(yield* house.present, [self.id])
    })
  )
})

describe("what a dead process left running becomes interrupted, and nothing else does", () => {
  const dead: ReadonlyArray<
    readonly [string, (mark: Instance) => Effect.Effect<Partial<Instance>, never, Scope.Scope>]
  > = [
    ["whose pid is gone", () => Effect.sync(() => ({ pid: gone() }))],
    ["whose pid is ours by now", () => Effect.succeed({ process_start: "another boot:1234" })],
    ["of this host before it was started anew", () => Effect.succeed({ process_start: "" })],
    ["whose pid is somebody else's by now", () => Effect.map(living, ({ pid }) => ({ pid: pid ?? 0 }))],
    [
      "of this host, though its heart beat a moment ago",
      () => Effect.sync(() => ({ pid: gone(), heartbeat_at: Date.now() }))
    ],
    [
      "of another host that is silent",
      () => Effect.sync(() => ({ host: "elsewhere", heartbeat_at: Date.now() - 61_000 }))
    ]
  ]
  for (const [name, how] of dead)
    it.scoped(`: one ${name}`, () =>
      Effect.gen(function* () {
        const house = yield* start
        const mark = yield* ownMark(house)
        yield* house.remember({ ...mark, id: "dead", ...(yield* how(mark)) })
        const self = yield* house.enter
        assert.deepStrictEqual(yield* house.states("dead"), BURIED)
        assert.deepStrictEqual(yield* house.present, [self.id])
        assert.deepStrictEqual(
          yield* house.sql<Row>`SELECT state, error_source, error_message FROM openrouter_requests
                                WHERE internal_request_id = 'dead:running'`,
          [
            {
              state: "interrupted",
              error_source: "router",
              error_message: "The router stopped before this request ended."
            }
          ]
        )
      })
    )

  const alive: ReadonlyArray<readonly [string, (mark: Instance) => Partial<Instance>]> = [
    ["in the same process", () => ({})],
    ["in the same process, though its heart has not beaten for long", () => ({ heartbeat_at: 0 })],
    ["on another host with a beating heart", () => ({ host: "elsewhere", heartbeat_at: Date.now() })],
    [
      "on another host, though the clock stepped back since",
      () => ({ host: "elsewhere", heartbeat_at: Date.now() + 3_600_000 })
    ],
    ["on another host that missed a beat", () => ({ host: "elsewhere", heartbeat_at: Date.now() - 31_000 })],
    [
      "on another host, whatever its pid means here",
      () => ({ host: "elsewhere", pid: gone(), process_start: "x", heartbeat_at: Date.now() })
    ]
  ]
  for (const [name, how] of alive)
    it.scoped(`: not one that lives ${name}`, () =>
      Effect.gen(function* () {
        const house = yield* start
        const mark = yield* ownMark(house)
        yield* house.remember({ ...mark, id: "alive", ...how(mark) })
        const self = yield* house.enter
        yield* TestClock.adjust("15 seconds")
        assert.deepStrictEqual(yield* house.states("alive"), STATES)
        assert.deepStrictEqual(yield* house.present, [self.id, "alive"].toSorted())
      })
    )

  it.scoped(": one that dies while we run", () =>
    Effect.gen(function* () {
      const house = yield* start
      const self = yield* house.enter
      const mark = yield* house.row(self.id)
      assert.isDefined(mark)
      if (mark !== undefined) yield* house.remember({ ...mark, id: "dead", pid: gone() })
      assert.deepStrictEqual(yield* house.states("dead"), STATES)
      yield* TestClock.adjust("15 seconds")
      assert.deepStrictEqual(yield* house.states("dead"), BURIED)
    })
  )

  it.scoped(": not one on another host that was not heard while the database was out of reach", () =>
    Effect.gen(function* () {
      const house = yield* start
      const self = yield* house.enter
      const mark = yield* house.row(self.id)
      if (mark === undefined) return assert.fail("no mark")
      yield* house.remember({ ...mark, id: "alive", host: "elsewhere", heartbeat_at: Date.now() })
      yield* house.sql`ALTER TABLE instances RENAME TO elsewhere`
      yield* TestClock.adjust("15 seconds")
      yield* house.sql`ALTER TABLE elsewhere RENAME TO instances`
      yield* house.sql`UPDATE instances SET heartbeat_at = ${Date.now() - 3_600_000} WHERE id = 'alive'`
      yield* TestClock.adjust("15 seconds")
      assert.deepStrictEqual(yield* house.states("alive"), STATES)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* house.states("alive"), BURIED)
    })
  )

  it.scoped("shows that it lives, though the database did not answer for once", () =>
    Effect.gen(function* () {
      const { repo } = yield* start
      let beats = 0
      const once = new TrackingRepo({
        ...repo,
        beat: (self) => (++beats === 2 ? Effect.uninterruptible(Effect.never) : repo.beat(self))
      })
      yield* Layer.build(Instances.Default.pipe(Layer.provide([Layer.succeed(TrackingRepo, once), quiet])))
      yield* TestClock.adjust("1 minute")
      assert.isAtLeast(beats, 4)
    })
  )

  it.scoped(": not our own", () =>
    Effect.gen(function* () {
      const house = yield* start
      const self = yield* house.enter
      yield* house.remembersRows(self.id)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* house.states(self.id), STATES)
    })
  )

  it.scoped(": one that left without a trace", () =>
    Effect.gen(function* () {
      const house = yield* start
      yield* house.remembersRows("unknown")
      yield* house.enter
      assert.deepStrictEqual(yield* house.states("unknown"), BURIED)
    })
  )

  it.scoped(": several at once", () =>
    Effect.gen(function* () {
      const house = yield* start
      const mark = yield* ownMark(house)
      for (const id of ["one", "two", "three"]) yield* house.remember({ ...mark, id, pid: gone() })
      yield* house.remember({ ...mark, id: "alive" })
      yield* house.enter
      for (const id of ["one", "two", "three"]) assert.deepStrictEqual(yield* house.states(id), BURIED)
      assert.deepStrictEqual(yield* house.states("alive"), STATES)
    })
  )
})
