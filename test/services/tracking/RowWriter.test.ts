import { SqlError } from "@effect/sql/SqlError"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Logger, LogLevel, Scope, TestClock } from "effect"
import type { RequestBodies, RequestRecord } from "../../../src/domain/RequestRecord.ts"
import { makeRowWriter } from "../../../src/services/tracking/RowWriter.ts"
import type { Written } from "../../../src/services/tracking/RowWriter.ts"
import { rowOf } from "../../support/Rows.ts"

const rowIn = (id: string, state: RequestRecord["state"] = "done"): RequestRecord => rowOf(id, { state })

const bodyOf = (id: string, text: string): RequestBodies => ({
  internal_request_id: id,
  request_body: text,
  response_body: null
})

/** A database that says what it is told to, and remembers what it took. */
const open = Effect.gen(function* () {
  let code: string | undefined
  let hangs = false
  const refused = new Set<string>()
  const taken = new Map<string, string>()
  const texts = new Map<string, string | null>()
  const sizes: Array<number> = []
  const scope = yield* Scope.make()
  const writer = yield* Scope.extend(
    makeRowWriter({
      save: (rows, bodies) =>
        Effect.suspend(() => {
          if (hangs) return Effect.uninterruptible(Effect.never)
          if (code !== undefined) return new SqlError({ cause: { code }, message: code })
          if (rows.some((row) => refused.has(row.internal_request_id)))
            return new SqlError({ cause: { code: "22003" }, message: "out of range" })
          sizes.push(rows.length)
          for (const row of rows) taken.set(row.internal_request_id, row.state)
          for (const body of bodies) texts.set(body.internal_request_id, body.request_body)
          return Effect.void
        })
    }),
    scope
  )
  const says = (now: string | undefined) => {
    code = now
  }
  const hang = (now: boolean) => {
    hangs = now
  }
  /** With what comes of it at once. */
  const save = (rows: ReadonlyArray<Written>) => Effect.zipLeft(writer.save(rows), TestClock.adjust(0))
  const close = Scope.close(scope, Exit.void)
  return { ...writer, save, taken, texts, sizes, refused, says, hang, close }
}).pipe(Logger.withMinimumLogLevel(LogLevel.None))

describe("rows for a database", () => {
  it.effect("that is busy wait in their newest state, and arrive by themselves", () =>
    Effect.gen(function* () {
      const { failing, lost, says, save, taken, texts } = yield* open
      says("SQLITE_BUSY")
      yield* save([
        [rowIn("a", "running"), undefined],
        [rowIn("b", "running"), undefined]
      ])
      assert.isTrue(failing())
      yield* save([[rowIn("a"), bodyOf("a", "said")]])
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(taken.size, 0)
      says(undefined)
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(Array.from(taken), [
        ["a", "done"],
        ["b", "running"]
      ])
      assert.deepStrictEqual(Array.from(texts), [["a", "said"]])
      assert.isFalse(failing())
      assert.strictEqual(lost(), 0)
    })
  )

  it.effect("are written as they were when they were handed over", () =>
    Effect.gen(function* () {
      const { says, save, taken } = yield* open
      const row = rowIn("a", "running")
      says("SQLITE_BUSY")
      yield* save([[row, undefined]])
      row.state = "failed"
      row.error_message = "a secret that nobody has looked for yet"
      says(undefined)
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(Array.from(taken), [["a", "running"]])
    })
  )

  it.effect("that is out of reach for long are kept up to a bound, and come a handful at a time", () =>
    Effect.gen(function* () {
      const { lost, says, save, sizes, taken } = yield* open
      says("ECONNREFUSED")
      yield* save(Array.from({ length: 20_003 }, (_, at) => [rowIn(`r${at}`), undefined] as const))
      yield* save([[rowIn("late", "running"), undefined]])
      assert.strictEqual(lost(), 3)
      says(undefined)
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(taken.size, 20_000)
      assert.strictEqual(Math.max(...sizes), 500)
      assert.strictEqual(lost(), 3)
    })
  )

  it.effect("wait without their texts where those are too many", () =>
    Effect.gen(function* () {
      const { lost, says, save, taken, texts } = yield* open
      const text = "x".repeat(40 * 1024 * 1024)
      says("SQLITE_FULL")
      for (const id of ["a", "b", "c", "d"]) yield* save([[rowIn(id), bodyOf(id, text)]])
      says(undefined)
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(Array.from(taken.keys()), ["a", "b", "c", "d"])
      assert.deepStrictEqual(Array.from(texts.keys()), ["a", "b", "c"])
      yield* save([[rowIn("e"), bodyOf("e", text)]])
      assert.isTrue(texts.has("e"))
      assert.strictEqual(lost(), 0)
    })
  )

  it.effect("that will never be taken are lost and counted, and do not hold up others", () =>
    Effect.gen(function* () {
      const { failing, lost, says, save, taken } = yield* open
      says("SQLITE_CONSTRAINT")
      yield* save([
        [rowIn("a"), undefined],
        [rowIn("b", "running"), undefined]
      ])
      assert.isTrue(failing())
      assert.strictEqual(lost(), 1)
      says(undefined)
      yield* save([[rowIn("c"), undefined]])
      assert.deepStrictEqual(Array.from(taken.keys()), ["c"])
      assert.isFalse(failing())
    })
  )

  it.effect("that refuses one of them are lost but for that one", () =>
    Effect.gen(function* () {
      const { failing, lost, refused, save, taken, texts } = yield* open
      const ids = Array.from({ length: 700 }, (_, at) => `r${at}`)
      for (const id of ["r3", "r499", "r600"]) refused.add(id)
      yield* save(ids.map((id) => [rowIn(id), bodyOf(id, id)] as const))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(
        ids.filter((id) => !taken.has(id)),
        ["r3", "r499", "r600"]
      )
      assert.strictEqual(texts.size, 697)
      assert.strictEqual(lost(), 3)
      assert.isFalse(failing())
    })
  )

  it.effect("that takes too long for many are tried with fewer", () =>
    Effect.gen(function* () {
      const { hang, save, taken, sizes } = yield* open
      const ids = Array.from({ length: 400 }, (_, at) => `r${at}`)
      hang(true)
      yield* save(ids.map((id) => [rowIn(id)]))
      yield* TestClock.adjust("70 seconds")
      hang(false)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(sizes, [50, 100, 200, 50])
      assert.strictEqual(taken.size, 400)
    })
  )

  it.effect("that does not answer keep nobody waiting, and arrive in their newest state when it does", () =>
    Effect.gen(function* () {
      const { failing, hang, lost, save, taken, texts } = yield* open
      hang(true)
      yield* save([[rowIn("a", "running")], [rowIn("b", "running")]])
      yield* save([[rowIn("a"), bodyOf("a", "said")]])
      assert.isFalse(failing())
      yield* TestClock.adjust("31 seconds")
      assert.isTrue(failing())
      yield* save([[rowIn("c")]])
      hang(false)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(Array.from(taken), [
        ["a", "done"],
        ["b", "running"],
        ["c", "done"]
      ])
      assert.deepStrictEqual(Array.from(texts), [["a", "said"]])
      assert.isFalse(failing())
      assert.strictEqual(lost(), 0)
    })
  )

  it.effect("that does not answer do not hold up the end, and are written in it if it answers", () =>
    Effect.gen(function* () {
      const { close, hang, save, taken } = yield* open
      hang(true)
      yield* save([[rowIn("a")]])
      hang(false)
      yield* close
      assert.deepStrictEqual(Array.from(taken.keys()), ["a"])

      const other = yield* open
      other.hang(true)
      yield* other.save([[rowIn("a")]])
      const closing = yield* Effect.fork(other.close)
      yield* TestClock.adjust("5 seconds")
      assert.isNotNull(closing.unsafePoll())
    })
  )

  it.effect("are tried once more at the end", () =>
    Effect.gen(function* () {
      const { close, says, save, taken } = yield* open
      says("SQLITE_BUSY")
      yield* save([[rowIn("a"), undefined]])
      says(undefined)
      yield* close
      assert.deepStrictEqual(Array.from(taken.keys()), ["a"])
    })
  )
})
