import { Effect, Layer } from "effect"
import * as HttpServer from "./http/Server.ts"
import { ApiKeys } from "./services/ApiKeys.ts"
import { AppConfig } from "./services/AppConfig.ts"
import * as Database from "./services/Database.ts"
import { Catalogue } from "./services/gateway/Catalogue.ts"
import { Gateway } from "./services/gateway/Gateway.ts"
import { ModelRouter } from "./services/gateway/ModelRouter.ts"
import { Providers } from "./services/gateway/Provider.ts"
import { inspect } from "./services/gateway/providers/Inspect.ts"
import { Connections } from "./services/gateway/providers/OpenAiCompatible.ts"
import * as OpenRouter from "./services/gateway/providers/OpenRouter.ts"
import { Perception } from "./services/media/Perception.ts"
import { Readiness } from "./services/Readiness.ts"
import { InFlight } from "./services/tracking/InFlight.ts"
import { Instances } from "./services/tracking/Instances.ts"
import { Recorder } from "./services/tracking/Recorder.ts"
import { Redaction } from "./services/tracking/Redaction.ts"
import { RequestLog } from "./services/tracking/RequestLog.ts"
import { TrackingRepo } from "./services/tracking/TrackingRepo.ts"

/** Who can answer: a provider is there when its key or address is. */
const providers = Layer.effect(
  Providers,
  Effect.gen(function* () {
    const { openRouterKey } = yield* AppConfig
    const openRouter = openRouterKey === undefined ? [] : [yield* OpenRouter.make(openRouterKey)]
    return [...openRouter, inspect]
  })
)

const requestLog = Layer.unwrapEffect(
  Effect.map(AppConfig, ({ enableLogging }) => (enableLogging ? RequestLog.layerFile : RequestLog.layerOff))
)

/** Everything behind the HTTP surface, from what a request meets first down to the database. */
const services = Layer.mergeAll(Gateway.Default, Readiness.Default).pipe(
  Layer.provideMerge(Layer.mergeAll(ApiKeys.Default, Perception.Default, ModelRouter.Default)),
  Layer.provideMerge(Catalogue.Default),
  Layer.provideMerge(providers),
  Layer.provideMerge(Connections.Default),
  Layer.provideMerge(Recorder.Default),
  Layer.provideMerge(Layer.mergeAll(requestLog, InFlight.Default, Instances.Default)),
  Layer.provideMerge(Layer.mergeAll(TrackingRepo.Default, Redaction.Default)),
  Layer.provideMerge(Database.layer)
)

/** The whole router; it wants nothing but its settings. */
export const router = HttpServer.layer.pipe(Layer.provideMerge(services))

/** The same with every request going through the contract. */
export const routerWithoutLanes = HttpServer.layerWithoutLanes.pipe(Layer.provideMerge(services))
