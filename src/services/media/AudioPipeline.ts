import { Effect, Scope, Stream } from "effect"
import { MediaFailure } from "../../domain/Errors.ts"
import type { Heard, Segment } from "../../domain/media/Evidence.ts"
import type { MediaFile, Span } from "../../domain/media/Media.ts"
import { SpeechGate } from "../../domain/media/SpeechGate.ts"
import type { Piece } from "../../domain/media/SpeechGate.ts"
import { Transcript } from "../../domain/media/Transcript.ts"
import { noteStep } from "../tracking/noteStep.ts"
import { Ffmpeg } from "./Ffmpeg.ts"
import type { Probe } from "./Ffmpeg.ts"
import { EngineFailed, Whisper } from "./Whisper.ts"
import type { Listener, Transcription } from "./Whisper.ts"

export interface ListenOptions {
  readonly folder: string
  /** Two letters; undefined lets the speech model find out. */
  readonly language?: string
  readonly window?: Span
  /** Words as they are understood, in order. */
  readonly onSegment?: (segment: Segment) => void
  readonly progress?: (share: number) => void
}

/** Decoder → gate → speech model → net: what is said in a recording and when, and what could not be heard. */
export class AudioPipeline extends Effect.Service<AudioPipeline>()("percept/AudioPipeline", {
  effect: Effect.gen(function* () {
    const ffmpeg = yield* Ffmpeg
    const whisper = yield* Whisper
    const { inSeat } = yield* makeSeats(whisper.seats)

    const listen = Effect.fn("AudioPipeline.listen")(function* (
      file: MediaFile,
      probe: Probe,
      options: ListenOptions
    ) {
      const track = trackOf(probe, options.language)
      if (track === undefined) return yield* NO_SOUND
      const { folder, window } = options
      const gate = new SpeechGate()
      const decoding: { failure?: MediaFailure } = {}
      const pieces = ffmpeg.pcm(file, folder, { track, ...window }).pipe(
        // What was decoded before it broke off still counts.
        Stream.catchAll((failure) => Stream.execute(Effect.sync(() => (decoding.failure = failure)))),
        Stream.mapConcat((bytes) => gate.push(bytes)),
        Stream.concat(Stream.suspend(() => Stream.fromIterable(gate.end())))
      )
      const scope = yield* Effect.scope
      // Silence gets as far as neither an engine nor the fetching of its weights.
      const listener = yield* Effect.cached(
        Scope.extend(whisper.ready({ folder, language: options.language }), scope)
      )
      const report = makeReport(options, expectedLength(probe, window))
      yield* pieces.pipe(
        Stream.mapEffect(
          (piece) =>
            piece.steady ? Effect.succeed({ piece }) : Effect.flatMap(listener, hear(piece, report)),
          { concurrency: whisper.seats }
        ),
        Stream.runForEach((hearing) => Effect.sync(() => report.add(hearing)))
      )
      const { failure } = decoding
      if (failure !== undefined && gate.duration === 0) return yield* failure
      const heard = yield* report.heard(gate, failure)
      yield* noteStep(`${heard.segments.length} lines in ${Math.round(heard.duration)} s of sound`)
      return heard
    }, Effect.scoped)

    /** A piece that cannot be transcribed is a gap and not the end, until it looks as if none could be. */
    const hear =
      (piece: Piece, report: Report) =>
      (listener: Listener): Effect.Effect<Hearing> =>
        Effect.suspend(() =>
          report.isHopeless() ? GIVEN_UP : inSeat(listener, transcribe(listener, piece))
        ).pipe(
          Effect.match({
            onFailure: (failed) => ({ piece, listener, failed }),
            onSuccess: (transcription) => ({ piece, listener, transcription })
          })
        )

    return { listen }
  })
}) {}

const transcribe = (listener: Listener, piece: Piece) =>
  listener.transcribe(piece.pcm).pipe(
    Effect.timeoutFail({
      duration: `${20 + 3 * (piece.to - piece.from)} seconds`,
      onTimeout: () => TOO_SLOW
    }),
    Effect.tapError(({ detail, why }) =>
      Effect.logWarning(`A piece of sound was not heard: ${why}. ${detail}`)
    )
  )

/** Processors are shared by all recordings: who works while others wait keeps nothing for later. */
const makeSeats = (seats: number) =>
  Effect.map(Effect.makeSemaphore(seats), (semaphore) => {
    let wanting = 0
    const inSeat = <A, E>(listener: Listener, work: Effect.Effect<A, E>): Effect.Effect<A, E> =>
      Effect.acquireUseRelease(
        Effect.sync(() => wanting++),
        () =>
          Effect.ensuring(
            work,
            Effect.suspend(() => (wanting > seats ? listener.rest : Effect.void))
          ).pipe(semaphore.withPermits(1)),
        () => Effect.sync(() => wanting--)
      )
    return { inSeat }
  })

/** What came of a piece; nothing where there was nothing to understand. */
interface Hearing {
  readonly piece: Piece
  readonly listener?: Listener
  readonly transcription?: Transcription
  readonly failed?: EngineFailed
}

interface Report {
  readonly add: (hearing: Hearing) => void
  readonly isHopeless: () => boolean
  readonly heard: (gate: SpeechGate, broken: MediaFailure | undefined) => Effect.Effect<Heard, MediaFailure>
}

const makeReport = (options: ListenOptions, expected: number | undefined): Report => {
  const transcript = new Transcript(options.window?.from)
  let engine: Pick<Listener, "engine" | "model"> | undefined
  let understood = 0
  let failuresInRow = 0
  let firstFailure: EngineFailed | undefined

  const add = ({ failed, listener, piece, transcription }: Hearing) => {
    engine ??= listener
    if (failed !== undefined) {
      transcript.miss(piece, failed.why)
      failuresInRow++
      firstFailure ??= failed
    } else if (transcription === undefined) transcript.addNoise(piece)
    else {
      understood++
      failuresInRow = 0
      transcript
        .add(piece, transcription.segments, transcription.language)
        .forEach((words) => options.onSegment?.(words))
    }
    if (expected !== undefined) options.progress?.(Math.min(piece.to / expected, 1))
  }

  const heard = (gate: SpeechGate, broken: MediaFailure | undefined): Effect.Effect<Heard, MediaFailure> =>
    Effect.suspend(() => {
      if (firstFailure !== undefined && understood === 0) return Effect.fail(notListenedTo(firstFailure))
      const duration = broken === undefined ? gate.duration : Math.max(gate.duration, expected ?? 0)
      if (broken !== undefined) transcript.miss({ from: gate.duration, to: duration }, UNDECODED)
      options.progress?.(1)
      return Effect.succeed({
        source: "speech recognition",
        ...(engine === undefined ? {} : { engine: engine.engine, model: engine.model }),
        ...transcript.heard({ duration, active: gate.active })
      })
    })

  return { add, heard, isHopeless: () => failuresInRow >= HOPELESS }
}

/** The track that is meant to be heard, and among several the one in the wanted language. */
const trackOf = ({ audio }: Probe, language: string | undefined): number | undefined => {
  const meant = audio.filter(({ isDefault }) => isDefault)
  const tracks = meant.length > 0 ? meant : audio
  const spoken = tracks.find((track) => language !== undefined && track.language?.startsWith(language))
  return (spoken ?? tracks[0])?.index
}

const expectedLength = ({ duration }: Probe, window: Span | undefined): number | undefined => {
  if (window === undefined) return duration
  return Math.min(window.to, duration ?? window.to) - window.from
}

const NO_SOUND = new MediaFailure({ code: "unsupported", message: "There is no sound in it." })

const TOO_SLOW = new EngineFailed({ why: "the speech engine took too long", detail: "" })

const GIVEN_UP = Effect.fail(
  new EngineFailed({ why: "the speech engine had failed several times", detail: "" })
)

const notListenedTo = ({ detail, why }: EngineFailed) =>
  new MediaFailure({
    code: why === TOO_SLOW.why ? "timeout" : "tool_missing",
    message: `The sound could not be listened to, because ${why}.`,
    detail
  })

/** Why a stretch was missed that would be missed again. */
export const UNDECODED = "it could not be decoded"

/** Failures in a row after which no more are asked for. */
const HOPELESS = 3
