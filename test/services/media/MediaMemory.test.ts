import { SqlClient } from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import Sqlite from "better-sqlite3"
import { Context, Effect, Exit, Fiber, Layer, Logger, LogLevel, Schema, Scope, TestClock } from "effect"
import * as fc from "effect/FastCheck"
import { createHash, randomBytes } from "node:crypto"
import type { Blob } from "../../../src/domain/media/Evidence.ts"
import { AppConfig } from "../../../src/services/AppConfig.ts"
import * as Database from "../../../src/services/Database.ts"
import { MediaMemory } from "../../../src/services/media/MediaMemory.ts"
import { makeMediaRepo } from "../../../src/services/media/MediaRepo.ts"
import type { LinkState } from "../../../src/services/media/MediaMemory.ts"
import { everyDatabase } from "../../support/Postgres.ts"
import { eventually } from "../../support/Router.ts"

const Note = Schema.Struct({ said: Schema.String, at: Schema.optional(Schema.Number) })

const blobOf = (bytes: Uint8Array): Blob => ({
  sha256: createHash("sha256").update(bytes).digest("hex"),
  mime: "image/jpeg",
  bytes
})

const picture = (size: number): Blob => blobOf(randomBytes(size))

type Environment = { readonly [name: string]: string }

/** A memory over a database, as it is after a start. */
const open = (place: Environment, env: Environment = {}) =>
  Effect.gen(function* () {
    const context = yield* Effect.orDie(
      Layer.build(
        MediaMemory.Default.pipe(
          Layer.provideMerge(Database.layer),
          Layer.provide(AppConfig.layer({ ...place, ...env })),
          Layer.provide(Logger.minimumLogLevel(LogLevel.None))
        )
      )
    )
    return { memory: Context.get(context, MediaMemory), sql: Context.get(context, SqlClient) }
  })

/** The same, closed again when the effect is done. */
const during = <A, E>(
  place: Environment,
  use: (opened: Effect.Effect.Success<ReturnType<typeof open>>) => Effect.Effect<A, E>
) => Effect.scoped(Effect.flatMap(open(place), use))

const number = (sql: SqlClient, text: string) =>
  Effect.map(sql.unsafe<{ n: number | string }>(`SELECT ${text} AS n`), ([row]) => Number(row?.n ?? -1))

/** What must be true between any two calls. */
const assertSound = Effect.fnUntraced(function* (sql: SqlClient, limit: number) {
  const room = yield* number(sql, "(SELECT bytes FROM media_room)")
  assert.strictEqual(room, yield* number(sql, "(SELECT coalesce(sum(bytes), 0) FROM media_entries)"))
  assert.isAtMost(room, limit)
  const strays =
    "(SELECT count(*) FROM media_blobs WHERE sha256 NOT IN (SELECT sha256 FROM media_entry_blobs))"
  assert.strictEqual(yield* number(sql, strays), 0)
  const loose = "(SELECT count(*) FROM media_entry_blobs WHERE entry NOT IN (SELECT id FROM media_entries))"
  assert.strictEqual(yield* number(sql, loose), 0)
  const missing =
    "(SELECT count(*) FROM media_entry_blobs WHERE sha256 NOT IN (SELECT sha256 FROM media_blobs))"
  assert.strictEqual(yield* number(sql, missing), 0)
})

/** Another process's hand on the database; nobody else writes while it is there. */
const seize = (place: Environment) =>
  Effect.gen(function* () {
    if (place["DB_PATH"] !== undefined) {
      const other = new Sqlite(place["DB_PATH"], { timeout: 2000 })
      yield* Effect.addFinalizer(() => Effect.sync(() => other.close()))
      other.exec("BEGIN IMMEDIATE")
      return { holds: () => other.inTransaction, letGo: Effect.sync(() => void other.exec("ROLLBACK")) }
    }
    const { sql } = yield* open(place)
    const taken = yield* Effect.makeLatch()
    const holding = yield* sql`LOCK TABLE media_room IN EXCLUSIVE MODE`.pipe(
      Effect.zipRight(taken.open),
      Effect.zipRight(Effect.never),
      sql.withTransaction,
      Effect.forkScoped
    )
    yield* taken.await
    return { holds: () => holding.unsafePoll() === null, letGo: Fiber.interrupt(holding) }
  })

const MB = 1024 * 1024

const state = (target: string, checkedAt: number): LinkState => ({
  target,
  validators: { etag: undefined, lastModified: undefined, length: undefined },
  type: undefined,
  checkedAt
})

for (const { fresh, name } of everyDatabase())
  describe(`on ${name}:`, () => {
    describe("what is kept", () => {
      it.scopedLive("is recalled as it was, pictures and all, also after a restart", () =>
        Effect.gen(function* () {
          const file = yield* fresh
          const pictures = Array.from({ length: 16 }, (_, index) => picture(60_000 + index))
          yield* during(file, ({ memory }) => memory.keep("a", Note, { said: "žluťoučký 🐎" }, pictures))
          const { memory, sql } = yield* open(file)
          assert.deepStrictEqual(yield* memory.recall("a", Note), { said: "žluťoučký 🐎" })
          const hashes = pictures.map(({ sha256 }) => sha256)
          const found = yield* memory.blobs([...hashes, "unknown"])
          assert.sameMembers([...found.keys()], hashes)
          for (const { bytes, mime, sha256 } of pictures) {
            assert.strictEqual(found.get(sha256)?.mime, mime)
            assert.isTrue(Buffer.from(bytes).equals(found.get(sha256)?.bytes ?? Buffer.alloc(0)))
          }
          yield* assertSound(sql, 1024 * MB)
        })
      )

      it.scopedLive("is replaced by what is kept under the same name, and the old pictures go", () =>
        Effect.gen(function* () {
          const { memory, sql } = yield* open(yield* fresh)
          const [old, both, young] = [picture(1000), picture(1000), picture(1000)]
          yield* memory.keep("a", Note, { said: "old" }, [old, both])
          yield* memory.keep("a", Note, { said: "new" }, [both, young, young])
          assert.deepStrictEqual(yield* memory.recall("a", Note), { said: "new" })
          const found = yield* memory.blobs([old.sha256, both.sha256, young.sha256])
          assert.sameMembers([...found.keys()], [both.sha256, young.sha256])
          assert.strictEqual(yield* number(sql, "(SELECT count(*) FROM media_entries)"), 1)
          yield* assertSound(sql, 1024 * MB)
        })
      )

      it.scopedLive("counts as absent where it is no longer understood", () =>
        Effect.gen(function* () {
          const { memory, sql } = yield* open(yield* fresh)
          yield* memory.keep("a", Note, { said: "once" }, [])
          assert.isUndefined(yield* memory.recall("a", Schema.Struct({ heard: Schema.String })))
          assert.isUndefined(yield* memory.recall("b", Note))
          yield* sql`UPDATE media_entries SET value = '{"said":'`
          assert.isUndefined(yield* memory.recall("a", Note))
        })
      )

      it.scopedLive("may hold one thing of many megabytes, which comes whole or not at all", () =>
        Effect.gen(function* () {
          const { memory, sql } = yield* open(yield* fresh)
          const film = picture(3 * MB + 17)
          const still = picture(10)
          yield* memory.keep("film", Note, { said: "long" }, [still, film, blobOf(new Uint8Array())])
          assert.isAtMost(yield* number(sql, "(SELECT max(length(bytes)) FROM media_blobs)"), MB)
          const found = yield* memory.blobs([film.sha256, still.sha256, blobOf(new Uint8Array()).sha256])
          assert.strictEqual(found.size, 3)
          assert.isTrue(Buffer.from(film.bytes).equals(found.get(film.sha256)?.bytes ?? Buffer.alloc(0)))
          yield* assertSound(sql, 1024 * MB)
          yield* sql`DELETE FROM media_blobs WHERE sha256 = ${film.sha256} AND part = 4`
          assert.deepStrictEqual(
            [...(yield* memory.blobs([film.sha256, still.sha256])).keys()],
            [still.sha256]
          )
        })
      )

      it.scopedLive("leaves nothing where it is replaced before all of it has come", () =>
        Effect.gen(function* () {
          const { sql } = yield* Effect.flatMap(fresh, open)
          const repo = yield* Effect.provideService(makeMediaRepo, SqlClient, sql)
          const save = (blob: Blob) =>
            repo.save({ id: "film", value: "{}", bytes: 2 + blob.bytes.length, at: 1 }, [blob])
          yield* Effect.all([save(picture(4_000_000)), save(picture(3_000_000))], { concurrency: 2 })
          yield* assertSound(sql, 5_000_000)
        })
      )

      it.scopedLive("of the wrong shape is dropped, and nobody fails", () =>
        Effect.gen(function* () {
          const { memory } = yield* open(yield* fresh)
          const Short = Schema.String.pipe(Schema.maxLength(3))
          yield* memory.keep("a", Short, "too long", [])
          assert.isUndefined(yield* memory.recall("a", Schema.String))
        })
      )
    })

    describe("the room", () => {
      const limit = { MEDIA_CACHE_MB: "1" }

      it.scoped("is made by forgetting what was not used for the longest", () =>
        Effect.gen(function* () {
          const { memory, sql } = yield* open(yield* fresh, limit)
          const shared = picture(100_000)
          for (const id of ["a", "b", "c"]) {
            yield* memory.keep(id, Note, { said: id }, [shared, picture(200_000)])
            yield* TestClock.adjust("2 minutes")
          }
          assert.isDefined(yield* memory.recall("a", Note))
          yield* TestClock.adjust("2 minutes")
          yield* memory.keep("d", Note, { said: "d" }, [picture(400_000)])
          const left = yield* sql<{ id: string }>`SELECT id FROM media_entries ORDER BY id`
          assert.deepStrictEqual(
            left.map(({ id }) => id),
            ["a", "c", "d"]
          )
          assert.strictEqual((yield* memory.blobs([shared.sha256])).size, 1)
          assert.strictEqual(yield* number(sql, "(SELECT count(*) FROM media_blobs)"), 4)
          yield* assertSound(sql, MB)
        })
      )

      it.scopedLive("is not given up for something that does not fit in at all", () =>
        Effect.gen(function* () {
          const { memory, sql } = yield* open(yield* fresh, limit)
          yield* memory.keep("small", Note, { said: "small" }, [picture(1000)])
          yield* memory.keep("large", Note, { said: "large" }, [picture(MB)])
          assert.isDefined(yield* memory.recall("small", Note))
          assert.isUndefined(yield* memory.recall("large", Note))
          yield* assertSound(sql, MB)
        })
      )

      it.scopedLive("is made in small steps where the limit is lower than it was", () =>
        Effect.gen(function* () {
          const file = yield* fresh
          yield* during(file, ({ memory }) =>
            Effect.forEach(
              Array.from({ length: 24 }, (_, index) => index),
              (index) => memory.keep(`entry ${index}`, Note, { said: "x" }, [picture(400_000)])
            )
          )
          const { sql } = yield* open(file, limit)
          const seen = new Set<number>()
          yield* eventually(
            Effect.tap(number(sql, "(SELECT count(*) FROM media_entries)"), (count) =>
              Effect.sync(() => seen.add(count))
            ).pipe(Effect.repeatN(20)),
            (count) => count <= 2
          )
          // The other driver would hold up everybody meanwhile.
          if (name === "SQLite") assert.isAbove(seen.size, 5, `only ${[...seen].join(", ")} were seen`)
          yield* assertSound(sql, MB)
          assert.strictEqual(
            yield* number(sql, "(SELECT count(*) FROM media_entries WHERE id = 'entry 23')"),
            1
          )
        })
      )

      it.scopedLive("of none keeps nothing", () =>
        Effect.gen(function* () {
          const file = yield* fresh
          const still = picture(1000)
          yield* during(file, ({ memory }) => memory.keep("old", Note, { said: "old" }, [still]))
          const { memory, sql } = yield* open(file, { MEDIA_CACHE_MB: "0" })
          yield* memory.keep("a", Note, { said: "a" }, [])
          yield* memory.keepLink("https://example.com/a.mp4", state("a", 1))
          for (const id of ["a", "old"]) assert.isUndefined(yield* memory.recall(id, Note))
          assert.strictEqual((yield* memory.blobs([still.sha256])).size, 0)
          assert.isUndefined(yield* memory.link("https://example.com/a.mp4"))
          const rows = "(SELECT count(*) FROM media_entries) + (SELECT count(*) FROM media_links)"
          assert.strictEqual(yield* eventually(number(sql, rows), (count) => count === 0), 0)
          assert.strictEqual((yield* memory.secret).length, 32)
        })
      )

      it.scopedLive("is never overdrawn, and no picture is lost or left over, whatever is kept", () => {
        const shelf = Array.from({ length: 8 }, (_, index) => picture(20_000 + index * 40_000))
        const keeping = fc.record({ id: fc.nat(5), pictures: fc.array(fc.nat(7), { maxLength: 4 }) })
        return Effect.promise(() =>
          fc.assert(
            fc.asyncProperty(fc.array(fc.tuple(fc.boolean(), keeping), { maxLength: 15 }), (steps) =>
              Effect.gen(function* () {
                const file = yield* fresh
                // Two replicas on one database.
                const replicas = [yield* open(file, limit), yield* open(file, limit)] as const
                for (const [second, { id, pictures }] of steps) {
                  const chosen = pictures.flatMap((index) => shelf[index] ?? [])
                  const { memory } = replicas[second ? 1 : 0]
                  yield* memory.keep(`entry ${id}`, Note, { said: "x" }, chosen)
                  assert.strictEqual(
                    (yield* memory.blobs(chosen.map(({ sha256 }) => sha256))).size,
                    new Set(chosen).size
                  )
                }
                yield* assertSound(replicas[0].sql, MB)
              }).pipe(Effect.scoped, Effect.runPromise)
            ),
            { numRuns: 15 }
          )
        )
      })
    })

    describe("a use", () => {
      it.scoped("is noted later and at most once a minute; recalling itself writes nothing", () =>
        Effect.gen(function* () {
          const { memory, sql } = yield* open(yield* fresh)
          const usedAt = number(sql, "(SELECT used_at FROM media_entries)")
          const changes = number(
            sql,
            sql.onDialectOrElse({
              pg: () => "(SELECT xmin::text::bigint FROM media_entries)",
              orElse: () => "total_changes()"
            })
          )
          yield* TestClock.setTime(1_000_000)
          yield* memory.keep("a", Note, { said: "a" }, [])
          assert.strictEqual(yield* usedAt, 1_000_000)
          const before = yield* changes

          yield* TestClock.adjust("59 seconds")
          yield* memory.recall("a", Note)
          yield* TestClock.adjust("900 millis")
          yield* memory.recall("a", Note)
          assert.strictEqual(yield* changes, before)

          yield* TestClock.adjust("100 millis")
          yield* memory.recall("a", Note)
          yield* memory.recall("a", Note)
          assert.strictEqual(yield* changes, before)
          yield* TestClock.adjust("1 second")
          assert.strictEqual(yield* usedAt, 1_061_000)
          const after = yield* changes
          assert.isAbove(after, before)

          yield* memory.recall("a", Note)
          yield* TestClock.adjust("30 seconds")
          assert.strictEqual(yield* changes, after)
        })
      )

      it.scopedLive("just before the end is noted too", () =>
        Effect.gen(function* () {
          const file = yield* fresh
          yield* during(file, ({ memory, sql }) =>
            Effect.gen(function* () {
              yield* memory.keep("a", Note, { said: "a" }, [])
              yield* sql`UPDATE media_entries SET used_at = 5`
              yield* memory.recall("a", Note)
            })
          )
          const { sql } = yield* open(file)
          assert.isAbove(yield* number(sql, "(SELECT used_at FROM media_entries)"), 5)
        })
      )
    })

    describe("a link", () => {
      it.scopedLive("is known as it was last seen", () =>
        Effect.gen(function* () {
          const file = yield* fresh
          const full: LinkState = {
            target: "abc",
            validators: { etag: '"v1"', lastModified: "Wed, 21 Oct 2015 07:28:00 GMT", length: 17 },
            type: { kind: "video", mime: "video/mp4", container: "mp4" },
            filename: "talk.mp4",
            checkedAt: 1
          }
          yield* during(file, ({ memory }) =>
            Effect.gen(function* () {
              yield* memory.keepLink("youtube:abc", state("abc", 3))
              yield* memory.keepLink("https://example.com/talk.mp4", state("old", 0))
              yield* memory.keepLink("https://example.com/talk.mp4", full)
            })
          )
          const { memory, sql } = yield* open(file)
          assert.deepStrictEqual(yield* memory.link("https://example.com/talk.mp4"), full)
          const bare = yield* memory.link("youtube:abc")
          assert.strictEqual(bare?.target, "abc")
          assert.isUndefined(bare?.validators.etag)
          assert.isUndefined(bare?.type)
          assert.isUndefined(yield* memory.link("https://example.com/other.mp4"))
          const links = yield* sql<{
            checked_at: number | string
          }>`SELECT checked_at FROM media_links ORDER BY key`
          assert.deepStrictEqual(
            links.map(({ checked_at }) => Number(checked_at)),
            [1, 3]
          )
        })
      )

      it.scopedLive("that was not seen for long goes when there are too many", () =>
        Effect.gen(function* () {
          const { memory, sql } = yield* open(yield* fresh)
          yield* sql`
          INSERT INTO media_links WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20050)
          SELECT 'link ' || i, 't', i, '{}' FROM n`
          yield* memory.keepLink("newest", state("t", 30_000))
          assert.strictEqual(yield* number(sql, "(SELECT count(*) FROM media_links)"), 20_000)
          assert.strictEqual(yield* number(sql, "(SELECT min(checked_at) FROM media_links)"), 52)
          assert.isDefined(yield* memory.link("newest"))
        })
      )
    })

    describe("the secret", () => {
      it.scopedLive("is made once, for every start and every replica, and for this installation alone", () =>
        Effect.gen(function* () {
          const file = yield* fresh
          const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")
          const [one, two] = [yield* open(file), yield* open(file)]
          const first = hex(yield* one.memory.secret)
          assert.match(first, /^[0-9a-f]{64}$/)
          assert.strictEqual(hex(yield* two.memory.secret), first)
          assert.strictEqual(hex(yield* one.memory.secret), first)
          assert.strictEqual(hex(yield* during(file, ({ memory }) => memory.secret)), first)
          assert.notStrictEqual(hex(yield* during(yield* fresh, ({ memory }) => memory.secret)), first)
        })
      )
    })

    describe("a database out of reach", () => {
      it.scopedLive("means that less is known, and no more than that", () =>
        Effect.gen(function* () {
          const { memory, sql } = yield* open(yield* fresh)
          yield* memory.keep("a", Note, { said: "a" }, [])
          for (const table of ["media_entries", "media_blobs", "media_links", "media_room", "installation"])
            yield* sql.unsafe(`DROP TABLE ${table}`)
          assert.isUndefined(yield* memory.recall("a", Note))
          yield* memory.keep("a", Note, { said: "a" }, [picture(100)])
          assert.strictEqual((yield* memory.blobs(["abc"])).size, 0)
          yield* memory.keepLink("key", state("a", 1))
          assert.isUndefined(yield* memory.link("key"))
          const secret = yield* memory.secret
          assert.strictEqual(secret.length, 32)
          assert.strictEqual(yield* memory.secret, secret)
        })
      )

      it.scopedLive("does not keep anybody waiting, and gets what was to be kept when it is back", () =>
        Effect.gen(function* () {
          const file = yield* fresh
          const { memory, sql } = yield* open(file)
          yield* memory.keep("before", Note, { said: "before" }, [])
          const other = yield* seize(file)
          // This caller leaves before its write has succeeded.
          yield* Effect.timeoutOption(memory.keep("left", Note, { said: "left" }, []), "100 millis")
          yield* memory.keep("a", Note, { said: "a" }, [picture(1000)])
          assert.isTrue(other.holds(), "keeping gave up before the other process did")
          assert.isDefined(yield* memory.recall("before", Note))
          assert.isUndefined(yield* memory.recall("a", Note))
          yield* other.letGo
          yield* eventually(memory.recall("a", Note), (found) => found !== undefined)
          yield* eventually(memory.recall("left", Note), (found) => found !== undefined)
          yield* assertSound(sql, 1024 * MB)
        })
      )

      it.scopedLive("does not hold up the end", () =>
        Effect.gen(function* () {
          const file = yield* fresh
          const scope = yield* Scope.make()
          const { memory } = yield* Scope.extend(open(file), scope)
          yield* seize(file)
          yield* memory.keep("a", Note, { said: "a" }, [])
          yield* Scope.close(scope, Exit.void)
        })
      )
    })
  })
