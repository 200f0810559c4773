import { Effect } from "effect"
import { readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { arrayField, field, numberField, parseJson, stringField } from "../../../domain/Json.ts"
import type { Segment } from "../../../domain/media/Evidence.ts"
import { AppConfig } from "../../AppConfig.ts"
import type { Tool } from "../MediaTools.ts"
import { Subprocess } from "../Subprocess.ts"
import { EngineFailed, languageFor, localSeats, modelLabel } from "../Whisper.ts"
import type { Listener, Transcription, WhisperEngine } from "../Whisper.ts"
import { WhisperModels } from "../WhisperModels.ts"
import { wav } from "./Wav.ts"

/** whisper.cpp's own program, started once per piece: loading the weights is a tenth of a second, and to end it is easy. */
export const makeCli = Effect.gen(function* () {
  const { whisperDevice, whisperModel, whisperThreads } = yield* AppConfig
  const subprocess = yield* Subprocess
  const models = yield* WhisperModels

  const ready =
    (tool: Tool): WhisperEngine["ready"] =>
    ({ folder, language }) =>
      Effect.gen(function* () {
        const model = yield* models.path(whisperModel)
        const fixed = [
          ...["-m", model, "-t", String(whisperThreads), "-l", languageFor(model, language)],
          ...(whisperDevice === "cpu" ? ["-ng"] : []),
          // Greedy costs a third less and hears the same words. Sounds may be named: unnamed, they become words.
          ...["-bs", "1", "-bo", "1", "-np", "-oj"]
        ]
        let pieces = 0

        const transcribe = Effect.fn("WhisperCli.transcribe")(function* (pcm: Uint8Array) {
          const base = join(folder, `piece-${pieces++}`)
          const [sound, result] = [`${base}.wav`, `${base}.json`]
          yield* Effect.addFinalizer(() =>
            Effect.promise(() => Promise.all([rm(sound, { force: true }), rm(result, { force: true })]))
          )
          yield* attempt(() => writeFile(sound, wav(pcm), { mode: 0o600 }))
          yield* subprocess
            .run({
              command: tool.path,
              args: [...fixed, "-of", base, "-f", sound],
              cwd: folder,
              timeout: LONGEST_LIFE
            })
            .pipe(Effect.mapError(({ message }) => stopped(message)))
          const said = parseJson(yield* attempt(() => readFile(result, "utf8")))
          if (said === undefined) return yield* stopped("its result is no JSON")
          return transcriptionIn(said)
        }, Effect.scoped)

        const listener: Listener = {
          engine: /^\d/.test(tool.version) ? `whisper-cli ${tool.version}` : "whisper-cli",
          model: modelLabel(whisperModel),
          transcribe,
          rest: Effect.void
        }
        return listener
      })

  return { seats: localSeats(whisperThreads), ready }
})

/** Times are milliseconds in it. */
const transcriptionIn = (said: unknown): Transcription => ({
  language: stringField(field(said, "result"), "language"),
  segments: arrayField(said, "transcription").flatMap((entry): ReadonlyArray<Segment> => {
    const [from, to] = [
      numberField(field(entry, "offsets"), "from"),
      numberField(field(entry, "offsets"), "to")
    ]
    const text = stringField(entry, "text")?.trim()
    if (from === undefined || to === undefined || text === undefined) return []
    return [{ from: from / 1000, to: to / 1000, text }]
  })
})

const attempt = <A>(work: () => Promise<A>) =>
  Effect.tryPromise({ try: work, catch: (error) => stopped(String(error)) })

const stopped = (detail: string) => new EngineFailed({ why: "the speech engine failed on it", detail })

/** The pieces' own limit is shorter; this is for what slips through it. */
const LONGEST_LIFE = "10 minutes"
