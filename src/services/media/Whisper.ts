import { Context, Data } from "effect"
import type { Effect, Scope } from "effect"
import { availableParallelism } from "node:os"
import { basename } from "node:path"
import type { MediaFailure } from "../../domain/Errors.ts"
import type { Segment } from "../../domain/media/Evidence.ts"

/** What an engine made of one piece of sound; its times count from the start of the piece. */
export interface Transcription {
  readonly segments: ReadonlyArray<Segment>
  readonly language: string | undefined
}

/** A piece could not be transcribed: `why` is for everyone to read, `detail` for the operator. */
export class EngineFailed extends Data.TaggedError("EngineFailed")<{
  readonly why: string
  readonly detail: string
}> {}

/** An engine made ready for one recording. */
export interface Listener {
  readonly engine: string
  readonly model: string
  /** 16 kHz, one channel, 16 bits. Interrupting it ends what works on the piece. */
  readonly transcribe: (pcm: Uint8Array) => Effect.Effect<Transcription, EngineFailed>
  /** Gives back what is kept only to be quicker with the next piece. */
  readonly rest: Effect.Effect<void>
}

export interface WhisperEngine {
  /** Pieces that may be worked on side by side, over all recordings. */
  readonly seats: number
  readonly ready: (options: {
    readonly folder: string
    /** Two letters; undefined lets the model find out. */
    readonly language: string | undefined
  }) => Effect.Effect<Listener, MediaFailure, Scope.Scope>
}

/** What turns speech into words, whichever engine does it. */
export class Whisper extends Context.Tag("percept/Whisper")<Whisper, WhisperEngine>() {}

/** Models whose name says so know English alone, and must not be asked for anything else. */
export const languageFor = (model: string, wished: string | undefined): string =>
  /\.en\b/.test(basename(model)) ? "en" : (wished ?? "auto")

/** What a model is called towards people: whisper.cpp's name for it, also where it was given as a path. */
export const modelLabel = (model: string): string => basename(model, ".bin").replace(/^ggml-/, "")

/** A piece keeps its threads busy, and more than four at once are more than one host should give. */
export const localSeats = (threads: number): number =>
  Math.max(1, Math.floor(Math.min(availableParallelism(), 4) / threads))
