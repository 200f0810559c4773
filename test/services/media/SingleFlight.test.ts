import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  Context,
  Deferred,
  Effect,
  Either,
  Exit,
  Fiber,
  Layer,
  Option,
  Scope,
  TestClock
} from "effect"
import { MediaFailure } from "../../../src/domain/Errors.ts"
import type { MediaProblem } from "../../../src/domain/Errors.ts"
import { SingleFlight } from "../../../src/services/media/SingleFlight.ts"
import type { Listen } from "../../../src/services/media/SingleFlight.ts"

type Work<A> = (progress: Listen) => Effect.Effect<A, MediaFailure>

/** A caller that waits by itself; whatever can happen without time going by has happened when it is returned. */
const call = <A>(key: string, work: Work<A>, listen?: Listen) =>
  Effect.flatMap(SingleFlight, ({ share }) => share(key, work, listen)).pipe(
    Effect.fork,
    Effect.zipLeft(settle)
  )

const settle = TestClock.adjust(0)

/** A work that the test leads, and that remembers what happened to it. */
const makeWork = Effect.gen(function* () {
  const slow = yield* makeSlowWork
  yield* Deferred.succeed(slow.cleaned, undefined)
  return slow
})

/** The same, which takes its time to clean up. */
const makeSlowWork = Effect.gen(function* () {
  const result = yield* Deferred.make<string, MediaFailure>()
  const cleaned = yield* Deferred.make<void>()
  const events: Array<string> = []
  const told: { tell: Listen } = { tell: () => {} }
  const work: Work<string> = (tell) =>
    Effect.suspend(() => {
      events.push("start")
      told.tell = tell
      return Deferred.await(result)
    }).pipe(
      Effect.onInterrupt(() => {
        events.push("interrupted")
        return Deferred.await(cleaned)
      }),
      Effect.ensuring(Effect.sync(() => events.push("end")))
    )
  const tell: Listen = (line, share) => told.tell(line, share)
  return { work, events, result, cleaned, tell }
})

const failure = (code: MediaProblem) => new MediaFailure({ code, message: `It is ${code}.` })

const isWaiting = (fiber: Fiber.RuntimeFiber<unknown, unknown>) => fiber.unsafePoll() === null

const flying = (name: string, test: () => Effect.Effect<void, unknown, SingleFlight>) =>
  it.effect(name, () => Effect.provide(test(), SingleFlight.Default))

describe("those who ask for the same", () => {
  flying("share one run, and each gets its result", () =>
    Effect.gen(function* () {
      const { events, result, work } = yield* makeWork
      const callers = yield* Effect.forEach(Array.from({ length: 10 }), () => call("a", work))
      yield* Deferred.succeed(result, "seen")
      const got = yield* Effect.forEach(callers, Fiber.join)
      assert.deepStrictEqual(new Set(got), new Set(["seen"]))
      assert.deepStrictEqual(events, ["start", "end"])
    })
  )

  flying("share nothing with those who ask for something else, or later", () =>
    Effect.gen(function* () {
      const { share } = yield* SingleFlight
      const [one, other] = [yield* makeWork, yield* makeWork]
      const callers = [yield* call("a", one.work), yield* call("b", other.work)]
      yield* Deferred.succeed(one.result, "one")
      yield* Deferred.succeed(other.result, "other")
      assert.deepStrictEqual(yield* Effect.forEach(callers, Fiber.join), ["one", "other"])
      assert.strictEqual(yield* share("a", () => Effect.succeed("again")), "again")
    })
  )

  flying("leave at once, and the others still get the result", () =>
    Effect.gen(function* () {
      const { events, result, work } = yield* makeWork
      const first = yield* call("a", work)
      const second = yield* call("a", work)
      const third = yield* call("a", work)
      yield* Fiber.interrupt(first)
      yield* Fiber.interrupt(third)
      assert.isTrue(isWaiting(second))
      yield* Deferred.succeed(result, "seen")
      assert.strictEqual(yield* Fiber.join(second), "seen")
      assert.deepStrictEqual(events, ["start", "end"])
    })
  )

  flying("take the work along with the last of them, without waiting for its end", () =>
    Effect.gen(function* () {
      const { cleaned, events, work } = yield* makeSlowWork
      const callers = [yield* call("a", work), yield* call("a", work)]
      for (const caller of callers) yield* Fiber.interrupt(caller)
      yield* settle
      assert.deepStrictEqual(events, ["start", "interrupted"])
      yield* Deferred.succeed(cleaned, undefined)
    })
  )
})

describe("a work that was given up", () => {
  flying("has cleaned up before the next one begins, however many come and go meanwhile", () =>
    Effect.gen(function* () {
      const [one, passing, next] = [yield* makeSlowWork, yield* makeWork, yield* makeWork]
      yield* Fiber.interrupt(yield* call("a", one.work))
      yield* Fiber.interrupt(yield* call("a", passing.work))
      const waiting = yield* call("a", next.work)
      const joined = yield* call("a", next.work)
      assert.deepStrictEqual([one.events, passing.events, next.events], [["start", "interrupted"], [], []])
      yield* Deferred.succeed(one.cleaned, undefined)
      yield* settle
      assert.deepStrictEqual(
        [one.events, passing.events, next.events],
        [["start", "interrupted", "end"], [], ["start"]]
      )
      const late = yield* call("a", next.work)
      yield* Deferred.succeed(next.result, "seen")
      assert.deepStrictEqual(yield* Effect.forEach([waiting, joined, late], Fiber.join), [
        "seen",
        "seen",
        "seen"
      ])
      assert.deepStrictEqual(next.events, ["start", "end"])
    })
  )

  flying("does not hold up those who ask for something else", () =>
    Effect.gen(function* () {
      const { share } = yield* SingleFlight
      const { cleaned, work } = yield* makeSlowWork
      yield* Fiber.interrupt(yield* call("a", work))
      assert.strictEqual(yield* share("b", () => Effect.succeed("other")), "other")
      yield* Deferred.succeed(cleaned, undefined)
    })
  )
})

describe("a work that is nearly done", () => {
  flying("may go on for ten seconds when nobody waits any more", () =>
    Effect.gen(function* () {
      const { events, tell, work } = yield* makeWork
      const caller = yield* call("a", work)
      tell("listening", 0.8)
      yield* Fiber.interrupt(caller)
      yield* TestClock.adjust("9999 millis")
      assert.deepStrictEqual(events, ["start"])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(events, ["start", "interrupted", "end"])
    })
  )

  flying("ends by itself within that time", () =>
    Effect.gen(function* () {
      const { events, result, tell, work } = yield* makeWork
      const caller = yield* call("a", work)
      tell("listening", 0.95)
      yield* Fiber.interrupt(caller)
      yield* TestClock.adjust("5 seconds")
      yield* Deferred.succeed(result, "seen")
      yield* TestClock.adjust("20 seconds")
      assert.deepStrictEqual(events, ["start", "end"])
    })
  )

  flying("is joined by who comes within that time, and then has all the time it needs", () =>
    Effect.gen(function* () {
      const { events, result, tell, work } = yield* makeWork
      const caller = yield* call("a", work)
      tell("listening", 0.9)
      yield* Fiber.interrupt(caller)
      yield* TestClock.adjust("9 seconds")
      const late = yield* call("a", work)
      yield* TestClock.adjust("1 minute")
      assert.isTrue(isWaiting(late))
      yield* Deferred.succeed(result, "seen")
      assert.strictEqual(yield* Fiber.join(late), "seen")
      assert.deepStrictEqual(events, ["start", "end"])
    })
  )

  flying("and was then left again gets ten seconds from then", () =>
    Effect.gen(function* () {
      const { events, tell, work } = yield* makeWork
      const caller = yield* call("a", work)
      tell("listening", 0.9)
      yield* Fiber.interrupt(caller)
      yield* TestClock.adjust("9 seconds")
      yield* Fiber.interrupt(yield* call("a", work))
      yield* TestClock.adjust("9 seconds")
      assert.deepStrictEqual(events, ["start"])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(events, ["start", "interrupted", "end"])
    })
  )

  flying("is not one that says so a little too early", () =>
    Effect.gen(function* () {
      const { events, tell, work } = yield* makeWork
      const caller = yield* call("a", work)
      tell("listening", 0.79)
      yield* Fiber.interrupt(caller)
      yield* settle
      assert.deepStrictEqual(events, ["start", "interrupted", "end"])
    })
  )
})

describe("progress", () => {
  const ear = () => {
    const heard: Array<string> = []
    return { heard, listen: ((line, share) => heard.push(`${line} ${share}`)) satisfies Listen }
  }

  flying("is told to all, and its latest word at once to who comes late", () =>
    Effect.gen(function* () {
      const { result, tell, work } = yield* makeWork
      const [early, late, never] = [ear(), ear(), ear()]
      yield* call("a", work, early.listen)
      assert.deepStrictEqual(early.heard, [])
      tell("fetching", 0.1)
      tell("looking", 0.3)
      yield* call("a", work, late.listen)
      tell("listening", 0.5)
      yield* call("b", () => Effect.never, never.listen)
      yield* Deferred.succeed(result, "seen")
      yield* settle
      tell("too late", 1)
      assert.deepStrictEqual(early.heard, ["fetching 0.1", "looking 0.3", "listening 0.5"])
      assert.deepStrictEqual(late.heard, ["looking 0.3", "listening 0.5"])
      assert.deepStrictEqual(never.heard, [])
    })
  )

  flying("is not told to who has left, nor spoilt by who listens badly", () =>
    Effect.gen(function* () {
      const { result, tell, work } = yield* makeWork
      const [gone, good] = [ear(), ear()]
      const leaving = yield* call("a", work, gone.listen)
      const bad = yield* call("a", work, () => {
        throw new Error("a listener's bug")
      })
      const staying = yield* call("a", work, good.listen)
      yield* Fiber.interrupt(leaving)
      tell("looking", 0.3)
      assert.deepStrictEqual(gone.heard, [])
      assert.deepStrictEqual(good.heard, ["looking 0.3"])
      yield* Deferred.succeed(result, "seen")
      assert.deepStrictEqual([yield* Fiber.join(bad), yield* Fiber.join(staying)], ["seen", "seen"])
    })
  )
})

describe("a failure", () => {
  flying("is handed to all, and to who asks within fifteen seconds", () =>
    Effect.gen(function* () {
      const { share } = yield* SingleFlight
      const { events, result, work } = yield* makeWork
      const callers = [yield* call("a", work), yield* call("a", work)]
      yield* Deferred.fail(result, failure("broken"))
      for (const caller of callers)
        assert.strictEqual((yield* Effect.flip(Fiber.join(caller))).code, "broken")
      yield* TestClock.adjust("14999 millis")
      assert.strictEqual((yield* Effect.flip(share("a", work))).message, "It is broken.")
      assert.strictEqual(yield* share("b", () => Effect.succeed("another")), "another")
      assert.deepStrictEqual(events, ["start", "end"])
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* share("a", () => Effect.succeed("now")), "now")
      assert.strictEqual(yield* share("a", () => Effect.succeed("and now")), "and now")
    })
  )

  const remembered: { readonly [Code in MediaProblem]: boolean } = {
    unreachable: true,
    not_media: true,
    too_large: true,
    too_long: true,
    unsupported: true,
    broken: true,
    timeout: false,
    tool_missing: false,
    busy: false,
    no_space: false
  }
  for (const code of Object.keys(remembered) as ReadonlyArray<MediaProblem>)
    flying(`of the kind ${code} is ${remembered[code] ? "" : "not "}remembered`, () =>
      Effect.gen(function* () {
        const { share } = yield* SingleFlight
        const first = yield* Effect.either(share("a", () => Effect.fail(failure(code))))
        assert.isTrue(Either.isLeft(first) && first.left.code === code)
        const again = yield* Effect.either(share("a", () => Effect.succeed("now")))
        assert.strictEqual(again._tag, remembered[code] ? "Left" : "Right")
      })
    )

  flying("of a thousand others does not drive out the latest", () =>
    Effect.gen(function* () {
      const { share } = yield* SingleFlight
      for (let index = 0; index < 1500; index++)
        yield* Effect.exit(share(`key ${index}`, () => Effect.fail(failure("broken"))))
      assert.strictEqual(yield* share("key 0", () => Effect.succeed("now")), "now")
      assert.isTrue(Exit.isFailure(yield* Effect.exit(share("key 1499", () => Effect.succeed("now")))))
      assert.isTrue(Exit.isFailure(yield* Effect.exit(share("key 600", () => Effect.succeed("now")))))
    })
  )
})

describe("a bug", () => {
  flying("is handed to all, and not remembered", () =>
    Effect.gen(function* () {
      const { share } = yield* SingleFlight
      const gate = yield* Deferred.make<void>()
      const work = () => Effect.zipRight(Deferred.await(gate), Effect.die("a bug"))
      const callers = [yield* call("a", work), yield* call("a", work)]
      yield* Deferred.succeed(gate, undefined)
      for (const caller of callers) {
        const exit = yield* Fiber.await(caller)
        const cause = Exit.isFailure(exit) ? exit.cause : Cause.empty
        assert.strictEqual(Option.getOrUndefined(Cause.dieOption(cause)), "a bug")
      }
      assert.strictEqual(yield* share("a", () => Effect.succeed("now")), "now")
    })
  )

  flying("in making the work is one too", () =>
    Effect.gen(function* () {
      const { share } = yield* SingleFlight
      const exit = yield* Effect.exit(
        share("a", () => {
          throw new Error("a bug")
        })
      )
      assert.isTrue(Exit.isFailure(exit) && Cause.isDie(exit.cause))
      assert.strictEqual(yield* share("a", () => Effect.succeed("now")), "now")
    })
  )
})

describe("the end of the service", () => {
  it.effect("interrupts all works, waits until they have cleaned up, and leaves nobody waiting", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(SingleFlight.Default, scope)
      const [one, two] = [yield* makeSlowWork, yield* makeSlowWork]
      const waiting = yield* Effect.provide(call("a", one.work), context)
      const leaving = yield* Effect.provide(call("b", two.work), context)
      two.tell("listening", 0.9)
      yield* Fiber.interrupt(leaving)
      const closing = yield* Effect.zipLeft(Effect.fork(Scope.close(scope, Exit.void)), settle)
      assert.deepStrictEqual(
        [one.events, two.events],
        [
          ["start", "interrupted"],
          ["start", "interrupted"]
        ]
      )
      assert.isTrue(isWaiting(closing))
      yield* Deferred.succeed(one.cleaned, undefined)
      yield* Deferred.succeed(two.cleaned, undefined)
      yield* Fiber.join(closing)
      assert.deepStrictEqual([one.events.at(-1), two.events.at(-1)], ["end", "end"])
      assert.isTrue(Exit.isInterrupted(yield* Fiber.await(waiting)))
      const after = Context.get(context, SingleFlight).share("c", () => Effect.succeed("after"))
      assert.isTrue(Exit.isInterrupted(yield* Effect.exit(after)))
    })
  )
})
