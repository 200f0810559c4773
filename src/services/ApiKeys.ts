import { Effect, Either, Redacted } from "effect"
import * as crypto from "node:crypto"
import { isIP, isIPv4 } from "node:net"
import { ForeignOrigin, Unauthorized } from "../domain/Errors.ts"
import type { KeysUnavailable } from "../domain/Errors.ts"
import type { Exchange } from "../domain/Exchange.ts"
import { isOwnKey, KEPT_KEY, presentedKey } from "../domain/PresentedKey.ts"
import { AppConfig } from "./AppConfig.ts"
import { KeyRing } from "./KeyRing.ts"
import { digestOf } from "./KeyStore.ts"
import type { StoredKey } from "./KeyStore.ts"

/** Who is asking. Without keys everybody is `anonymous`. */
export interface Caller {
  readonly keyId: string | null
  /** Patterns of the models this key may use, where there are any. */
  readonly models?: ReadonlyArray<string> | undefined
}

/** Why somebody is not let in. */
export type Refusal = Unauthorized | ForeignOrigin | KeysUnavailable

/** Lets a request in, or says why not: at once by the environment's keys, by the database's where it shows one. */
export class ApiKeys extends Effect.Service<ApiKeys>()("percept/ApiKeys", {
  effect: Effect.gen(function* () {
    const { allowAnonymous, apiKeys, corsOrigins } = yield* AppConfig
    const ring = yield* KeyRing
    const known = new Map(
      apiKeys.map((key) => {
        const digest = digestOf(Redacted.value(key))
        return [
          digest.slice(0, PREFIX),
          { digest: Buffer.from(digest), caller: { keyId: `env:${digest.slice(0, 8)}` } }
        ]
      })
    )
    const longest = Math.max(0, ...apiKeys.map((key) => Redacted.value(key).length))

    const admit = (exchange: Pick<Exchange, "header">): Effect.Effect<Caller, Refusal> => {
      const key = presentedKey((name) => exchange.header(name))
      if (key === undefined) return known.size > 0 ? NO_KEY : withoutKey(exchange, NO_KEY)
      // What is longer than any key is not worth a look.
      const digest = key.length <= longest || isOwnKey(key) ? digestOf(key) : undefined
      const match = digest === undefined ? undefined : known.get(digest.slice(0, PREFIX))
      if (match !== undefined && digest !== undefined && isSame(match.digest, digest))
        return Either.right(match.caller)
      if (digest !== undefined && isOwnKey(key)) return byStore(digest)
      return known.size > 0 ? WRONG_KEY : withoutKey(exchange, WRONG_KEY)
    }

    const byStore = (digest: string): Effect.Effect<Caller, Refusal> => {
      const found = ring.peek(digest)
      return found === undefined
        ? Effect.flatMap(ring.find(digest), (key) => judged(key, digest))
        : judged(found, digest)
    }

    /** A key of the database shuts out who shows none. */
    const withoutKey = (
      exchange: Pick<Exchange, "header">,
      refusal: Either.Either<never, Unauthorized>
    ): Effect.Effect<Caller, Refusal> => {
      const closed = ring.peekClosed()
      if (closed !== undefined) return closed ? refusal : anonymously(exchange)
      return Effect.flatMap(ring.closed, (closed): Either.Either<Caller, Unauthorized | ForeignOrigin> =>
        closed ? refusal : anonymously(exchange)
      )
    }

    /** Open to this machine is not open to every web page this machine looks at. */
    const anonymously = (exchange: Pick<Exchange, "header">): Either.Either<Caller, ForeignOrigin> => {
      const origin = exchange.header("origin")
      const host = exchange.header("host") ?? ""
      if (!allowAnonymous && !isOwnName(host)) return FOREIGN_HOST
      if (origin === undefined || isSameOrigin(origin, host)) return ANONYMOUS
      return corsOrigins.includes("*") || corsOrigins.includes(origin) ? ANONYMOUS : FOREIGN_ORIGIN
    }

    return { admit }
  })
}) {}

/** Why this address must not be served without keys; undefined where it may. `closed`: by keys of the database. */
export const refusalToListen = (
  config: {
    readonly listenHost: string
    readonly apiKeys: ReadonlyArray<unknown>
    readonly allowAnonymous: boolean
  },
  closed = false
): string | undefined =>
  isLoopback(config.listenHost) || config.apiKeys.length > 0 || config.allowAnonymous || closed
    ? undefined
    : `LISTEN_HOST=${config.listenHost} can be reached by others and no key is set. ` +
      `Set API_KEYS=a-long-random-key, make a key with "percept keys create --name me", ` +
      `or set ALLOW_ANONYMOUS=true to serve everybody.`

const judged = (key: StoredKey | null, digest: string): Either.Either<Caller, Unauthorized> => {
  if (key === null || !isSame(Buffer.from(key.hash), digest)) return WRONG_KEY
  if (key.revokedAt !== undefined) return REVOKED
  if (key.expiresAt !== undefined && key.expiresAt <= Date.now()) return EXPIRED
  return Either.right({ keyId: KEPT_KEY + key.id, models: key.models })
}

const isSame = (one: Buffer, other: string): boolean =>
  one.length === other.length && crypto.timingSafeEqual(one, Buffer.from(other))

const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."))

/** A name that only a rebound DNS entry could have brought here is none of ours. */
const isOwnName = (host: string): boolean => {
  const name = host
    .toLowerCase()
    .replace(/:\d+$/, "")
    .replace(/^\[|\]$/g, "")
  return name === "" || name === "localhost" || name.endsWith(".localhost") || isIP(name) !== 0
}

export const isSameOrigin = (origin: string, host: string): boolean =>
  URL.canParse(origin) && new URL(origin).host === host.toLowerCase()

const PREFIX = 16
const ANONYMOUS: Either.Either<Caller> = Either.right({ keyId: null })
const NO_KEY = Either.left(
  new Unauthorized({ message: "This router wants an API key: send it as 'Authorization: Bearer <key>'." })
)
const WRONG_KEY = Either.left(new Unauthorized({ message: "That API key is not known here." }))
const REVOKED = Either.left(new Unauthorized({ message: "That API key has been revoked." }))
const EXPIRED = Either.left(new Unauthorized({ message: "That API key has expired." }))
const FOREIGN_ORIGIN = Either.left(
  new ForeignOrigin({ message: "Web pages of this origin may not call this router; see CORS_ORIGINS." })
)
const FOREIGN_HOST = Either.left(
  new ForeignOrigin({ message: "This router answers to localhost and to addresses, not to this host name." })
)
