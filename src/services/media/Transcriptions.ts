import { Duration, Effect } from "effect"
import { open } from "node:fs/promises"
import * as Transcription from "../../domain/dialects/Transcription.ts"
import { InvalidRequest, MediaFailure } from "../../domain/Errors.ts"
import type { Failure } from "../../domain/Errors.ts"
import type { Exchange, HeaderList } from "../../domain/Exchange.ts"
import { parseJson, stringField } from "../../domain/Json.ts"
import { Heard, PIPELINE_VERSION } from "../../domain/media/Evidence.ts"
import type { Segment } from "../../domain/media/Evidence.ts"
import { mediumOf } from "../../domain/media/Item.ts"
import { sniff } from "../../domain/media/MagicBytes.ts"
import type { MediaFile } from "../../domain/media/Media.ts"
import { encodeEvent } from "../../domain/Sse.ts"
import { Admission } from "../Admission.ts"
import { AppConfig } from "../AppConfig.ts"
import { Catalogue } from "../gateway/Catalogue.ts"
import type { Speech } from "../gateway/Provider.ts"
import { SpeechForwarder } from "../gateway/SpeechForwarder.ts"
import { Recorder } from "../tracking/Recorder.ts"
import type { Recording } from "../tracking/Recording.ts"
import { stepping } from "../tracking/stepping.ts"
import { announcing, asComment } from "./Announcer.ts"
import type { Tell } from "./Announcer.ts"
import { AudioPipeline } from "./AudioPipeline.ts"
import { Ffmpeg } from "./Ffmpeg.ts"
import { MediaMemory } from "./MediaMemory.ts"
import { MediaQueue } from "./MediaQueue.ts"
import { Workspace } from "./Workspace.ts"

/** A form with one file in it, taken off the wire into a folder. */
export interface Form {
  readonly fields: Transcription.Fields
  readonly file: Omit<MediaFile, "type"> & { readonly filename: string }
}

/** The way of a transcription: admit, receive, listen or have a provider listen, answer; recorded like every request. */
export class Transcriptions extends Effect.Service<Transcriptions>()("percept/Transcriptions", {
  effect: Effect.gen(function* () {
    const { mediaTimeout, modelMap, videoMaxDuration, whisperModel } = yield* AppConfig
    const longest = Duration.toSeconds(videoMaxDuration)
    const admission = yield* Admission
    const audio = yield* AudioPipeline
    const catalogue = yield* Catalogue
    const ffmpeg = yield* Ffmpeg
    const memory = yield* MediaMemory
    const queue = yield* MediaQueue
    const recorder = yield* Recorder
    const speech = yield* SpeechForwarder
    const workspace = yield* Workspace

    const transcribe = <E extends Failure>(
      exchange: Exchange,
      receive: (folder: string) => Effect.Effect<Form, E>
    ) =>
      recorder.recording(exchange, (recording) =>
        Effect.scoped(
          Effect.gen(function* () {
            yield* admission.enter(exchange, recording)
            const folder = yield* workspace.folder
            const form = yield* receive(folder)
            const model = yield* Transcription.modelIn(form.fields)
            const renamed = modelMap.find(model)
            const name = renamed?.name ?? model
            if (!catalogue.hasLooked()) yield* catalogue.firstLook(name)
            if (!Transcription.isHeardHere(name, catalogue.known(name).length > 0)) {
              recording.askedElse({ model, stream: form.fields["stream"] === "true", text: asText(form) })
              return yield* speech.forward(yield* asSpeech(form), model, exchange, recording)
            }
            const request = yield* Transcription.decodeRequest(form.fields)
            recording.askedElse({ ...request, text: asText(form) })
            yield* admission.allow(recording, model, name)
            const rule = { rule: "percept", mapped: renamed?.entry }
            recording.routed({ provider: PERCEPT, model: whisperModel, ...rule, pricing: undefined })
            const file = { ...form.file, type: yield* typeOf(form.file.path) }
            const task = { file, folder, language: request.language, recording }
            const heard = yield* request.stream
              ? streamed(exchange, request, task)
              : listen({ ...task, onSegment: () => {}, tell: () => {} })
            yield* reply(exchange, request, heard, recording)
          })
        )
      )

    const listen = (task: Task & Listening) => stepping(task.recording)(heardOf(task))

    const heardOf = Effect.fn("Transcriptions.listen")(function* (task: Task & Listening) {
      const { file, language, onSegment, recording, tell } = task
      const started = performance.now()
      const id = `heard ${file.sha256} v${PIPELINE_VERSION} ${whisperModel} ${language ?? "auto"}`
      const known = yield* memory.recall(id, Heard)
      if (known !== undefined) known.segments.forEach(onSegment)
      else stage(recording, tell, "audio waiting")
      const heard = known ?? (yield* queue.inTurn(listenAnew(task)))
      if (known === undefined && heard.missed.length === 0) yield* memory.keep(id, Heard, heard, [])
      const millis = Math.round(performance.now() - started)
      const isKept = memory.isOn && heard.missed.length === 0
      recording.sighted([
        {
          ...{ kind: "audio", param: "file", label: "data", remembered: known !== undefined },
          ...{ entry: isKept ? mediumOf(id) : null, ms: millis, failure: null, shown: "evidence" }
        }
      ])
      recording.perceived({
        ...{ kinds: ["audio"], hits: known === undefined ? 0 : 1, millis, rerouted: false },
        line: `audio 1; ${known === undefined ? "" : "1 remembered; "}${millis} ms`
      })
      return heard
    })

    const listenAnew = Effect.fnUntraced(
      function* ({ file, folder, language, onSegment, recording, tell }: Task & Listening) {
        stage(recording, tell, "audio listening")
        const probe = yield* ffmpeg.probe(file, folder)
        if ((probe.duration ?? 0) > longest) return yield* tooLong(longest)
        const progress = (share: number) =>
          stage(recording, tell, `audio listening ${Math.floor(share * 100)}%`)
        const options = { folder, onSegment, progress }
        return yield* audio.listen(file, probe, language === undefined ? options : { ...options, language })
      },
      Effect.timeoutFail({ duration: mediaTimeout, onTimeout: () => TOOK_TOO_LONG })
    )

    /** Words go out as they are understood. */
    const streamed = (exchange: Exchange, request: Transcription.TranscriptionRequest, task: Task) => {
      const deltaOf = Transcription.makeDeltas()
      const onSegment = (segment: Segment) => {
        const delta = deltaOf(segment)
        if (delta !== undefined) exchange.aside(encodeEvent(delta))
      }
      return announcing(exchange, request, (tell) => listen({ ...task, onSegment, tell }), asComment)
    }

    const reply = (
      exchange: Exchange,
      request: Transcription.TranscriptionRequest,
      heard: Heard,
      recording: Recording
    ) =>
      Effect.sync(() => {
        const { body, contentType } = Transcription.answer(heard, request)
        const isJson = contentType.startsWith("application/json")
        const words = isJson ? (stringField(parseJson(body), "text") ?? "") : body
        recording.answeredElse(isJson ? body : JSON.stringify(body), words.length)
        if (!request.stream) return exchange.text(200, contentType, Buffer.from(body), about(recording))
        exchange.aside(encodeEvent(Transcription.doneEvent(heard)))
        exchange.write(encodeEvent("[DONE]"))
        exchange.end()
      })

    return { transcribe }
  })
}) {}

/** A sound that is to be heard. */
interface Task {
  readonly file: MediaFile
  readonly folder: string
  readonly language: string | undefined
  readonly recording: Recording
}

/** Who wants to know how it goes. */
interface Listening {
  readonly onSegment: (segment: Segment) => void
  readonly tell: Tell
}

const stage = (recording: Recording, tell: Tell, line: string): void => {
  recording.stage = line
  tell(line)
}

const about = ({ media }: Recording): HeaderList => (media === undefined ? [] : ["x-percept-media", media])

const tooLong = (longest: number) =>
  new MediaFailure({
    code: "too_long",
    message: `It is longer than the ${Math.round(longest / 36) / 100} hours that are taken.`
  })

const TOOK_TOO_LONG = new MediaFailure({ code: "timeout", message: "It took too long to listen to it." })

const PERCEPT = { name: "percept" }

/** Some providers go by the ending of a name, so a name without one gets it. */
const asSpeech = ({ fields, file }: Form): Effect.Effect<Speech, MediaFailure> =>
  Effect.map(headOf(file.path), (head) => {
    const { filename } = file
    const [, ending] = /\.([a-z0-9]{2,5})$/i.exec(filename) ?? []
    const format = sniff(head)?.container ?? ending?.toLowerCase() ?? "wav"
    const named = ending === undefined ? `${filename || "audio"}.${format}` : filename
    return { fields, file: { path: file.path, bytes: file.bytes, filename: named, format } }
  })

/** By its first bytes: what a client calls its file is no more than a name. */
const typeOf = (path: string) =>
  Effect.flatMap(headOf(path), (head) => {
    const type = sniff(head)
    return type === undefined || type.kind === "image"
      ? Effect.fail(
          new InvalidRequest({ message: "'file' is no sound or video.", param: "file", code: null })
        )
      : Effect.succeed(type)
  })

const headOf = (path: string): Effect.Effect<Uint8Array, MediaFailure> =>
  Effect.tryPromise({
    try: async () => {
      const file = await open(path)
      try {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(4096), 0, 4096, 0)
        return buffer.subarray(0, bytesRead)
      } finally {
        await file.close()
      }
    },
    catch: (error) =>
      new MediaFailure({ code: "broken", message: "The file could not be read.", detail: String(error) })
  })

/** What the record keeps of a form: its fields, and what its file was. */
const asText = ({ fields, file }: Form): string =>
  JSON.stringify({ ...fields, file: { filename: file.filename, bytes: file.bytes, sha256: file.sha256 } })
