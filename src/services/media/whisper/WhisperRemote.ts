import { Effect, Schedule } from "effect"
import { randomUUID } from "node:crypto"
import { Agent, request } from "undici"
import { arrayField, numberField, parseJson, stringField } from "../../../domain/Json.ts"
import type { Segment } from "../../../domain/media/Evidence.ts"
import { SAMPLE_RATE } from "../../../domain/media/SpeechGate.ts"
import { AppConfig } from "../../AppConfig.ts"
import { steadyConnector } from "../../SteadySocket.ts"
import { EngineFailed, modelLabel } from "../Whisper.ts"
import type { Listener, Transcription, WhisperEngine } from "../Whisper.ts"
import { wav } from "./Wav.ts"

/** A whisper-server, or any OpenAI-compatible transcription address that the operator chose. */
export const makeRemote = (address: URL) =>
  Effect.gen(function* () {
    const { whisperModel } = yield* AppConfig
    const agent = yield* Effect.acquireRelease(
      Effect.sync(
        () =>
          new Agent({
            connect: steadyConnector({ timeout: CONNECT }),
            headersTimeout: 0,
            bodyTimeout: SILENCE
          })
      ),
      (agent) => Effect.promise(() => agent.destroy())
    )
    const url = new URL(address)
    const login = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
    const authorization =
      login === ":" ? {} : { authorization: `Basic ${Buffer.from(login).toString("base64")}` }
    url.username = url.password = ""

    const post = (fields: Readonly<Record<string, string>>, sound: Uint8Array) =>
      Effect.tryPromise({
        try: async (signal) => {
          const { body, type } = form(fields, sound)
          const headers = { ...authorization, "content-type": type }
          const answer = await request(url, { method: "POST", dispatcher: agent, signal, headers, body })
          return { status: answer.statusCode, text: await textOf(answer.body) }
        },
        catch: (error) => new Refusal(undefined, codeOf(error))
      }).pipe(
        Effect.flatMap(({ status, text }) =>
          status === 200 ? Effect.succeed(text) : Effect.fail(new Refusal(status, text.slice(0, 500)))
        ),
        Effect.retry({ schedule: AGAIN, while: (refusal) => refusal.passing })
      )

    const ready: WhisperEngine["ready"] = ({ language }) =>
      Effect.sync(() => {
        const spoken = language === undefined ? {} : { language }
        // Some servers know no times; that is found out once per recording.
        let format = "verbose_json"
        const ask = (sound: Uint8Array): Effect.Effect<string, Refusal> =>
          post({ model: whisperModel, response_format: format, ...spoken }, sound).pipe(
            Effect.catchIf(
              ({ status }) => (status === 400 || status === 422) && format === "verbose_json",
              () => {
                format = "json"
                return ask(sound)
              }
            )
          )
        const transcribe = Effect.fn("WhisperRemote.transcribe")((pcm: Uint8Array) =>
          ask(wav(pcm)).pipe(
            Effect.mapError(({ detail, status }) =>
              failed(`${url.host} answers ${status ?? "not"}: ${detail}`)
            ),
            Effect.flatMap((text) => transcriptionIn(parseJson(text), pcm.length / 2 / SAMPLE_RATE))
          )
        )
        const listener: Listener = {
          engine: "remote",
          model: modelLabel(whisperModel),
          transcribe,
          rest: Effect.void
        }
        return listener
      })

    return { seats: SEATS, ready }
  })

/** What the server said no with; undefined where there was no answer at all. */
class Refusal {
  readonly status: number | undefined
  readonly detail: string

  constructor(status: number | undefined, detail: string) {
    this.status = status
    this.detail = detail
  }

  get passing(): boolean {
    return this.status === undefined || this.status === 408 || this.status === 429 || this.status >= 500
  }
}

const transcriptionIn = (said: unknown, length: number): Effect.Effect<Transcription, EngineFailed> => {
  const text = stringField(said, "text")?.trim()
  const segments = arrayField(said, "segments").flatMap(segmentOf)
  if (text === undefined && segments.length === 0)
    return Effect.fail(failed("the answer is no transcription"))
  const whole = text === undefined || text === "" ? [] : [{ from: 0, to: length, text }]
  return Effect.succeed({
    language: languageCode(stringField(said, "language")),
    segments: segments.length > 0 ? segments : whole
  })
}

const segmentOf = (entry: unknown): ReadonlyArray<Segment> => {
  const [from, to] = [numberField(entry, "start"), numberField(entry, "end")]
  const text = stringField(entry, "text")?.trim()
  return from === undefined || to === undefined || text === undefined ? [] : [{ from, to, text }]
}

/** Servers say `english` where others say `en`. */
const languageCode = (name: string | undefined): string | undefined => {
  if (name === undefined || name.length <= 3) return name
  const names = new Intl.DisplayNames("en", { type: "language" })
  const codes = LETTERS.flatMap((first) => LETTERS.map((second) => first + second))
  return codes.find((code) => names.of(code)?.toLowerCase() === name.toLowerCase()) ?? name
}

/** A form with a file, all in one piece, so that its length is known and it can be sent again. */
const form = (fields: Readonly<Record<string, string>>, sound: Uint8Array) => {
  const boundary = randomUUID()
  const part = (head: string) => `--${boundary}\r\nContent-Disposition: form-data; ${head}\r\n`
  const words = Object.entries(fields).map(([name, value]) => `${part(`name="${name}"`)}\r\n${value}\r\n`)
  const file = `${part('name="file"; filename="audio.wav"')}Content-Type: audio/wav\r\n\r\n`
  return {
    type: `multipart/form-data; boundary=${boundary}`,
    body: Buffer.concat([Buffer.from(words.join("") + file), sound, Buffer.from(`\r\n--${boundary}--\r\n`)])
  }
}

const textOf = async (body: AsyncIterable<Buffer>): Promise<string> => {
  const parts: Array<Buffer> = []
  let bytes = 0
  for await (const part of body) {
    bytes += part.length
    if (bytes > MOST_BYTES) throw new Error("the answer is too long")
    parts.push(part)
  }
  return Buffer.concat(parts).toString("utf8")
}

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : String(error)

const failed = (detail: string) => new EngineFailed({ why: "the speech engine failed on it", detail })

const AGAIN = Schedule.intersect(Schedule.jittered(Schedule.exponential("500 millis")), Schedule.recurs(2))

const LETTERS = Array.from("abcdefghijklmnopqrstuvwxyz")

/** One is being transcribed while the next is on its way. */
const SEATS = 2
const MOST_BYTES = 4 * 1024 * 1024
/** Milliseconds. */
const CONNECT = 10_000
const SILENCE = 60_000
