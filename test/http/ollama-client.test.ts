import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Scope } from "effect"
import { Ollama } from "ollama"
import type { Config } from "ollama"
import { arrayField, field, isObject, parseJson, stringField } from "../../src/domain/Json.ts"
import type { JsonObject } from "../../src/domain/Json.ts"
import { all, raised, settled } from "../support/Clients.ts"
import { noise } from "../support/Images.ts"
import { chatDone, chatLine, generateDone, generateLine, lines, NDJSON } from "../support/OllamaUpstream.ts"
import { OLLAMA_STATS, startOllama } from "../support/OllamaUpstream.ts"
import { eventually, startRouter } from "../support/Router.ts"
import type { Router } from "../support/Router.ts"
import { breaksOff, chunk, completion, json, startUpstream, stream, USAGE } from "../support/Upstream.ts"
import type { Answer, Received, Upstream } from "../support/Upstream.ts"

/** A provider of one shape, and the router before it. */
interface Stage {
  readonly upstream: Upstream
  readonly router: Router
  readonly client: Ollama
  readonly models: Readonly<Record<"plain" | "eyes" | "thinker" | "embedder", string>>
  /** What the provider counts. */
  readonly tokens: readonly [prompt: number, answer: number]
  readonly cost: number
}

type Shape = (lanes: boolean, config?: Partial<Config>) => Effect.Effect<Stage, never, Scope.Scope>

const openAiShaped: Shape = (lanes, config) =>
  Effect.gen(function* () {
    const upstream = yield* startUpstream
    upstream.lists(json(200, { data: CATALOGUE }))
    const router = yield* startRouter(
      { ...upstream.env, MODEL_MAP: '{"mine":"test/plain"}', UPSTREAM_RETRIES: "0" },
      { lanes }
    )
    const client = new Ollama({ host: router.url, ...config })
    const models = { plain: "test/plain", eyes: "test/eyes", thinker: "test/thinker", embedder: "test/embed" }
    const tokens = [USAGE.prompt_tokens, USAGE.completion_tokens] as const
    return { upstream, router, client, models, tokens, cost: 140_000 }
  })

const ollamaShaped: Shape = (lanes, config) =>
  Effect.gen(function* () {
    const upstream = yield* startOllama
    const router = yield* startRouter(
      { ...upstream.env, MODEL_MAP: '{"mine":"llama3.2"}', UPSTREAM_RETRIES: "0" },
      { lanes }
    )
    const client = new Ollama({ host: router.url, ...config })
    const models = { plain: "llama3.2", eyes: "llava:7b", thinker: "qwen3:4b", embedder: "nomic-embed-text" }
    const tokens = [OLLAMA_STATS.prompt_eval_count, OLLAMA_STATS.eval_count] as const
    return { upstream, router, client, models, tokens, cost: 0 }
  })

const SHAPES: ReadonlyArray<readonly [name: string, start: Shape]> = [
  ["OpenAI-shaped", openAiShaped],
  ["Ollama-shaped", ollamaShaped]
]

for (const [shape, start] of SHAPES)
  for (const lanes of [true, false])
    describe(`the official client before an ${shape} provider${lanes ? "" : ", without lanes"}`, () => {
      it.scopedLive("chats, whole and streamed", () =>
        Effect.gen(function* () {
          const { client, cost, models, router, tokens, upstream } = yield* start(lanes)
          upstream.answers(playing({ words: ["Hel", "lo ", "wörld 😀"] }))
          const request = { model: models.plain, messages: [{ role: "user", content: "Hi" }] }
          const whole = yield* Effect.promise(() => client.chat(request))
          assert.strictEqual(bare(whole.model), models.plain)
          assert.deepStrictEqual(whole.message, { role: "assistant", content: "Hello wörld 😀" })
          isDone(whole, tokens)

          const pieces = yield* all(client.chat({ ...request, stream: true }))
          assert.isAtLeast(pieces.length, 3)
          assert.strictEqual(pieces.map((piece) => piece.message.content).join(""), "Hello wörld 😀")
          for (const piece of pieces) {
            assert.strictEqual(bare(piece.model), models.plain)
            assert.strictEqual(piece.message.role, "assistant")
          }
          assert.deepStrictEqual(
            pieces.map((piece) => piece.done),
            pieces.map((_, index) => index === pieces.length - 1)
          )
          isDone(pieces.at(-1), tokens)

          for (const asked of upstream.received.map(understood)) assert.deepStrictEqual(asked.texts, ["Hi"])
          const rows = yield* settled(router, 2)
          assert.deepStrictEqual(
            rows.map((row) => [
              row.endpoint_called,
              row.model_requested_by_client,
              row.is_streaming,
              row.state
            ]),
            [
              ["/api/chat", models.plain, 0, "done"],
              ["/api/chat", models.plain, 1, "done"]
            ]
          )
          for (const row of rows) {
            assert.deepStrictEqual([row.prompt_tokens, row.completion_tokens], [...tokens])
            assert.strictEqual(row.cost_nano_usd, cost)
            assert.strictEqual(row.output_char_length, "Hello wörld 😀".length)
          }
        })
      )

      it.scopedLive("generates, whole and streamed", () =>
        Effect.gen(function* () {
          const { client, cost, models, router, tokens, upstream } = yield* start(lanes)
          upstream.answers(playing({ words: ["Blue", " because."] }))
          const request = { model: models.plain, prompt: "Why?", system: "Be brief." }
          const whole = yield* Effect.promise(() => client.generate(request))
          assert.strictEqual(bare(whole.model), models.plain)
          assert.strictEqual(whole.response, "Blue because.")
          isDone(whole, tokens)

          const pieces = yield* all(client.generate({ ...request, stream: true }))
          assert.isAtLeast(pieces.length, 2)
          assert.strictEqual(pieces.map((piece) => piece.response ?? "").join(""), "Blue because.")
          isDone(pieces.at(-1), tokens)

          for (const asked of upstream.received.map(understood))
            assert.deepStrictEqual(asked.texts, ["Be brief.", "Why?"])
          const rows = yield* settled(router, 2)
          for (const row of rows) {
            assert.strictEqual(row.endpoint_called, "/api/generate")
            assert.strictEqual(row.model_requested_by_client, models.plain)
            assert.deepStrictEqual([row.prompt_tokens, row.completion_tokens], [...tokens])
            assert.strictEqual(row.cost_nano_usd, cost)
          }
        })
      )

      it.scopedLive("raises an error in the middle of an answer", () =>
        Effect.gen(function* () {
          const { client, models, router, upstream } = yield* start(lanes)
          upstream.answers(failsMidway)
          const messages = [{ role: "user", content: "Hi" }]
          const streams = [
            () => client.chat({ model: models.plain, messages, stream: true }),
            () => client.generate({ model: models.plain, prompt: "Hi", stream: true })
          ]
          for (const begin of streams) {
            const error = yield* raised(Error, async () => {
              for await (const _ of await begin()) void _
            })
            assert.match(error.message, /out of memory/)
          }
          upstream.answers(breaksMidway)
          for (const begin of streams) {
            const error = yield* raised(Error, async () => {
              for await (const _ of await begin()) void _
            })
            assert.notMatch(error.message, /Did not receive/)
          }
          const rows = yield* settled(router, 4)
          for (const row of rows) {
            assert.strictEqual(row.state, "failed")
            assert.strictEqual(row.error_source, "upstream")
            assert.strictEqual(row.status_code_returned_to_client, 200)
          }
        })
      )

      if (!lanes) return

      it.scopedLive("has a model brought in and sent away", () =>
        Effect.gen(function* () {
          const { client, models, router, upstream } = yield* start(lanes)
          const chat = yield* Effect.promise(() => client.chat({ model: models.plain, messages: [] }))
          assert.deepStrictEqual(chat.message, { role: "assistant", content: "" })
          assert.deepStrictEqual([chat.done, chat.done_reason], [true, "load"])
          const prompt = { model: models.plain, prompt: "", keep_alive: 0, stream: true as const }
          const pieces = yield* all(client.generate(prompt))
          assert.deepStrictEqual(
            pieces.map(({ done, done_reason, response }) => [response, done, done_reason]),
            [["", true, "unload"]]
          )
          // Who keeps no models in memory is not asked.
          assert.deepStrictEqual(
            upstream.received.map((got) => [got.path, bodyOf(got)["model"], bodyOf(got)["keep_alive"]]),
            shape === "Ollama-shaped"
              ? [
                  ["/api/chat", models.plain, undefined],
                  ["/api/generate", models.plain, 0]
                ]
              : []
          )
          const rows = yield* settled(router, 2)
          assert.deepStrictEqual(
            rows.map((row) => [row.endpoint_called, row.state, row.model_requested_by_client]),
            [
              ["/api/chat", "done", models.plain],
              ["/api/generate", "done", models.plain]
            ]
          )
        })
      )

      it.scopedLive("may put the usual tag on any name", () =>
        Effect.gen(function* () {
          const { client, models, router, upstream } = yield* start(lanes)
          const { models: found } = yield* Effect.promise(() => client.list())
          const listed = found.find(({ name }) => bare(name) === models.plain)
          assert.strictEqual(listed?.model, `${models.plain}:latest`)
          upstream.answers(playing({ words: ["Hi"] }))
          const messages = [{ role: "user", content: "Hi" }]
          yield* Effect.promise(() => client.chat({ model: listed?.model ?? "", messages }))
          yield* Effect.promise(() => client.chat({ model: "mine:latest", messages }))
          assert.deepStrictEqual(
            upstream.received.map((got) => bare(stringField(bodyOf(got), "model") ?? "")),
            [models.plain, models.plain]
          )
          if (shape === "OpenAI-shaped")
            assert.notInclude(upstream.received.map((got) => got.body.toString()).join(), ":latest")
          for (const row of yield* settled(router, 2)) assert.strictEqual(row.state, "done")
        })
      )

      it.scopedLive("shows pictures, in a chat and in a prompt", () =>
        Effect.gen(function* () {
          const { client, models, upstream } = yield* start(lanes)
          upstream.answers(playing({ words: ["Noise."] }))
          const picture = yield* Effect.promise(() => noise(16, 16).png().toBuffer())
          const messages = [{ role: "user", content: "What is it?", images: [new Uint8Array(picture)] }]
          const chat = yield* Effect.promise(() => client.chat({ model: models.eyes, messages }))
          assert.strictEqual(chat.message.content, "Noise.")
          const images = [picture.toString("base64")]
          const generated = yield* Effect.promise(() =>
            client.generate({ model: models.eyes, prompt: "What is it?", images })
          )
          assert.strictEqual(generated.response, "Noise.")
          for (const asked of upstream.received.map(understood)) {
            assert.deepStrictEqual(asked.images, images)
            assert.include(asked.texts.join("\n"), "What is it?")
          }
        })
      )

      it.scopedLive("uses tools, whole and streamed, and brings back what they said", () =>
        Effect.gen(function* () {
          const { client, models, upstream } = yield* start(lanes)
          const args = { city: "Köln", days: 2, deep: { a: [1] } }
          upstream.once(playing({ words: [], calls: [["weather", args]] }))
          upstream.once(
            playing({
              words: [],
              calls: [
                ["weather", args],
                ["time", {}]
              ]
            })
          )
          const request = {
            model: models.plain,
            messages: [{ role: "user", content: "Weather?" }],
            tools: TOOLS
          }
          const whole = yield* Effect.promise(() => client.chat(request))
          assert.strictEqual(whole.message.tool_calls?.length, 1)
          assert.strictEqual(whole.message.tool_calls?.[0]?.function.name, "weather")
          assert.deepStrictEqual(whole.message.tool_calls?.[0]?.function.arguments, args)

          const pieces = yield* all(client.chat({ ...request, stream: true }))
          const calls = pieces.flatMap((piece) => piece.message.tool_calls ?? [])
          assert.deepStrictEqual(
            calls.map((call) => [call.function.name, call.function.arguments]),
            [
              ["weather", args],
              ["time", {}]
            ]
          )
          assert.isTrue(pieces.at(-1)?.done)
          for (const asked of upstream.received.map(understood)) assert.deepStrictEqual(asked.tools, TOOLS)

          upstream.once(playing({ words: ["Rain."] }))
          const last = yield* Effect.promise(() =>
            client.chat({
              ...request,
              messages: [
                ...request.messages,
                whole.message,
                { role: "tool", content: "rain", tool_name: "weather" }
              ]
            })
          )
          assert.strictEqual(last.message.content, "Rain.")
          const messages = arrayField(bodyOf(upstream.received.at(-1)), "messages")
          assert.deepStrictEqual(
            messages.map((message) => stringField(message, "role")),
            ["user", "assistant", "tool"]
          )
          const called = field(arrayField(messages[1], "tool_calls")[0], "function")
          const sent = field(called, "arguments")
          assert.strictEqual(field(called, "name"), "weather")
          assert.deepStrictEqual(typeof sent === "string" ? JSON.parse(sent) : sent, args)
          assert.strictEqual(field(messages[2], "content"), "rain")
        })
      )

      it.scopedLive("hears thoughts apart from the answer", () =>
        Effect.gen(function* () {
          const { client, models, upstream } = yield* start(lanes)
          upstream.answers(playing({ thoughts: ["Let me", " think."], words: ["4", "2"] }))
          const messages = [{ role: "user", content: "6 times 7?" }]
          const chat = { model: models.thinker, messages, think: true }
          const whole = yield* Effect.promise(() => client.chat(chat))
          assert.strictEqual(whole.message.thinking, "Let me think.")
          assert.strictEqual(whole.message.content, "42")

          const pieces = yield* all(client.chat({ ...chat, stream: true }))
          assert.strictEqual(pieces.map((piece) => piece.message.thinking ?? "").join(""), "Let me think.")
          assert.strictEqual(pieces.map((piece) => piece.message.content).join(""), "42")

          const prompt = { model: models.thinker, prompt: "6 times 7?", think: "high" as const }
          const generated = yield* Effect.promise(() => client.generate(prompt))
          assert.strictEqual(generated.thinking, "Let me think.")
          assert.strictEqual(generated.response, "42")
          const streamed = yield* all(client.generate({ ...prompt, stream: true }))
          assert.strictEqual(streamed.map((piece) => piece.thinking ?? "").join(""), "Let me think.")
          assert.strictEqual(streamed.map((piece) => piece.response ?? "").join(""), "42")
          for (const asked of upstream.received.map(understood)) assert.isTrue(asked.thinks)
        })
      )

      it.scopedLive("asks for JSON, and for JSON of a shape", () =>
        Effect.gen(function* () {
          const { client, models, upstream } = yield* start(lanes)
          upstream.answers(playing({ words: ['{"ok":', "true}"] }))
          const schema = { type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"] }
          const messages = [{ role: "user", content: "Fine?" }]
          for (const format of ["json", schema]) {
            const chat = yield* Effect.promise(() => client.chat({ model: models.plain, messages, format }))
            assert.deepStrictEqual(parseJson(chat.message.content), { ok: true })
            const generated = yield* Effect.promise(() =>
              client.generate({ model: models.plain, prompt: "Fine?", format })
            )
            assert.deepStrictEqual(parseJson(generated.response ?? ""), { ok: true })
          }
          assert.deepStrictEqual(
            upstream.received.map((got) => understood(got).format),
            ["json", "json", schema, schema]
          )
        })
      )

      it.scopedLive("sets options, and hears that the answer was cut", () =>
        Effect.gen(function* () {
          const { client, models, upstream } = yield* start(lanes)
          upstream.answers(playing({ words: ["One, two"], finish: "length" }))
          const options = { temperature: 0.25, seed: 7, num_predict: 3, top_p: 0.5, stop: ["\n"] }
          const messages = [{ role: "user", content: "Count." }]
          const chat = yield* Effect.promise(() => client.chat({ model: models.plain, messages, options }))
          assert.strictEqual(chat.done_reason, "length")
          const pieces = yield* all(
            client.generate({ model: models.plain, prompt: "Count.", options, stream: true })
          )
          assert.strictEqual(pieces.at(-1)?.done_reason, "length")
          for (const asked of upstream.received.map(understood))
            assert.deepStrictEqual(asked.options, options)
        })
      )

      it.scopedLive("embeds texts", () =>
        Effect.gen(function* () {
          const { client, models, router, upstream } = yield* start(lanes)
          upstream.answers(embedding)
          const one = yield* Effect.promise(() => client.embed({ model: models.embedder, input: "a" }))
          assert.deepStrictEqual(one.embeddings, [VECTOR])
          assert.strictEqual(bare(one.model), models.embedder)
          const two = yield* Effect.promise(() => client.embed({ model: models.embedder, input: ["a", "b"] }))
          assert.deepStrictEqual(two.embeddings, [VECTOR, VECTOR])
          const old = yield* Effect.promise(() => client.embeddings({ model: models.embedder, prompt: "a" }))
          assert.deepStrictEqual(old, { embedding: VECTOR })
          const rows = yield* settled(router, 3)
          assert.deepStrictEqual(
            rows.map((row) => [row.endpoint_called, row.state, row.prompt_tokens !== null]),
            [
              ["/api/embed", "done", true],
              ["/api/embed", "done", true],
              ["/api/embeddings", "done", true]
            ]
          )
        })
      )

      it.scopedLive("looks what there is", () =>
        Effect.gen(function* () {
          const { client, models } = yield* start(lanes)
          const names = Object.values(models)
          const { models: found } = yield* eventually(
            Effect.promise(() => client.list()),
            (list) => list.models.length > names.length
          )
          for (const name of names) {
            const listed = found.find((model) => bare(model.name) === name)
            assert.isString(listed?.digest, name)
            const shown = yield* Effect.promise(() => client.show({ model: listed?.model ?? "" }))
            const capability = name === models.embedder ? "embedding" : "vision"
            assert.include(shown.capabilities, capability, name)
            const architecture: unknown = Reflect.get(shown.model_info, "general.architecture")
            assert.isNumber(Reflect.get(shown.model_info, `${String(architecture)}.context_length`))
          }
          const loaded = yield* Effect.promise(() => client.ps())
          assert.strictEqual(loaded.models.length, shape === "Ollama-shaped" ? 1 : 0)
          assert.deepStrictEqual(yield* Effect.promise(() => client.version()), { version: "0.13.0" })
        })
      )

      it.scopedLive("leaves in the middle of an answer, and the provider hears of it", () =>
        Effect.gen(function* () {
          const { client, models, router, upstream } = yield* start(lanes)
          upstream.answers(begins)
          const messages = [{ role: "user", content: "Hi" }]
          const chat = yield* Effect.promise(() =>
            client.chat({ model: models.plain, messages, stream: true })
          )
          const prompt = { model: models.plain, prompt: "Hi", stream: true as const }
          const generated = yield* Effect.promise(() => client.generate(prompt))
          for (const answer of [chat, generated]) {
            const error = yield* raised(Error, async () => {
              for await (const _ of answer) answer.abort()
            })
            assert.strictEqual(error.name, "AbortError")
          }
          yield* eventually(
            Effect.sync(() => upstream.received.map((got) => got.aborted)),
            (aborted) => aborted.length === 2 && aborted.every((one) => one)
          )
          const rows = yield* settled(router, 2)
          assert.deepStrictEqual(
            rows.map((row) => [row.endpoint_called, row.state]),
            [
              ["/api/chat", "cancelled"],
              ["/api/generate", "cancelled"]
            ]
          )
        })
      )

      it.scopedLive("raises an error that came before the answer", () =>
        Effect.gen(function* () {
          const { client, models, upstream } = yield* start(lanes)
          upstream.answers(failsAtOnce)
          const messages = [{ role: "user", content: "Hi" }]
          const chat = { model: models.plain, messages }
          const prompt = { model: models.plain, prompt: "Hi" }
          const calls = [
            () => client.chat(chat),
            () => client.chat({ ...chat, stream: true }),
            () => client.generate(prompt),
            () => client.generate({ ...prompt, stream: true })
          ]
          for (const call of calls) {
            const error = yield* raised(Error, call)
            assert.match(error.message, /too long/)
            assert.strictEqual(Reflect.get(error, "status_code"), 400)
          }
        })
      )

      it.scopedLive("finds a number on every answer", () =>
        Effect.gen(function* () {
          const numbers: Array<string | null> = []
          const counted: typeof fetch = async (input, init) => {
            const response = await fetch(input, init)
            numbers.push(response.headers.get("x-request-id"))
            return response
          }
          const { client, models, router, upstream } = yield* start(lanes, { fetch: counted })
          upstream.answers(playing({ words: ["Hi"] }))
          const messages = [{ role: "user", content: "Hi" }]
          yield* all(client.chat({ model: models.plain, messages, stream: true }))
          yield* Effect.promise(() => client.generate({ model: models.plain, prompt: "Hi" }))
          yield* Effect.promise(() => client.list())
          for (const number of numbers) assert.match(number ?? "", /^req_/)
          assert.strictEqual(new Set(numbers).size, 3)
          const rows = yield* settled(router, 2)
          assert.deepStrictEqual(
            rows.map((row) => row.internal_request_id),
            numbers.slice(0, 2)
          )
        })
      )
    })

/** What a provider says, whatever its shape. */
interface Turn {
  readonly thoughts?: ReadonlyArray<string>
  readonly words: ReadonlyArray<string>
  readonly calls?: ReadonlyArray<readonly [name: string, args: object]>
  readonly finish?: string
}

/** Says it in the dialect in which it was asked. */
const playing =
  (turn: Turn): Answer =>
  (request, response) =>
    (request.path === "/api/chat"
      ? nativeChat(turn, bodyOf(request))
      : request.path === "/api/generate"
        ? nativeGenerate(turn, bodyOf(request))
        : openAiChat(turn, bodyOf(request)))(request, response)

const nativeChat = (
  { calls = [], finish = "stop", thoughts = [], words }: Turn,
  body: JsonObject
): Answer => {
  const tool_calls = calls.map(([name, args], index) => ({ function: { index, name, arguments: args } }))
  const called = calls.length === 0 ? {} : { tool_calls }
  if (body["stream"] !== false)
    return lines(
      ...thoughts.map((thinking) => chatLine({ thinking })),
      ...words.map((content) => chatLine({ content })),
      ...(calls.length === 0 ? [] : [chatLine(called)]),
      chatDone({ done_reason: finish })
    )
  const thinking = thoughts.length === 0 ? {} : { thinking: thoughts.join("") }
  const message = { role: "assistant", content: words.join(""), ...thinking, ...called }
  return json(200, JSON.parse(chatDone({ message, done_reason: finish })))
}

const nativeGenerate = ({ finish = "stop", thoughts = [], words }: Turn, body: JsonObject): Answer => {
  if (body["stream"] !== false)
    return lines(
      ...thoughts.map((thinking) => generateLine({ thinking })),
      ...words.map((response) => generateLine({ response })),
      generateDone({ done_reason: finish })
    )
  const thinking = thoughts.length === 0 ? {} : { thinking: thoughts.join("") }
  return json(200, JSON.parse(generateDone({ response: words.join(""), ...thinking, done_reason: finish })))
}

/** The arguments of a tool come in two pieces. */
const openAiChat = (
  { calls = [], finish = calls.length > 0 ? "tool_calls" : "stop", thoughts = [], words }: Turn,
  body: JsonObject
): Answer => {
  const whole = calls.map(([name, args], index) => {
    const said = { name, arguments: JSON.stringify(args) }
    return { index, id: `call_${index}`, type: "function", function: said }
  })
  if (body["stream"] !== true) {
    const message = {
      role: "assistant",
      content: words.join(""),
      ...(thoughts.length === 0 ? {} : { reasoning: thoughts.join("") }),
      ...(calls.length === 0 ? {} : { tool_calls: whole })
    }
    return completion("", { choices: [{ index: 0, message, finish_reason: finish }], usage: usageOf(body) })
  }
  const pieces = whole.flatMap((call) => {
    const { arguments: args, name } = call.function
    const rest = { index: call.index, function: { arguments: args.slice(5) } }
    return [{ ...call, function: { name, arguments: args.slice(0, 5) } }, rest]
  })
  return stream(
    ...thoughts.map((reasoning) => chunk({ role: "assistant", content: "", reasoning })),
    ...words.map((content) => chunk({ content })),
    ...pieces.map((piece) => chunk({ tool_calls: [piece] })),
    chunk({}, finish, { usage: usageOf(body) }) + "data: [DONE]\n\n"
  )
}

/** An Ollama server counts its own way on its OpenAI side as well. */
const usageOf = (body: JsonObject): object => {
  if ((stringField(body, "model") ?? "").startsWith("test/")) return USAGE
  const { eval_count, prompt_eval_count } = OLLAMA_STATS
  return {
    prompt_tokens: prompt_eval_count,
    completion_tokens: eval_count,
    total_tokens: prompt_eval_count + eval_count
  }
}

const isNative = ({ path }: Received): boolean => path.startsWith("/api/")

const firstLine = ({ path }: Received): string =>
  path === "/api/generate"
    ? generateLine({ response: "Hel" })
    : path === "/api/chat"
      ? chatLine({ content: "Hel" })
      : chunk({ content: "Hel" })

/** Says something, and then nothing more. */
const begins: Answer = (request, response) => {
  response.writeHead(200, { "content-type": isNative(request) ? NDJSON : "text/event-stream" })
  response.write(firstLine(request))
}

const failsMidway: Answer = (request, response) => {
  const error = isNative(request) ? "out of memory" : { message: "out of memory", code: 500 }
  const last = isNative(request) ? `${JSON.stringify({ error })}\n` : `data: ${JSON.stringify({ error })}\n\n`
  const said = isNative(request) ? lines(firstLine(request), last) : stream(firstLine(request), last)
  said(request, response)
}

const breaksMidway: Answer = (request, response) =>
  breaksOff(200, firstLine(request), {
    "content-type": isNative(request) ? NDJSON : "text/event-stream"
  })(request, response)

const failsAtOnce: Answer = (request, response) =>
  json(400, {
    error: isNative(request) ? "The prompt is too long." : { message: "The prompt is too long." }
  })(request, response)

const VECTOR = [0.5, -0.25, 0.125]

const embedding: Answer = (request, response) => {
  const body = bodyOf(request)
  const { input } = body
  const vectors = (Array.isArray(input) ? input : [input]).map(() => VECTOR)
  const native = { model: body["model"], embeddings: vectors, prompt_eval_count: vectors.length }
  const data = vectors.map((embedding, index) => ({ object: "embedding", embedding, index }))
  const usage = { prompt_tokens: vectors.length, total_tokens: vectors.length }
  json(200, isNative(request) ? native : { object: "list", data, model: body["model"], usage })(
    request,
    response
  )
}

/** What a provider was asked, in whatever dialect. */
interface Understood {
  readonly texts: ReadonlyArray<string>
  readonly images: ReadonlyArray<string>
  readonly tools: ReadonlyArray<unknown>
  readonly format: unknown
  readonly options: object
  readonly thinks: boolean
}

const understood = (request: Received): Understood => {
  const body = bodyOf(request)
  const messages = arrayField(body, "messages")
  const tools = arrayField(body, "tools")
  if (isNative(request)) {
    const said = request.path === "/api/generate" ? [body["system"], body["prompt"]] : contentsOf(messages)
    return {
      texts: said.filter((text) => typeof text === "string"),
      images: [body, ...messages].flatMap((holder) => arrayField(holder, "images").map(String)),
      tools,
      format: body["format"],
      options: Object(body["options"]),
      thinks: body["think"] === true || body["think"] === "high"
    }
  }
  const parts = messages.flatMap((message) => arrayField(message, "content"))
  const urls = parts.flatMap((part) => stringField(field(part, "image_url"), "url") ?? [])
  const { max_completion_tokens, max_tokens = max_completion_tokens, seed, stop, temperature, top_p } = body
  const format = body["response_format"]
  return {
    texts: [...contentsOf(messages), ...parts.map((part) => field(part, "text"))].filter(
      (text) => typeof text === "string"
    ),
    images: urls.map((url) => url.replace(/^data:[^,]*,/, "")),
    tools,
    format: field(format, "type") === "json_object" ? "json" : field(field(format, "json_schema"), "schema"),
    options: { temperature, seed, num_predict: max_tokens, top_p, stop },
    thinks: body["reasoning_effort"] !== undefined || body["reasoning"] !== undefined
  }
}

const contentsOf = (messages: ReadonlyArray<unknown>): ReadonlyArray<unknown> =>
  messages.map((message) => field(message, "content"))

const bodyOf = (request: Received | undefined): JsonObject => {
  const body = parseJson(request?.body.toString("utf8") ?? "")
  return isObject(body) ? body : {}
}

/** A last line has everything that Ollama tells of an answer. */
const isDone = (answer: object | undefined, [prompt, said]: Stage["tokens"]) => {
  assert.strictEqual(field(answer, "done"), true)
  assert.strictEqual(field(answer, "done_reason"), "stop")
  assert.isFalse(Number.isNaN(Date.parse(stringField(answer, "created_at") ?? "")))
  assert.strictEqual(field(answer, "prompt_eval_count"), prompt)
  assert.strictEqual(field(answer, "eval_count"), said)
  assert.isAbove(Number(field(answer, "total_duration")), 0)
  for (const key of ["total_duration", "load_duration", "prompt_eval_duration", "eval_duration"])
    assert.isTrue(Number.isSafeInteger(field(answer, key) ?? 0), key)
}

/** Ollama's own models have a tag, if only this one. */
const bare = (name: string): string => name.replace(/:latest$/, "")

const TOOLS = [
  {
    type: "function",
    function: {
      name: "weather",
      description: "The weather.",
      parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] }
    }
  },
  { type: "function", function: { name: "time", description: "The time.", parameters: { type: "object" } } }
]

const listed = (id: string, inputs: ReadonlyArray<string>, output = "text", more: object = {}) => ({
  id,
  created: 1,
  context_length: 8192,
  architecture: { input_modalities: inputs, output_modalities: [output] },
  pricing: { prompt: "0.000001", completion: "0.000002" },
  ...more
})

const CATALOGUE = [
  listed("test/plain", ["text"]),
  listed("test/eyes", ["text", "image"]),
  listed("test/thinker", ["text"], "text", { supported_parameters: ["reasoning", "tools"] }),
  listed("test/embed", ["text"], "embeddings")
]
