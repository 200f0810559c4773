import { assert, describe, it } from "@effect/vitest"
import { Clock, Context, Effect, Either, Layer } from "effect"
import { parse } from "../../../src/domain/record/RecordQuery.ts"
import { answering, layer as answers } from "../../../src/services/tracking/read/answers.ts"
import { RecordAnswers } from "../../../src/services/tracking/RecordAnswers.ts"
import type { Answer, Subject } from "../../../src/services/tracking/workers/readMessages.ts"
import { everyDatabase } from "../../support/Postgres.ts"
import { openRecord } from "../../support/Record.ts"
import { rowOf } from "../../support/Rows.ts"

const SUBJECTS: ReadonlyArray<Subject> = ["list", "stats", "series", "facets", "errors", "earlier"]
const QUESTIONS = [
  "",
  "range=24h",
  "model=slow&kind=all",
  "status=5xx&sort_by=cost_usd",
  "min_ms=20&page_size=3"
]

const NOW = Date.parse("2026-11-20T11:23:45.678Z")

const asked = (words: string) => parse(new URLSearchParams(words), NOW)

const textOf = ({ bytes }: Answer) => Buffer.from(bytes).toString()

const opened = (env: { readonly [name: string]: string }) =>
  Effect.gen(function* () {
    const { context, repo } = yield* openRecord(env)
    const rows = Array.from({ length: 40 }, (_, at) =>
      rowOf(`req_${at.toString(16).padStart(32, "0")}`, {
        timestamp: new Date(NOW - at * 3_600_000).toISOString(),
        model_requested_by_client: at % 3 === 0 ? "slow" : "fast",
        status_code_returned_to_client: at % 5 === 0 ? 502 : 200,
        state: at % 5 === 0 ? "failed" : "done",
        error_source: at % 5 === 0 ? "upstream" : null,
        processing_duration_ms: at,
        cost_nano_usd: at * 7
      })
    )
    yield* repo.save(rows, [])
    const services = yield* Layer.build(
      RecordAnswers.Default.pipe(Layer.provideMerge(answers), Layer.provide(Layer.succeedContext(context)))
    )
    const here = yield* Effect.provide(Effect.provide(answering, services), context)
    const clock: Clock.Clock = Object.assign(Clock.make(), {
      unsafeCurrentTimeMillis: () => NOW,
      currentTimeMillis: Effect.succeed(NOW)
    })
    const atNow = <A, E>(answer: Effect.Effect<A, E>) => Effect.withClock(answer, clock)
    const { answer } = Context.get(services, RecordAnswers)
    return {
      repo,
      answer: (about: Subject, words: string) =>
        atNow(Effect.flatMap(asked(words), (query) => answer(about, query))),
      here: (about: Subject, words: string) =>
        atNow(Effect.flatMap(asked(words), (query) => here(about, query)))
    }
  })

for (const { fresh, name } of everyDatabase())
  describe(`questions about the record on ${name}`, () => {
    it.scopedLive("have the same answer wherever they are answered", () =>
      Effect.gen(function* () {
        const { answer, here } = yield* Effect.flatMap(fresh, opened)
        const tags = new Set<string>()
        for (const about of SUBJECTS)
          for (const words of QUESTIONS) {
            const there = yield* answer(about, words)
            assert.strictEqual(textOf(there), textOf(yield* here(about, words)), `${about} ${words}`)
            assert.strictEqual((yield* answer(about, words)).tag, there.tag)
            tags.add(there.tag)
          }
        assert.isAbove(tags.size, 20)
        const { items, total_items } = JSON.parse(textOf(yield* answer("list", "model=slow&page_size=3")))
        assert.deepStrictEqual([items.length, total_items, items[0].cost], [3, 14, "0.000000273"])
      })
    )

    it.scopedLive("see what has just been written", () =>
      Effect.gen(function* () {
        const { answer, repo } = yield* Effect.flatMap(fresh, opened)
        const count = () => Effect.map(answer("list", ""), (told) => JSON.parse(textOf(told)).total_items)
        assert.strictEqual(yield* count(), 40)
        yield* repo.save(
          [rowOf(`req_${"f".repeat(32)}`, { timestamp: new Date(NOW - 5 * 86_400_000).toISOString() })],
          []
        )
        assert.strictEqual(yield* count(), 41)
      })
    )

    it.scopedLive("are refused with the reason, wherever that is found out", () =>
      Effect.gen(function* () {
        const { answer } = yield* Effect.flatMap(fresh, (env) => opened({ ...env, SEARCH_INDEX: "false" }))
        const told = yield* Effect.all([
          Effect.either(answer("list", "page=300")),
          Effect.either(answer("stats", "q=lighthouse"))
        ])
        assert.deepStrictEqual(
          told.map((refusal) =>
            Either.isLeft(refusal) && refusal.left._tag === "InvalidRequest"
              ? [refusal.left.param, refusal.left.code, refusal.left.status]
              : refusal
          ),
          [
            ["page", null, 400],
            ["q", "search_off", 400]
          ]
        )
      })
    )
  })
