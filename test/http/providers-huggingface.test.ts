import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { arrayField, field } from "../../src/domain/Json.ts"
import type { JsonObject } from "../../src/domain/Json.ts"
import { accountUrl } from "../../src/services/gateway/providers/HuggingFace.ts"
import { all, askedOf, headed, openAi, question, settled } from "../support/Clients.ts"
import { eventually, startRouter } from "../support/Router.ts"
import { chunk, completion, json, send, startUpstream, stream } from "../support/Upstream.ts"
import type { Answer } from "../support/Upstream.ts"

describe("the key of Hugging Face", () => {
  for (const [router, account] of [
    ["https://router.huggingface.co/v1", "https://huggingface.co/api/whoami-v2"],
    ["http://router.lan:8080/v1", "http://router.lan:8080/api/whoami-v2"]
  ] as const)
    it(`is shown to ${account} where the router is ${router}`, () =>
      assert.strictEqual(accountUrl(new URL(router)).href, account))
})

const startHuggingFace = (env: { readonly [name: string]: string } = {}) =>
  Effect.gen(function* () {
    const upstream = yield* startUpstream
    upstream.lists(json(200, { object: "list", data: LIST }))
    upstream.answers(answer)
    const address = { HUGGINGFACE_API_TOKEN: "hf_operators", HUGGINGFACE_BASE_URL: `${upstream.url}/v1` }
    const router = yield* startRouter({ ...address, UPSTREAM_RETRIES: "0", ...env })
    const openai = openAi(router)
    const list = Effect.promise(async () => {
      const body: unknown = await (await fetch(`${router.url}/v1/models`)).json()
      return arrayField(body, "data")
    })
    yield* eventually(list, (models) => models.length > LIST.length)
    /** Asks once, and gives the row. */
    const costOf = (model: string, said: Answer = answer) =>
      Effect.gen(function* () {
        const before = yield* router.rowsNow
        upstream.once(said)
        yield* Effect.promise(() => openai.chat.completions.create(question("Hi", model)))
        const rows = yield* settled(router, before.length + 1)
        const row = rows.at(-1)
        return [row?.cost_usd, row?.cost_source] as const
      })
    return { upstream, router, openai, list, costOf }
  })

describe("Hugging Face", () => {
  it.scopedLive("is asked with the token, and told who pays", () =>
    Effect.gen(function* () {
      const { openai, upstream } = yield* startHuggingFace({ HUGGINGFACE_BILL_TO: "my-team" })
      yield* Effect.promise(() => openai.chat.completions.create(question("Hi", "org/differs")))
      const [asked] = upstream.received
      assert.strictEqual(asked?.path, "/v1/chat/completions")
      assert.strictEqual(asked?.headers.authorization, "Bearer hf_operators")
      assert.strictEqual(asked?.headers["x-hf-bill-to"], "my-team")
    })
  )

  it.scopedLive("lets nobody but the operator choose who pays", () =>
    Effect.gen(function* () {
      const { router, upstream } = yield* startHuggingFace()
      const headers = { "content-type": "application/json", "x-hf-bill-to": "somebody-else" }
      yield* router.post(question("Hi", "org/differs"), { headers })
      assert.isUndefined(upstream.received[0]?.headers["x-hf-bill-to"])
    })
  )

  for (const suffix of ["", ":cheap-host", ":fastest", ":cheapest", ":preferred"])
    it.scopedLive(`gets the name as it is: org/differs${suffix}`, () =>
      Effect.gen(function* () {
        const { openai, router, upstream } = yield* startHuggingFace()
        const asked = question("Hi", `huggingface:org/differs${suffix}`)
        yield* Effect.promise(() => openai.chat.completions.create(asked))
        assert.deepStrictEqual(askedOf(upstream), question("Hi", `org/differs${suffix}`))
        const [row] = yield* settled(router, 1)
        assert.strictEqual(row?.model_routed_to_openrouter, `org/differs${suffix}`)
      })
    )

  it.scopedLive("tells the client who ran its request", () =>
    Effect.gen(function* () {
      const { router, upstream } = yield* startHuggingFace()
      upstream.once(ranAt("cheap-host"))
      const response = yield* router.post(question("Hi", "org/differs"))
      assert.strictEqual(response.headers.get("x-inference-provider"), "cheap-host")
    })
  )

  it.scopedLive("costs what the host takes that ran the request", () =>
    Effect.gen(function* () {
      const { costOf } = yield* startHuggingFace()
      // 1000 tokens in and 10 out, at 0.1 and 0.3 dollars a million, and at 3 and 15.
      assert.deepStrictEqual(yield* costOf("org/differs", ranAt("cheap-host")), [0.000103, "estimated"])
      assert.deepStrictEqual(yield* costOf("org/differs", ranAt("Dear-Host")), [0.00315, "estimated"])
      assert.deepStrictEqual(yield* costOf("huggingface:org/differs:fastest", ranAt("dear-host")), [
        0.00315,
        "estimated"
      ])
    })
  )

  it.scopedLive("costs the same in a stream", () =>
    Effect.gen(function* () {
      const { openai, router, upstream } = yield* startHuggingFace()
      const said = stream(chunk({ content: "Hi" }), chunk({}, "stop", { usage: TOKENS }), "data: [DONE]\n\n")
      upstream.once((request, response) => {
        response.setHeader("x-inference-provider", "dear-host")
        said(request, response)
      })
      yield* all(openai.chat.completions.create({ ...question("Hi", "org/differs"), stream: true }))
      const [row] = yield* settled(router, 1)
      assert.strictEqual(row?.cost_usd, 0.00315)
      assert.strictEqual(row?.cost_source, "estimated")
    })
  )

  it.scopedLive("costs what the name says where the answer does not say who ran it", () =>
    Effect.gen(function* () {
      const { costOf } = yield* startHuggingFace()
      const cost = yield* costOf("huggingface:org/differs:cheap-host")
      assert.deepStrictEqual(cost, [0.000103, "estimated"])
    })
  )

  it.scopedLive("costs an unknown sum where nobody says who ran it and prices differ", () =>
    Effect.gen(function* () {
      const { costOf } = yield* startHuggingFace()
      assert.deepStrictEqual(yield* costOf("org/differs"), [null, null])
      assert.deepStrictEqual(yield* costOf("huggingface:org/differs:cheapest"), [null, null])
      assert.deepStrictEqual(yield* costOf("org/differs", ranAt("a-new-host")), [null, null])
      assert.deepStrictEqual(yield* costOf("org/agrees", ranAt("silent-host")), [null, null])
      assert.deepStrictEqual(yield* costOf("org/agrees", ranAt("a-new-host")), [null, null])
      assert.deepStrictEqual(yield* costOf("huggingface:org/unlisted", ranAt("cheap-host")), [null, null])
    })
  )

  it.scopedLive("costs what all take where they agree; hosts that are down have no say", () =>
    Effect.gen(function* () {
      const { costOf } = yield* startHuggingFace()
      assert.deepStrictEqual(yield* costOf("org/agrees"), [0.000101, "estimated"])
    })
  )

  it.scopedLive("forgets the price of a host that failed when another answers", () =>
    Effect.gen(function* () {
      const { openai, router, upstream } = yield* startHuggingFace({ UPSTREAM_RETRIES: "1" })
      upstream.once(
        headed({ "x-inference-provider": "dear-host" }, json(503, { error: { message: "Busy." } })),
        ranAt("cheap-host")
      )
      yield* Effect.promise(() => openai.chat.completions.create(question("Hi", "org/differs")))
      const [row] = yield* settled(router, 1)
      assert.strictEqual(row?.cost_usd, 0.000103)
    })
  )

  it.scopedLive("costs what the answer says, should it ever say so", () =>
    Effect.gen(function* () {
      const { costOf } = yield* startHuggingFace()
      const said = headed({ "x-inference-provider": "cheap-host" }, completion("Hi"))
      assert.deepStrictEqual(yield* costOf("org/differs", said), [0.00014, "provider"])
    })
  )

  it.scopedLive("lists its models as it has them, with the largest context of a live host", () =>
    Effect.gen(function* () {
      const { list } = yield* startHuggingFace()
      const models = yield* list
      const found = (id: string) => models.find((model) => field(model, "id") === id)
      assert.deepStrictEqual(found("org/differs"), { ...LIST[0], context_length: 131072 })
      assert.deepStrictEqual(found("org/silent"), LIST[3])
    })
  )

  it.scopedLive(
    "gets a picture for models that see, by its catalogue, and is asked for another for those that do not",
    () =>
      Effect.gen(function* () {
        const { openai, router, upstream } = yield* startHuggingFace({ VISION_MODEL: "org/sees" })
        const image = { type: "image_url" as const, image_url: { url: PIXEL } }
        const messages = [{ role: "user" as const, content: [image] }]
        for (const model of ["org/sees", "org/differs"])
          yield* Effect.promise(() => openai.chat.completions.create({ model, messages }))
        assert.deepStrictEqual(
          [0, 1].map((index) => field(askedOf(upstream, index), "model")),
          ["org/sees", "org/sees"]
        )
        const rows = yield* settled(router, 2)
        assert.deepStrictEqual(
          rows.map(({ route_rule }) => route_rule),
          ["listed", "vision"]
        )
      })
  )

  it.scopedLive("is not bothered with OpenRouter's word for what an Ollama client wishes of thoughts", () =>
    Effect.gen(function* () {
      const { router, upstream } = yield* startHuggingFace()
      for (const think of [false, "low"]) {
        const body = JSON.stringify({ ...question("Hi", "org/differs"), think, stream: false })
        assert.strictEqual((yield* send(router, { path: "/api/chat", body })).status, 200)
      }
      const [unthinking, thinking] = [askedOf(upstream), askedOf(upstream, 1)]
      assert.sameMembers(Object.keys(Object(unthinking)), ["model", "messages", "stream"])
      assert.strictEqual(field(thinking, "reasoning_effort"), "low")
    })
  )

  it.scopedLive("has no legacy completions of its own, so they come to it as a chat", () =>
    Effect.gen(function* () {
      const { openai, upstream } = yield* startHuggingFace()
      yield* Effect.promise(() => openai.completions.create({ model: "org/differs", prompt: "Once" }))
      assert.strictEqual(upstream.received[0]?.path, "/v1/chat/completions")
    })
  )
})

const TOKENS = { prompt_tokens: 1000, completion_tokens: 10, total_tokens: 1010 }

const answer = completion("Hi", { usage: TOKENS })

const ranAt = (host: string): Answer => headed({ "x-inference-provider": host }, answer)

const offer = (provider: string, input: number, output: number, context: number, status = "live") => ({
  provider,
  status,
  context_length: context,
  pricing: { input, output },
  supports_tools: true
})

const model = (id: string, sees: boolean, providers: ReadonlyArray<JsonObject>) => ({
  id,
  object: "model",
  created: 1_760_000_000,
  owned_by: "org",
  architecture: { input_modalities: sees ? ["text", "image"] : ["text"], output_modalities: ["text"] },
  providers
})

const LIST = [
  model("org/differs", false, [
    offer("cheap-host", 0.1, 0.3, 32768),
    offer("dear-host", 3, 15, 131072),
    offer("gone-host", 99, 99, 1_000_000, "error")
  ]),
  model("org/agrees", false, [
    // A price that somebody computed with floats: 0.1 a million.
    offer("one-host", 0.1, 0.1 + 0.2 - 0.2, 32768),
    offer("other-host", 0.1, 0.1, 32768),
    offer("gone-host", 99, 99, 32768, "error"),
    { provider: "silent-host", status: "staging" }
  ]),
  model("org/sees", true, [offer("cheap-host", 0.1, 0.3, 32768)]),
  model("org/silent", false, [{ provider: "silent-host", status: "live" }])
]

const PIXEL =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
