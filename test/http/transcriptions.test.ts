import { assert, describe, it } from "@effect/vitest"
import Database from "better-sqlite3"
import { Effect } from "effect"
import { createHash } from "node:crypto"
import { createReadStream, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import {
  APIError,
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  toFile,
  UnprocessableEntityError
} from "openai"
import type { Uploadable } from "openai"
import { root } from "../../scripts/fresh.mjs"
import { parseJson, stringField } from "../../src/domain/Json.ts"
import { all, openAi, raised, settled } from "../support/Clients.ts"
import { noise, quarters } from "../support/Images.ts"
import { asleep, nobodyWith } from "../support/Processes.ts"
import { eventually, startRouter, temporaryFolder } from "../support/Router.ts"
import type { Router } from "../support/Router.ts"
import { SAID, scribe } from "../support/Scribe.ts"
import { shared } from "../support/Shared.ts"
import { isDeserted, processesIn, slowTools } from "../support/SlowMedia.ts"
import { client, errorAnswer, eventsOf, finalRow, refusedWith, send } from "../support/Upstream.ts"
import type { Question, Verdict } from "../support/Upstream.ts"
import { linkWeights } from "../support/Weights.ts"
import { fixture, spoken, wordErrors } from "../support/Words.ts"

const PATH = "/v1/audio/transcriptions"
const speech = readFileSync(fixture("speech.opus"))

describe("the OpenAI client, with the speech engine that came with the router", () => {
  it.scopedLive(
    "gets what was said, word by word and in every form there is",
    () =>
      Effect.gen(function* () {
        const router = yield* startRouter({})
        linkWeights(router.dataDir)
        const openai = openAi(router)
        const file = createReadStream(fixture("speech.opus"))
        const events = yield* all(
          openai.audio.transcriptions.create({ file, model: "gpt-4o-mini-transcribe", stream: true })
        )
        const deltas = events.flatMap((event) =>
          event.type === "transcript.text.delta" ? [event.delta] : []
        )
        const text = deltas.join("")
        assert.isAtMost(wordErrors(spoken.library, text), 0.1, text)
        assert.strictEqual(events.length, deltas.length + 1)
        assert.strictEqual(events.at(-1)?.type, "transcript.text.done")
        assert.strictEqual(stringField(events.at(-1), "text"), text)

        const again = {
          file: yield* Effect.promise(() => toFile(speech, "the-same.ogg")),
          model: "whisper-local"
        }
        const verbose = yield* Effect.promise(() =>
          openai.audio.transcriptions.create({
            ...{ ...again, response_format: "verbose_json" as const },
            timestamp_granularities: ["segment"]
          })
        )
        assert.strictEqual(verbose.text, text)
        assert.strictEqual(verbose.language, "english")
        assert.approximately(Number(verbose.duration), 9.9, 0.05)
        const segments = verbose.segments ?? []
        const joined = segments.map((segment) => segment.text).join("")
        assert.strictEqual(joined.trim(), text)
        const times = segments.flatMap(({ end, start }) => [start, end])
        assert.isTrue(times.every((time, at) => time >= (times[at - 1] ?? 0) && time <= 9.91))

        const as = (response_format: "json" | "text" | "srt" | "vtt") =>
          Effect.promise<unknown>(() => openai.audio.transcriptions.create({ ...again, response_format }))
        assert.deepStrictEqual(yield* as("json"), { text, usage: { type: "duration", seconds: 10 } })
        assert.strictEqual(yield* as("text"), `${text}\n`)
        const [srt, vtt] = [String(yield* as("srt")), String(yield* as("vtt"))]
        assert.match(srt, /^1\n00:00:0\d,\d{3} --> 00:00:\d\d,\d{3}\nGood morning/)
        assert.match(vtt, /^WEBVTT\n\n00:00:0\d\.\d{3} --> 00:00:\d\d\.\d{3}\nGood morning/)
        for (const cues of [srt, vtt]) {
          const lines = cues.split("\n").filter((line) => !/^(\d*|WEBVTT|.* --> .*)$/.test(line))
          assert.strictEqual(lines.join(" "), text)
        }

        const rows = yield* settled(router, 6)
        assert.deepStrictEqual(
          rows.map((row) => row.cache_hits),
          [0, 1, 1, 1, 1, 1]
        )
        const lengths = [text.length, text.length, text.length, text.length + 1, srt.length, vtt.length]
        assert.deepStrictEqual(
          rows.map((row) => row.output_char_length),
          lengths
        )
        yield* isDeserted(join(router.dataDir, "tmp"))
      }),
    60_000
  )
})

describe("the speech engine", () => {
  it.scopedLive("is asked about speech, once for each recording, and never about silence", () =>
    Effect.gen(function* () {
      const engine = yield* scribe()
      const router = yield* startRouter(engine.env)
      const silent = yield* transcribed(router, createReadStream(fixture("silence.flac")))
      assert.strictEqual(silent.text, "")
      assert.isFalse(engine.wasTouched())

      const first = yield* transcribed(router, createReadStream(fixture("speech.opus")))
      assert.strictEqual(first.text, SAID)
      assert.match(first.media, /^audio 1; \d+ ms$/)
      assert.strictEqual(engine.pieces(), 1)
      const renamed = yield* Effect.promise(() => toFile(speech, "another name.mp3"))
      const second = yield* transcribed(router, renamed)
      assert.strictEqual(second.text, SAID)
      assert.match(second.media, /^audio 1; 1 remembered; \d+ ms$/)
      const events = yield* all(
        openAi(router).audio.transcriptions.create({ file: renamed, model: "whisper-1", stream: true })
      )
      assert.deepStrictEqual(
        events.map((event) => Object.values(event)),
        [
          ["transcript.text.delta", SAID],
          ["transcript.text.done", SAID]
        ]
      )
      assert.strictEqual(engine.pieces(), 1)

      const film = createReadStream(join(root, "test", "fixtures", "video", "spoken.mp4"))
      assert.strictEqual((yield* transcribed(router, film)).text, SAID)
      assert.strictEqual(engine.pieces(), 2)
    })
  )

  it.scopedLive("is not waited for until it has understood everything", () =>
    Effect.gen(function* () {
      const engine = yield* scribe({ waits: "piece-1" })
      const router = yield* startRouter(engine.env)
      const question = yield* form({ stream: "true" }, [["file", fixture("two-voices.opus")]])
      // A wish of chat pages, which must not put pieces of a chat among the events.
      const headers = { ...question.headers, "x-percept-progress": "reasoning" }
      const waiting = yield* client(router, { ...question, headers })
      const [first] = eventsOf(yield* waiting.hears("delta"))
      assert.deepStrictEqual(first, { type: "transcript.text.delta", delta: SAID })
      engine.go()
      const got = yield* waiting.answer
      assert.strictEqual(got.status, 200)
      assert.strictEqual(got.headers["content-type"], "text/event-stream; charset=utf-8")
      assert.match(got.text, /^: percept audio (waiting|listening( \d+%)?)$/m)
      assert.deepStrictEqual(eventsOf(got.text), [
        { type: "transcript.text.delta", delta: SAID },
        { type: "transcript.text.delta", delta: ` ${SAID}` },
        { type: "transcript.text.done", text: `${SAID} ${SAID}` },
        "[DONE]"
      ])
    })
  )

  it.scopedLive("is not waited for beyond the time there is for a medium", () =>
    Effect.gen(function* () {
      const engine = yield* scribe({ waits: "piece-" })
      const router = yield* startRouter({ ...engine.env, MEDIA_TIMEOUT: "1" })
      const error = yield* raised(UnprocessableEntityError, () => transcribe(router, "speech.opus"))
      assert.strictEqual(error.code, "timeout")
      yield* isDeserted(join(router.dataDir, "tmp"))
    })
  )

  it.scopedLive("is nobody's while others have all places, and the client is told to come again", () =>
    Effect.gen(function* () {
      const engine = yield* scribe({ waits: "piece-" })
      const router = yield* startRouter({ ...engine.env, MEDIA_JOBS: "1", MEDIA_QUEUE: "0" })
      const first = yield* Effect.fork(transcribed(router, createReadStream(fixture("speech.opus"))))
      yield* eventually(Effect.sync(engine.pieces), (pieces) => pieces === 1)
      const error = yield* raised(InternalServerError, () => transcribe(router, "low-rate.flac"))
      assert.strictEqual(error.status, 503)
      assert.strictEqual(error.code, "busy")
      assert.match(error.headers.get("retry-after") ?? "", /^\d+$/)
      engine.go()
      assert.strictEqual((yield* first).text, SAID)
    })
  )
})

describe("the record of a transcription", () => {
  it.scopedLive("is one row for each, with what was done, and of its file no more than what it was", () =>
    Effect.gen(function* () {
      const engine = yield* scribe()
      const router = yield* startRouter(engine.env)
      const file = yield* Effect.promise(() => toFile(speech, "../talk.opus"))
      const asked = { file, model: "whisper-1", language: "en", prompt: "Percept" }
      const { request_id } = yield* Effect.promise(() =>
        openAi(router).audio.transcriptions.create(asked).withResponse()
      )
      yield* all(openAi(router).audio.transcriptions.create({ ...asked, stream: true }))
      const [whole, streamed, ...more] = yield* settled(router, 2)
      assert.deepStrictEqual(more, [])
      assert.strictEqual(whole?.internal_request_id, request_id)
      for (const row of [whole, streamed])
        assert.deepInclude(row, {
          endpoint_called: PATH,
          state: "done",
          kind: "main",
          status_code_returned_to_client: 200,
          provider: "percept",
          route_rule: "percept",
          model_requested_by_client: "whisper-1",
          is_multimodal: 1,
          media_type_processed: "audio",
          output_char_length: SAID.length,
          error_message: null,
          cost_nano_usd: null
        })
      assert.deepStrictEqual([whole?.is_streaming, streamed?.is_streaming], [0, 1])
      assert.deepStrictEqual([whole?.cache_hits, streamed?.cache_hits], [0, 1])
      assert.isAbove(whole?.media_ms ?? 0, 0)
      assert.isAtLeast(whole?.processing_duration_ms ?? 0, whole?.media_ms ?? 0)

      const kept = bodiesIn(router.dataDir)
      const fields = { model: "whisper-1", language: "en", prompt: "Percept" }
      const kind = { filename: "talk.opus", bytes: speech.length, sha256: sha256(speech) }
      assert.sameDeepMembers(
        kept.map(({ request_body }) => parseJson(request_body ?? "")),
        [
          { ...fields, file: kind },
          { ...fields, stream: "true", file: kind }
        ]
      )
      for (const { response_body } of kept)
        assert.strictEqual(stringField(parseJson(response_body ?? ""), "text"), SAID)
    })
  )
})

interface Refusal {
  readonly name: string
  readonly fields?: Readonly<Record<string, string>>
  /** Files by the name of their field. */
  readonly files?: ReadonlyArray<readonly [name: string, path: string]>
  readonly verdict: Omit<Verdict, "source" | "type">
  readonly env?: Readonly<Record<string, string>>
}

describe("a transcription that cannot be", () => {
  const start = (env: Readonly<Record<string, string>> = {}) =>
    Effect.gen(function* () {
      const engine = yield* scribe()
      return { engine, router: yield* startRouter({ ...engine.env, ...env }) }
    })
  /** For all that nobody has to listen to: its engine is never touched. */
  const common = shared(start())
  const sound = fixture("silence.flac")
  const wrong = (param: string, says: RegExp, code: string | null = null) => ({
    status: 400,
    param,
    code,
    says
  })
  const cases: ReadonlyArray<Refusal> = [
    { name: "no file", files: [], verdict: wrong("file", /is missing/, "missing_required_parameter") },
    {
      name: "two files",
      files: [
        ["file", sound],
        ["file", sound]
      ],
      verdict: wrong("file", /more than once/)
    },
    { name: "a file of another name", files: [["sound", sound]], verdict: wrong("sound", /only 'file'/) },
    {
      name: "an unknown form of answer",
      fields: { response_format: "diarized_json" },
      verdict: wrong("response_format", /one of json, text, srt, vtt, verbose_json/)
    },
    {
      name: "times of single words",
      fields: { response_format: "verbose_json", "timestamp_granularities[]": "word" },
      verdict: wrong("timestamp_granularities", /not words/)
    },
    { name: "a wrong stream", fields: { stream: "perhaps" }, verdict: wrong("stream", /true or false/) },
    { name: "a wrong language", fields: { language: "English" }, verdict: wrong("language", /ISO 639-1/) },
    { name: "a text", files: [["file", fixture("words.json")]], verdict: wrong("file", /no sound or video/) },
    {
      name: "an unknown model",
      fields: { model: "test/plain" },
      verdict: { status: 404, param: "model", code: "model_not_found", says: /'test\/plain' .*'whisper-1'/ }
    },
    {
      name: "a provider that is not there",
      fields: { model: "openai:whisper-1" },
      verdict: { status: 404, param: "model", code: "model_not_found" }
    },
    {
      name: "a video without sound",
      files: [["file", fixture("no-sound.mp4")]],
      verdict: { status: 422, code: "unsupported", says: /no sound/ }
    },
    {
      name: "a recording that is too long",
      files: [["file", sound]],
      env: { VIDEO_MAX_DURATION: "10" },
      verdict: { status: 422, code: "too_long", says: /longer than/ }
    }
  ]
  for (const { env, fields = {}, files = [["file", sound]] as const, name, verdict } of cases)
    it.scopedLive(`for ${name} is refused with a ${verdict.status} that says why`, () =>
      Effect.gen(function* () {
        const { engine, router } = yield* env === undefined ? common : start(env)
        const question = yield* form(fields, files)
        const got = yield* send(router, question)
        yield* refusedWith(
          router,
          got,
          { source: "client", type: "invalid_request_error", ...verdict },
          INSPECT
        )
        assert.isFalse(engine.wasTouched())
        yield* isDeserted(join(router.dataDir, "tmp"))
      })
    )

  it.scopedLive("is refused without fast lanes just the same", () =>
    Effect.gen(function* () {
      const engine = yield* scribe()
      const router = yield* startRouter(engine.env, { lanes: false })
      const file = createReadStream(fixture("speech.opus"))
      assert.strictEqual((yield* transcribed(router, file)).text, SAID)
      const got = yield* send(router, yield* form({ stream: "perhaps" }, [["file", sound]]))
      yield* refusedWith(router, got, { status: 400, source: "client", param: "stream" }, INSPECT)
    })
  )

  for (const [name, says, make] of [
    ["a picture", /no sound or video/, () => quarters(64, 64).png().toBuffer()],
    ["a picture that moves", /no sound or video/, () => noise(32, 32).gif().toBuffer()],
    ["nothing", /is empty/, () => Promise.resolve(Buffer.alloc(0))]
  ] as const)
    it.scopedLive(`for a file that is ${name} raises BadRequestError`, () =>
      Effect.gen(function* () {
        const { router } = yield* common
        const bytes = yield* Effect.promise(make)
        const file = yield* Effect.promise(() => toFile(bytes, "speech.mp3", { type: "audio/mpeg" }))
        const error = yield* raised(BadRequestError, () =>
          openAi(router).audio.transcriptions.create({ file, model: "whisper-1" })
        )
        assert.strictEqual(error.param, "file")
        assert.match(error.message, says)
      })
    )

  it.scopedLive("for a file that is damaged is a 422 without a word of a decoder or a path", () =>
    Effect.gen(function* () {
      const { router } = yield* common
      const bytes = Buffer.concat([speech.subarray(0, 40), Buffer.alloc(5000, 7)])
      const file = yield* Effect.promise(() => toFile(bytes, "speech.opus"))
      const error = yield* raised(UnprocessableEntityError, () =>
        openAi(router).audio.transcriptions.create({ file, model: "whisper-1" })
      )
      assert.strictEqual(error.code, "broken")
      assert.notMatch(error.message, /ffprobe|ffmpeg|Invalid data|\/tmp|upload/i)
    })
  )

  it.scopedLive("for a file that is too large is a 413, told from its length or where it passes it", () =>
    Effect.gen(function* () {
      const router = yield* startRouter({ AUDIO_MAX_MB: "1" })
      const folder = yield* temporaryFolder
      const path = join(folder, "large.wav")
      writeFileSync(path, Buffer.alloc(3 * 1024 * 1024))
      for (const headers of [{}, { "transfer-encoding": "chunked" }]) {
        const question = yield* form({}, [["file", path]])
        const got = yield* send(router, { ...question, headers: { ...question.headers, ...headers } })
        errorAnswer(got, { status: 413, code: "request_too_large", says: /AUDIO_MAX_MB/ })
      }
      const rows = yield* settled(router, 2)
      assert.deepStrictEqual(
        rows.map((row) => [row.state, row.status_code_returned_to_client, row.is_multimodal]),
        [
          ["failed", 413, 0],
          ["failed", 413, 0]
        ]
      )
      yield* isDeserted(join(router.dataDir, "tmp"))
    })
  )

  it.scopedLive("without the key raises AuthenticationError, and with it is answered", () =>
    Effect.gen(function* () {
      const router = yield* startRouter({ API_KEYS: "the-right-key" })
      const call = (apiKey: string) => () =>
        openAi(router, { apiKey }).audio.transcriptions.create({
          file: createReadStream(fixture("silence.flac")),
          model: "whisper-1"
        })
      const error = yield* raised(AuthenticationError, call("a-wrong-key"))
      assert.strictEqual(error.code, "invalid_api_key")
      assert.strictEqual((yield* Effect.promise(call("the-right-key"))).text, "")
      const rows = yield* settled(router, 2)
      assert.deepStrictEqual(
        rows.map((row) => [row.status_code_returned_to_client, row.key_id === null]),
        [
          [401, true],
          [200, false]
        ]
      )
    })
  )

  it.scopedLive("for a model that does not listen raises NotFoundError", () =>
    Effect.gen(function* () {
      const { router } = yield* common
      for (const model of ["openai:whisper-1", "tts-1", "percept/inspect"]) {
        const file = createReadStream(fixture("silence.flac"))
        const error = yield* raised(NotFoundError, () =>
          openAi(router).audio.transcriptions.create({ file, model })
        )
        assert.strictEqual(error.code, "model_not_found")
      }
      for (const model of ["percept/whisper-1", "percept:whisper-1", "whisper-local", "gpt-4o-transcribe"]) {
        const file = createReadStream(fixture("silence.flac"))
        const answer = yield* Effect.promise(() =>
          openAi(router).audio.transcriptions.create({ file, model })
        )
        assert.strictEqual(answer.text, "")
      }
    })
  )

  for (const method of ["GET", "HEAD", "PUT", "DELETE"])
    it.scopedLive(`by ${method} is a 405`, () =>
      Effect.gen(function* () {
        const { router } = yield* common
        const got = yield* send(router, { method, path: PATH })
        assert.strictEqual(got.status, 405)
        assert.strictEqual(got.headers.allow, "POST")
        if (method !== "HEAD") errorAnswer(got, { status: 405, code: "method_not_allowed" })
        assert.deepInclude(yield* finalRow(router, got), {
          state: "failed",
          status_code_returned_to_client: 405,
          endpoint_called: PATH
        })
      })
    )
})

describe("a transcription that comes to nothing", () => {
  it.scopedLive("after its stream has begun ends it with an error that the client raises", () =>
    Effect.gen(function* () {
      const engine = yield* scribe({ waits: "piece-", fails: true })
      const router = yield* startRouter(engine.env)
      const file = createReadStream(fixture("speech.opus"))
      const stream = yield* Effect.promise(() =>
        openAi(router).audio.transcriptions.create({ file, model: "whisper-1", stream: true })
      )
      yield* eventually(Effect.sync(engine.pieces), (pieces) => pieces === 1)
      engine.go()
      const error = yield* raised(APIError, async () => {
        for await (const event of stream) assert.fail(JSON.stringify(event))
      })
      assert.include(error.message, "The sound could not be listened to")
      assert.notMatch(error.message, /broken engine|\/tmp/)
      const [row] = yield* settled(router, 1)
      assert.deepInclude(row, { state: "failed", status_code_returned_to_client: 200, is_streaming: 1 })
      assert.include(row?.error_message ?? "", "The sound could not be listened to")
      yield* isDeserted(join(router.dataDir, "tmp"))
    })
  )

  it.scopedLive("is no memory: the next one is listened to again", () =>
    Effect.gen(function* () {
      const engine = yield* scribe({ fails: true })
      const router = yield* startRouter(engine.env)
      yield* raised(UnprocessableEntityError, () => transcribe(router, "speech.opus"))
      yield* raised(UnprocessableEntityError, () => transcribe(router, "speech.opus"))
      assert.strictEqual(engine.pieces(), 2)
    })
  )
})

describe("a client that leaves", () => {
  it.scopedLive("in the middle of its upload leaves no file behind", () =>
    Effect.gen(function* () {
      const router = yield* startRouter({})
      const tmp = join(router.dataDir, "tmp")
      const head = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
      const { leave } = yield* client(router, {
        path: PATH,
        headers: { "content-type": "multipart/form-data; boundary=b", "content-length": "999999" },
        body: head + "x".repeat(5000),
        unfinished: true
      })
      const uploads = Effect.sync(() =>
        readdirSync(tmp).filter((name) => existsSync(join(tmp, name, "upload")))
      )
      yield* eventually(uploads, (found) => found.length === 1)
      leave()
      yield* isDeserted(tmp)
      const [row, ...more] = yield* settled(router, 1)
      assert.deepInclude(row, { state: "cancelled", status_code_returned_to_client: 499 })
      assert.deepStrictEqual(more, [])
    })
  )

  it.scopedLive("while it is listened to leaves no program and no file behind, streaming or not", () =>
    Effect.gen(function* () {
      const { env, listening } = yield* slowTools
      const router = yield* startRouter(env)
      const tmp = join(router.dataDir, "tmp")
      const leaving = new AbortController()
      const { transcriptions } = openAi(router).audio
      const asked = () => ({ file: createReadStream(fixture("speech.opus")), model: "whisper-1" })
      const options = { signal: leaving.signal }
      const stream = yield* Effect.promise(() => transcriptions.create({ ...asked(), stream: true }, options))
      const whole = yield* Effect.fork(
        raised(APIUserAbortError, () => transcriptions.create(asked(), options))
      )
      yield* asleep(listening.mark, 2)
      assert.isAbove(processesIn(tmp).length, 0)
      leaving.abort()
      yield* whole
      yield* isDeserted(tmp)
      yield* nobodyWith(listening.mark)
      stream.controller.abort()
      const rows = yield* settled(router, 2)
      assert.deepStrictEqual(
        rows.map((row) => [row.is_streaming, row.state, row.status_code_returned_to_client]),
        [
          [1, "cancelled", 200],
          [0, "cancelled", 499]
        ]
      )
    })
  )
})

const transcribe = (router: Router, name: string) =>
  openAi(router).audio.transcriptions.create({ file: createReadStream(fixture(name)), model: "whisper-1" })

const transcribed = (router: Router, file: Uploadable) =>
  Effect.promise(async () => {
    const call = openAi(router).audio.transcriptions.create({ file, model: "whisper-1" })
    const { data, response } = await call.withResponse()
    return { text: data.text, media: response.headers.get("x-percept-media") ?? "" }
  })

/** A form as browsers send it. */
const form = (
  fields: Readonly<Record<string, string>>,
  files: ReadonlyArray<readonly [name: string, path: string]>
) =>
  Effect.promise(async () => {
    const data = new FormData()
    for (const [name, value] of Object.entries(fields)) data.append(name, value)
    for (const [name, path] of files) data.append(name, new Blob([readFileSync(path)]), "a.wav")
    const request = new Response(data)
    const headers = { "content-type": request.headers.get("content-type") ?? "" }
    return { path: PATH, headers, body: Buffer.from(await request.arrayBuffer()) } satisfies Question
  })

/** What a router without providers answers. */
const INSPECT = { body: { model: "percept/inspect", messages: [{ role: "user", content: "Hi" }] } }

interface Bodies {
  readonly request_body: string | null
  readonly response_body: string | null
}

const bodiesIn = (dataDir: string): ReadonlyArray<Bodies> => {
  const database = new Database(join(dataDir, "percept.db"), { readonly: true })
  try {
    return database.prepare<[], Bodies>("SELECT request_body, response_body FROM request_bodies").all()
  } finally {
    database.close()
  }
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex")
