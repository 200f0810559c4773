import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import { Console, Effect, Layer, Logger, LogLevel, Option } from "effect"
import { isHeardHere } from "../domain/dialects/Transcription.ts"
import { ModelNotFound } from "../domain/Errors.ts"
import { contextOf, modalitiesOf } from "../domain/Model.ts"
import type { Model } from "../domain/Model.ts"
import { priced, toDollars } from "../domain/Money.ts"
import type { Pricing } from "../domain/Pricing.ts"
import { routing } from "../routing.ts"
import { AppConfig } from "../services/AppConfig.ts"
import { Catalogue } from "../services/gateway/Catalogue.ts"
import { ModelRouter } from "../services/gateway/ModelRouter.ts"
import type { Route } from "../services/gateway/ModelRouter.ts"
import { Providers } from "../services/gateway/Provider.ts"
import { Redaction } from "../services/tracking/Redaction.ts"
import { build, help, pull } from "./speechModels.ts"
import { NotDone, said } from "./words.ts"

const name = Args.text({ name: "name" }).pipe(Args.optional, Args.map(Option.getOrUndefined))

/** `percept models`: names and where they go, and what listens. */
export const models = Command.make("models", {}, () => help).pipe(
  Command.withDescription("Models: list them, say where a name goes, fetch those that listen."),
  Command.withSubcommands([
    Command.make("list", { provider: said("provider", "Only this one's.") }, ({ provider }) =>
      list(provider)
    ).pipe(Command.withDescription("Every model there is, by name.")),
    Command.make("resolve", { name }, ({ name }) => resolve(name)).pipe(
      Command.withDescription("Where a request for this name goes, and why.")
    ),
    Command.make("pull", { name }, ({ name }) => pull(name)).pipe(
      Command.withDescription("Fetches a speech model into DATA_DIR/models.")
    ),
    Command.make("fetch", { name }, ({ name }) => pull(name)).pipe(
      Command.withDescription("The same as pull.")
    ),
    Command.make("build-engine", {}, () => build).pipe(
      Command.withDescription("Builds whisper-cli into DATA_DIR/bin; needs cmake and a compiler.")
    )
  ])
)

/** Every name there is, or those of one provider. */
const list = (wanted: string | undefined) =>
  withLists(
    Effect.gen(function* () {
      const catalogue = yield* Catalogue
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

/** Where a request for this name would go, by which rule, and what is known of the model. */
const resolve = (name: string | undefined) =>
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
  ["price", priceIn(listed?.pricing)],
  ...(rule !== "explicit" && isHeardHere(model, listed !== undefined) ? [SPEECH] : [])
]

/** What has to be said to the rest, which holds for chats. */
const SPEECH = ["speech", "heard on this machine under this name"] as const

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

/** Everything that knows of names, and no server; what is wrong with lists is told by the commands themselves. */
const withLists = <A, E>(program: Effect.Effect<A, E, Catalogue | ModelRouter | Providers>) =>
  program.pipe(
    Effect.provide(
      routing.pipe(
        Layer.provide(Redaction.Default),
        Layer.provide(Logger.minimumLogLevel(LogLevel.None)),
        Layer.provide(AppConfig.layerFromEnv)
      )
    )
  )

const UNKNOWN = "not said"
