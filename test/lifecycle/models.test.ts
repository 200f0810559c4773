import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { readdirSync } from "node:fs"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { root } from "../../scripts/fresh.mjs"
import { temporaryFolder } from "../support/Router.ts"
import { json, startUpstream } from "../support/Upstream.ts"

type Environment = { readonly [name: string]: string }

/** The built program with these words, run to its end in an empty folder. */
const percept = (env: Environment, ...words: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const ended = yield* Effect.async<{
      readonly code: unknown
      readonly out: ReadonlyArray<string>
      readonly err: string
    }>((resume) => {
      const options = { cwd: folder, env: { PATH: process.env["PATH"], ...env } }
      execFile(process.execPath, [mainFile, "models", ...words], options, (error, out, err) =>
        resume(
          Effect.succeed({ code: error === null ? 0 : error.code, out: out.split("\n").slice(0, -1), err })
        )
      )
    })
    assert.deepStrictEqual(readdirSync(folder), [])
    return ended
  })

const mainFile = join(root, "dist", "main.js")

/** An address that takes connections and says nothing. */
const hanging = Effect.acquireRelease(
  Effect.async<{ readonly url: string; readonly stop: Effect.Effect<void> }>((resume) => {
    const server = createServer((socket) => void socket.on("error", () => {}).resume())
    server.listen(0, "127.0.0.1", () => {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      resume(Effect.succeed({ url, stop: Effect.sync(() => void server.close()) }))
    })
  }),
  ({ stop }) => stop
)

const EYES = {
  ...{ id: "vendor/eyes", context_length: 128000 },
  architecture: { input_modalities: ["text", "image"] },
  pricing: { prompt: "0.00000015", completion: "0.0000006", request: "0.001" }
}
const MAP = JSON.stringify({ "gpt-4": "vendor/eyes", "/gpt-(.*)-turbo/": "openai:gpt-$1" })

/** OpenRouter and OpenAI, each with its models. */
const providers = Effect.gen(function* () {
  const openrouter = yield* startUpstream
  openrouter.lists(json(200, { data: [EYES, { id: "both" }] }))
  const openai = yield* startUpstream
  openai.lists(json(200, { data: [{ id: "both" }, { id: "gpt-x" }] }))
  return {
    ...openrouter.env,
    ...{ OPENAI_API_KEY: "sk-openai", OPENAI_BASE_URL: `${openai.url}/v1`, MODEL_MAP: MAP }
  }
})

describe("percept models list", () => {
  it.scopedLive("prints every name once, or those of one provider, and names who has no list", () =>
    Effect.gen(function* () {
      const env = yield* providers
      const { url } = yield* hanging
      const dead = { ...env, UPSTREAM_URL: "http://127.0.0.1:1", OLLAMA_BASE_URL: url }
      const [all, one, unknown, lost] = yield* Effect.all(
        [
          percept(dead, "list"),
          percept(env, "list", "--provider", "openai"),
          percept(env, "list", "--provider=ollama"),
          percept(dead, "list", "--provider=upstream")
        ],
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(all.out, ["gpt-4", "vendor/eyes", "both", "gpt-x", "percept/inspect"])
      assert.strictEqual(all.code, 0)
      assert.match(
        all.err,
        /^The model list of ollama cannot be had: .*\nThe model list of upstream cannot be had: upstream cannot be reached\..*\n$/
      )
      assert.deepStrictEqual(one, { code: 0, out: ["both", "gpt-x"], err: "" })
      assert.deepStrictEqual([unknown.code, unknown.out], [1, []])
      assert.strictEqual(
        unknown.err,
        "There is no provider 'ollama' here, but openrouter, openai, percept.\n"
      )
      assert.deepStrictEqual([lost.code, lost.out], [1, []])
      assert.match(lost.err, /^The model list of upstream cannot be had: [^\n]*\n$/)
    })
  )
})

describe("percept models resolve", () => {
  it.scopedLive("says where a name goes, by which rule, and what is known of the model", () =>
    Effect.gen(function* () {
      const env = yield* providers
      const names = ["gpt-4", "gpt-3.5-turbo", "vendor/eyes:free", "whisper-1"]
      const told = yield* Effect.forEach(names, (name) => percept(env, "resolve", name), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(
        told.map(({ code, err }) => [code, err]),
        names.map(() => [0, ""])
      )
      const [mapped, pattern, variant, speech] = told.map(({ out }) => out)
      const eyes = [
        "takes     text, image",
        "context   128000 tokens",
        "price     $0.15 in, $0.6 out per million tokens, $0.001 per request"
      ]
      const unknown = ["takes     not said", "context   not said", "price     not said"]
      assert.deepStrictEqual(mapped, [
        "provider  openrouter",
        "model     vendor/eyes",
        "rule      map+listed",
        "map       gpt-4",
        "listed    yes",
        ...eyes
      ])
      assert.deepStrictEqual(pattern, [
        "provider  openai",
        "model     gpt-3.5",
        "rule      map+explicit",
        "map       /gpt-(.*)-turbo/",
        "listed    no",
        ...unknown
      ])
      assert.deepStrictEqual(variant?.slice(1), [
        "model     vendor/eyes:free",
        "rule      listed",
        "map       no entry",
        "listed    yes, as vendor/eyes",
        ...eyes
      ])
      assert.strictEqual(speech?.at(-1), "speech    heard on this machine under this name")
    })
  )

  it.scopedLive("fails for a name that goes nowhere, and names a provider that is down", () =>
    Effect.gen(function* () {
      const dead = { OLLAMA_BASE_URL: "http://127.0.0.1:1" }
      const [alone, nothing, down] = yield* Effect.all(
        [
          percept({}, "resolve", "gpt-4"),
          percept({}, "resolve", "percept/nothing"),
          percept(dead, "resolve", "llama2")
        ],
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(
        [alone, nothing].map(({ code, out }) => [code, out]),
        Array.from({ length: 2 }, () => [1, []])
      )
      assert.match(alone.err, /^The model 'gpt-4' does not exist here[^\n]*\n$/)
      assert.strictEqual(nothing.err, "There is no model 'percept/nothing'.\n")
      assert.strictEqual(down.code, 0)
      assert.deepStrictEqual(down.out.slice(0, 3), [
        "provider  ollama",
        "model     llama2",
        "rule      first"
      ])
      assert.match(down.err, /^The model list of ollama cannot be had: ollama cannot be reached\.[^\n]*\n$/)
    })
  )
})
