import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, LogLevel } from "effect"
import { cpSync, mkdirSync, realpathSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../../../scripts/fresh.mjs"
import { AppConfig } from "../../../src/services/AppConfig.ts"
import type { Environment } from "../../../src/services/AppConfig.ts"
import { driverFor } from "../../../src/services/database/sqliteDriver.ts"
import { Doctor } from "../../../src/services/media/Doctor.ts"
import { MediaTools } from "../../../src/services/media/MediaTools.ts"
import { Subprocess } from "../../../src/services/media/Subprocess.ts"
import { modelFile } from "../../../src/services/media/whisper/ModelTable.ts"
import { Workspace } from "../../../src/services/media/Workspace.ts"
import { launch } from "../../support/Program.ts"
import { temporaryFolder } from "../../support/Router.ts"
import { BASICS, linkPrograms, LOCKS } from "../../support/Toolbox.ts"

/** A machine on whose PATH there is what a test puts there, and nothing else. */
const machine = Effect.gen(function* () {
  const folder = yield* temporaryFolder
  const [path, data] = [join(folder, "path"), join(folder, "data")]
  for (const made of [path, join(data, "bin"), join(data, "models")]) mkdirSync(made, { recursive: true })
  const before = process.env["PATH"]
  yield* Effect.acquireRelease(
    Effect.sync(() => (process.env["PATH"] = path)),
    () => Effect.sync(() => (process.env["PATH"] = before))
  )
  const examine = (env: Environment = {}) =>
    Effect.flatMap(Doctor, ({ examine }) => examine()).pipe(
      Effect.provide(
        Doctor.Default.pipe(
          Layer.provide(MediaTools.Default),
          Layer.provide(Layer.mergeAll(Subprocess.Default, Workspace.Default)),
          Layer.provide(AppConfig.layer({ DATA_DIR: data, ...env })),
          Layer.provide(Logger.minimumLogLevel(LogLevel.None))
        )
      )
    )
  /** What is found about one thing. */
  const about = (name: string, env: Environment = {}) =>
    Effect.map(examine(env), (findings) => findings.find((finding) => finding.name === name))
  return { path, data, folder, examine, about }
})

const put = (folder: string, name: string, ...lines: ReadonlyArray<string>) => {
  const file = join(folder, name)
  writeFileSync(file, ["#!/bin/sh", ...lines, ""].join("\n"), { mode: 0o755 })
  return file
}

const says = (words: string) => `echo "${words}"`

const hasBundles = process.platform === "linux" && process.arch === "x64"

/** A file as long as the weights of a model are, and as large as nothing. */
const putModel = (data: string, name: string, bytes = modelFile(name)?.bytes ?? 0) => {
  const file = join(data, "models", modelFile(name)?.file ?? "")
  writeFileSync(file, "")
  truncateSync(file, bytes)
  return file
}

describe("the doctor", () => {
  it.scopedLive("finds tools on PATH, says which and where, and has one line for each thing", () =>
    Effect.gen(function* () {
      const { data, examine, path } = yield* machine
      for (const name of ["ffmpeg", "ffprobe"]) put(path, name, says(`${name} version 6.1.1 Copyright`))
      put(path, "whisper-cli", says("whisper.cpp version: 1.8.2"))
      put(path, "yt-dlp", says("2026.07.04"))
      const model = putModel(data, "base.en")
      const [ffmpeg, ffprobe, speech, weights, sites, images, sandbox, ...more] = yield* examine()
      const ok = (name: string, text: string) => ({ name, state: "ok" as const, text })
      assert.deepStrictEqual(ffmpeg, ok("ffmpeg", `6.1.1  ${join(path, "ffmpeg")} (PATH)`))
      assert.deepStrictEqual(ffprobe, ok("ffprobe", `6.1.1  ${join(path, "ffprobe")} (PATH)`))
      assert.deepStrictEqual(speech, ok("speech", `1.8.2  ${join(path, "whisper-cli")} (PATH)`))
      assert.deepStrictEqual(weights, ok("speech model", `base.en  ${model}`))
      assert.deepStrictEqual(sites, ok("yt-dlp", `2026.07.04  ${join(path, "yt-dlp")} (PATH)`))
      assert.deepStrictEqual(images, ok("images", "sharp"))
      assert.strictEqual(sandbox?.name, "sandbox")
      assert.deepStrictEqual(more, [])
    })
  )

  it.scopedLive("knows what was put into the data folder, and what was named", () =>
    Effect.gen(function* () {
      const { about, data, folder } = yield* machine
      const inData = put(join(data, "bin"), "yt-dlp", says("2026.09.01"))
      const named = put(folder, "my-ffmpeg", says("ffmpeg version 7.1"))
      assert.strictEqual((yield* about("yt-dlp"))?.text, `2026.09.01  ${inData} (data folder)`)
      const ffmpeg = yield* about("ffmpeg", { FFMPEG_PATH: named })
      assert.strictEqual(ffmpeg?.text, `7.1  ${named} (configured)`)
    })
  )

  it.scopedLive.skipIf(!hasBundles)("finds what comes with the router where there is nothing else", () =>
    Effect.gen(function* () {
      const { about } = yield* machine
      assert.match((yield* about("ffmpeg"))?.text ?? "", /^n7\.0\S* {2}\/.*\/ffmpeg \(bundled\)$/)
      assert.match((yield* about("ffprobe"))?.text ?? "", /^\S+ {2}\/.*\/ffprobe \(bundled\)$/)
      assert.deepStrictEqual(yield* about("speech"), {
        name: "speech",
        state: "ok",
        text: "the bundled engine"
      })
    })
  )

  it.scopedLive("says what is missing without a tool, and the line that installs it", () =>
    Effect.gen(function* () {
      const { about, data, folder } = yield* machine
      const nowhere = join(folder, "nothing")
      const expected = [
        ["ffmpeg", "FFMPEG_PATH", "videos and sound cannot be decoded"],
        ["ffprobe", "FFPROBE_PATH", "videos and sound cannot be read"],
        ["yt-dlp", "YTDLP_PATH", "links to YouTube and other sites cannot be followed"]
      ] as const
      for (const [name, setting, without] of expected) {
        const finding = yield* about(name, { [setting]: nowhere })
        assert.strictEqual(finding?.state, "missing")
        assert.strictEqual(finding?.text, `${nowhere} is no program that can be run. Without it ${without}.`)
        assert.isAbove(finding?.remedy?.length ?? 0, 10)
      }
      const sites = yield* about("yt-dlp")
      const bin = join(data, "bin")
      assert.strictEqual(
        sites?.text,
        `yt-dlp is neither on PATH nor in ${bin}. Without it links to YouTube and other sites cannot be followed.`
      )
    })
  )

  it.scopedLive("keeps to one line, whatever a broken program writes", () =>
    Effect.gen(function* () {
      const { about, folder } = yield* machine
      const words = "printf 'one\\n\\ntwo\\n' >&2"
      const many = "i=0; while [ $i -lt 500 ]; do echo word $i >&2; i=$((i+1)); done"
      const broken = put(folder, "broken", words, many, "exit 127")
      const finding = yield* about("ffmpeg", { FFMPEG_PATH: broken })
      assert.strictEqual(finding?.state, "missing")
      assert.match(
        finding?.text ?? "",
        /^\S+\/broken does not run\. .*127 one two.*\. Without it videos and sound cannot be decoded\.$/
      )
      assert.isBelow(finding?.text.length ?? 0, 400)
    })
  )

  it.scopedLive("does not speak of another speech engine than the one that would be used", () =>
    Effect.gen(function* () {
      const { about, folder } = yield* machine
      const nowhere = join(folder, "whisper-cli")
      const finding = yield* about("speech", { WHISPER_CLI_PATH: nowhere })
      assert.strictEqual(finding?.state, "missing")
      assert.strictEqual(
        finding?.text,
        `${nowhere} is no program that can be run. Without it videos are looked at, not listened to.`
      )
    })
  )

  it.scopedLive("takes an address for engine and model, and keeps what is secret in it", () =>
    Effect.gen(function* () {
      const { examine, path } = yield* machine
      put(path, "whisper-cli", says("whisper.cpp version: 1.8.2"))
      const url = "http://me:secret@whisper.lan:8080/v1/audio/transcriptions?key=secret"
      const findings = yield* examine({ WHISPER_URL: url })
      assert.deepStrictEqual(findings.slice(2, 4), [
        { name: "speech", state: "ok", text: "http://whisper.lan:8080 (WHISPER_URL)" },
        { name: "speech model", state: "ok", text: "the one at WHISPER_URL" }
      ])
      assert.notInclude(JSON.stringify(findings), "secret")
    })
  )
})

describe("the doctor on yt-dlp", () => {
  const versions: ReadonlyArray<readonly [version: string, state: "ok" | "old", least?: string]> = [
    ["2023.03.04", "old"],
    ["2026.07.03", "old"],
    ["2026.07.04", "ok"],
    ["2026.10.01", "ok"],
    ["2026.08.01.232323", "ok"],
    ["2025.01.01", "ok", "2025.01.01"],
    ["2026.07.04", "old", "2026.12.24"]
  ]
  for (const [version, state, least = "2026.07.04"] of versions)
    it.scopedLive(`${version} where ${least} is wanted is ${state}`, () =>
      Effect.gen(function* () {
        const { about, path } = yield* machine
        const file = put(path, "yt-dlp", says(version))
        const finding = yield* about("yt-dlp", { YTDLP_MIN_VERSION: least })
        assert.strictEqual(finding?.state, state)
        const found = `${version}  ${file} (PATH)`
        if (state === "ok") return assert.deepStrictEqual(finding, { name: "yt-dlp", state, text: found })
        const why = `too old to be trusted with links, ${least} or newer is needed`
        assert.strictEqual(finding?.text, `${found}: ${why}`)
        assert.include(finding?.remedy ?? "", "yt-dlp")
      })
    )
})

describe("the doctor on the speech model", () => {
  it.scopedLive("says how much there is to fetch, until the whole of it is there", () =>
    Effect.gen(function* () {
      const { about, data } = yield* machine
      const env = { WHISPER_MODEL_NAME: "tiny" }
      const missing = {
        name: "speech model",
        state: "missing" as const,
        text: "tiny will be fetched when it is first needed (78 MB)",
        remedy: "percept models fetch"
      }
      assert.deepStrictEqual(yield* about("speech model", env), missing)
      putModel(data, "tiny", 1000)
      assert.deepStrictEqual(yield* about("speech model", env), missing)
      const file = putModel(data, "tiny")
      assert.deepStrictEqual(yield* about("speech model", env), {
        name: "speech model",
        state: "ok",
        text: `tiny  ${file}`
      })
    })
  )

  it.scopedLive("takes a file of the operator's own, and knows no name that nobody knows", () =>
    Effect.gen(function* () {
      const { about, folder } = yield* machine
      const own = join(folder, "own.bin")
      const unknown = (name: string) => ({
        name: "speech model",
        state: "missing" as const,
        text: `there is no model ${name}`,
        remedy: "set WHISPER_MODEL_NAME"
      })
      assert.deepStrictEqual(yield* about("speech model", { WHISPER_MODEL_NAME: own }), unknown(own))
      writeFileSync(own, "weights")
      assert.deepStrictEqual(yield* about("speech model", { WHISPER_MODEL_NAME: own }), {
        name: "speech model",
        state: "ok",
        text: `${own}  ${own}`
      })
      assert.deepStrictEqual(
        yield* about("speech model", { WHISPER_MODEL_NAME: "enormous" }),
        unknown("enormous")
      )
    })
  )
})

describe("the doctor on the sandbox", () => {
  /** A host that offers everything, as far as anybody can tell who only sees its programs run. */
  const equip = (path: string) => {
    linkPrograms(path, BASICS)
    for (const name of LOCKS)
      put(
        path,
        name,
        'while :; do case "$1" in -n | --pdeathsig) shift 2 ;; -*) shift ;; *) break ;; esac; done',
        'exec "$@"'
      )
  }

  const hosts: ReadonlyArray<readonly [without: ReadonlyArray<string>, text: string]> = [
    [[], "decoders have limits and no network, and die with the router"],
    [
      ["unshare"],
      "decoders are not locked in: they can reach the network, they may outlive a router that is killed"
    ],
    [["prlimit"], "decoders are not locked in: their memory has no limit"],
    [["setpriv"], "decoders are not locked in: they may outlive a router that is killed"],
    [["nice"], "decoders have limits and no network, and die with the router"],
    [
      ["unshare", "prlimit", "setpriv", "nice"],
      "decoders are not locked in: they can reach the network, their memory has no limit, they may outlive a router that is killed"
    ]
  ]
  for (const [without, text] of hosts)
    it.scopedLive(`says what it comes to where there is no ${without.join(", ") || "lack"}`, () =>
      Effect.gen(function* () {
        const { about, path } = yield* machine
        equip(path)
        for (const name of without) rmSync(join(path, name))
        const state = text.startsWith("decoders have") ? "ok" : "missing"
        assert.deepStrictEqual(yield* about("sandbox"), { name: "sandbox", state, text })
      })
    )
})

describe("the doctor of a router that came without its optional packages", () => {
  it.scopedLive("names everything that is missing, each with its remedy, and what it cannot do without", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const [path, data] = [join(folder, "path"), join(folder, "data")]
      mkdirSync(path)
      cpSync(join(root, "dist", "main.js"), join(folder, "dist", "main.js"))
      mkdirSync(join(folder, "node_modules"))
      const database = join("node_modules", driverFor(process.versions))
      symlinkSync(realpathSync(join(root, database)), join(folder, database))
      const program = yield* launch(
        { DATA_DIR: data, PATH: path, HOME: folder, LOG_LEVEL: "none" },
        { args: [join(folder, "dist", "main.js"), "doctor"], cwd: folder }
      )
      assert.deepStrictEqual(yield* program.ended, { code: 1, signal: null })
      assert.include(program.output(), "\nPercept cannot do its work here: see ffmpeg, ffprobe, images.\n")
      const [found = ""] = program
        .output()
        .replace(/^timestamp=.*\n/gm, "")
        .split("\n\n")
      const lines = found.split("\n")
      const missing = (name: string) => `${name} is neither on PATH nor in ${join(data, "bin")}. Without it`
      const expected = [
        `✗ ffmpeg        ${missing("ffmpeg")} videos and sound cannot be decoded.`,
        "→",
        `✗ ffprobe       ${missing("ffprobe")} videos and sound cannot be read.`,
        "→",
        "✗ speech        no speech engine: videos are looked at, not listened to",
        "                → percept models build-engine",
        "✗ speech model  base.en will be fetched when it is first needed (148 MB)",
        "                → percept models fetch",
        `✗ yt-dlp        ${missing("yt-dlp")} links to YouTube and other sites cannot be followed.`,
        "→",
        "✗ images        sharp is not installed",
        "                → npm install",
        "✗ sandbox       decoders are not locked in: they can reach the network, their memory has no limit, they may outlive a router that is killed"
      ]
      assert.strictEqual(lines.length, expected.length, program.output())
      for (const [at, wanted] of expected.entries())
        if (wanted === "→") assert.match(lines[at] ?? "", /^ {16}→ \S.{10}/)
        else assert.strictEqual(lines[at], wanted)
    })
  )
})
