import { Layer } from "effect"
import { Acquisition } from "./services/media/Acquisition.ts"
import { AddressGuard } from "./services/media/AddressGuard.ts"
import { AudioPipeline } from "./services/media/AudioPipeline.ts"
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
import { SingleFlight } from "./services/media/SingleFlight.ts"
import { Subprocess } from "./services/media/Subprocess.ts"
import { VideoPipeline } from "./services/media/VideoPipeline.ts"
import * as WhisperEngines from "./services/media/WhisperEngines.ts"
import { WhisperModels } from "./services/media/WhisperModels.ts"
import { Workspace } from "./services/media/Workspace.ts"
import { YtDlp } from "./services/media/YtDlp.ts"

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

/** From a file or a link to evidence, with nothing remembered: it wants no database. */
export const analysis = Layer.mergeAll(Acquisition.Default, VideoPipeline.Default).pipe(
  Layer.provideMerge(Layer.mergeAll(AudioPipeline.Default, Looking.Default)),
  Layer.provideMerge(WhisperEngines.layer),
  Layer.provideMerge(tools)
)

/** Eyes and ears: from a link or a file to evidence, once for all who ask. */
export const senses = Observer.Default.pipe(
  Layer.provideMerge(Layer.mergeAll(MediaMemory.Default, MediaQueue.Default, SingleFlight.Default)),
  Layer.provideMerge(analysis)
)
