import type { SqlError } from "@effect/sql/SqlError"
import { Cause, Clock, Data, Duration, Effect, Either, Schema } from "effect"
import { randomBytes } from "node:crypto"
import type { Blob } from "../../domain/media/Evidence.ts"
import { decodeJson } from "../../domain/Json.ts"
import { AppConfig } from "../AppConfig.ts"
import { whileLocked, wordsOf } from "../Database.ts"
import { makeBatch } from "../tracking/Batch.ts"
import { makeMediaRepo } from "./MediaRepo.ts"

/** What is known of a link: what it led to, and enough to ask later whether it still does. */
export const LinkState = Schema.Struct({
  /** Content hash or site id. */
  target: Schema.String,
  validators: Schema.Struct({
    etag: Schema.UndefinedOr(Schema.String),
    lastModified: Schema.UndefinedOr(Schema.String),
    length: Schema.UndefinedOr(Schema.Number)
  }),
  type: Schema.UndefinedOr(
    Schema.Struct({
      kind: Schema.Literal("image", "video", "audio"),
      mime: Schema.String,
      container: Schema.String
    })
  ),
  filename: Schema.optional(Schema.String),
  /** Milliseconds. */
  checkedAt: Schema.Number
})
export type LinkState = typeof LinkState.Type

/** What is remembered could not be changed. */
export class MemoryUnreachable extends Data.TaggedError("MemoryUnreachable")<{ readonly detail: string }> {
  readonly status = 503
  readonly type = "server_error"
  readonly code = "memory_unreachable"
  readonly source = "router"
  readonly retryAfter = 5
  override readonly message = "The memory of media cannot be changed right now; please try again in a moment."
}

/**
 * What was found out about media, kept in the database within `MEDIA_CACHE_MB`, least recently used first out.
 * It is a memory, not a duty: a database out of reach means that less is known, never that anything fails.
 */
export class MediaMemory extends Effect.Service<MediaMemory>()("percept/MediaMemory", {
  scoped: Effect.gen(function* () {
    const { mediaCacheMb } = yield* AppConfig
    const limit = mediaCacheMb * 1024 * 1024
    const repo = yield* makeMediaRepo
    const scope = yield* Effect.scope
    let failing = false
    let secretKnown: Uint8Array | undefined
    let linksKept = 0

    const recall = Effect.fn("MediaMemory.recall")(function* <A, I>(id: string, schema: Schema.Schema<A, I>) {
      if (limit === 0) return undefined
      const row = yield* known(repo.find(id))
      if (row === undefined) return undefined
      const value = decodeJson(schema, row.value)
      if (value === undefined) return undefined
      if ((yield* Clock.currentTimeMillis) - row.usedAt >= TOUCH_EVERY) used.add(id)
      return value
    })

    const keep = Effect.fn("MediaMemory.keep")(function* <A, I>(
      id: string,
      schema: Schema.Schema<A, I>,
      value: A,
      blobs: ReadonlyArray<Blob>
    ) {
      const encoded = Schema.encodeEither(schema)(value)
      if (Either.isLeft(encoded))
        return yield* Effect.logError(
          `'${id}' is not what it should be, and is not remembered.`,
          encoded.left
        )
      const text = JSON.stringify(encoded.right)
      const bytes = OVERHEAD + Buffer.byteLength(text) + sizeOf(blobs)
      if (bytes > limit) return
      const at = yield* Clock.currentTimeMillis
      yield* written(Effect.zipRight(repo.save({ id, value: text, bytes, at }, blobs), makeRoom))
    })

    /** Pictures by their hashes; what has been forgotten meanwhile is missing. */
    const blobs = Effect.fn("MediaMemory.blobs")(function* (sha256s: ReadonlyArray<string>) {
      if (limit === 0 || sha256s.length === 0) return NO_BLOBS
      return (yield* known(repo.blobs(sha256s))) ?? NO_BLOBS
    })

    const link = Effect.fn("MediaMemory.link")(function* (key: string) {
      if (limit === 0) return undefined
      const text = yield* known(repo.findLink(key))
      return text === undefined ? undefined : decodeJson(LinkState, text)
    })

    const keepLink = Effect.fn("MediaMemory.keepLink")(function* (key: string, state: LinkState) {
      if (limit === 0 || key.length > LONGEST_KEY) return
      const { checkedAt, target } = state
      const value = JSON.stringify(Schema.encodeSync(LinkState)(state))
      const save = repo.saveLink({ key, target, checked_at: checkedAt, value })
      const isTimeToTrim = linksKept++ % TRIM_EVERY === 0
      yield* written(isTimeToTrim ? Effect.zipRight(save, repo.trimLinks(MOST_LINKS)) : save)
    })

    /** 32 bytes that nobody outside can guess, the same after every start. */
    const secret = Effect.suspend(() =>
      secretKnown === undefined
        ? Effect.map(known(repo.settle("secret", proposal.toString("hex"))), (hex) =>
            hex === undefined ? proposal : (secretKnown = Buffer.from(hex, "hex"))
          )
        : Effect.succeed(secretKnown)
    )
    const proposal = randomBytes(32)

    const makeRoom = again(repo.makeRoom(limit))

    /** What the database says, if it says anything soon. */
    const known = <A>(ask: Effect.Effect<A, SqlError>): Effect.Effect<A | undefined> =>
      ask.pipe(
        Effect.retry(whileLocked),
        Effect.timeoutFail({ duration: READ_TIMEOUT, onTimeout: () => "no answer in time" }),
        settled
      )

    /** Writes on after its caller has gone, and does not keep its caller long where the database is slow. */
    const written = (write: Effect.Effect<unknown, SqlError>): Effect.Effect<void> =>
      write.pipe(
        Effect.retry(whileLocked),
        settled,
        Effect.interruptible,
        Effect.forkIn(scope),
        Effect.flatMap((fiber) => Effect.timeoutOption(fiber.await, WRITE_PATIENCE)),
        Effect.asVoid
      )

    /** Trouble is told once, until it is over. */
    const settled = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A | undefined> =>
      effect.pipe(
        Effect.tap(() => {
          failing = false
        }),
        Effect.catchAllCause((cause) => {
          if (Cause.isInterruptedOnly(cause) || failing) return Effect.succeed(undefined)
          failing = true
          return Effect.as(Effect.logWarning("The memory of media cannot be reached.", cause), undefined)
        })
      )

    const used = yield* makeBatch<string>({
      every: "1 second",
      bound: MOST_TOUCHED,
      flush: (ids) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) =>
          Effect.forEach(groups(Array.from(new Set(ids))), (some) => settled(repo.touch(some, now)), {
            discard: true
          })
        )
    })

    /** Whether there was anything of this medium to be forgotten. */
    const forget = Effect.fn("MediaMemory.forget")((medium: string) =>
      repo.forget(medium).pipe(
        Effect.retry(whileLocked),
        Effect.mapError((error) => new MemoryUnreachable({ detail: wordsOf(error) }))
      )
    )

    // The limit may be lower than it was.
    yield* Effect.forkScoped(settled(Effect.zipRight(makeRoom, again(repo.adopt))))

    return { recall, keep, blobs, link, keepLink, forget, secret, isOn: limit > 0 }
  })
}) {}

/** As long as there is more to do, with pauses in which others have their turn. */
const again = (step: Effect.Effect<boolean, SqlError>): Effect.Effect<void, SqlError> =>
  Effect.flatMap(step, (more) => (more ? Effect.zipRight(Effect.yieldNow(), again(step)) : Effect.void))

const sizeOf = (blobs: ReadonlyArray<Blob>): number => {
  const sizes = new Map(blobs.map(({ bytes, sha256 }) => [sha256, bytes.length]))
  return Array.from(sizes.values()).reduce((sum, size) => sum + size, 0)
}

const groups = (ids: ReadonlyArray<string>): ReadonlyArray<ReadonlyArray<string>> =>
  Array.from({ length: Math.ceil(ids.length / TOUCHED_AT_ONCE) }, (_, at) =>
    ids.slice(at * TOUCHED_AT_ONCE, (at + 1) * TOUCHED_AT_ONCE)
  )

const NO_BLOBS: ReadonlyMap<string, Blob> = new Map()

/** Milliseconds. To know to the minute when something was last used is enough to forget the right thing. */
const TOUCH_EVERY = 60_000

const TOUCHED_AT_ONCE = 100

/** Uses whose time waits to be written; beyond it they are not. */
const MOST_TOUCHED = 10_000

/** Bytes that even the smallest entry takes. */
const OVERHEAD = 512

const MOST_LINKS = 20_000

const LONGEST_KEY = 8192

const TRIM_EVERY = 50

const READ_TIMEOUT = Duration.seconds(2)

const WRITE_PATIENCE = Duration.seconds(1)
