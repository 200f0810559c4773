import { Chunk, Effect, ExecutionStrategy, Exit, Scope, Stream } from "effect"
import { MediaFailure } from "../../../domain/Errors.ts"
import { field, numberField, parseJson, stringField } from "../../../domain/Json.ts"
import type { Segment } from "../../../domain/media/Evidence.ts"
import { AppConfig } from "../../AppConfig.ts"
import { Subprocess } from "../Subprocess.ts"
import type { Child } from "../Subprocess.ts"
import { EngineFailed, languageFor, localSeats, modelLabel } from "../Whisper.ts"
import type { Listener, Transcription, WhisperEngine } from "../Whisper.ts"
import { WhisperModels } from "../WhisperModels.ts"
import { workerPath } from "../workers/workerPath.ts"

/**
 * The bundled engine. It blocks its thread and cannot be stopped, so it lives in programs of its own, which keep the
 * weights from piece to piece and are ended with a piece that takes too long.
 */
export const makeAddon = Effect.gen(function* () {
  const { whisperModel, whisperThreads } = yield* AppConfig
  const subprocess = yield* Subprocess
  const models = yield* WhisperModels

  const ready: WhisperEngine["ready"] = ({ folder, language }) =>
    Effect.gen(function* () {
      const model = yield* models.path(whisperModel)
      const life = yield* Effect.scope
      const idle: Array<Worker> = []
      const command = {
        command: process.execPath,
        args: [workerPath("whisper"), model, String(whisperThreads), languageFor(model, language)],
        cwd: folder,
        timeout: "1 day"
      } as const

      const open = Effect.gen(function* () {
        const scope = yield* Scope.fork(life, ExecutionStrategy.sequential)
        const close = Scope.close(scope, Exit.void)
        return yield* Effect.flatMap(subprocess.open(command), (child) => started(child, close)).pipe(
          Effect.catchTag("SubprocessFailed", ({ message }) => Effect.fail(noEngine(message))),
          Scope.extend(scope),
          Effect.onError(() => close)
        )
      })

      // A first one, to see that there is an engine at all.
      idle.push(yield* open)

      const take = Effect.suspend(() => {
        const worker = idle.pop()
        return worker === undefined ? Effect.mapError(open, notStarted) : Effect.succeed(worker)
      })

      const transcribe = Effect.fn("WhisperAddon.transcribe")((pcm: Uint8Array) =>
        Effect.uninterruptibleMask((restore) =>
          Effect.flatMap(restore(take), (worker) =>
            restore(worker.ask(pcm)).pipe(
              Effect.onExit((exit) =>
                Exit.isSuccess(exit) ? Effect.sync(() => idle.push(worker)) : worker.close
              )
            )
          )
        )
      )

      const rest = Effect.suspend(() =>
        Effect.forEach(idle.splice(0), ({ close }) => close, { discard: true })
      )

      const listener: Listener = {
        engine: "whisper.cpp (bundled)",
        model: modelLabel(model),
        transcribe,
        rest
      }
      return listener
    })

  return { seats: localSeats(whisperThreads), ready }
})

interface Worker {
  readonly ask: (pcm: Uint8Array) => Effect.Effect<Transcription, EngineFailed>
  readonly close: Effect.Effect<void>
}

/** Waits until the weights are loaded. */
const started = Effect.fnUntraced(function* (child: Child, close: Effect.Effect<void>) {
  const gone = Effect.matchEffect(child.exit, {
    onSuccess: () => Effect.fail(stopped("it ended")),
    onFailure: ({ message }) => Effect.fail(stopped(message))
  })
  const pull = yield* child.output.pipe(Stream.decodeText(), Stream.splitLines, Stream.toPull)
  let lines: ReadonlyArray<string> = []
  const next: Effect.Effect<unknown, EngineFailed> = Effect.suspend(() => {
    const [line, ...others] = lines
    lines = others
    if (line !== undefined) return Effect.succeed(parseJson(line))
    return Effect.matchEffect(pull, {
      onFailure: () => gone,
      onSuccess: (more) => {
        lines = Chunk.toReadonlyArray(more)
        return next
      }
    })
  })

  const first = yield* Effect.mapError(next, ({ detail }) => noEngine(detail))
  if (field(first, "ready") !== true) return yield* noEngine(stringField(first, "detail") ?? "")

  const answer = (segments: ReadonlyArray<Segment>): Effect.Effect<Transcription, EngineFailed> =>
    Effect.flatMap(next, (line) => {
      if (field(line, "done") === true)
        return Effect.succeed({ segments, language: stringField(line, "language") })
      if (field(line, "failed") !== undefined)
        return Effect.fail(stopped(stringField(line, "detail") ?? "without a reason"))
      return answer([...segments, ...segmentsIn(line)])
    })

  const ask = (pcm: Uint8Array) =>
    child.send(framed(pcm)).pipe(
      Effect.catchAll(() => gone),
      Effect.zipRight(answer([]))
    )
  const worker: Worker = { ask, close }
  return worker
})

const segmentsIn = (line: unknown): ReadonlyArray<Segment> => {
  const [from, to, text] = [numberField(line, "from"), numberField(line, "to"), stringField(line, "text")]
  if (from === undefined || to === undefined || text === undefined) return []
  return [{ from, to, text: text.trim() }]
}

const framed = (pcm: Uint8Array): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(pcm.length)
  return Buffer.concat([length, pcm])
}

const stopped = (detail: string) => new EngineFailed({ why: "the speech engine failed on it", detail })

const notStarted = ({ detail = "", message }: MediaFailure) =>
  new EngineFailed({ why: "the speech engine could not be started", detail: `${message} ${detail}` })

const noEngine = (detail: string) =>
  new MediaFailure({
    code: "tool_missing",
    message: "There is no speech engine here that works.",
    detail: `Install whisper-cli, or let \`percept models build-engine\` build it. The bundled engine: ${detail}`
  })
