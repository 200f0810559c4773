import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { BadRequestError, InternalServerError, RateLimitError } from "openai"
import { toBase64 } from "../../src/domain/dialects/Embeddings.ts"
import { arrayField, field, parseJson } from "../../src/domain/Json.ts"
import { askedOf, raised, settled, startLine } from "../support/Clients.ts"
import { eventually, startRouter } from "../support/Router.ts"
import type { Router } from "../support/Router.ts"
import { errorAnswer, json, says, send } from "../support/Upstream.ts"
import type { Answer } from "../support/Upstream.ts"

const PATH = "/v1/embeddings"

/** Numbers that 32 bits hold as they are. */
const VECTORS = [
  [0.5, -0.25, 0.125],
  [1, 0, -1],
  [1024, 0.0078125, -3]
]

const USAGE = { prompt_tokens: 8, total_tokens: 8 }

const embeddingsOf = (vectors: ReadonlyArray<unknown>, rest: object = {}) => ({
  object: "list",
  data: vectors.map((embedding, index) => ({ object: "embedding", index, embedding })),
  model: "test/embed",
  usage: USAGE,
  ...rest
})

/** Upstreams that do as they like about the form of their vectors. */
const UPSTREAMS: ReadonlyArray<
  readonly [gives: string, (vectors: ReadonlyArray<ReadonlyArray<number>>) => Answer]
> = [
  ["floats", (vectors) => json(200, embeddingsOf(vectors))],
  ["base64", (vectors) => json(200, embeddingsOf(vectors.map(toBase64)))]
]

const LIST = [
  { id: "test/embed", pricing: { prompt: "0.00000002", completion: "0" } },
  { id: "test/plain", pricing: { prompt: "0.000001", completion: "0.000002" } }
]

const start = startLine({ models: json(200, { data: LIST }) })

const ask = (router: Router, body: unknown, path = PATH) =>
  send(router, { path, body: typeof body === "string" ? body : JSON.stringify(body) })

/** The lines of the log, once there are this many. */
const logOf = (router: Router, lines: number) => {
  const file = join(router.dataDir, "router.log.json")
  const read = Effect.sync(() => (existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : []))
  return eventually(read, (found) => found.length >= lines)
}

describe("the OpenAI client", () => {
  for (const [gives, answering] of UPSTREAMS)
    it.scopedLive(`gets its vectors from an upstream that gives ${gives}, however it asks`, () =>
      Effect.gen(function* () {
        const { openai, upstream } = yield* start
        const model = "openrouter:test/embed"
        const create = (input: string | Array<string>, format?: "float" | "base64") =>
          Effect.promise(() =>
            openai.embeddings.create({
              model,
              input,
              ...(format === undefined ? {} : { encoding_format: format })
            })
          )
        const vectorsIn = ({ data }: { readonly data: ReadonlyArray<{ readonly embedding: unknown }> }) =>
          data.map(({ embedding }) => embedding)

        upstream.once(answering(VECTORS.slice(0, 1)), answering(VECTORS))
        const one = yield* create("Hello")
        assert.deepStrictEqual(vectorsIn(one), VECTORS.slice(0, 1))
        assert.deepStrictEqual([one.object, one.model, one.usage], ["list", "test/embed", USAGE])
        assert.strictEqual(upstream.received[0]?.path, PATH)
        assert.deepStrictEqual(askedOf(upstream), {
          ...{ model: "test/embed", input: "Hello", encoding_format: "base64" }
        })
        const several = yield* create(["a", "b", "c"])
        assert.deepStrictEqual(vectorsIn(several), VECTORS)
        assert.deepStrictEqual(
          several.data.map(({ index }) => index),
          [0, 1, 2]
        )

        upstream.once(answering(VECTORS), answering(VECTORS.slice(1, 2)), answering(VECTORS))
        assert.deepStrictEqual(vectorsIn(yield* create(["a", "b", "c"], "float")), VECTORS)
        assert.deepStrictEqual(vectorsIn(yield* create("a", "float")), VECTORS.slice(1, 2))
        const written = yield* create(["a", "b", "c"], "base64")
        assert.deepStrictEqual(vectorsIn(written), VECTORS.map(toBase64))
      })
    )

  it.scopedLive("hears what is wrong with its inputs, or with the upstream", () =>
    Effect.gen(function* () {
      const { openai, upstream } = yield* start
      const create = (input: string | Array<string> | Array<number>, model = "test/embed") =>
        openai.embeddings.create({ model, input })
      const many = yield* raised(BadRequestError, () => create(Array<string>(2049).fill("a")))
      assert.deepStrictEqual([many.status, many.param], [400, "input"])
      const empty = yield* raised(BadRequestError, () => create(""))
      assert.strictEqual(empty.param, "input")
      assert.strictEqual((yield* raised(BadRequestError, () => create([]))).param, "input")
      const blind = yield* raised(BadRequestError, () => create("a", "percept/inspect"))
      assert.strictEqual(blind.param, "model")
      assert.match(blind.message, /'percept\/inspect' does not make embeddings/)
      assert.strictEqual(upstream.received.length, 0)

      upstream.once(json(429, { error: { message: "Slow down", code: 429 } }), json(200, { object: "list" }))
      assert.match((yield* raised(RateLimitError, () => create("a"))).message, /Slow down/)
      assert.match((yield* raised(InternalServerError, () => create("a"))).message, /no answer to this call/)
    })
  )

  it.scopedLive("may send tokens, and as many inputs as OpenAI takes", () =>
    Effect.gen(function* () {
      const { openai, upstream } = yield* start
      upstream.answers(json(200, embeddingsOf(VECTORS)))
      const inputs = [[[1, 2, 3]], [[[1], [2, 3]]], [Array<string>(2048).fill("a")]].flat()
      for (const input of inputs)
        yield* Effect.promise(() =>
          openai.embeddings.create({
            model: "test/embed",
            input: input as Array<string>,
            encoding_format: "float"
          })
        )
      assert.deepStrictEqual(
        upstream.received.map((_, at) => field(askedOf(upstream, at), "input")),
        inputs
      )
    })
  )
})

describe("a request for embeddings", () => {
  it.scopedLive("goes out as it came in but for the name, and its answer comes back as it was", () =>
    Effect.gen(function* () {
      const { router, upstream } = yield* start
      const answer =
        '{ "data": [ {"embedding":[1e-3, 0.10, -0.0],"index":0, "own":"\\u0061"} ],\n "object":"list", "new":[1.0] }'
      upstream.once(says(200, answer, { "content-type": "application/json", "x-generation-id": "gen-7" }))
      const body =
        '{ "input" :["a\\/b"], "encoding_format":"float", "new": 1.00,\n "model":"openrouter:test/embed"}'
      const got = yield* ask(router, body)
      assert.strictEqual(got.text, answer)
      assert.strictEqual(got.headers["x-generation-id"], "gen-7")
      const sent = body.replace("openrouter:test/embed", "test/embed")
      assert.strictEqual(upstream.received[0]?.body.toString(), sent)

      const written = `{"data":[ {"embedding":"${toBase64([0.1])}","x":1.0}]}`
      upstream.once(says(200, written, { "content-type": "application/json" }))
      const asked = '{"model":"test/embed","input":"a","encoding_format":"base64"}'
      assert.strictEqual((yield* ask(router, asked)).text, written)
      assert.strictEqual(upstream.received[1]?.body.toString(), asked)
    })
  )

  it.scopedLive("keeps whatever stands around vectors that have to be put otherwise", () =>
    Effect.gen(function* () {
      const { router, upstream } = yield* start
      upstream.once(json(200, embeddingsOf([[0.5]], { id: "gen-1", provider: "P", new: { a: [1] } })))
      const got = yield* ask(router, { model: "test/embed", input: "a", encoding_format: "base64" })
      assert.deepStrictEqual(
        parseJson(got.text),
        embeddingsOf([toBase64([0.5])], { id: "gen-1", provider: "P", new: { a: [1] } })
      )
    })
  )

  it.scopedLive("is asked again for floats where an upstream refuses base64", () =>
    Effect.gen(function* () {
      const { openai, router, upstream } = yield* start
      const refusal = { error: { message: "encoding_format: base64 is not supported", code: 400 } }
      upstream.once(json(400, refusal), json(200, embeddingsOf(VECTORS)))
      const { data } = yield* Effect.promise(() =>
        openai.embeddings.create({ model: "test/embed", input: ["a", "b", "c"] })
      )
      assert.deepStrictEqual(
        data.map(({ embedding }) => embedding),
        VECTORS
      )
      assert.strictEqual(field(askedOf(upstream, 1), "encoding_format"), "float")
      // Another refusal is none of this one's kind.
      upstream.once(json(400, { error: { message: "input is too long", code: 400 } }))
      yield* raised(BadRequestError, () => openai.embeddings.create({ model: "test/embed", input: "a" }))
      assert.strictEqual(upstream.received.length, 3)
      assert.strictEqual((yield* settled(router, 2)).length, 2)
    })
  )

  it.scopedLive("has its row like any other, and no vector is kept", () =>
    Effect.gen(function* () {
      const { router, upstream } = yield* start
      const long = Array.from({ length: 1536 }, (_, at) => 1 / (at + 3))
      const answer = (rest: object) => json(200, embeddingsOf([long, long, long], { id: "gen-9", ...rest }))
      upstream.once(
        answer({ usage: { ...USAGE, cost: 0.00000123 } }),
        answer({}),
        answer({ usage: undefined })
      )
      const body = { model: "test/embed", input: ["first", "second", "third"], encoding_format: "base64" }
      for (let at = 0; at < 3; at++) yield* ask(router, body)
      yield* ask(router, { model: "test/embed", input: [] })
      const [paid, priced, uncounted, refused] = yield* settled(router, 4)
      assert.deepInclude(paid, {
        ...{
          endpoint_called: PATH,
          model_requested_by_client: "test/embed",
          model_routed_to_openrouter: "test/embed"
        },
        ...{
          provider: "openrouter",
          route_rule: "listed",
          state: "done",
          status_code_returned_to_client: 200
        },
        ...{
          prompt_tokens: 8,
          completion_tokens: 0,
          total_tokens: 8,
          cost_nano_usd: 1230,
          cost_source: "provider"
        },
        ...{
          is_streaming: 0,
          input_char_length: 16,
          output_char_length: null,
          openrouter_request_id: "gen-9"
        }
      })
      assert.isNumber(paid?.openrouter_latency_ms)
      assert.deepInclude(priced, { prompt_tokens: 8, cost_nano_usd: 160, cost_source: "estimated" })
      assert.deepInclude(uncounted, { prompt_tokens: null, cost_nano_usd: null, cost_source: null })
      assert.deepInclude(refused, { state: "failed", status_code_returned_to_client: 400, provider: null })

      const lines = yield* logOf(router, 4)
      const entry = parseJson(lines[0] ?? "")
      assert.deepStrictEqual(field(entry, "request"), body)
      assert.deepStrictEqual(field(entry, "response"), {
        ...{ id: "gen-9", object: "list", model: "test/embed", data: "3 vectors of 1536 numbers" },
        usage: { ...USAGE, cost: 0.00000123 }
      })
      for (const line of lines) assert.isBelow(line.length, 2000)
    })
  )

  it.scopedLive("without a model, where none is set that makes any, says so", () =>
    Effect.gen(function* () {
      const router = yield* startRouter({})
      const got = yield* ask(router, { input: "a" })
      errorAnswer(got, { status: 400, source: "client", param: "model" })
    })
  )

  it.scopedLive("needs a key where one is needed", () =>
    Effect.gen(function* () {
      const router = yield* startRouter({ API_KEYS: "sk-one-key" })
      assert.strictEqual((yield* ask(router, { input: "a" })).status, 401)
    })
  )
})

describe("Ollama's addresses", () => {
  it.scopedLive("give vectors of an upstream that speaks OpenAI", () =>
    Effect.gen(function* () {
      const { router, upstream } = yield* start
      for (const [, answering] of UPSTREAMS) upstream.once(answering(VECTORS), answering(VECTORS.slice(0, 1)))
      for (let at = 0; at < 4; at += 2) {
        const body = { model: "test/embed", input: ["a", "b", "c"], truncate: true, options: { num_ctx: 9 } }
        const got = parseJson((yield* ask(router, body, "/api/embed")).text)
        assert.deepStrictEqual(field(got, "embeddings"), VECTORS)
        assert.strictEqual(field(got, "model"), "test/embed")
        assert.strictEqual(field(got, "prompt_eval_count"), 8)
        assert.isNumber(field(got, "total_duration"))
        assert.deepStrictEqual(askedOf(upstream, at), { model: "test/embed", input: ["a", "b", "c"] })

        const old = yield* ask(router, { model: "test/embed", prompt: "a" }, "/api/embeddings")
        assert.deepStrictEqual(parseJson(old.text), { embedding: VECTORS[0] })
        assert.strictEqual(upstream.received[at + 1]?.path, PATH)
      }
      const rows = yield* settled(router, 4)
      assert.deepStrictEqual(rows.map((row) => [row.endpoint_called, row.prompt_tokens]).slice(0, 2), [
        ["/api/embed", 8],
        ["/api/embeddings", 8]
      ])
    })
  )

  it.scopedLive("give nothing for nothing, and errors in Ollama's shape", () =>
    Effect.gen(function* () {
      const { router, upstream } = yield* start
      const said = (body: unknown, path: string) =>
        Effect.map(ask(router, body, path), ({ status, text }) => [status, parseJson(text)] as const)
      const [status, empty] = yield* said({ model: "test/embed", prompt: "" }, "/api/embeddings")
      assert.deepStrictEqual([status, empty], [200, { embedding: [] }])
      const [, none] = yield* said({ model: "test/embed", input: "" }, "/api/embed")
      assert.deepStrictEqual(arrayField(none, "embeddings"), [])
      assert.strictEqual(field(none, "model"), "test/embed")
      const wrong = yield* said({ model: "test/embed", input: [1] }, "/api/embed")
      assert.deepStrictEqual(wrong, [400, { error: "invalid input type" }])
      const [code, blind] = yield* said({ model: "percept/inspect", input: "a" }, "/api/embed")
      assert.strictEqual(code, 400)
      assert.match(String(field(blind, "error")), /does not make embeddings/)
      assert.strictEqual(upstream.received.length, 0)
    })
  )
})
