/**
 * Eyes and ears for another Effect program. `media` is all of them, with what was seen before remembered where the
 * router remembers it; `analysis` is the same without a memory, and so without `Observer`. Both want `AppConfig`.
 */
import { Layer } from "effect"
import { senses } from "../senses.ts"
import * as Database from "../services/Database.ts"

/** From a link or a file to evidence, looked at once and then remembered in the database of the settings. */
export const media = senses.pipe(Layer.provideMerge(Database.layer))

export { MediaFailure } from "../domain/Errors.ts"
export { toSrt, toVtt } from "../domain/dialects/Subtitles.ts"
export { Evidence, isNothing } from "../domain/media/Evidence.ts"
export type { Blob, Frame, Heard, Picture, Seen, Segment } from "../domain/media/Evidence.ts"
export type { MediaFile, MediaKind, MediaType, Span } from "../domain/media/Media.ts"
export { findMedia } from "../domain/media/MediaRef.ts"
export type { MediaRef } from "../domain/media/MediaRef.ts"
export { render } from "../domain/media/Rendering.ts"
export { analysis } from "../senses.ts"
export { AppConfig } from "../services/AppConfig.ts"
export { Acquisition } from "../services/media/Acquisition.ts"
export { AudioPipeline } from "../services/media/AudioPipeline.ts"
export { Doctor } from "../services/media/Doctor.ts"
export { Ffmpeg } from "../services/media/Ffmpeg.ts"
export { ImagePipeline } from "../services/media/ImagePipeline.ts"
export { localFile } from "../services/media/LocalFile.ts"
export { MediaFetcher } from "../services/media/MediaFetcher.ts"
export { Observer } from "../services/media/Observer.ts"
export type { Observed, Want } from "../services/media/Observer.ts"
export { VideoPipeline } from "../services/media/VideoPipeline.ts"
export { WhisperModels } from "../services/media/WhisperModels.ts"
export { Workspace } from "../services/media/Workspace.ts"
export { YtDlp } from "../services/media/YtDlp.ts"
