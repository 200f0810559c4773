import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { APIError, InternalServerError, NotFoundError, RateLimitError } from "openai"
import { arrayField, field } from "../../src/domain/Json.ts"
import { askedOf, openAi, question, raised, settled } from "../support/Clients.ts"
import { eventually, startRouter } from "../support/Router.ts"
import { completion, json, startUpstream } from "../support/Upstream.ts"

const KEY = "sk-proj-operators-own-openai-key"

/** A router with OpenAI alone, which is a server in this process. */
const startOpenAi = (env: { readonly [name: string]: string } = {}, base = "/v1") =>
  Effect.gen(function* () {
    const upstream = yield* startUpstream
    upstream.lists(json(200, LIST))
    const address = { OPENAI_API_KEY: KEY, OPENAI_BASE_URL: upstream.url + base }
    const router = yield* startRouter({ ...address, UPSTREAM_RETRIES: "0", ...env })
    yield* eventually(
      Effect.sync(() => upstream.listed.length),
      (count) => count > 0
    )
    return { upstream, router, openai: openAi(router) }
  })

describe("OpenAI", () => {
  for (const base of ["/v1", "/v1/", "/v1//", "/v1/chat/completions"])
    it.scopedLive(`is found at ${base}`, () =>
      Effect.gen(function* () {
        const { openai, upstream } = yield* startOpenAi({}, base)
        yield* Effect.promise(() => openai.chat.completions.create(question("Hi", "gpt-4o")))
        assert.strictEqual(upstream.received[0]?.path, "/v1/chat/completions")
        assert.strictEqual(upstream.listed[0]?.path, "/v1/models")
      })
    )

  it.scopedLive("keeps what its address asks for, in every call", () =>
    Effect.gen(function* () {
      const { openai, upstream } = yield* startOpenAi({}, "/v1?api-version=1")
      yield* Effect.promise(() => openai.chat.completions.create(question("Hi", "gpt-4o")))
      assert.strictEqual(upstream.received[0]?.path, "/v1/chat/completions?api-version=1")
      assert.strictEqual(upstream.listed[0]?.path, "/v1/models?api-version=1")
    })
  )

  it.scopedLive("gets a chat byte for byte, with the operator's key and the client's organisation", () =>
    Effect.gen(function* () {
      const { router, upstream } = yield* startOpenAi()
      const body = `{ "model":"gpt-4o",  "messages":[{"role":"user","content":"Hï","x":1}], "top_k": 5, "usage":{"include":true}}`
      const headers = {
        authorization: "Bearer the-clients-own",
        "content-type": "application/json",
        "openai-organization": "org-1",
        "openai-project": "proj-1",
        "x-title": "none of its business"
      }
      const answer = yield* router.post(body, { headers })
      assert.strictEqual(answer.status, 200)
      const [asked] = upstream.received
      assert.strictEqual(asked?.body.toString("utf8"), body)
      assert.strictEqual(asked?.headers.authorization, `Bearer ${KEY}`)
      assert.strictEqual(asked?.headers["openai-organization"], "org-1")
      assert.strictEqual(asked?.headers["openai-project"], "proj-1")
      assert.isUndefined(asked?.headers["x-title"])
    })
  )

  it.scopedLive("lists its models as it has them, and what it does not say of them is unknown", () =>
    Effect.gen(function* () {
      const { openai, router, upstream } = yield* startOpenAi()
      const listed = (yield* Effect.promise(() => fetch(`${router.url}/v1/models`))).json()
      const data = arrayField(yield* Effect.promise(() => listed), "data")
      assert.deepStrictEqual(
        data.find((model) => field(model, "id") === "gpt-4o"),
        LIST.data[0]
      )
      assert.strictEqual(upstream.listed[0]?.headers.authorization, `Bearer ${KEY}`)
      // A model that may take pictures gets them.
      const image = { type: "image_url" as const, image_url: { url: PIXEL } }
      const content = [{ type: "text" as const, text: "What is this?" }, image]
      yield* Effect.promise(() =>
        openai.chat.completions.create({ model: "gpt-4o", messages: [{ role: "user", content }] })
      )
      const sent = field(arrayField(askedOf(upstream), "messages")[0], "content")
      assert.strictEqual(field(field(arrayField({ sent }, "sent")[1], "image_url"), "url"), PIXEL)
      const [row] = yield* settled(router, 1)
      assert.strictEqual(row?.provider, "openai")
      // The model list names no price.
      assert.strictEqual(row?.prompt_tokens, 10)
    })
  )

  it.scopedLive("has no price, so that a cost nobody told is unknown and not zero", () =>
    Effect.gen(function* () {
      const { openai, router, upstream } = yield* startOpenAi()
      upstream.once(completion("Hi", { usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 } }))
      yield* Effect.promise(() => openai.chat.completions.create(question("Hi", "gpt-4o")))
      const [row] = yield* settled(router, 1)
      assert.strictEqual(row?.total_tokens, 7)
      assert.isNull(row?.cost_usd)
      assert.isNull(row?.cost_source)
    })
  )

  it.scopedLive("takes a refused key for the operator's problem, and shows nobody any of it", () =>
    Effect.gen(function* () {
      const { openai, router, upstream } = yield* startOpenAi()
      upstream.once(json(401, { error: saying(`Incorrect API key provided: ${KEY}.`, "invalid_api_key") }))
      const error = yield* raised(InternalServerError, () =>
        openai.chat.completions.create(question("Hi", "gpt-4o"))
      )
      assert.strictEqual(error.status, 502)
      assert.strictEqual(error.code, "upstream_auth_failed")
      assert.notInclude(JSON.stringify(error.error), KEY)
      const [row] = yield* settled(router, 1)
      assert.strictEqual(row?.error_source, "upstream")
      assert.notInclude(JSON.stringify(row), KEY)
    })
  )

  it.scopedLive("passes its errors on with type, parameter, code and the time to wait", () =>
    Effect.gen(function* () {
      const { openai, upstream } = yield* startOpenAi()
      const ask = () => openai.chat.completions.create(question("Hi", "gpt-4o"))
      upstream.once(json(404, { error: saying("The model `gpt-9` does not exist.", "model_not_found") }))
      const missing = yield* raised(NotFoundError, ask)
      assert.strictEqual(missing.code, "model_not_found")
      assert.strictEqual(missing.type, "invalid_request_error")
      assert.strictEqual(missing.param, "model")
      assert.match(missing.message, /gpt-9/)
      const slow = {
        message: "Rate limit reached.",
        type: "tokens",
        param: null,
        code: "rate_limit_exceeded"
      }
      upstream.once(json(429, { error: slow }, { "retry-after": "7" }))
      const limited = yield* raised(RateLimitError, ask)
      assert.deepStrictEqual(limited.error, slow)
      assert.strictEqual(limited.headers.get("retry-after"), "7")
    })
  )

  it.scopedLive("is not asked again once the account has no money left", () =>
    Effect.gen(function* () {
      const { openai, upstream } = yield* startOpenAi({ UPSTREAM_RETRIES: "2" })
      const broke = saying("You exceeded your current quota.", "insufficient_quota")
      upstream.answers(json(429, { error: broke }))
      const error = yield* raised(APIError, () => openai.chat.completions.create(question("Hi", "gpt-4o")))
      assert.strictEqual(error.status, 429)
      assert.strictEqual(error.code, "insufficient_quota")
      assert.strictEqual(upstream.received.length, 1)
    })
  )

  it.scopedLive("gets an Ollama client's request without the words it would refuse", () =>
    Effect.gen(function* () {
      const { router, upstream } = yield* startOpenAi()
      const ask = (model: string) =>
        Effect.promise(async () => {
          const body = {
            model,
            stream: false,
            think: "high",
            options: {
              top_k: 40,
              min_p: 0.1,
              repeat_penalty: 1.1,
              temperature: 0.5,
              num_predict: 9,
              num_ctx: 99
            },
            messages: [
              { role: "user", content: "Hi" },
              { role: "assistant", content: "Hello.", thinking: "They greet me." },
              { role: "user", content: "Bye" }
            ]
          }
          const response = await fetch(`${router.url}/api/chat`, {
            method: "POST",
            body: JSON.stringify(body)
          })
          assert.strictEqual(response.status, 200, await response.text())
        })
      yield* ask("gpt-4o")
      const asked = askedOf(upstream)
      assert.sameMembers(Object.keys(Object(asked)), [
        "model",
        "messages",
        "temperature",
        "max_tokens",
        "stream"
      ])
      assert.deepStrictEqual(field(asked, "messages"), [
        { role: "user", content: "Hi" },
        { role: "assistant", content: "Hello." },
        { role: "user", content: "Bye" }
      ])
      assert.strictEqual(field(asked, "temperature"), 0.5)
      assert.strictEqual(field(asked, "max_tokens"), 9)
      yield* ask("gpt-5-mini")
      const thinker = askedOf(upstream, 1)
      assert.strictEqual(field(thinker, "max_completion_tokens"), 9)
      assert.isUndefined(field(thinker, "max_tokens"))
      assert.strictEqual(field(thinker, "reasoning_effort"), "high")
    })
  )
})

const LIST = {
  object: "list",
  data: [
    { id: "gpt-4o", object: "model", created: 1_715_367_049, owned_by: "system" },
    { id: "gpt-5-mini", object: "model", created: 1_754_425_928, owned_by: "system" }
  ]
}

const saying = (message: string, code: string) => ({
  message,
  type: "invalid_request_error",
  param: code === "model_not_found" ? "model" : null,
  code
})

const PIXEL =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
