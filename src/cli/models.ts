import { Console, Effect, Layer, Logger } from "effect"
import { ModelNotFound } from "../domain/Errors.ts"
import { contextOf, modalitiesOf } from "../domain/Model.ts"
import type { Model } from "../domain/Model.ts"
import { priced, toDollars } from "../domain/Money.ts"
import type { Pricing } from "../domain/Pricing.ts"
import { routing } from "../program.ts"
import { AppConfig } from "../services/AppConfig.ts"
import { Catalogue } from "../services/gateway/Catalogue.ts"
import { ModelRouter } from "../services/gateway/ModelRouter.ts"
import type { Route } from "../services/gateway/ModelRouter.ts"
import { Providers } from "../services/gateway/Provider.ts"
import { Redaction } from "../services/tracking/Redaction.ts"
import { NotDone } from "./words.ts"

/** `percept models list`: every name there is, or those of one provider. */
export const list = (words: ReadonlyArray<string>) =>
  withLists(
    Effect.gen(function* () {
      const catalogue = yield* Catalogue
      const wanted = providerIn(words)
      const names = (yield* Providers).map(({ name }) => name)
      if (wanted !== undefined && !names.includes(wanted))
        return yield* new NotDone({
          message: `There is no provider '${wanted}' here, but ${names.join(", ")}.`
        })
      const models = yield* catalogue.all()
      const told = wanted === undefined ? models : catalogue.listOf(wanted)
      for (const { id } of told) yield* Console.log(id)
      const trouble = wanted === undefined ? undefined : catalogue.troubles().get(wanted)
      if (trouble !== undefined) return yield* new NotDone({ message: noList(wanted ?? "", trouble) })
      yield* tellTroubles
    })
  )

/** `percept models resolve`: where a request for this name would go, by which rule, and what is known of the model. */
export const resolve = ([name]: ReadonlyArray<string>) =>
  withLists(
    Effect.gen(function* () {
      yield* (yield* Catalogue).all()
      yield* tellTroubles
      const route = yield* (yield* ModelRouter).route(name)
      if (route.provider.name === "percept" && route.listed === undefined)
        return yield* new ModelNotFound({ message: `There is no model '${route.model}'.` })
      for (const [key, value] of told(route)) yield* Console.log(`${key.padEnd(10)}${value}`)
    })
  )

const told = ({ listed, mapped, model, provider, rule }: Route): ReadonlyArray<readonly [string, string]> => [
  ["provider", provider.name],
  ["model", model],
  ["rule", mapped === undefined ? rule : `map+${rule}`],
  ["map", mapped ?? "no entry"],
  ["listed", listed === undefined ? "no" : listed.id === model ? "yes" : `yes, as ${listed.id}`],
  ["takes", modalitiesOf(listed).join(", ") || UNKNOWN],
  ["context", contextIn(listed)],
  ["price", priceIn(listed?.pricing)]
]

const contextIn = (listed: Model | undefined): string => {
  const tokens = contextOf(listed)
  return tokens === undefined ? UNKNOWN : `${tokens} tokens`
}

const priceIn = (pricing: Pricing | undefined): string => {
  const [prompt, completion, request] = [
    priced([[1_000_000, pricing?.prompt]]),
    priced([[1_000_000, pricing?.completion]]),
    priced([[1, pricing?.request ?? "0"]])
  ]
  if (prompt === undefined || completion === undefined || request === undefined) return UNKNOWN
  if (prompt < 0 || completion < 0 || request < 0) return "differs from request to request"
  if (prompt + completion + request === 0) return "nothing"
  const tokens = `$${toDollars(prompt)} in, $${toDollars(completion)} out per million tokens`
  return request === 0 ? tokens : `${tokens}, $${toDollars(request)} per request`
}

const tellTroubles = Effect.gen(function* () {
  for (const [provider, trouble] of (yield* Catalogue).troubles())
    yield* Console.error(noList(provider, trouble))
})

const noList = (provider: string, trouble: string): string =>
  `The model list of ${provider} cannot be had: ${trouble}`

const providerIn = (words: ReadonlyArray<string>): string | undefined => {
  const at = words.findIndex((word) => word === "--provider" || word.startsWith("--provider="))
  const word = words[at]
  return word === undefined ? undefined : word === "--provider" ? (words[at + 1] ?? "") : word.slice(11)
}

/** Everything that knows of names, and no server; what is wrong with lists is told by the commands themselves. */
const withLists = <A, E>(program: Effect.Effect<A, E, Catalogue | ModelRouter | Providers>) =>
  program.pipe(
    Effect.provide(
      routing.pipe(
        Layer.provide(Redaction.Default),
        Layer.provide(Logger.remove(Logger.defaultLogger)),
        Layer.provide(AppConfig.layerFromEnv)
      )
    )
  )

const UNKNOWN = "not said"
