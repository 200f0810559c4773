import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer } from "effect"
import { execFileSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { delimiter, join } from "node:path"
import { root } from "../../../scripts/fresh.mjs"
import type { Environment } from "../../../src/services/AppConfig.ts"
import { Whisper } from "../../../src/services/media/Whisper.ts"
import * as WhisperEngines from "../../../src/services/media/WhisperEngines.ts"
import { Workspace } from "../../../src/services/media/Workspace.ts"
import { bundledEngine, tools } from "../../support/Ears.ts"
import { startMediaHost } from "../../support/MediaHost.ts"
import type { Behaviour } from "../../support/MediaHost.ts"
import { nobodyWith, processesWith } from "../../support/Processes.ts"
import { eventually, temporaryFolder } from "../../support/Router.ts"
import { babble, sound } from "../../support/Sound.ts"
import { weightsFile } from "../../support/Weights.ts"
import { fixture, spoken, wordErrors } from "../../support/Words.ts"

/** An engine of this host, made ready in a folder of its own. */
const makeReady = (env: Environment, { engine = WhisperEngines.layer, language }: Asked = {}) =>
  Effect.gen(function* () {
    const dataDir = yield* temporaryFolder
    const context = yield* Layer.build(Layer.provideMerge(engine, tools({ DATA_DIR: dataDir, ...env })))
    const folder = yield* Context.get(context, Workspace).folder
    const listener = yield* Context.get(context, Whisper).ready({ folder, language })
    return { folder, listener }
  })

interface Asked {
  readonly engine?: typeof bundledEngine | typeof WhisperEngines.layer
  readonly language?: string
}

const pcmOf = (name: string): Uint8Array => {
  const to = ["-ac", "1", "-ar", "16000", "-f", "s16le", "-"]
  return execFileSync("ffmpeg", ["-v", "error", "-i", fixture(name), ...to], { maxBuffer: 2 ** 26 })
}

const someSound = sound(babble(2, -20))

/** What a whisper-cli does, without listening: notes how it was called, and writes a result where it was told to. */
const standIn = (folder: string, deed: string = WRITES) => {
  const path = join(folder, "whisper-cli")
  const script = `#!/bin/sh
if [ "$1" = --help ]; then echo "usage: whisper-cli"; exit 0; fi
echo "$@" >> ${folder}/calls.log
while [ $# -gt 1 ]; do [ "$1" = -of ] && OUT=$2; [ "$1" = -f ] && SOUND=$2; shift; done
${deed}
`
  writeFileSync(path, script, { mode: 0o755 })
  return { path, calls: () => readFileSync(join(folder, "calls.log"), "utf8").trimEnd().split("\n") }
}

const RESULT = JSON.stringify({
  result: { language: "en" },
  transcription: [
    { timestamps: {}, offsets: { from: 0, to: 1480 }, text: " Good morning." },
    { timestamps: {}, offsets: { from: 1480, to: 2000 }, text: " [Music]" }
  ]
})

const WRITES = `cp "$SOUND" "$(dirname "$0")/sound.wav"; echo '${RESULT}' > "$OUT.json"`

/** The real program, if there is one: named, on PATH, or built for the tests. */
const realCli = [
  process.env["WHISPER_CLI_PATH"],
  ...(process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, "whisper-cli")),
  join(root, "node_modules", ".percept-test", "bin", "whisper-cli")
].find((path) => path !== undefined && existsSync(path))

describe("which engine listens", () => {
  it.scopedLive("is the address that is set, else the whisper-cli there is, else the bundled one", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const { path } = standIn(folder)
      const nameOf = (env: Environment) =>
        Effect.scoped(Effect.map(makeReady(env), ({ listener }) => listener.engine))
      assert.strictEqual(
        yield* nameOf({ WHISPER_URL: "http://127.0.0.1:9/", WHISPER_CLI_PATH: path }),
        "remote"
      )
      assert.strictEqual(yield* nameOf({ WHISPER_CLI_PATH: path }), "whisper-cli")
      const before = process.env["PATH"]
      yield* Effect.acquireRelease(
        Effect.sync(() => (process.env["PATH"] = "/usr/bin:/bin")),
        () => Effect.sync(() => (process.env["PATH"] = before))
      )
      assert.strictEqual(yield* nameOf({}), "whisper.cpp (bundled)")
    })
  )

  it.scopedLive("is not another one when the one that is named does not run", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(makeReady({ WHISPER_CLI_PATH: "/nowhere/whisper-cli" }))
      assert.strictEqual("code" in failure ? failure.code : "", "tool_missing")
    })
  )
})

describe("whisper-cli", () => {
  it.scopedLive("(a stand-in) is called for speed, with the sound in a file, and its result read", () =>
    Effect.gen(function* () {
      const bin = yield* temporaryFolder
      const { calls, path } = standIn(bin)
      const { folder, listener } = yield* makeReady({ WHISPER_CLI_PATH: path, WHISPER_THREADS: "2" })
      const found = yield* listener.transcribe(someSound)
      assert.deepStrictEqual(found, {
        language: "en",
        segments: [
          { from: 0, to: 1.48, text: "Good morning." },
          { from: 1.48, to: 2, text: "[Music]" }
        ]
      })
      const out = join(folder, "piece-0")
      const wanted = `-m ${weightsFile} -t 2 -l en -ng -bs 1 -bo 1 -np -oj -of ${out} -f ${out}.wav`
      assert.deepStrictEqual(calls(), [wanted])
      const file = readFileSync(join(bin, "sound.wav"))
      assert.strictEqual(file.toString("latin1", 0, 4) + file.toString("latin1", 8, 12), "RIFFWAVE")
      assert.deepStrictEqual(Buffer.from(file.subarray(44)), Buffer.from(someSound))
      assert.deepStrictEqual(readdirSync(folder), [])
      assert.deepStrictEqual(
        { model: listener.model, engine: listener.engine },
        { model: "base.en", engine: "whisper-cli" }
      )
    })
  )

  it.scopedLive(
    "(a stand-in) finds out the language where the weights know several, and may use a graphics card",
    () =>
      Effect.gen(function* () {
        const bin = yield* temporaryFolder
        const { calls, path } = standIn(bin)
        const model = join(bin, "ggml-base.bin")
        writeFileSync(model, "weights")
        const env = { WHISPER_CLI_PATH: path, WHISPER_MODEL_NAME: model, WHISPER_DEVICE: "gpu" }
        for (const language of [undefined, "de"])
          yield* Effect.scoped(
            Effect.flatMap(makeReady(env, language === undefined ? {} : { language }), ({ listener }) =>
              listener.transcribe(someSound)
            )
          )
        assert.match(calls()[0] ?? "", / -l auto /)
        assert.match(calls()[1] ?? "", / -l de /)
        assert.notMatch(calls().join(), / -ng /)
      })
  )

  it.scopedLive("(a stand-in) that fails, or says nothing of use, fails for this piece", () =>
    Effect.gen(function* () {
      for (const [deed, detail] of [
        ["echo out of memory >&2; exit 3", "out of memory"],
        ["exit 0", "ENOENT"],
        ['echo "no json" > "$OUT.json"', "its result is no JSON"]
      ] as const) {
        const { path } = standIn(yield* temporaryFolder, deed)
        const { folder, listener } = yield* makeReady({ WHISPER_CLI_PATH: path })
        const failure = yield* Effect.flip(listener.transcribe(someSound))
        assert.strictEqual(failure.why, "the speech engine failed on it")
        assert.include(failure.detail, detail)
        assert.deepStrictEqual(readdirSync(folder), [])
      }
    })
  )

  it.scopedLive("(a stand-in) ends when nobody waits for it any more", () =>
    Effect.gen(function* () {
      const { path } = standIn(yield* temporaryFolder, "sleep 86400")
      const { folder, listener } = yield* makeReady({ WHISPER_CLI_PATH: path })
      const work = yield* Effect.fork(listener.transcribe(someSound))
      yield* eventually(
        Effect.sync(() => processesWith(join(folder, "piece-0"))),
        (found) => found.length > 0
      )
      yield* Fiber.interrupt(work)
      yield* nobodyWith(join(folder, "piece-0"))
      assert.deepStrictEqual(readdirSync(folder), [])
    })
  )

  it.scopedLive(
    realCli === undefined
      ? "(a stand-in, as there is no real one) gives words"
      : "(the real one) gives the words",
    () =>
      Effect.gen(function* () {
        const path = realCli ?? standIn(yield* temporaryFolder).path
        const { listener } = yield* makeReady({ WHISPER_CLI_PATH: path })
        const { language, segments } = yield* listener.transcribe(pcmOf("speech.opus"))
        assert.strictEqual(language, "en")
        const said = realCli === undefined ? "Good morning. [Music]" : spoken.library
        const heard = segments.map(({ text }) => text).join(" ")
        assert.isAtMost(wordErrors(said, heard), 0.05, heard)
        assert.isAtMost(segments.at(-1)?.to ?? 0, 10.5)
      }),
    120_000
  )
})

describe("the bundled engine", () => {
  it.scopedLive(
    "that is killed over a piece fails for it, and goes on with a fresh program",
    () =>
      Effect.gen(function* () {
        const model = yield* ownWeights
        const { listener } = yield* makeReady({ WHISPER_MODEL_NAME: model }, { engine: bundledEngine })
        const pcm = pcmOf("speech.opus")
        const work = yield* Effect.fork(Effect.either(listener.transcribe(pcm)))
        process.kill(yield* deepInWork(model), "SIGKILL")
        const failed = yield* Fiber.join(work)
        assert.strictEqual(failed._tag, "Left")
        if (failed._tag === "Left") assert.strictEqual(failed.left.why, "the speech engine failed on it")
        const { segments } = yield* listener.transcribe(pcm)
        const heard = segments.map(({ text }) => text).join(" ")
        assert.isAtMost(wordErrors(spoken.library, heard), 0.05, heard)
      }),
    120_000
  )

  it.scopedLive(
    "ends its programs with the piece, at rest, and with the recording",
    () =>
      Effect.gen(function* () {
        const model = yield* ownWeights
        const recording = Effect.gen(function* () {
          const { listener } = yield* makeReady({ WHISPER_MODEL_NAME: model }, { engine: bundledEngine })
          yield* busy(model)
          const work = yield* Effect.fork(listener.transcribe(pcmOf("speech.opus")))
          yield* deepInWork(model)
          yield* Fiber.interrupt(work)
          yield* nobodyWith(model)
          yield* listener.transcribe(new Uint8Array(3200))
          yield* busy(model)
          yield* listener.rest
          yield* nobodyWith(model)
          yield* listener.transcribe(new Uint8Array(3200))
          yield* busy(model)
        })
        yield* Effect.scoped(recording)
        yield* nobodyWith(model)
      }),
    120_000
  )

  it.scopedLive("with weights that are none is a plain failure", () =>
    Effect.gen(function* () {
      const model = join(yield* temporaryFolder, "ggml-base.en.bin")
      writeFileSync(model, "no weights")
      const failure = yield* Effect.flip(makeReady({ WHISPER_MODEL_NAME: model }, { engine: bundledEngine }))
      assert.strictEqual(failure.message, "There is no speech engine here that works.")
      yield* nobodyWith(model)
    })
  )
})

/** Weights under a name of this test's own, by which its programs are told from those of others. */
const ownWeights = Effect.map(temporaryFolder, (folder) => {
  const model = join(folder, "ggml-base.en.bin")
  symlinkSync(weightsFile, model)
  return model
})

/** Programs that work with these weights, the shells around them left out. */
const programs = (model: string) =>
  Effect.sync(() => processesWith(model).filter((line) => /^\S+\s+\d+\s+\S*node /.test(line)))

/** The program's number, once it has worked for a second: loading the weights takes a fraction of that, and a piece more. */
const deepInWork = (model: string) =>
  Effect.gen(function* () {
    const [line = ""] = yield* busy(model)
    const pid = /^\S+\s+(\d+)/.exec(line)?.[1] ?? ""
    yield* eventually(
      Effect.sync(() => execFileSync("ps", ["-o", "time=", "-p", pid], { encoding: "utf8" }).trim()),
      (time) => !time.endsWith(":00"),
      60
    )
    return Number(pid)
  })

const busy = (model: string) => eventually(programs(model), (found) => found.length === 1)

describe("a transcription server", () => {
  const answering =
    (status: number, body: unknown): Behaviour =>
    (request, response) => {
      request.resume().on("end", () => {
        response.writeHead(status, { "content-type": "application/json" })
        response.end(typeof body === "string" ? body : JSON.stringify(body))
      })
    }

  const verbose = {
    language: "english",
    text: " Good morning. Good night.",
    segments: [
      { id: 0, start: 0, end: 1.2, text: " Good morning." },
      { id: 1, start: 1.2, end: 2, text: " Good night." }
    ]
  }

  const server = Effect.gen(function* () {
    const host = yield* startMediaHost
    const forms: Array<FormData> = []
    /** Keeps what was sent before it answers. */
    const keeping =
      (status: number, body: unknown): Behaviour =>
      (request, response) => {
        const parts: Array<Buffer> = []
        request.on("data", (part: Buffer) => parts.push(part))
        request.on("end", async () => {
          const type = request.headers["content-type"] ?? ""
          forms.push(
            await new Response(Buffer.concat(parts), { headers: { "content-type": type } }).formData()
          )
          response.writeHead(status).end(JSON.stringify(body))
        })
      }
    const ready = (language?: string) =>
      Effect.map(
        makeReady(
          { WHISPER_URL: host.at("/v1/audio/transcriptions").href, WHISPER_MODEL_NAME: "whisper-1" },
          language === undefined ? {} : { language }
        ),
        ({ listener }) => listener
      )
    const behave = (...all: ReadonlyArray<Behaviour>) => host.behave("/v1/audio/transcriptions", ...all)
    return { host, forms, keeping, ready, behave }
  })

  it.scopedLive("gets the sound as a file, and gives segments", () =>
    Effect.gen(function* () {
      const { behave, forms, keeping, ready } = yield* server
      behave(keeping(200, verbose))
      const found = yield* Effect.flatMap(ready("de"), ({ transcribe }) => transcribe(someSound))
      assert.deepStrictEqual(found, {
        language: "en",
        segments: [
          { from: 0, to: 1.2, text: "Good morning." },
          { from: 1.2, to: 2, text: "Good night." }
        ]
      })
      const [form] = forms
      const fields = ["model", "response_format", "language"].map((name) => form?.get(name))
      assert.deepStrictEqual(fields, ["whisper-1", "verbose_json", "de"])
      const file = form?.get("file")
      assert.instanceOf(file, File)
      if (!(file instanceof File)) return
      assert.deepStrictEqual(
        [file.name, file.type, file.size],
        ["audio.wav", "audio/wav", 44 + someSound.length]
      )
    })
  )

  it.scopedLive("that knows no times gives one segment, and is asked that way from then on", () =>
    Effect.gen(function* () {
      const { behave, forms, keeping, ready } = yield* server
      behave(keeping(400, { error: "response_format" }), keeping(200, { text: " Good morning. " }))
      const { transcribe } = yield* ready()
      for (const _ of [1, 2])
        assert.deepStrictEqual((yield* transcribe(someSound)).segments, [
          { from: 0, to: 2, text: "Good morning." }
        ])
      assert.deepStrictEqual(
        forms.map((form) => form.get("response_format")),
        ["verbose_json", "json", "json"]
      )
      assert.isFalse(forms[0]?.has("language"))
    })
  )

  it.scopedLive("that hears nothing says nothing", () =>
    Effect.gen(function* () {
      const { behave, ready } = yield* server
      behave(answering(200, { text: "", segments: [] }))
      const { segments } = yield* Effect.flatMap(ready(), ({ transcribe }) => transcribe(someSound))
      assert.deepStrictEqual(segments, [])
    })
  )

  it.scopedLive("is asked again when it is busy, two times", () =>
    Effect.gen(function* () {
      const { behave, host, ready } = yield* server
      const { transcribe } = yield* ready()
      behave(
        answering(503, "busy"),
        (_, response) => void response.socket?.destroy(),
        answering(200, verbose)
      )
      assert.strictEqual((yield* transcribe(someSound)).segments.length, 2)
      assert.strictEqual(host.asked.length, 3)
      behave(answering(500, "broken"))
      const failure = yield* Effect.flip(transcribe(someSound))
      assert.strictEqual(failure.why, "the speech engine failed on it")
      assert.include(failure.detail, `${host.authority} answers 500: broken`)
      assert.strictEqual(host.asked.length, 6)
    })
  )

  it.scopedLive("that refuses, or talks of something else, fails for this piece", () =>
    Effect.gen(function* () {
      const { behave, host, ready } = yield* server
      const { transcribe } = yield* ready()
      for (const [status, body, detail] of [
        [401, { error: "no key" }, "answers 401"],
        [200, "<html>", "no transcription"],
        [200, [], "no transcription"],
        [200, "x".repeat(5 * 1024 * 1024), "too long"]
      ] as const) {
        behave(answering(status, body))
        assert.include((yield* Effect.flip(transcribe(someSound))).detail, detail)
      }
      assert.isAtMost(host.asked.length, 6)
    })
  )

  it.scopedLive("is hung up on when nobody waits any more", () =>
    Effect.gen(function* () {
      const { behave, host, ready } = yield* server
      behave((request) => void request.resume())
      const { transcribe } = yield* ready()
      const work = yield* Effect.fork(transcribe(someSound))
      yield* eventually(
        Effect.sync(() => host.asked.length),
        (asked) => asked === 1
      )
      yield* Fiber.interrupt(work)
      yield* eventually(
        Effect.sync(() => host.open()),
        (open) => open === 0
      )
    })
  )

  it.scopedLive("may want a name and a password", () =>
    Effect.gen(function* () {
      const { behave, host } = yield* server
      behave(answering(200, verbose))
      const url = host.at("/v1/audio/transcriptions").href.replace("http://", "http://me:s%C3%BC%C3%9F@")
      const { listener } = yield* makeReady({ WHISPER_URL: url })
      yield* listener.transcribe(someSound)
      const login = Buffer.from("me:süß").toString("base64")
      assert.strictEqual(host.asked[0]?.headers.authorization, `Basic ${login}`)
    })
  )
})
