import { Effect, Layer } from "effect"
import * as HttpServer from "./http/Server.ts"
import { routing } from "./routing.ts"
import { senses } from "./senses.ts"
import { Admission } from "./services/Admission.ts"
import { ApiKeys } from "./services/ApiKeys.ts"
import { AppConfig } from "./services/AppConfig.ts"
import { Budgets } from "./services/Budgets.ts"
import * as Database from "./services/Database.ts"
import { Completions } from "./services/gateway/Completions.ts"
import { Embeddings } from "./services/gateway/Embeddings.ts"
import { Gateway } from "./services/gateway/Gateway.ts"
import { Generations } from "./services/gateway/Generations.ts"
import { OllamaModels } from "./services/gateway/OllamaModels.ts"
import { SideCalls } from "./services/gateway/SideCalls.ts"
import { SpeechForwarder } from "./services/gateway/SpeechForwarder.ts"
import { Thoughts } from "./services/gateway/Thoughts.ts"
import { Describer } from "./services/media/Describer.ts"
import { Perception } from "./services/media/Perception.ts"
import { Presentation } from "./services/media/Presentation.ts"
import { SecondLook } from "./services/media/SecondLook.ts"
import { Transcriptions } from "./services/media/Transcriptions.ts"
import { KeyRing } from "./services/KeyRing.ts"
import { KeyStore } from "./services/KeyStore.ts"
import { MetricsReport } from "./services/MetricsReport.ts"
import { Meters } from "./services/Meters.ts"
import { Readiness } from "./services/Readiness.ts"
import { RecordAccess } from "./services/RecordAccess.ts"
import { Telemetry } from "./services/Telemetry.ts"
import { InFlight } from "./services/tracking/InFlight.ts"
import { RecordDetail } from "./services/tracking/read/Detail.ts"
import * as Answers from "./services/tracking/read/answers.ts"
import { EarlierLogs } from "./services/tracking/read/EarlierLogs.ts"
import { Export } from "./services/tracking/read/Export.ts"
import { MediaDetail } from "./services/tracking/read/MediaDetail.ts"
import { MediaList } from "./services/tracking/read/MediaList.ts"
import { ReadDatabase } from "./services/tracking/ReadDatabase.ts"
import { RecordAnswers } from "./services/tracking/RecordAnswers.ts"
import * as SearchFollower from "./services/tracking/SearchFollower.ts"
import { SearchIndex } from "./services/tracking/SearchIndex.ts"
import { Instances } from "./services/tracking/Instances.ts"
import { LiveFeed } from "./services/tracking/LiveFeed.ts"
import { Recorder } from "./services/tracking/Recorder.ts"
import { Redaction } from "./services/tracking/Redaction.ts"
import { RequestLog } from "./services/tracking/RequestLog.ts"
import { Retention } from "./services/tracking/Retention.ts"
import { TrackingRepo } from "./services/tracking/TrackingRepo.ts"

const requestLog = Layer.unwrapEffect(
  Effect.map(AppConfig, ({ enableLogging }) => (enableLogging ? RequestLog.layerFile : RequestLog.layerOff))
)

/** What a request's media become for the model that will answer. */
const perception = Layer.mergeAll(Perception.Default, SecondLook.Default).pipe(
  Layer.provideMerge(Presentation.Default),
  Layer.provideMerge(Describer.Default),
  Layer.provideMerge(SideCalls.Default),
  Layer.provideMerge(senses)
)

/** What is asked of the record, beside what writes it. */
const reads = Layer.mergeAll(
  EarlierLogs.Default,
  Export.Default,
  MediaDetail.Default,
  RecordAnswers.Default,
  RecordDetail.Default,
  SearchFollower.layer
).pipe(
  Layer.provideMerge(MediaList.Default),
  Layer.provideMerge(Answers.layer),
  Layer.provideMerge(SearchIndex.Default),
  Layer.provideMerge(ReadDatabase.Default)
)

/** Everything behind the HTTP surface, from what a request meets first down to the database. */
const services = Layer.mergeAll(Completions.Default, Generations.Default, MetricsReport.Default).pipe(
  Layer.provideMerge(Readiness.Default),
  Layer.provideMerge(Retention.layerTending),
  Layer.provideMerge(Layer.mergeAll(Gateway.Default, Embeddings.Default, OllamaModels.Default)),
  Layer.provideMerge(Transcriptions.Default),
  Layer.provideMerge(SpeechForwarder.Default),
  Layer.provideMerge(RecordAccess.Default),
  Layer.provideMerge(perception),
  Layer.provideMerge(Layer.mergeAll(Admission.Default, Thoughts.Default)),
  Layer.provideMerge(ApiKeys.Default),
  Layer.provideMerge(routing),
  Layer.provideMerge(reads),
  Layer.provideMerge(Layer.mergeAll(Recorder.Default, Budgets.Default, LiveFeed.Default)),
  Layer.provideMerge(Layer.mergeAll(requestLog, InFlight.Default, Meters.Default, Telemetry.Default)),
  Layer.provideMerge(Instances.Default),
  Layer.provideMerge(Layer.mergeAll(TrackingRepo.Default, Redaction.Default, KeyRing.Default)),
  Layer.provideMerge(KeyStore.Default),
  Layer.provideMerge(Database.layer)
)

/** The whole router; it wants nothing but its settings. */
export const router = HttpServer.layer.pipe(Layer.provideMerge(services))

/** The same with every request going through the contract. */
export const routerWithoutLanes = HttpServer.layerWithoutLanes.pipe(Layer.provideMerge(services))
