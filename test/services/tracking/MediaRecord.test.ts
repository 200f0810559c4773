import { SqlClient } from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import { Context, Duration, Effect, Layer, Logger, LogLevel, Schema } from "effect"
import * as ItemQuery from "../../../src/domain/media/ItemQuery.ts"
import type { Sighting, Trace } from "../../../src/domain/record/Sighting.ts"
import { AppConfig } from "../../../src/services/AppConfig.ts"
import * as Database from "../../../src/services/Database.ts"
import { MediaMemory } from "../../../src/services/media/MediaMemory.ts"
import { ReadDatabase } from "../../../src/services/tracking/ReadDatabase.ts"
import { RecordDetail } from "../../../src/services/tracking/read/Detail.ts"
import { MediaDetail } from "../../../src/services/tracking/read/MediaDetail.ts"
import { MediaList } from "../../../src/services/tracking/read/MediaList.ts"
import { Retention } from "../../../src/services/tracking/Retention.ts"
import { TrackingRepo } from "../../../src/services/tracking/TrackingRepo.ts"
import { everyDatabase } from "../../support/Postgres.ts"
import { eventually } from "../../support/Router.ts"
import { rowOf } from "../../support/Rows.ts"

const open = (env: { readonly [name: string]: string }) =>
  Effect.gen(function* () {
    const layer = Layer.mergeAll(
      MediaDetail.Default,
      MediaMemory.Default,
      RecordDetail.Default,
      Retention.Default
    ).pipe(
      Layer.provideMerge(MediaList.Default),
      Layer.provideMerge(Layer.mergeAll(ReadDatabase.Default, TrackingRepo.Default)),
      Layer.provideMerge(Database.layer),
      Layer.provide([AppConfig.layer(env), Logger.minimumLogLevel(LogLevel.None)])
    )
    const context = yield* Effect.orDie(Layer.build(layer))
    return {
      detail: Context.get(context, RecordDetail),
      media: Context.get(context, MediaDetail),
      lists: Context.get(context, MediaList),
      memory: Context.get(context, MediaMemory),
      repo: Context.get(context, TrackingRepo),
      retention: Context.get(context, Retention),
      sql: Context.get(context, SqlClient)
    }
  })

const sighting = (more: Partial<Sighting> = {}): Sighting => ({
  ...{
    kind: "video",
    param: "messages[0].content",
    label: "http://a.example/b.mp4",
    entry: "m",
    remembered: false
  },
  ...{ ms: 12.6, failure: null, shown: "evidence" },
  ...more
})

const traceOf = (id: string, more: Partial<Trace> = {}): Trace => ({
  internal_request_id: id,
  steps: JSON.stringify([{ name: "read", at: 0, ms: 1, parent: null, note: null, ok: true }]),
  media: [sighting()],
  ...more
})

const counts = (sql: SqlClient) =>
  Effect.map(
    sql<{ steps: unknown; media: unknown }>`
      SELECT (SELECT count(*) FROM request_steps) AS steps, (SELECT count(*) FROM request_media) AS media`,
    ([found]) => [Number(found?.steps), Number(found?.media)]
  )

const query = (text = "") => Effect.orDie(ItemQuery.parse(new URLSearchParams(text)))

/** A time at which all that these tests write is old. */
const LATER = { olderThan: Duration.millis(0), pause: 0 }

for (const { fresh, name } of everyDatabase())
  describe(`how requests came about, on ${name}`, () => {
    it.scopedLive("is written when they end, once, and told with them", () =>
      Effect.gen(function* () {
        const { detail, memory, repo, sql } = yield* Effect.flatMap(fresh, open)
        yield* memory.keep("whole m", Schema.Unknown, { kind: "video" }, [])
        yield* repo.save([rowOf("req_1", { state: "running" }), rowOf("req_2")], [], [])
        assert.deepStrictEqual(yield* counts(sql), [0, 0])
        const media = [sighting(), sighting({ entry: null, failure: "Gone.\0", shown: "note", label: "" })]
        yield* repo.save(
          [rowOf("req_1")],
          [],
          [traceOf("req_1", { media }), traceOf("req_2"), traceOf("req_3")]
        )
        // A final state is final, and so is what belongs to it.
        yield* repo.save(
          [rowOf("req_1", { state: "failed" })],
          [],
          [traceOf("req_1", { steps: "[]", media: [] })]
        )
        assert.deepStrictEqual(yield* counts(sql), [1, 2])
        const found = yield* detail.find("req_1")
        assert.deepStrictEqual(found?.steps, JSON.parse(traceOf("req_1").steps ?? ""))
        assert.deepStrictEqual(found?.media, [
          { ...sighting(), place: 0, ms: 13 },
          { ...sighting(), place: 1, ms: 13, entry: null, failure: "Gone.\uFFFD", shown: "note", label: "" }
        ])
        const other = yield* detail.find("req_2")
        assert.deepStrictEqual([other?.steps, other?.media], [[], []])
        // What is forgotten is nowhere to be found.
        yield* memory.forget("m")
        assert.deepStrictEqual(
          (yield* detail.find("req_1"))?.media.map(({ entry }) => entry),
          [null, null]
        )
      })
    )

    it.scopedLive("goes with their rows, and links go with their texts", () =>
      Effect.gen(function* () {
        const { detail, repo, retention, sql } = yield* Effect.flatMap(fresh, (env) =>
          open({ ...env, BODY_MAX_AGE_DAYS: "1" })
        )
        const old = new Date(Date.now() - 2 * 86_400_000).toISOString()
        const now = new Date().toISOString()
        yield* repo.save(
          [
            rowOf("req_old", { timestamp: old, preview: "a question" }),
            rowOf("req_new", { timestamp: now, preview: "another" })
          ],
          [],
          [traceOf("req_old"), traceOf("req_new")]
        )
        yield* retention.sweep({ pause: 0 })
        const labels = (yield* Effect.all(["req_old", "req_new"].map(detail.find))).map(
          (one) => one?.media[0]?.label
        )
        assert.deepStrictEqual(labels, ["", "http://a.example/b.mp4"])
        assert.strictEqual((yield* detail.find("req_old"))?.steps.length, 1)
        yield* retention.sweep({ olderThan: Duration.hours(12), pause: 0 })
        assert.deepStrictEqual(yield* counts(sql), [1, 1])
        yield* repo.save([rowOf("req_running", { state: "running", timestamp: old })], [])
        yield* Effect.sleep("2 millis")
        yield* retention.sweep(LATER)
        assert.deepStrictEqual(yield* counts(sql), [0, 0])
      })
    )

    it.scopedLive("adds up to what a medium was good for, and thousands are walked in order", () =>
      Effect.gen(function* () {
        const { lists, media, memory, repo, sql } = yield* Effect.flatMap(fresh, open)
        const id = "ef".repeat(32)
        yield* memory.keep(`whole ${id}`, Schema.Unknown, { kind: "video" }, [])
        yield* repo.save(
          ["req_1", "req_2", "req_3"].map((id) => rowOf(id)),
          [],
          [
            traceOf("req_1", {
              media: [sighting({ entry: id, ms: 900, label: "http://a.example/first.mp4" })]
            }),
            traceOf("req_2", { media: [1, 2].map(() => sighting({ entry: id, ms: 3, remembered: true })) }),
            traceOf("req_3", { media: [sighting({ entry: id, ms: 4, remembered: true, label: "" })] })
          ]
        )
        const [item] = (yield* lists.list(yield* query())).items
        assert.deepInclude(item, {
          id,
          requests: 3,
          hits: 3,
          saved_ms: 2700,
          label: "http://a.example/b.mp4"
        })
        assert.deepInclude(yield* media.find(id), { can_look_again: true, evidence: null, pictures: [] })
        assert.deepStrictEqual(
          (yield* media.find(id))?.requests.map(({ internal_request_id, ms, remembered }) => [
            internal_request_id,
            ms,
            remembered
          ]),
          [
            ["req_3", 4, true],
            ["req_2", 3, true],
            ["req_2", 3, true],
            ["req_1", 900, false]
          ]
        )

        const many = 2500
        const used = (at: number) => 1000 + (at % 700)
        for (let from = 0; from < many; from += 100)
          yield* sql`INSERT INTO media_items ${sql.insert(
            Array.from({ length: 100 }, (_, at) => ({
              ...{ id: `m${from + at}`, kind: at % 2 === 0 ? "video" : "image", title: `Film ${from + at}` },
              ...{ created_at: 1, used_at: used(from + at) }
            }))
          )}`
        const seen: Array<string> = []
        for (let cursor: string | null = ""; cursor !== null;) {
          const asked: ItemQuery.ItemQuery = yield* query(`page_size=100&cursor=${cursor}`)
          const page = yield* lists.list(asked)
          seen.push(...page.items.map((item) => item.id))
          assert.strictEqual(page.total_items, many + 1)
          cursor = page.next_cursor
        }
        assert.lengthOf(seen, many + 1)
        assert.strictEqual(new Set(seen).size, many + 1)
        const times = seen.slice(1).map((id) => used(Number(id.slice(1))))
        assert.deepStrictEqual(
          times,
          times.toSorted((one, other) => other - one)
        )
        const found = yield* lists.list(yield* query("q=fILM%2012&kind=image&page_size=1000"))
        assert.strictEqual(found.total_items, 55)
        assert.lengthOf(found.items, 55)
      })
    )

    it.scopedLive("is not listed any more once there was no room for it", () =>
      Effect.gen(function* () {
        const { lists, memory, sql } = yield* Effect.flatMap(fresh, (env) =>
          open({ ...env, MEDIA_CACHE_MB: "1" })
        )
        const bytes = new Uint8Array(300_000)
        const ids = [1, 2, 3, 4, 5].map((at) => `${at}a`.repeat(32))
        for (const id of ids) {
          const blobs = [{ sha256: id, mime: "video/mp4", bytes }]
          yield* memory.keep(`whole ${id}`, Schema.Unknown, { kind: "video" }, blobs)
          yield* sql`UPDATE media_entries SET used_at = used_at - 1000`
          yield* sql`UPDATE media_items SET used_at = used_at - 1000`
        }
        const { items, limit_bytes, total_bytes } = yield* lists.list(yield* query())
        assert.deepStrictEqual(
          items.map((item) => item.id),
          ids.slice(2).toReversed()
        )
        assert.strictEqual(
          total_bytes,
          items.reduce((sum, { bytes }) => sum + bytes, 0)
        )
        assert.isAtMost(total_bytes, limit_bytes)
      })
    )

    it.scopedLive("finds the media of entries that an earlier version wrote, after a start", () =>
      Effect.gen(function* () {
        const env = yield* fresh
        const id = "0d".repeat(32)
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { memory, sql } = yield* open(env)
            for (let at = 0; at < 45; at++)
              yield* memory.keep(`whole ${at}${id}`, Schema.Unknown, { kind: "audio" }, [])
            yield* memory.keep(`description ${id} v1 eyes`, Schema.String, "A card.", [])
            yield* sql`DELETE FROM media_items`
            yield* sql`UPDATE media_entries SET medium = NULL`
          })
        )
        const { lists, sql } = yield* open(env)
        yield* eventually(
          Effect.flatMap(query(), (query) => lists.list(query)),
          ({ total_items }) => total_items === 45
        )
        assert.deepStrictEqual(
          yield* sql`SELECT medium FROM media_entries WHERE id LIKE 'description%' OR medium IS NULL`,
          [{ medium: `picture ${id}` }]
        )
      })
    )
  })
