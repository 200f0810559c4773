import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { BadRequestError, InternalServerError } from "openai"
import { askedOf, openAi, raised, settled } from "../support/Clients.ts"
import { startRouter } from "../support/Router.ts"
import { json, startUpstream } from "../support/Upstream.ts"

const MODEL = "huggingface:org/embed-small"

const start = Effect.gen(function* () {
  const upstream = yield* startUpstream
  const address = { HUGGINGFACE_API_TOKEN: "hf_operators", HUGGINGFACE_BASE_URL: `${upstream.url}/v1` }
  const router = yield* startRouter({ ...address, UPSTREAM_RETRIES: "0" })
  const openai = openAi(router)
  const create = (input: string | Array<string> | Array<number>, rest: object = {}) =>
    openai.embeddings.create({ model: MODEL, input, ...rest })
  const vectors = (input: string | Array<string>, rest: object = {}) =>
    Effect.promise(async () => (await create(input, rest)).data.map(({ embedding }) => embedding))
  return { upstream, router, create, vectors }
})

describe("embeddings by Hugging Face", () => {
  it.scopedLive("are a task of its own, with whatever that understands", () =>
    Effect.gen(function* () {
      const { create, router, upstream } = yield* start
      upstream.once(json(200, [[0.5, 1]]))
      const answer = yield* Effect.promise(() => create("Hello", { normalize: true, user: "u" }))
      const [asked] = upstream.received
      assert.strictEqual(asked?.path, "/hf-inference/models/org/embed-small/pipeline/feature-extraction")
      assert.strictEqual(asked?.headers.authorization, "Bearer hf_operators")
      assert.deepStrictEqual(askedOf(upstream), { inputs: ["Hello"], normalize: true })
      assert.deepStrictEqual(JSON.parse(JSON.stringify(answer)), {
        object: "list",
        data: [{ object: "embedding", index: 0, embedding: [0.5, 1] }],
        model: "org/embed-small",
        usage: { prompt_tokens: 0, total_tokens: 0 }
      })
      const [row] = yield* settled(router, 1)
      const { cost_nano_usd: cost, prompt_tokens: tokens, provider, route_rule: rule } = row ?? {}
      assert.deepStrictEqual([provider, rule, tokens, cost], ["huggingface", "explicit", null, null])
    })
  )

  it.scopedLive("are the mean of those of the tokens where each has its own", () =>
    Effect.gen(function* () {
      const { upstream, vectors } = yield* start
      upstream.once(
        json(200, [
          [1, 2],
          [3, 4]
        ]),
        json(200, [
          [
            [1, 2],
            [3, 4]
          ],
          [[5, 5]]
        ]),
        json(200, [
          [
            [
              [1, 0],
              [0, 1],
              [2, 2]
            ]
          ]
        ]),
        json(200, [0.5, 0.25])
      )
      assert.deepStrictEqual(yield* vectors(["a", "b"]), [
        [1, 2],
        [3, 4]
      ])
      assert.deepStrictEqual(yield* vectors(["a", "b"], { encoding_format: "float" }), [
        [2, 3],
        [5, 5]
      ])
      assert.deepStrictEqual(yield* vectors("a"), [[1, 1]])
      assert.deepStrictEqual(yield* vectors("a"), [[0.5, 0.25]])
    })
  )

  it.scopedLive("are made of texts alone, by models with a proper name", () =>
    Effect.gen(function* () {
      const { create, upstream } = yield* start
      const tokens = yield* raised(BadRequestError, () => create([1, 2, 3]))
      assert.strictEqual(tokens.param, "input")
      for (const model of [
        "huggingface:../../secret",
        "huggingface:a/b/c",
        "huggingface:a?b",
        "huggingface:a/b:nebius"
      ]) {
        const refused = yield* raised(BadRequestError, () => create("a", { model }))
        assert.strictEqual(refused.param, "model", model)
      }
      assert.strictEqual(upstream.received.length, 0)
      upstream.once(json(200, [[1]]))
      yield* Effect.promise(() => create("a", { model: "huggingface:bare:hf-inference" }))
      assert.match(upstream.received[0]?.path ?? "", /^\/hf-inference\/models\/bare\/pipeline\//)
    })
  )

  it.scopedLive("that are none, or not as many as there are texts, are the provider's failure", () =>
    Effect.gen(function* () {
      const { create, upstream } = yield* start
      const answers = [[[1]], [[1], ["a"]], [[1], []], [[1], [[1], [1, 2]]], { data: [] }, "text", null]
      for (const answer of answers) {
        upstream.once(json(200, answer))
        const failed = yield* raised(InternalServerError, () => create(["a", "b"]))
        assert.strictEqual(failed.status, 502, JSON.stringify(answer))
      }
      upstream.once(json(400, { error: "Input is too long" }))
      const refused = yield* raised(BadRequestError, () => create("a"))
      assert.match(refused.message, /Input is too long/)
    })
  )
})
