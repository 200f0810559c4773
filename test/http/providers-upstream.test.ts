import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { AuthenticationError, InternalServerError } from "openai"
import { askedOf, CLIENT_KEY, openAi, question, raised, settled, silence } from "../support/Clients.ts"
import { eventually, startRouter } from "../support/Router.ts"
import { closedPort, completion, json, send, startUpstream, UPSTREAM_KEY } from "../support/Upstream.ts"
import type { Upstream } from "../support/Upstream.ts"

const listedOnce = (upstream: Upstream) =>
  eventually(
    Effect.sync(() => upstream.listed.length),
    (count) => count > 0
  )

const startOwn = (env: { readonly [name: string]: string } = {}, path = "") =>
  Effect.gen(function* () {
    const upstream = yield* startUpstream
    upstream.lists(json(200, { object: "list", data: [{ id: "own/model" }] }))
    const router = yield* startRouter({ UPSTREAM_URL: upstream.url + path, UPSTREAM_RETRIES: "0", ...env })
    return { upstream, router, openai: openAi(router) }
  })

const credentials = ({ listed, received }: Upstream) =>
  [...listed, ...received].map(({ headers }) => JSON.stringify(headers)).join("\n")

describe("UPSTREAM_URL", () => {
  for (const [path, chat] of [
    ["", "/v1/chat/completions"],
    ["/", "/v1/chat/completions"],
    ["/v1", "/v1/chat/completions"],
    ["/v1/", "/v1/chat/completions"],
    ["/v1/chat/completions", "/v1/chat/completions"],
    ["/api/openai", "/api/openai/chat/completions"],
    ["/engines/llama.cpp/v1/", "/engines/llama.cpp/v1/chat/completions"]
  ] as const)
    it.scopedLive(`may end in '${path}'`, () =>
      Effect.gen(function* () {
        const { openai, upstream } = yield* startOwn({}, path)
        const answer = yield* Effect.promise(() => openai.chat.completions.create(question("Hi", "a")))
        assert.strictEqual(answer.choices[0]?.message.content, "Hello from upstream.")
        const posted = upstream.received.find(({ method }) => method === "POST")
        assert.strictEqual(posted?.path, chat)
        const asked = [...upstream.listed, ...upstream.received].find(({ method }) => method === "GET")
        assert.strictEqual(asked?.path, chat.replace("chat/completions", "models"))
      })
    )

  it.scopedLive("gets a request as it is", () =>
    Effect.gen(function* () {
      const { router, upstream } = yield* startOwn()
      const body = `{"messages":[ {"role":"user","content":"Hï"} ], "top_k":5, "model":"a", "x":null}`
      yield* router.post(body)
      assert.strictEqual(upstream.received[0]?.body.toString("utf8"), body)
      const thoughtless = JSON.stringify({ ...question("Hi", "a"), think: false, stream: false })
      yield* send(router, { path: "/api/chat", body: thoughtless })
      assert.sameMembers(Object.keys(Object(askedOf(upstream, 1))), ["model", "messages", "stream"])
    })
  )

  it.scopedLive("gets the key of UPSTREAM_API_KEY, and then never the client's", () =>
    Effect.gen(function* () {
      const { openai, upstream } = yield* startOwn({ UPSTREAM_API_KEY: UPSTREAM_KEY })
      yield* listedOnce(upstream)
      yield* Effect.promise(() => openai.chat.completions.create(question("Hi", "own/model")))
      assert.strictEqual(upstream.received[0]?.headers.authorization, `Bearer ${UPSTREAM_KEY}`)
      assert.strictEqual(upstream.listed[0]?.headers.authorization, `Bearer ${UPSTREAM_KEY}`)
      assert.notInclude(credentials(upstream), CLIENT_KEY)
      upstream.once(json(401, { error: { message: "Wrong key." } }))
      const error = yield* raised(InternalServerError, () =>
        openai.chat.completions.create(question("Hi", "own/model"))
      )
      assert.strictEqual(error.status, 502)
    })
  )

  it.scopedLive("gets the client's own key where the router has none and wants none", () =>
    Effect.gen(function* () {
      const { openai, router, upstream } = yield* startOwn()
      yield* listedOnce(upstream)
      yield* Effect.promise(() => openai.chat.completions.create(question("Hi", "own/model")))
      assert.strictEqual(upstream.received[0]?.headers.authorization, `Bearer ${CLIENT_KEY}`)
      assert.isUndefined(upstream.listed[0]?.headers.authorization)
      const rows = yield* settled(router, 1)
      assert.notInclude(JSON.stringify(rows), CLIENT_KEY)
    })
  )

  it.scopedLive("may refuse the client's own key, which the client is told", () =>
    Effect.gen(function* () {
      const { openai, upstream } = yield* startOwn()
      upstream.once(json(401, { error: { message: "Unknown key.", code: "invalid_api_key" } }))
      const error = yield* raised(AuthenticationError, () =>
        openai.chat.completions.create(question("Hi", "own/model"))
      )
      assert.strictEqual(error.code, "invalid_api_key")
      assert.match(error.message, /Unknown key/)
    })
  )

  it.scopedLive("gets no key of a client that has to show one to the router", () =>
    Effect.gen(function* () {
      const { openai, upstream } = yield* startOwn({ API_KEYS: CLIENT_KEY })
      yield* listedOnce(upstream)
      yield* Effect.promise(() => openai.chat.completions.create(question("Hi", "own/model")))
      assert.isUndefined(upstream.received[0]?.headers.authorization)
      assert.notInclude(credentials(upstream), CLIENT_KEY)
    })
  )

  it.scopedLive("is the only one that ever gets the client's key", () =>
    Effect.gen(function* () {
      const others = yield* Effect.all([startUpstream, startUpstream, startUpstream, startUpstream])
      const [openRouter, openAiServer, huggingFace, ollama] = others
      const env = {
        ...openRouter.env,
        ...{ OPENAI_API_KEY: "sk-a", OPENAI_BASE_URL: `${openAiServer.url}/v1` },
        ...{ HUGGINGFACE_API_TOKEN: "hf_a", HUGGINGFACE_BASE_URL: `${huggingFace.url}/v1` },
        OLLAMA_BASE_URL: ollama.url
      }
      const { openai, upstream } = yield* startOwn(env)
      for (const name of ["openrouter", "openai", "huggingface", "ollama", "upstream"])
        // Ollama's server answers no better than a stranger here; only what it is sent matters.
        yield* Effect.promise(() =>
          openai.chat.completions.create(question("Hi", `${name}:own/model`)).catch(() => undefined)
        )
      for (const other of others) {
        assert.isAbove(other.received.length, 0)
        assert.notInclude(credentials(other), CLIENT_KEY)
      }
      assert.strictEqual(upstream.received.at(-1)?.headers.authorization, `Bearer ${CLIENT_KEY}`)
    })
  )

  it.scopedLive("gets no client's key in calls the router makes on its own account", () =>
    Effect.gen(function* () {
      const { openai, router, upstream } = yield* startOwn({ VISION_MODEL: "upstream:own/eyes" })
      upstream.lists(json(200, { data: [{ id: "own/blind", architecture: { input_modalities: ["text"] } }] }))
      upstream.answers(completion("A red dot."))
      const image = { type: "image_url" as const, image_url: { url: PIXEL } }
      const body = {
        model: "upstream:own/blind",
        messages: [{ role: "user" as const, content: [image] }],
        percept: { policy: "describe" }
      }
      yield* Effect.promise(() => openai.chat.completions.create(body))
      const rows = yield* settled(router, 2)
      assert.includeMembers(
        rows.map(({ kind }) => kind),
        ["main", "describe"]
      )
      const [described, answered] = upstream.received
      assert.include(JSON.stringify(askedOf(upstream)), "data:image")
      assert.isUndefined(described?.headers.authorization)
      assert.strictEqual(answered?.headers.authorization, `Bearer ${CLIENT_KEY}`)
    })
  )
})

describe("a provider that does not answer", () => {
  for (const kind of ["hangs", "is dead"])
    it.scopedLive(`and ${kind} keeps nobody from the others`, () =>
      Effect.gen(function* () {
        const own = yield* startUpstream
        const other = yield* startUpstream
        own.lists(json(200, { data: [{ id: "own/model" }] }))
        other.lists(silence)
        other.answers(silence)
        const address = kind === "hangs" ? other.url : `http://127.0.0.1:${yield* closedPort}`
        const router = yield* startRouter({
          ...{ UPSTREAM_URL: own.url, UPSTREAM_RETRIES: "0" },
          ...{ OPENAI_API_KEY: "sk-a", OPENAI_BASE_URL: `${address}/v1` }
        })
        const openai = openAi(router)
        const lost = new AbortController()
        const waiting = openai.chat.completions
          .create(question("Hi", "openai:gpt-4o"), { signal: lost.signal })
          .catch((error: unknown) => error)
        yield* Effect.promise(() =>
          Promise.all(
            Array.from({ length: 20 }, () => openai.chat.completions.create(question("Hi", "own/model")))
          )
        )
        assert.strictEqual(own.received.length, 20)
        lost.abort()
        assert.instanceOf(yield* Effect.promise(() => waiting), Error)
        const rows = yield* settled(router, 21)
        const done = rows.filter(({ state }) => state === "done")
        assert.strictEqual(done.length, 20)
        assert.isTrue(done.every(({ provider }) => provider === "upstream"))
      })
    )
})

const PIXEL =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
