import { Effect, Either } from "effect"
import { KeysUnavailable, ModelForbidden, QuotaExceeded, RateLimited } from "../domain/Errors.ts"
import type { Exchange } from "../domain/Exchange.ts"
import { arrayField } from "../domain/Json.ts"
import type { JsonObject } from "../domain/Json.ts"
import { toDollars } from "../domain/Money.ts"
import type { NanoDollars } from "../domain/Money.ts"
import { fitsAny } from "../domain/NameGlob.ts"
import { keptIdIn } from "../domain/PresentedKey.ts"
import type { RequestRecord } from "../domain/RequestRecord.ts"
import { demandOf, worstCase } from "../domain/record/WorstCase.ts"
import type { Demand } from "../domain/record/WorstCase.ts"
import { ApiKeys } from "./ApiKeys.ts"
import type { Caller, Refusal } from "./ApiKeys.ts"
import { AppConfig } from "./AppConfig.ts"
import { Budgets } from "./Budgets.ts"
import { Catalogue } from "./gateway/Catalogue.ts"
import { ModelRouter } from "./gateway/ModelRouter.ts"
import type { Route } from "./gateway/ModelRouter.ts"
import { KeyRing } from "./KeyRing.ts"
import type { StoredKey } from "./KeyStore.ts"
import { RateLimits } from "./RateLimits.ts"
import type { Recording } from "./tracking/Recording.ts"

/** Why a key may not make a call. */
export type NotAdmitted = ModelForbidden | QuotaExceeded | RateLimited | KeysUnavailable

/** A request in the internal form of any endpoint; `undefined` for one that nobody can count beforehand. */
type Sent = { readonly body: JsonObject; readonly bytes: Uint8Array } | undefined

interface Asked {
  readonly body: JsonObject
  /** Undefined where the client leaves the choice to the router. */
  readonly model: string | undefined
}

/** What a key of the database is held to: its rates, its models, its budget. All others pass without a look. */
export class Admission extends Effect.Service<Admission>()("percept/Admission", {
  effect: Effect.gen(function* () {
    const { budgetUnknown } = yield* AppConfig
    const budgets = yield* Budgets
    const catalogue = yield* Catalogue
    const keys = yield* ApiKeys
    const ring = yield* KeyRing
    const router = yield* ModelRouter
    const rates = new RateLimits()

    /** At the door: who it is, and whether it knocks too often. */
    const enter = (exchange: Exchange, recording: Recording): Effect.Effect<void, Refusal | RateLimited> =>
      Effect.flatMap(keys.admit(exchange), (caller): Effect.Effect<void, RateLimited> => {
        recording.admitted(caller)
        const key = keyOf(caller.keyId)
        if (key?.rpm === undefined) return Effect.void
        const retryAfter = rates.request(key.id, key.rpm)
        return retryAfter === undefined ? Effect.void : Effect.fail(tooMany(key.rpm, retryAfter))
      })

    /** Before anything is done for it: why this key may not have its model; what nobody knows yet is judged later. */
    const refusal = ({ row }: Recording, { body, model }: Asked): ModelForbidden | undefined => {
      const key = keyOf(row.key_id)
      if (key?.models === undefined) return undefined
      const route = Either.getOrUndefined(router.route(model))
      return route === undefined ? undefined : forbiddenIn(key, row, route, fallbacksIn(body))
    }

    /** Right before a call: whether the key may use this model, has tokens left in its minute, and can pay for it. */
    const afford = (recording: Recording, route: Route, sent: Sent): Effect.Effect<void, NotAdmitted> => {
      const id = keptIdIn(recording.row.key_id)
      if (id === undefined) return Effect.void
      const key = ring.byId(id)
      if (key === undefined)
        return Effect.fail(new KeysUnavailable({ detail: `The key ${id} is not at hand.` }))
      return Effect.suspend((): Effect.Effect<void, NotAdmitted> => {
        const demand = sent === undefined ? undefined : demandOf(sent)
        const others = sent === undefined ? [] : fallbacksIn(sent.body)
        const forbidden = forbiddenIn(key, recording.row, route, others)
        if (forbidden !== undefined) return Effect.fail(forbidden)
        const limited = overTokens(key, recording, demand)
        if (limited !== undefined) return Effect.fail(limited)
        return key.budget === undefined ? Effect.void : pay(key, recording, dearest(route, demand, others))
      })
    }

    const pay = (key: StoredKey, { row }: Recording, nano: NanoDollars) =>
      nano === 0
        ? Effect.void
        : Effect.filterOrFail(
            budgets.hold({ id: row.internal_request_id, key: key.id, nano }),
            (held) => held,
            () => broke(key, nano)
          ).pipe(Effect.asVoid)

    /** Whether a request of the caller's may name this model. */
    const mayUse = ({ models }: Caller, name: string): boolean =>
      models === undefined || fitsAny(models, [name, ...namesOf(Either.getOrUndefined(router.route(name)))])

    /** Side calls ask for what the operator set, so they need no leave. */
    const forbiddenIn = (key: StoredKey, row: RequestRecord, route: Route, others: ReadonlyArray<string>) => {
      const { models } = key
      if (models === undefined || row.kind !== "main") return undefined
      const asked = row.model_requested_by_client
      const isAllowed = fitsAny(models, [asked, ...namesOf(route)])
      const other = others.find((other) => !fitsAny(models, [other]))
      return isAllowed && other === undefined
        ? undefined
        : forbidden(isAllowed ? (other ?? "") : (asked ?? route.model))
    }

    const overTokens = (key: StoredKey, { row }: Recording, demand: Demand | undefined) => {
      if (key.tpm === undefined) return undefined
      const guess =
        demand === undefined ? 0 : demand.promptTokens + (demand.answerTokens ?? 0) * demand.answers
      const retryAfter = rates.tokens(key.id, key.tpm, { row, guess })
      return retryAfter === undefined ? undefined : tooMuch(key.tpm, guess, retryAfter)
    }

    /** The worst case of whichever model may answer. */
    const dearest = (
      route: Route,
      demand: Demand | undefined,
      others: ReadonlyArray<string>
    ): NanoDollars => {
      if (FREE.has(route.provider.name)) return 0
      if (demand === undefined) return budgetUnknown
      const own = worstCase(demand, route.pricing, route.listed) ?? budgetUnknown
      const theirs = others.map((name) => {
        const model = catalogue.known(name).find(({ provider }) => provider === route.provider.name)
        return worstCase(demand, model?.pricing, model) ?? budgetUnknown
      })
      return Math.max(own, ...theirs)
    }

    const keyOf = (keyId: string | null): StoredKey | undefined => {
      const id = keptIdIn(keyId)
      return id === undefined ? undefined : ring.byId(id)
    }

    /** For what runs here and costs nothing: by the name that was asked for, or what the map makes of it. */
    const allow = ({ row }: Recording, asked: string, name: string): Effect.Effect<void, ModelForbidden> => {
      const models = keyOf(row.key_id)?.models
      return models === undefined || fitsAny(models, [asked, name])
        ? Effect.void
        : Effect.fail(forbidden(asked))
    }

    return { afford, allow, enter, mayUse, refusal }
  })
}) {}

/** What a model is called where it is. */
const namesOf = (route: Route | undefined): ReadonlyArray<string> =>
  route === undefined ? [] : [route.model, `${route.provider.name}:${route.model}`]

/** Models that OpenRouter may have answer in place of the first. */
const fallbacksIn = (body: JsonObject): ReadonlyArray<string> =>
  arrayField(body, "models").filter((name) => typeof name === "string")

const tooMany = (rpm: number, retryAfter: number) =>
  new RateLimited({
    message: `This key may make ${rpm} ${rpm === 1 ? "request" : "requests"} a minute; try again in ${retryAfter} s.`,
    type: "requests",
    retryAfter
  })

const tooMuch = (tpm: number, guess: number, retryAfter: number) =>
  new RateLimited({
    message:
      `This key may use ${tpm} tokens a minute, and this request may take ${guess}` +
      (guess > tpm ? "; make it smaller." : `; try again in ${retryAfter} s.`),
    type: "tokens",
    retryAfter
  })

const forbidden = (name: string) =>
  new ModelForbidden({
    message: `This key may not use the model '${name.slice(0, 200)}'; GET /v1/models lists those it may.`
  })

const broke = ({ budget = 0 }: StoredKey, nano: NanoDollars) =>
  new QuotaExceeded({
    message:
      `The budget of this key, $${toDollars(budget)}, does not hold the $${toDollars(nano)} this request may cost. ` +
      "A smaller max_tokens needs less."
  })

/** Who runs on the operator's own machines. */
const FREE: ReadonlySet<string> = new Set(["percept", "ollama"])
