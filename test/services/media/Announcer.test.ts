import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, TestClock } from "effect"
import type { ChatRequest } from "../../../src/domain/chat/ChatRequest.ts"
import { numberField } from "../../../src/domain/Json.ts"
import type { Exchange } from "../../../src/domain/Exchange.ts"
import { announcing } from "../../../src/services/media/Announcer.ts"
import type { Tell } from "../../../src/services/media/Announcer.ts"
import { eventsOf } from "../../support/Upstream.ts"

/** Something that was said, and the millisecond it was said in. */
interface Said {
  readonly at: number
  readonly text: string
}

/** Somebody who waits and hears what goes on. */
class Waiting implements Exchange {
  readonly id = "req_1"
  readonly method = "POST"
  readonly path = "/v1/chat/completions"
  readonly clientIp = "127.0.0.1"
  readonly said: Array<Said> = []
  private readonly now: () => number
  private readonly progress: string | undefined

  constructor(now: () => number, progress?: string) {
    this.now = now
    this.progress = progress
  }

  header = (name: string) => (name === "x-percept-progress" ? this.progress : undefined)
  headers = () => ({})
  body = () => Effect.succeed(new Uint8Array())
  status = () => undefined
  json = () => {}
  text = () => {}
  openStream = () => {}
  write = () => true
  onDrain = () => {}
  aside = (events: Uint8Array) => {
    this.said.push({ at: this.now(), text: Buffer.from(events).toString() })
  }
  hasAnswered = () => false
  end = () => {}
  fail = () => {}
}

const request = (stream: boolean): ChatRequest => {
  const body = { model: "test/plain", stream, messages: [] }
  const text = JSON.stringify(body)
  return { bytes: Buffer.from(text), text, body, messages: [], model: "test/plain", stream }
}

/** Work under way that ends when it is told to, and somebody who waits for it and stays on after that. */
const start = (options: { readonly stream?: boolean; readonly progress?: string } = {}) =>
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const waiting = new Waiting(() => clock.unsafeCurrentTimeMillis(), options.progress)
    const end = yield* Deferred.make<string, string>()
    const telling = yield* Deferred.make<Tell>()
    const outcome = yield* Deferred.make<string, string>()
    const work = (tell: Tell) => Effect.zipRight(Deferred.succeed(telling, tell), Deferred.await(end))
    const fiber = yield* announcing(waiting, request(options.stream ?? true), work).pipe(
      Effect.intoDeferred(outcome),
      Effect.zipRight(Effect.never),
      Effect.fork
    )
    return {
      end,
      said: waiting.said,
      tell: yield* Deferred.await(telling),
      outcome: Deferred.await(outcome),
      leave: Fiber.interrupt(fiber)
    }
  })

const gaps = (said: ReadonlyArray<Said>) =>
  said.slice(1).map(({ at }, before) => at - (said[before]?.at ?? 0))

describe("who waits for media", () => {
  it.effect("hears nothing where it goes quickly", () =>
    Effect.gen(function* () {
      const { end, outcome, said, tell } = yield* start()
      tell("video 1/1 fetching")
      yield* TestClock.adjust("49 millis")
      yield* Deferred.succeed(end, "done")
      assert.strictEqual(yield* outcome, "done")
      yield* TestClock.adjust(10_000)
      assert.deepStrictEqual(said, [])
    })
  )

  it.effect("hears soon that something is done, and what", () =>
    Effect.gen(function* () {
      const { said, tell } = yield* start()
      tell("video 1/1 fetching")
      yield* TestClock.adjust("50 millis")
      assert.deepStrictEqual(said, [{ at: 50, text: ": percept video 1/1 fetching\n\n" }])
    })
  )

  it.effect("hears something even before there is news", () =>
    Effect.gen(function* () {
      const { said } = yield* start()
      yield* TestClock.adjust("50 millis")
      assert.deepStrictEqual(
        said.map(({ text }) => text),
        [": percept media\n\n"]
      )
    })
  )

  it.effect("never waits five seconds, however long nothing is new", () =>
    Effect.gen(function* () {
      const { said, tell } = yield* start()
      tell("video 1/1 listening 43%")
      yield* TestClock.adjust(120_000)
      assert.isAtLeast(said.length, 24)
      for (const gap of gaps(said)) assert.isBelow(gap, 5000)
      for (const { text } of said) assert.strictEqual(text, ": percept video 1/1 listening 43%\n\n")
    })
  )

  it.effect("hears news within a second, the latest and no more than one a second", () =>
    Effect.gen(function* () {
      const { said, tell } = yield* start()
      yield* TestClock.adjust(2500)
      const before = said.length
      for (let share = 0; share < 40; share++) {
        tell(`video 1/1 looking ${share}%`)
        yield* TestClock.adjust(250)
      }
      const news = said.slice(before)
      assert.match(news[0]?.text ?? "", /looking [0-3]%/)
      assert.isAtMost(news[0]?.at ?? Infinity, 3600)
      assert.isAtLeast(news.length, 9)
      for (const gap of gaps(news)) assert.isAtLeast(gap, 1000)
      assert.strictEqual(new Set(news.map(({ text }) => text)).size, news.length)
    })
  )

  for (const ending of ["success", "failure", "interruption"] as const)
    it.effect(`hears nothing more after its ${ending}`, () =>
      Effect.gen(function* () {
        const { end, leave, outcome, said } = yield* start()
        yield* TestClock.adjust(1000)
        if (ending === "success") yield* Deferred.succeed(end, "done")
        else if (ending === "failure") yield* Deferred.fail(end, "failed")
        else yield* leave
        const exit = yield* Effect.exit(outcome)
        assert.strictEqual(exit._tag, ending === "success" ? "Success" : "Failure")
        const before = said.length
        yield* TestClock.adjust(20_000)
        assert.strictEqual(said.length, before)
      })
    )

  it.effect("hears nothing at all where it did not ask for a stream", () =>
    Effect.gen(function* () {
      const { end, outcome, said, tell } = yield* start({ stream: false, progress: "reasoning" })
      tell("video 1/1 fetching")
      yield* TestClock.adjust(20_000)
      yield* Deferred.succeed(end, "done")
      assert.strictEqual(yield* outcome, "done")
      assert.deepStrictEqual(said, [])
    })
  )

  it.effect("hears it as thoughts where it asked for that", () =>
    Effect.gen(function* () {
      const { said, tell } = yield* start({ progress: "reasoning" })
      tell("video 1/1 fetching")
      yield* TestClock.adjust("50 millis")
      assert.strictEqual(said.length, 1)
      const [event] = eventsOf(said[0]?.text ?? "")
      const created = numberField(event, "created")
      assert.isTrue(Number.isInteger(created))
      assert.deepStrictEqual(event, {
        id: "req_1",
        object: "chat.completion.chunk",
        created,
        model: "test/plain",
        choices: [
          {
            index: 0,
            delta: { role: "assistant", reasoning_content: "video 1/1 fetching\n" },
            finish_reason: null
          }
        ]
      })
    })
  )

  it.effect("hears comments where it asked for anything else", () =>
    Effect.gen(function* () {
      const { said } = yield* start({ progress: "thoughts" })
      yield* TestClock.adjust("50 millis")
      assert.strictEqual(said[0]?.text, ": percept media\n\n")
    })
  )
})
