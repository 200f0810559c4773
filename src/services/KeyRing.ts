import { Duration, Effect } from "effect"
import { KeysUnavailable } from "../domain/Errors.ts"
import { AppConfig } from "./AppConfig.ts"
import { isPassing, whileLocked } from "./Database.ts"
import { KeyStore } from "./KeyStore.ts"
import type { StoredKey } from "./KeyStore.ts"

/**
 * The database's keys at hand. What is known is believed for two seconds; what a database that does not answer once
 * said holds until it answers again, so that requests go on without it.
 */
export class KeyRing extends Effect.Service<KeyRing>()("percept/KeyRing", {
  effect: Effect.gen(function* () {
    const { allowAnonymous } = yield* AppConfig
    const store = yield* KeyStore
    const byHash = new Map<string, Known>()
    const byId = new Map<string, StoredKey>()
    const strangers = new Map<string, number>()
    const clock = yield* Effect.clock
    const now = () => clock.unsafeCurrentTimeMillis()
    /** A clock that was set back makes nothing younger. */
    const isFresh = (at: number): boolean => Math.abs(now() - at) < BELIEVED
    const refresh = (asked: Asked): void => {
      asked.at = now()
      asked.asking = -Infinity
    }
    /** Good enough as it is: fresh, or somebody is asking. Who asks and never comes back holds nobody up for long. */
    const isSettled = ({ asking, at }: Asked): boolean =>
      isFresh(at) || Math.abs(now() - asking) < Duration.toMillis(LONGEST_LOOK)

    /** What is surely known of a hash: a key, `null` for none; undefined where the database must be asked. */
    const peek = (hash: string): StoredKey | null | undefined => {
      const known = byHash.get(hash)
      if (known !== undefined) return isSettled(known) ? known.key : undefined
      const missedAt = strangers.get(hash)
      return missedAt !== undefined && isFresh(missedAt) ? null : undefined
    }

    const find = (hash: string): Effect.Effect<StoredKey | null, KeysUnavailable> => {
      const known = byHash.get(hash)
      return known === undefined ? lookUp(hash) : renew(known)
    }

    const lookUp = (hash: string) =>
      store.byHash(hash).pipe(
        Effect.disconnect,
        Effect.timeout(LONGEST_LOOK),
        Effect.map((key) => (key === undefined ? miss(hash) : keep(key))),
        Effect.mapError(
          (error) => new KeysUnavailable({ detail: `A key cannot be looked up: ${String(error)}` })
        )
      )

    /** What was known serves all who ask meanwhile, and whoever asks longer than a moment. */
    const renew = (known: Known) =>
      store.byHash(known.key.hash).pipe(
        Effect.tap((key) => Effect.sync(() => key === undefined || keep(key))),
        briefly(known),
        Effect.map(() => byHash.get(known.key.hash)?.key ?? known.key)
      )

    /** Goes on for a while behind the back of who no longer waits; whatever comes of it, others may ask again. */
    const briefly =
      (asked: Asked) =>
      <A, E>(look: Effect.Effect<A, E>): Effect.Effect<void> =>
        Effect.suspend(() => {
          asked.asking = now()
          return look.pipe(
            Effect.disconnect,
            Effect.timeout(LONGEST_LOOK),
            Effect.ensuring(Effect.sync(() => refresh(asked))),
            Effect.disconnect,
            Effect.timeout(SHORT_LOOK),
            Effect.ignore
          )
        })

    const keep = (key: StoredKey): StoredKey => {
      const known = { key, at: now(), asking: -Infinity }
      byHash.set(key.hash, known)
      byId.set(key.id, key)
      return key
    }

    const miss = (hash: string): null => {
      strangers.delete(hash)
      strangers.set(hash, now())
      const [oldest] = strangers.keys()
      if (strangers.size > MOST_STRANGERS && oldest !== undefined) strangers.delete(oldest)
      return null
    }

    const presence = {
      ...(yield* Effect.orDie(Effect.retry(store.presence(), { ...whileLocked, while: isPassing }))),
      at: now(),
      asking: -Infinity
    }

    /**
     * Whether keys of the database shut out who has none; undefined where the database must be asked. Who loses the
     * last key has not opened the router: only `ALLOW_ANONYMOUS` does, once no key is good any more.
     */
    const peekClosed = (): boolean | undefined => {
      if (presence.any && !allowAnonymous) return true
      return isSettled(presence) ? presence.active : undefined
    }

    const closed: Effect.Effect<boolean> = store.presence().pipe(
      Effect.tap((found) => Effect.sync(() => Object.assign(presence, found))),
      briefly(presence),
      Effect.map(() => presence.active)
    )

    return { byId: (id: string) => byId.get(id), closed, find, peek, peekClosed }
  })
}) {}

interface Known extends Asked {
  readonly key: StoredKey
}

/** What the database said at a time. */
interface Asked {
  at: number
  /** Since when it is being asked again. */
  asking: number
}

/** Milliseconds; a key that is made, revoked or expired is so for every process this long after at most. */
const BELIEVED = 2000

/** For what is known from before. */
const SHORT_LOOK = Duration.millis(250)

/** For a key that was never seen. */
const LONGEST_LOOK = Duration.seconds(5)

/** Hashes of keys that are none. */
const MOST_STRANGERS = 10_000
