import { Effect, Redacted } from "effect"
import * as crypto from "node:crypto"
import { ForeignOrigin, Unauthorized } from "../domain/Errors.ts"
import type { Exchange } from "../domain/Exchange.ts"
import { ApiKeys, isSameOrigin } from "./ApiKeys.ts"
import type { Caller, Refusal } from "./ApiKeys.ts"
import { AppConfig } from "./AppConfig.ts"

/** Lets in who may look at the record: by name and password where they are set, and by key as everywhere. */
export class RecordAccess extends Effect.Service<RecordAccess>()("percept/RecordAccess", {
  effect: Effect.gen(function* () {
    const { corsOrigins, uiPassword, uiUsername } = yield* AppConfig
    const keys = yield* ApiKeys
    const login =
      uiUsername === undefined || uiPassword === undefined
        ? undefined
        : digestOf(`${uiUsername}:${Redacted.value(uiPassword)}`)
    const guesses = yield* Effect.makeSemaphore(GUESSES_AT_ONCE)

    const admit = (exchange: Pick<Exchange, "header">): Effect.Effect<Caller, Refusal> => {
      if (login === undefined) return keys.admit(exchange)
      const pair = basicPair(exchange)
      if (pair === undefined) return byKey(exchange)
      // Right ones wait for their turn as well: no answer for a moment must not be an answer.
      return guesses.withPermits(1)(
        Effect.suspend(() =>
          crypto.timingSafeEqual(digestOf(pair), login)
            ? BY_LOGIN
            : Effect.tapErrorTag(byKey(exchange), "Unauthorized", () => AFTER_A_WHILE)
        )
      )
    }

    /** Who needs no key elsewhere still needs the password here. */
    const byKey = (exchange: Pick<Exchange, "header">) =>
      Effect.filterOrFail(
        keys.admit(exchange),
        ({ keyId }) => keyId !== null,
        () => NO_LOGIN
      )

    /** A browser sends a password it knows along with whatever any page makes it send. */
    const mayChange = (exchange: Pick<Exchange, "header">): Effect.Effect<void, ForeignOrigin> => {
      const origin = exchange.header("origin")
      const isOurs = origin === undefined || isSameOrigin(origin, exchange.header("host") ?? "")
      return isOurs || corsOrigins.includes(origin) ? Effect.void : FOREIGN
    }

    return { admit, mayChange }
  })
}) {}

/** Name and password, as a browser sends them. */
const basicPair = (exchange: Pick<Exchange, "header">): string | undefined => {
  const coded = /^basic +([^ ]+) *$/i.exec(exchange.header("authorization") ?? "")?.[1]
  return coded === undefined ? undefined : Buffer.from(coded, "base64").toString("utf8")
}

const digestOf = (text: string): Uint8Array => crypto.createHash("sha256").update(text).digest()

const FOREIGN = Effect.fail(
  new ForeignOrigin({ message: "Web pages of this origin may change nothing here; see CORS_ORIGINS." })
)
/** Who leaves sooner holds the place nevertheless. */
const AFTER_A_WHILE = Effect.uninterruptible(Effect.sleep("500 millis"))
const GUESSES_AT_ONCE = 8

const BY_LOGIN: Effect.Effect<Caller> = Effect.succeed({ keyId: null })
const NO_LOGIN = new Unauthorized({ message: "The record wants a key, or its own name and password." })
