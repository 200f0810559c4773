import { HttpApiBuilder } from "@effect/platform"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { Duration, Effect, Layer } from "effect"
import * as EmbeddingsDialect from "../domain/dialects/Embeddings.ts"
import { ModelNotFound } from "../domain/Errors.ts"
import type { Exchange } from "../domain/Exchange.ts"
import type { Model } from "../domain/Model.ts"
import { Admission } from "../services/Admission.ts"
import { ApiKeys } from "../services/ApiKeys.ts"
import { AppConfig } from "../services/AppConfig.ts"
import { Catalogue } from "../services/gateway/Catalogue.ts"
import { Completions } from "../services/gateway/Completions.ts"
import { Embeddings } from "../services/gateway/Embeddings.ts"
import { Gateway } from "../services/gateway/Gateway.ts"
import { Transcriptions } from "../services/media/Transcriptions.ts"
import { Readiness } from "../services/Readiness.ts"
import { Api } from "./contract.ts"
import { Exchanges } from "./Exchanges.ts"
import { remembered } from "./mediaHandlers.ts"
import { metrics } from "./metricsHandlers.ts"
import { ollama } from "./ollamaHandlers.ts"
import { page } from "./pageHandlers.ts"
import { record } from "./recordHandlers.ts"
import { recordFigures } from "./recordFiguresHandlers.ts"
import { recordStreams } from "./recordStreamHandlers.ts"
import { receive } from "./Upload.ts"

const chat = HttpApiBuilder.group(Api, "chat", (handlers) =>
  Effect.gen(function* () {
    const { answered } = yield* Exchanges
    const gateway = yield* Gateway
    return handlers.handleRaw("complete", ({ request }) =>
      answered(request, (exchange) => Effect.ignore(gateway.complete(exchange)))
    )
  })
)

const completions = HttpApiBuilder.group(Api, "completions", (handlers) =>
  Effect.gen(function* () {
    const { answered } = yield* Exchanges
    const { complete } = yield* Completions
    return handlers.handleRaw("complete", ({ request }) =>
      answered(request, (exchange) => Effect.ignore(complete(exchange)))
    )
  })
)

const embeddings = HttpApiBuilder.group(Api, "embeddings", (handlers) =>
  Effect.gen(function* () {
    const { answered } = yield* Exchanges
    const embed = (yield* Embeddings).embed(EmbeddingsDialect.decode)
    return handlers.handleRaw("embed", ({ request }) =>
      answered(request, (exchange) => Effect.ignore(embed(exchange)))
    )
  })
)

const models = HttpApiBuilder.group(Api, "models", (handlers) =>
  Effect.gen(function* () {
    const { answered } = yield* Exchanges
    const admission = yield* Admission
    const catalogue = yield* Catalogue
    const keys = yield* ApiKeys

    const list = Effect.fn("models.list")(function* (exchange: Exchange) {
      const caller = yield* keys.admit(exchange)
      const models = yield* catalogue.all()
      const data = models.filter(({ id }) => admission.mayUse(caller, id)).map(asListed)
      send(exchange, { object: "list", data })
    })

    const retrieve = Effect.fn("models.retrieve")(function* (exchange: Exchange) {
      const caller = yield* keys.admit(exchange)
      const id = decoded(exchange.path.slice("/v1/models/".length))
      const model = yield* catalogue.find(id)
      if (model === undefined || !admission.mayUse(caller, id))
        return yield* new ModelNotFound({ message: `There is no model '${id.slice(0, 200)}'.` })
      send(exchange, asListed(model))
    })

    return handlers
      .handleRaw("list", ({ request }) => answered(request, list))
      .handleRaw("retrieve", ({ request }) => answered(request, retrieve))
  })
)

const audio = HttpApiBuilder.group(Api, "audio", (handlers) =>
  Effect.gen(function* () {
    const { audioMaxMb, bodyTimeout } = yield* AppConfig
    const { answered } = yield* Exchanges
    const transcriptions = yield* Transcriptions
    const limits = { fileBytes: audioMaxMb * 1024 * 1024, millis: Duration.toMillis(bodyTimeout) }
    return handlers.handleRaw("transcribe", ({ request }) =>
      answered(request, (exchange) =>
        Effect.ignore(
          transcriptions.transcribe(exchange, (folder) =>
            receive(NodeHttpServerRequest.toIncomingMessage(request), folder, limits)
          )
        )
      )
    )
  })
)

const operation = HttpApiBuilder.group(Api, "operation", (handlers) =>
  Effect.gen(function* () {
    const readiness = yield* Readiness
    return handlers
      .handle("alive", () => Effect.succeed({ status: "ok" as const }))
      .handle("ready", () => {
        const report = readiness.report()
        return report.status === "ready" ? Effect.succeed(report) : Effect.fail(report)
      })
  })
)

export const layer = Layer.mergeAll(
  chat,
  completions,
  embeddings,
  models,
  audio,
  ollama,
  record,
  recordFigures,
  operation,
  metrics,
  recordStreams,
  remembered,
  page
)

const send = (exchange: Exchange, value: unknown): void =>
  exchange.json(200, Buffer.from(JSON.stringify(value)))

/** The provider's own entry, with what OpenAI's clients look for added where it is missing. */
const asListed = ({ entry, id, provider }: Model) => ({
  object: "model",
  created: 0,
  owned_by: id.includes("/") ? id.slice(0, id.indexOf("/")) : provider,
  ...entry,
  id
})

const decoded = (path: string): string => {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
