import { assert, describe, it } from "@effect/vitest"
import Database from "better-sqlite3"
import { Effect } from "effect"
import type { Scope } from "effect"
import { AuthenticationError } from "openai"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { arrayField, field, parseJson, stringField } from "../../src/domain/Json.ts"
import { all, askedOf, openAi, raised, textOf } from "../support/Clients.ts"
import { asked as ollamaAsked, startOllama, tagOf } from "../support/OllamaUpstream.ts"
import { startProgram } from "../support/Program.ts"
import type { Program } from "../support/Program.ts"
import { eventually, startRouter, temporaryFolder } from "../support/Router.ts"
import { completion, json, startUpstream, stream, streamText } from "../support/Upstream.ts"
import type { Upstream } from "../support/Upstream.ts"

/** The built program in a folder of its own, with nothing but these variables and a free port. */
const startWith = (env: {
  readonly [name: string]: string
}): Effect.Effect<Program & { readonly folder: string }, never, Scope.Scope> =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    return { ...(yield* startProgram(env, { cwd: folder })), folder }
  })

const HELLO = [{ role: "user" as const, content: "Hello!" }]

const LEARNING = [
  { role: "system" as const, content: "You are a helpful assistant." },
  { role: "user" as const, content: "Tell me about machine learning." }
]

/** A server of the kind that stands at `UPSTREAM_URL`, and lists what it has. */
const startLocal = Effect.gen(function* () {
  const upstream = yield* startUpstream
  upstream.lists(json(200, { object: "list", data: LOCAL.map((id) => ({ id, object: "model" })) }))
  return upstream
})

const post = ({ url }: Program, path: string, body: object) =>
  Effect.promise(async () => {
    const response = await fetch(url + path, { method: "POST", body: JSON.stringify(body) })
    return { status: response.status, text: await response.text() }
  })

const get = ({ url }: Program, path: string) =>
  Effect.promise(async () => parseJson(await (await fetch(url + path)).text()))

const askedFor = (upstream: Upstream) => stringField(askedOf(upstream, upstream.received.length - 1), "model")

/** What the record has, in whatever file it is. */
const rowsAt = (file: string) =>
  Effect.sync(() => {
    if (!existsSync(file)) return []
    const database = new Database(file, { readonly: true })
    try {
      const sql =
        "SELECT model_requested_by_client AS asked, provider, state FROM openrouter_requests ORDER BY id"
      return database.prepare<[], Seen>(sql).all()
    } finally {
      database.close()
    }
  })

interface Seen {
  readonly asked: string
  readonly provider: string
  readonly state: string
}

const settledAt = (file: string, count: number) =>
  eventually(rowsAt(file), (rows) => rows.length >= count && rows.every(({ state }) => state !== "running"))

describe("who comes from the OpenAI Model Rerouter", () => {
  it.scopedLive("starts it as its README says, and uses it as its README says", () =>
    Effect.gen(function* () {
      const upstream = yield* startLocal
      const program = yield* startWith({
        MODEL_MAP: '{"gpt-3.5-turbo":"llama3-8b"}',
        UPSTREAM_URL: upstream.url
      })
      const client = openAi(program, { apiKey: "your-api-key" })
      const response = yield* Effect.promise(() =>
        client.chat.completions.create({ model: "gpt-3.5-turbo", messages: HELLO })
      )
      assert.strictEqual(response.choices[0]?.message.content, "Hello from upstream.")
      assert.deepStrictEqual(askedOf(upstream), { model: "llama3-8b", messages: HELLO })
      assert.strictEqual(upstream.received[0]?.path, "/v1/chat/completions")
      assert.strictEqual(upstream.received[0]?.headers.authorization, "Bearer your-api-key")
    })
  )

  it.scopedLive("brings every setting of its table, and finds every endpoint but the page and its data", () =>
    Effect.gen(function* () {
      const upstream = yield* startLocal
      const ollama = yield* startOllama
      const program = yield* startWith({
        UPSTREAM_URL: upstream.url,
        OLLAMA_UPSTREAM_URL: ollama.url,
        MODEL_MAP: '{"gpt-3.5-turbo":"llama3-8b","gpt-4":"llama3-70b"}',
        STRIP_THINKING: "true",
        DISABLE_THINKING: "false",
        ENABLE_LOGGING: "true",
        REQUEST_TIMEOUT: "60.0",
        DB_PATH: "requests.db",
        MAX_LOG_AGE_DAYS: "7",
        LISTEN_HOST: "127.0.0.1"
      })
      const client = openAi(program, { apiKey: "your-api-key" })
      const chat = { model: "gpt-4", messages: HELLO }

      upstream.once(completion("<think>Somebody greets me.</think>Hi."), stream(streamText(THOUGHT)))
      const whole = yield* Effect.promise(() => client.chat.completions.create(chat))
      assert.strictEqual(whole.choices[0]?.message.content, "Hi.")
      assert.deepStrictEqual(askedOf(upstream), { model: "llama3-70b", messages: HELLO })
      const pieces = yield* all(client.chat.completions.create({ ...chat, stream: true }))
      assert.strictEqual(textOf(pieces), "Hi there.")

      upstream.once(json(200, LEGACY), stream(...LEGACY_EVENTS))
      const text = { model: "gpt-3.5-turbo", prompt: "Once upon" }
      const completed = yield* Effect.promise(() => client.completions.create(text))
      assert.strictEqual(completed.choices[0]?.text, " a time")
      const texts = yield* all(client.completions.create({ ...text, stream: true }))
      assert.strictEqual(texts.map(({ choices }) => choices[0]?.text ?? "").join(""), " a time")
      assert.strictEqual(upstream.received.at(-1)?.path, "/v1/completions")
      assert.strictEqual(askedFor(upstream), "llama3-8b")

      const models = yield* all(Promise.resolve(client.models.list()))
      assert.includeMembers(
        models.map(({ id }) => id),
        ["gpt-3.5-turbo", "gpt-4", ...LOCAL, "mistral:7b"]
      )
      const tags = arrayField(yield* get(program, "/api/tags"), "models")
      assert.includeMembers(
        tags.map((tag) => field(tag, "name")),
        ["gpt-3.5-turbo", "gpt-4", "mistral:7b"]
      )

      upstream.answers(completion("<think>Hm.</think>Hi."))
      const said = yield* post(program, "/api/chat", { ...chat, stream: false })
      assert.strictEqual(field(field(parseJson(said.text), "message"), "content"), "Hi.")
      assert.strictEqual(askedFor(upstream), "llama3-70b")
      const generated = yield* post(program, "/api/generate", { model: "gpt-4", prompt: "Hi", stream: false })
      assert.strictEqual(field(parseJson(generated.text), "response"), "Hi.")
      upstream.answers(stream(streamText(THOUGHT)))
      for (const [path, body] of [
        ["/api/chat", { model: "gpt-4", messages: HELLO }],
        ["/api/generate", { model: "gpt-4", prompt: "Hi" }]
      ] as const) {
        const lines = (yield* post(program, path, body)).text.trim().split("\n").map(parseJson)
        const words = lines.map(
          (line) => stringField(line, "response") ?? stringField(field(line, "message"), "content") ?? ""
        )
        assert.strictEqual(words.join(""), "Hi there.", path)
        assert.strictEqual(field(lines.at(-1), "done"), true)
      }
      const native = yield* post(program, "/api/chat", {
        model: "mistral:7b",
        messages: HELLO,
        stream: false
      })
      assert.strictEqual(native.status, 200, native.text)
      assert.deepStrictEqual(
        ollama.received.map((request) => ollamaAsked(request)["model"]),
        ["mistral:7b"]
      )

      const rows = yield* settledAt(join(program.folder, "requests.db"), 9)
      assert.deepStrictEqual(
        rows.map(({ state }) => state),
        rows.map(() => "done")
      )
      assert.include(rows[0]?.asked, "gpt-4")
    })
  )

  it.scopedLive("brings its patterns, and the switch for thinking", () =>
    Effect.gen(function* () {
      const upstream = yield* startLocal
      const router = yield* startRouter({
        UPSTREAM_URL: upstream.url,
        MODEL_MAP: String.raw`{
          "/gpt-(.*)turbo/": "llama3-\\1-instruct",
          "/gpt-4(.*)$/": "claude-3-opus\\1"
        }`,
        STRIP_THINKING: "false",
        DISABLE_THINKING: "true"
      })
      const client = openAi(router)
      upstream.answers(completion("<think>Hm.</think>Hi."))
      for (const [model, target] of [
        ["gpt-3.5-turbo", "llama3-3.5--instruct"],
        ["gpt-4", "claude-3-opus"],
        ["gpt-4-32k", "claude-3-opus-32k"],
        ["my-gpt-4", "my-gpt-4"]
      ] as const) {
        const answer = yield* Effect.promise(() => client.chat.completions.create({ model, messages: HELLO }))
        assert.strictEqual(answer.choices[0]?.message.content, "<think>Hm.</think>Hi.")
        assert.strictEqual(askedFor(upstream), target)
      }
      const [message] = arrayField(askedOf(upstream), "messages")
      assert.match(stringField(message, "content") ?? "", /^Hello!\s*\/no_think$/)
    })
  )
})

describe("who comes from ModelRouter API", () => {
  it.scopedLive("brings every setting, and its examples go where they went", () =>
    Effect.gen(function* () {
      const openai = yield* startUpstream
      openai.lists(json(200, { object: "list", data: OPENAIS.map((id) => ({ id, object: "model" })) }))
      openai.answers((request, response) =>
        (request.path === "/v1/embeddings" ? json(200, VECTORS) : completion("OpenAI here."))(
          request,
          response
        )
      )
      const huggingFace = yield* startUpstream
      const ollama = yield* startOllama
      ollama.lists(json(200, { models: [tagOf({ ...LLAMA2, name: "llama2:latest" })] }))
      ollama.answers((request, response) =>
        (request.path === "/api/chat" ? json(200, NATIVE) : completion("Llama here."))(request, response)
      )
      const program = yield* startWith({
        API_KEYS: "test-key,another-key",
        OPENAI_API_KEY: "your_openai_api_key",
        OPENAI_BASE_URL: `${openai.url}/v1`,
        HUGGINGFACE_API_TOKEN: "your_huggingface_token",
        // Not in its README: the one address that would leave this machine.
        HUGGINGFACE_BASE_URL: `${huggingFace.url}/v1`,
        OLLAMA_BASE_URL: ollama.url,
        DATABASE_URL: "sqlite:///./modelrouter.db"
      })
      const client = openAi(program, { apiKey: "test-key" })
      const ask = (model: string) =>
        Effect.map(
          Effect.promise(() => client.chat.completions.create({ model, messages: LEARNING })),
          ({ choices }) => choices[0]?.message.content
        )
      assert.strictEqual(yield* ask("gpt-3.5-turbo"), "OpenAI here.")
      assert.deepStrictEqual(askedOf(openai), { model: "gpt-3.5-turbo", messages: LEARNING })
      assert.strictEqual(openai.received[0]?.headers.authorization, "Bearer your_openai_api_key")
      assert.strictEqual(yield* ask("llama2"), "Llama here.")
      assert.strictEqual(yield* ask("test/plain"), "Hello from upstream.")
      assert.strictEqual(huggingFace.received[0]?.headers.authorization, "Bearer your_huggingface_token")

      const response = yield* Effect.promise(() =>
        client.embeddings.create({
          model: "text-embedding-ada-002",
          input: "Machine learning is fascinating"
        })
      )
      assert.deepStrictEqual(response.data[0]?.embedding, [0.5, -0.25])
      const models = yield* all(Promise.resolve(client.models.list()))
      assert.includeMembers(
        models.map(({ id }) => id),
        OPENAIS
      )

      const byHeader = (key: string) =>
        Effect.promise(() => fetch(`${program.url}/v1/models`, { headers: { "X-Api-Key": key } }))
      assert.strictEqual((yield* byHeader("another-key")).status, 200)
      assert.strictEqual((yield* byHeader("wrong")).status, 401)
      yield* raised(AuthenticationError, () => openAi(program, { apiKey: "wrong" }).models.list())

      const rows = yield* settledAt(join(program.folder, "modelrouter.db"), 4)
      const chats = rows.filter(({ state }) => state === "done")
      assert.deepStrictEqual(
        chats.map(({ asked, provider }) => `${provider}: ${asked}`),
        [
          "openai: gpt-3.5-turbo",
          "ollama: llama2",
          "huggingface: test/plain",
          "openai: text-embedding-ada-002"
        ]
      )
    })
  )

  it.scopedLive("finds OpenAI's models at OpenAI even while nobody's list can be had", () =>
    Effect.gen(function* () {
      const openai = yield* startUpstream
      openai.lists(json(500, { error: { message: "Down." } }))
      const router = yield* startRouter({ OPENAI_API_KEY: "a", OPENAI_BASE_URL: `${openai.url}/v1` })
      const client = openAi(router)
      yield* Effect.promise(() =>
        client.chat.completions.create({ model: "gpt-3.5-turbo", messages: LEARNING })
      )
      assert.strictEqual(askedFor(openai), "gpt-3.5-turbo")
    })
  )
})

describe("who comes from the OpenRouter MultiModal Proxy", () => {
  it.scopedLive("brings its .env, and its client asks as it did", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      const program = yield* startWith({
        ...upstream.env,
        OPENROUTER_API_KEY: "YOUR_OPENROUTER_API_KEY_HERE",
        DEFAULT_TEXT_MODEL: "qwen/qwen3-235b-a22b",
        VISION_MODEL: "mistralai/mistral-small-3.1-24b-instruct",
        LOG_FILE_PATH: "data/router.log.json",
        OPENROUTER_REFERER: "http://localhost:8000",
        OPENROUTER_X_TITLE: "OpenRouterProxy",
        DATABASE_URL: "sqlite+aiosqlite:///./oai_router.db",
        WHISPER_MODEL_NAME: "distil-medium.en",
        WHISPER_DEVICE: "cpu"
      })
      const answer = yield* post(program, "/v1/chat/completions", { messages: HELLO })
      assert.strictEqual(answer.status, 200, answer.text)
      assert.strictEqual(askedFor(upstream), "qwen/qwen3-235b-a22b")
      const headers = upstream.received[0]?.headers
      assert.strictEqual(headers?.["http-referer"], "http://localhost:8000")
      assert.strictEqual(headers?.["x-title"], "OpenRouterProxy")
      yield* settledAt(join(program.folder, "oai_router.db"), 1)
      yield* eventually(
        Effect.sync(() => existsSync(join(program.folder, "data", "router.log.json"))),
        (written) => written
      )
    })
  )
})

const LOCAL = ["llama3-8b", "llama3-70b", "codellama-34b"]
const OPENAIS = ["gpt-3.5-turbo", "text-embedding-ada-002"]
const LLAMA2 = {
  name: "",
  digest: "f".repeat(64),
  family: "llama",
  context: 4096,
  capabilities: ["completion"]
}

const THOUGHT = ["<th", "ink>Some", "body greets me.</thi", "nk>Hi", " there."]

const LEGACY = {
  id: "cmpl-1",
  object: "text_completion",
  created: 1,
  model: "llama3-8b",
  choices: [{ index: 0, text: " a time", logprobs: null, finish_reason: "stop" }],
  usage: { prompt_tokens: 2, completion_tokens: 2, total_tokens: 4 }
}

const legacyEvent = (text: string, finish: string | null) =>
  `data: ${JSON.stringify({ ...LEGACY, choices: [{ index: 0, text, finish_reason: finish }] })}\n\n`

const LEGACY_EVENTS = [
  legacyEvent(" a", null),
  legacyEvent(" time", null),
  legacyEvent("", "stop"),
  "data: [DONE]\n\n"
]

const VECTORS = {
  object: "list",
  model: "text-embedding-ada-002",
  data: [{ object: "embedding", index: 0, embedding: [0.5, -0.25] }],
  usage: { prompt_tokens: 4, total_tokens: 4 }
}

const NATIVE = {
  model: "llama2",
  created_at: "2026-11-20T10:00:00Z",
  message: { role: "assistant", content: "Llama here." },
  done: true,
  done_reason: "stop"
}
