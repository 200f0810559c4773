import { Effect, Layer } from "effect"
import * as HttpServer from "./http/Server.ts"
import { Admission } from "./services/Admission.ts"
import { ApiKeys } from "./services/ApiKeys.ts"
import { AppConfig } from "./services/AppConfig.ts"
import { Budgets } from "./services/Budgets.ts"
import * as Database from "./services/Database.ts"
import { Catalogue } from "./services/gateway/Catalogue.ts"
import { Completions } from "./services/gateway/Completions.ts"
import { Embeddings } from "./services/gateway/Embeddings.ts"
import { Gateway } from "./services/gateway/Gateway.ts"
import { Generations } from "./services/gateway/Generations.ts"
import { ModelRouter } from "./services/gateway/ModelRouter.ts"
import { OllamaModels } from "./services/gateway/OllamaModels.ts"
import { Providers } from "./services/gateway/Provider.ts"
import { SideCalls } from "./services/gateway/SideCalls.ts"
import { SpeechForwarder } from "./services/gateway/SpeechForwarder.ts"
import * as HuggingFace from "./services/gateway/providers/HuggingFace.ts"
import { inspect } from "./services/gateway/providers/Inspect.ts"
import * as Ollama from "./services/gateway/providers/Ollama.ts"
import * as OpenAi from "./services/gateway/providers/OpenAi.ts"
import { Connections } from "./services/gateway/providers/OpenAiCompatible.ts"
import * as OpenRouter from "./services/gateway/providers/OpenRouter.ts"
import * as Upstream from "./services/gateway/providers/Upstream.ts"
import { Thoughts } from "./services/gateway/Thoughts.ts"
import { Acquisition } from "./services/media/Acquisition.ts"
import { AddressGuard } from "./services/media/AddressGuard.ts"
import { AudioPipeline } from "./services/media/AudioPipeline.ts"
import { Describer } from "./services/media/Describer.ts"
import { Doctor } from "./services/media/Doctor.ts"
import { EgressProxy } from "./services/media/EgressProxy.ts"
import { Ffmpeg } from "./services/media/Ffmpeg.ts"
import { ImagePipeline } from "./services/media/ImagePipeline.ts"
import { Looking } from "./services/media/Looking.ts"
import { MediaFetcher } from "./services/media/MediaFetcher.ts"
import { MediaMemory } from "./services/media/MediaMemory.ts"
import { MediaQueue } from "./services/media/MediaQueue.ts"
import { MediaTools } from "./services/media/MediaTools.ts"
import { Observer } from "./services/media/Observer.ts"
import { Perception } from "./services/media/Perception.ts"
import { Presentation } from "./services/media/Presentation.ts"
import { SingleFlight } from "./services/media/SingleFlight.ts"
import { Subprocess } from "./services/media/Subprocess.ts"
import { Transcriptions } from "./services/media/Transcriptions.ts"
import { VideoPipeline } from "./services/media/VideoPipeline.ts"
import * as WhisperEngines from "./services/media/WhisperEngines.ts"
import { WhisperModels } from "./services/media/WhisperModels.ts"
import { Workspace } from "./services/media/Workspace.ts"
import { YtDlp } from "./services/media/YtDlp.ts"
import { KeyRing } from "./services/KeyRing.ts"
import { KeyStore } from "./services/KeyStore.ts"
import { Readiness } from "./services/Readiness.ts"
import { RecordAccess } from "./services/RecordAccess.ts"
import { InFlight } from "./services/tracking/InFlight.ts"
import { RecordDetail } from "./services/tracking/read/Detail.ts"
import { EarlierLogs } from "./services/tracking/read/EarlierLogs.ts"
import { EarlierStats } from "./services/tracking/read/EarlierStats.ts"
import { Export } from "./services/tracking/read/Export.ts"
import { RecordFacets } from "./services/tracking/read/Facets.ts"
import { RecordList } from "./services/tracking/read/List.ts"
import { RecordSeries } from "./services/tracking/read/Series.ts"
import { ShapeTable } from "./services/tracking/read/ShapeTable.ts"
import { RecordStats } from "./services/tracking/read/Stats.ts"
import { RecordSums } from "./services/tracking/read/Sums.ts"
import { ReadDatabase } from "./services/tracking/ReadDatabase.ts"
import * as SearchFollower from "./services/tracking/SearchFollower.ts"
import { SearchIndex } from "./services/tracking/SearchIndex.ts"
import { Instances } from "./services/tracking/Instances.ts"
import { LiveFeed } from "./services/tracking/LiveFeed.ts"
import { Recorder } from "./services/tracking/Recorder.ts"
import { Redaction } from "./services/tracking/Redaction.ts"
import { RequestLog } from "./services/tracking/RequestLog.ts"
import { Retention } from "./services/tracking/Retention.ts"
import { TrackingRepo } from "./services/tracking/TrackingRepo.ts"

/** Who can answer: a provider is there when its key or address is. */
const providers = Layer.effect(
  Providers,
  Effect.gen(function* () {
    const { huggingFaceKey, ollamaUrl, openAiKey, openRouterKey, upstreamUrl } = yield* AppConfig
    return [
      ...(openRouterKey === undefined ? [] : [yield* OpenRouter.make(openRouterKey)]),
      ...(openAiKey === undefined ? [] : [yield* OpenAi.make(openAiKey)]),
      ...(huggingFaceKey === undefined ? [] : [yield* HuggingFace.make(huggingFaceKey)]),
      ...(ollamaUrl === undefined ? [] : [yield* Ollama.make(ollamaUrl)]),
      ...(upstreamUrl === undefined ? [] : [yield* Upstream.make(upstreamUrl)]),
      inspect
    ]
  })
)

/** Names and lists: who can answer, and where a name goes. */
export const routing = ModelRouter.Default.pipe(
  Layer.provideMerge(Catalogue.Default),
  Layer.provideMerge(providers),
  Layer.provideMerge(Connections.Default)
)

const requestLog = Layer.unwrapEffect(
  Effect.map(AppConfig, ({ enableLogging }) => (enableLogging ? RequestLog.layerFile : RequestLog.layerOff))
)

/** What media are fetched, unpacked and decoded with: nothing here knows of chats. */
const tools = Layer.mergeAll(
  Doctor.Default,
  Ffmpeg.Default,
  ImagePipeline.Default,
  MediaFetcher.Default,
  WhisperModels.Default,
  YtDlp.Default
).pipe(
  Layer.provideMerge(EgressProxy.Default),
  Layer.provideMerge(AddressGuard.Default),
  Layer.provideMerge(MediaTools.Default),
  Layer.provideMerge(Workspace.Default),
  Layer.provideMerge(Subprocess.Default)
)

/** Eyes and ears: from a link or a file to evidence, once for all who ask. */
const senses = Observer.Default.pipe(
  Layer.provideMerge(Layer.mergeAll(Acquisition.Default, VideoPipeline.Default)),
  Layer.provideMerge(Layer.mergeAll(AudioPipeline.Default, Looking.Default)),
  Layer.provideMerge(WhisperEngines.layer),
  Layer.provideMerge(Layer.mergeAll(MediaMemory.Default, MediaQueue.Default, SingleFlight.Default)),
  Layer.provideMerge(tools)
)

/** What a request's media become for the model that will answer. */
const perception = Perception.Default.pipe(
  Layer.provideMerge(Presentation.Default),
  Layer.provideMerge(Describer.Default),
  Layer.provideMerge(SideCalls.Default),
  Layer.provideMerge(senses)
)

/** What is asked of the record, beside what writes it. */
const reads = Layer.mergeAll(
  EarlierLogs.Default,
  EarlierStats.Default,
  Export.Default,
  RecordDetail.Default,
  SearchFollower.layer
).pipe(
  Layer.provideMerge(Layer.mergeAll(RecordFacets.Default, RecordSeries.Default, RecordStats.Default)),
  Layer.provideMerge(Layer.mergeAll(RecordList.Default, RecordSums.Default)),
  Layer.provideMerge(Layer.mergeAll(SearchIndex.Default, ShapeTable.Default)),
  Layer.provideMerge(ReadDatabase.Default)
)

/** Everything behind the HTTP surface, from what a request meets first down to the database. */
const services = Layer.mergeAll(Completions.Default, Generations.Default, Readiness.Default).pipe(
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
  Layer.provideMerge(Layer.mergeAll(requestLog, InFlight.Default, Instances.Default)),
  Layer.provideMerge(Layer.mergeAll(TrackingRepo.Default, Redaction.Default, KeyRing.Default)),
  Layer.provideMerge(KeyStore.Default),
  Layer.provideMerge(Database.layer)
)

/** The whole router; it wants nothing but its settings. */
export const router = HttpServer.layer.pipe(Layer.provideMerge(services))

/** The same with every request going through the contract. */
export const routerWithoutLanes = HttpServer.layerWithoutLanes.pipe(Layer.provideMerge(services))
