import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { arrayField, field, parseJson, stringField } from "../../src/domain/Json.ts"
import { percept } from "../support/Percept.ts"
import { everyDatabase } from "../support/Postgres.ts"
import { temporaryFolder } from "../support/Router.ts"
import { json, startUpstream, UPSTREAM_KEY } from "../support/Upstream.ts"
import type { Answer } from "../support/Upstream.ts"

/** A machine whose tools are there, or seem to be: what they can do is asked elsewhere. */
const machine = Effect.gen(function* () {
  const folder = yield* temporaryFolder
  const tool = (name: string, says: string) => {
    const file = join(folder, "tools", name)
    writeFileSync(file, `#!/bin/sh\necho "${says}"\n`, { mode: 0o755 })
    return file
  }
  mkdirSync(join(folder, "tools"))
  const tools = {
    FFMPEG_PATH: tool("ffmpeg", "ffmpeg version 6.1.1 Copyright"),
    FFPROBE_PATH: tool("ffprobe", "ffprobe version 6.1.1 Copyright"),
    YTDLP_PATH: tool("yt-dlp", "2026.09.01"),
    WHISPER_URL: "http://127.0.0.1:1/"
  }
  const doctor = (env: { readonly [name: string]: string }, ...words: ReadonlyArray<string>) =>
    percept(folder, { ...tools, ...env }, "doctor", ...words)
  /** The findings, each to be had by its name. */
  const report = (env: { readonly [name: string]: string }) =>
    Effect.map(doctor(env, "--json"), ({ code, err, out }) => {
      const said = parseJson(out)
      const findings = ["media", "providers", "storage"].flatMap((part) => arrayField(said, part))
      const find = (name: string) => findings.find((finding) => stringField(finding, "name") === name)
      const text = (name: string) => stringField(find(name), "text") ?? ""
      return { code, err, works: field(said, "works"), find, text, out }
    })
  return { report, doctor, folder }
})

/** Answers what is asked about the key. */
const keyed =
  (answer: Answer): Answer =>
  (request, response) =>
    /^\/(v1\/key|api\/whoami-v2)$/.test(request.path)
      ? answer(request, response)
      : json(404, {})(request, response)

describe("percept doctor on providers", () => {
  it.scopedLive("says that one is there and its key is good, and has spent nothing", () =>
    Effect.gen(function* () {
      const { doctor } = yield* machine
      const upstream = yield* startUpstream
      upstream.answers(keyed(json(200, { data: { label: "mine", limit_remaining: 12.5 } })))
      const { code, err, out } = yield* doctor(upstream.env)
      assert.deepStrictEqual([code, err], [0, ""])
      assert.match(
        out,
        /^✓ openrouter {4}\d+ models in \d+ ms; the key is good, \$12\.50 of its limit left$/m
      )
      assert.match(out, /^✓ catalogue {5}\d+ models, just listed; lists are kept for \d+[mh]$/m)
      assert.match(out, /^✓ vision model {2}mistralai\/\S+ {2}openrouter, which does not list it$/m)
      assert.match(out, /^ {2}MAX_BODY_MB +64\n/m)
      assert.deepStrictEqual(
        upstream.received.map(({ headers, method, path }) => [method, path, headers.authorization]),
        [["GET", "/v1/key", `Bearer ${UPSTREAM_KEY}`]]
      )
      assert.notInclude(out, UPSTREAM_KEY)
    })
  )

  it.scopedLive("finds a key that is refused, though the list is for everybody", () =>
    Effect.gen(function* () {
      const { report } = yield* machine
      const upstream = yield* startUpstream
      upstream.answers(keyed(json(401, { error: { message: "User\u001b[2J not\nfound." } })))
      const huggingFace = { HUGGINGFACE_API_TOKEN: "hf_wrong", HUGGINGFACE_BASE_URL: `${upstream.url}/v1` }
      const { code, err, find, works } = yield* report({ ...upstream.env, ...huggingFace })
      assert.deepStrictEqual([code, works], [1, false])
      assert.strictEqual(err, "Percept cannot do its work here: see openrouter, huggingface.\n")
      assert.include(find("openrouter"), {
        state: "failing",
        text: "openrouter answered 401: User [2J not found.",
        remedy: "check the key: OPENROUTER_API_KEY"
      })
      assert.include(find("huggingface"), { state: "failing" })
    })
  )

  it.scopedLive("needs one that works, not all", () =>
    Effect.gen(function* () {
      const { report } = yield* machine
      const upstream = yield* startUpstream
      const env = { ...upstream.env, OLLAMA_BASE_URL: "http://127.0.0.1:1", VISION_MODEL: "nowhere" }
      const { code, find, works } = yield* report(env)
      assert.deepStrictEqual([code, works], [0, true])
      assert.include(find("ollama"), { state: "failing" })
      // Who stands in for a provider need not know of keys.
      assert.include(find("openrouter"), { state: "ok" })
      assert.include(find("vision model"), { state: "missing", text: "nobody here has nowhere" })
    })
  )
})

describe("percept doctor on storage", () => {
  it.scopedLive("makes nothing, and says where it will be and what room there is", () =>
    Effect.gen(function* () {
      const { folder, report } = yield* machine
      const { code, find, text, works } = yield* report({})
      assert.deepStrictEqual([code, works], [0, true])
      assert.match(
        text("database"),
        /^SQLite 3\.\d+\.\d+ {2}\/.*\/data\/percept\.db {2}will be made at the first start$/
      )
      assert.isAbove(Number(field(field(find("data folder"), "facts"), "free")), 0)
      assert.deepStrictEqual(readdirSync(folder).toSorted(), ["data", "tools"])
      assert.deepStrictEqual(readdirSync(join(folder, "data")), ["tmp"])
    })
  )

  it.scopedLive("cannot do with a file that is no database, and leaves it as it is", () =>
    Effect.gen(function* () {
      const { folder, report } = yield* machine
      const text = "this was never a database, but it is somebody's file\n".repeat(100)
      writeFileSync(join(folder, "kept.db"), text)
      const { code, err, text: told } = yield* report({ DB_PATH: "kept.db" })
      assert.deepStrictEqual([code, err], [1, "Percept cannot do its work here: see database.\n"])
      assert.match(told("database"), /kept\.db is damaged or no SQLite file\./)
      assert.strictEqual(readFileSync(join(folder, "kept.db"), "utf8"), text)
    })
  )

  it.scopedLive("nor where it cannot write", () =>
    Effect.gen(function* () {
      const { folder, report } = yield* machine
      writeFileSync(join(folder, "file"), "")
      const { code, text } = yield* report({ DATA_DIR: "file/data" })
      assert.strictEqual(code, 1)
      assert.match(text("data folder"), /\/file\/data cannot be written to: /)
    })
  )

  for (const { fresh, name } of everyDatabase())
    it.scopedLive(`asks ${name} what it is, without a table of its own`, () =>
      Effect.gen(function* () {
        const { report } = yield* machine
        const env = yield* fresh
        const { code, err, text } = yield* report(env)
        assert.strictEqual(code, 0, err)
        const kind = env["DATABASE_URL"] === undefined ? "SQLite" : "PostgreSQL"
        assert.match(text("database"), new RegExp(`^${kind} \\d+\\.\\d+`))
      })
    )

  it.scopedLive("says of a server out of reach which it is, and nothing of its password", () =>
    Effect.gen(function* () {
      const { report } = yield* machine
      const env = { DATABASE_URL: "postgres://me:topsecret@127.0.0.1:1/percept" }
      const { code, out, text } = yield* report(env)
      assert.strictEqual(code, 1)
      assert.match(text("database"), /^The database 127\.0\.0\.1:1\/percept cannot be reached/)
      assert.notInclude(out, "topsecret")
    })
  )
})
