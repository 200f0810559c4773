import { Effect, Either, Redacted } from "effect"
import * as crypto from "node:crypto"
import { isIP, isIPv4 } from "node:net"
import { ForeignOrigin, Unauthorized } from "../domain/Errors.ts"
import type { Exchange } from "../domain/Exchange.ts"
import { AppConfig } from "./AppConfig.ts"

/** Who is asking. Without keys everybody is `anonymous`. */
export interface Caller {
  readonly keyId: string | null
}

/** Lets a request in, or says why not. */
export class ApiKeys extends Effect.Service<ApiKeys>()("percept/ApiKeys", {
  effect: Effect.gen(function* () {
    const { allowAnonymous, apiKeys, corsOrigins } = yield* AppConfig
    const known = new Map(
      apiKeys.map((key) => {
        const digest = digestOf(Redacted.value(key))
        return [
          digest.slice(0, PREFIX),
          { digest: Buffer.from(digest), caller: { keyId: `env:${digest.slice(0, 8)}` } }
        ]
      })
    )

    const admit = (
      exchange: Pick<Exchange, "header">
    ): Either.Either<Caller, Unauthorized | ForeignOrigin> =>
      known.size > 0 ? byKey(exchange) : anonymously(exchange)

    const byKey = (exchange: Pick<Exchange, "header">): Either.Either<Caller, Unauthorized> => {
      const key = presentedKey(exchange)
      if (key === undefined) return NO_KEY
      const digest = digestOf(key)
      const match = known.get(digest.slice(0, PREFIX))
      return match !== undefined && crypto.timingSafeEqual(match.digest, Buffer.from(digest))
        ? Either.right(match.caller)
        : WRONG_KEY
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

/** Why this address must not be served without keys; undefined where it may. */
export const refusalToListen = (config: {
  readonly listenHost: string
  readonly apiKeys: ReadonlyArray<unknown>
  readonly allowAnonymous: boolean
}): string | undefined =>
  isLoopback(config.listenHost) || config.apiKeys.length > 0 || config.allowAnonymous
    ? undefined
    : `LISTEN_HOST=${config.listenHost} can be reached by others and no key is set. ` +
      `Set API_KEYS=a-long-random-key, or ALLOW_ANONYMOUS=true to serve everybody.`

const presentedKey = (exchange: Pick<Exchange, "header">): string | undefined => {
  const authorization = exchange.header("authorization")
  if (authorization === undefined) return exchange.header("x-api-key")?.trim()
  const space = authorization.indexOf(" ")
  const scheme = authorization.slice(0, space).toLowerCase()
  const rest = authorization.slice(space + 1).trim()
  if (scheme === "bearer") return rest
  if (scheme !== "basic") return exchange.header("x-api-key")?.trim()
  const pair = Buffer.from(rest, "base64").toString("utf8")
  return pair.slice(pair.indexOf(":") + 1)
}

/** Node 20.12 has a one-shot hash, four times as fast. */
const digestOf = (key: string): string => crypto.hash("sha256", key)

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

const isSameOrigin = (origin: string, host: string): boolean =>
  URL.canParse(origin) && new URL(origin).host === host.toLowerCase()

const PREFIX = 16
const ANONYMOUS: Either.Either<Caller> = Either.right({ keyId: null })
const NO_KEY = Either.left(
  new Unauthorized({ message: "This router wants an API key: send it as 'Authorization: Bearer <key>'." })
)
const WRONG_KEY = Either.left(new Unauthorized({ message: "That API key is not known here." }))
const FOREIGN_ORIGIN = Either.left(
  new ForeignOrigin({ message: "Web pages of this origin may not call this router; see CORS_ORIGINS." })
)
const FOREIGN_HOST = Either.left(
  new ForeignOrigin({ message: "This router answers to localhost and to addresses, not to this host name." })
)
