import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import type { Scope } from "effect"
import { createServer } from "node:net"
import type { AddressInfo, Socket } from "node:net"
import { arrayField, field, stringField } from "../../src/domain/Json.ts"
import { settled } from "../support/Clients.ts"
import { eventually, startRouter } from "../support/Router.ts"
import type { Router } from "../support/Router.ts"
import { completion, json, startUpstream } from "../support/Upstream.ts"
import type { Upstream } from "../support/Upstream.ts"

/** A server that plays this provider and lists these models. */
const playing = (answer: string, ...models: ReadonlyArray<object>) =>
  Effect.map(startUpstream, (upstream) => {
    upstream.lists(json(200, { object: "list", data: models }))
    upstream.answers(completion(answer))
    return upstream
  })

/** Takes every connection and never says a word. */
const hanging: Effect.Effect<
  { readonly url: string; readonly open: ReadonlySet<Socket> },
  never,
  Scope.Scope
> = Effect.acquireRelease(
  Effect.async<{ url: string; open: ReadonlySet<Socket>; stop: Effect.Effect<void> }>((resume) => {
    const open = new Set<Socket>()
    const server = createServer((socket) => {
      open.add(socket)
      socket.on("close", () => open.delete(socket)).on("error", () => {})
      socket.resume()
    })
    server.listen(0, "127.0.0.1", () => {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      const stop = Effect.async<void>((resume) => {
        server.close(() => resume(Effect.void))
        for (const socket of open) socket.destroy()
      })
      resume(Effect.succeed({ url, open, stop }))
    })
  }),
  ({ stop }) => stop
)

const get = ({ url }: Router, path: string) =>
  Effect.promise(async () => {
    const response = await fetch(`${url}${path}`)
    return { status: response.status, body: (await response.json()) as unknown }
  })

const idsOf = (list: unknown) => arrayField(list, "data").map((model) => stringField(model, "id") ?? "")

/** What is said to a question for this model, and the provider by whom. */
const asked = (router: Router, model?: string) =>
  Effect.gen(function* () {
    const response = yield* router.post({ model, messages: [{ role: "user", content: "Hi" }] })
    const body: unknown = yield* Effect.promise(() => response.json())
    const [choice] = arrayField(body, "choices")
    return { status: response.status, said: stringField(field(choice, "message"), "content") }
  })

const openAiAt = ({ url }: Upstream) => ({ OPENAI_API_KEY: "sk-openai", OPENAI_BASE_URL: `${url}/v1` })

describe("the model list", () => {
  it.scopedLive("has every id once, names of the map with what they stand for, and finds each", () =>
    Effect.gen(function* () {
      const rich = { id: "vendor/rich", created: 7, context_length: 99, name: "Rich", x_odd: [1] }
      const router0 = yield* playing("openrouter", rich, { id: "both", from: "openrouter" })
      const openai = yield* playing("openai", { id: "gpt-x" }, { id: "both", from: "openai" })
      const map = {
        "my/alias": "vendor/rich",
        "gpt-x": "openrouter:both",
        gone: "nowhere",
        "/pat-(.*)/": "$1"
      }
      const router = yield* startRouter({
        ...router0.env,
        ...openAiAt(openai),
        MODEL_MAP: JSON.stringify(map)
      })
      const { body } = yield* get(router, "/v1/models")
      assert.deepStrictEqual(idsOf(body), [
        "my/alias",
        "gpt-x",
        "gone",
        "vendor/rich",
        "both",
        "percept/inspect"
      ])
      const [alias, renamed, gone, , both] = arrayField(body, "data")
      assert.deepStrictEqual(alias, { ...rich, object: "model", id: "my/alias", owned_by: "percept" })
      assert.deepInclude(renamed, { id: "gpt-x", owned_by: "percept", from: "openrouter" })
      assert.deepStrictEqual(gone, { object: "model", created: 0, id: "gone", owned_by: "percept" })
      assert.deepInclude(both, { id: "both", from: "openrouter", owned_by: "openrouter" })

      const one = (path: string) => get(router, `/v1/models/${path}`)
      for (const path of ["my/alias", "my%2Falias"]) assert.deepStrictEqual((yield* one(path)).body, alias)
      assert.deepStrictEqual((yield* one("gpt-x")).body, renamed)
      assert.deepInclude((yield* one("openai:both")).body, { id: "both", from: "openai" })
      assert.deepInclude((yield* one("openai%3Aboth")).body, { id: "both", from: "openai" })
      assert.deepInclude((yield* one("vendor%2Frich%3Afree")).body, { id: "vendor/rich", x_odd: [1] })
      assert.deepInclude((yield* one("pat-vendor%2Frich")).body, {
        id: "pat-vendor/rich",
        owned_by: "percept"
      })
      for (const path of ["ollama:both", "openai:vendor/rich", "none", "my", "alias"])
        assert.strictEqual((yield* one(path)).status, 404, path)
    })
  )
})

describe("a name", () => {
  it.scopedLive("is mapped and routed, and the record says from what, to where and by which rule", () =>
    Effect.gen(function* () {
      const router0 = yield* playing("openrouter", { id: "vendor/one" })
      const openai = yield* playing("openai", { id: "gpt-x" })
      const router = yield* startRouter({
        ...router0.env,
        ...openAiAt(openai),
        MODEL_MAP: JSON.stringify({ "gpt-4": "vendor/one", "/gpt-(.*)-turbo/": "openai:gpt-$1" }),
        DEFAULT_TEXT_MODEL: "gpt-4"
      })
      const names = ["gpt-4", "gpt-3.5-turbo", "gpt-x", "gpt-5", "vendor/new", "odd", undefined]
      const said: Array<string | undefined> = []
      for (const name of names) said.push((yield* asked(router, name)).said)
      const [one, two, ...rest] = said
      assert.deepStrictEqual([one, two], ["openrouter", "openai"])
      assert.deepStrictEqual(rest, ["openai", "openai", "openrouter", "openrouter", "openrouter"])
      const rows = yield* settled(router, names.length)
      assert.deepStrictEqual(
        rows.map(({ model_requested_by_client, model_routed_to_openrouter, provider, route_rule }) => [
          model_requested_by_client,
          provider,
          model_routed_to_openrouter,
          route_rule
        ]),
        [
          ["gpt-4", "openrouter", "vendor/one", "map+listed"],
          ["gpt-3.5-turbo", "openai", "gpt-3.5", "map+explicit"],
          ["gpt-x", "openai", "gpt-x", "listed"],
          ["gpt-5", "openai", "gpt-5", "prefix"],
          ["vendor/new", "openrouter", "vendor/new", "slash"],
          ["odd", "openrouter", "odd", "first"],
          [null, "openrouter", "vendor/one", "map+default"]
        ]
      )
      assert.deepStrictEqual(
        [...router0.received, ...openai.received].map(({ body }) =>
          field(JSON.parse(body.toString()), "model")
        ),
        ["vendor/one", "vendor/new", "odd", "vendor/one", "gpt-3.5", "gpt-x", "gpt-5"]
      )
    })
  )

  for (const [what, envOf] of [
    ["an Ollama server", (url: string) => ({ OLLAMA_BASE_URL: url })],
    ["an upstream", (url: string) => ({ UPSTREAM_URL: url })]
  ] as const)
    it.scopedLive(`that nobody lists reaches ${what} that is alone`, () =>
      Effect.gen(function* () {
        const server = yield* playing("here")
        const router = yield* startRouter(envOf(server.url))
        for (const name of ["mistral", "gpt-4", "vendor/model:free", "o1"])
          assert.deepStrictEqual(yield* asked(router, name), { status: 200, said: "here" })
      })
    )
})

describe("a provider that hangs", () => {
  it.scopedLive("holds up neither the list of five nor requests to the other four", () =>
    Effect.gen(function* () {
      const openrouter = yield* playing("openrouter", { id: "vendor/one" })
      const openai = yield* playing("openai", { id: "gpt-x" })
      const huggingface = yield* playing("huggingface", { id: "meta/llama" })
      const upstream = yield* playing("upstream", { id: "model.gguf" })
      const ollama = yield* hanging
      const router = yield* startRouter({
        ...openrouter.env,
        ...openAiAt(openai),
        ...{ HUGGINGFACE_API_TOKEN: "hf_x", HUGGINGFACE_BASE_URL: `${huggingface.url}/v1` },
        ...{ UPSTREAM_URL: upstream.url, OLLAMA_BASE_URL: ollama.url }
      })
      yield* eventually(
        Effect.sync(() => ollama.open.size),
        (connections) => connections > 0
      )
      const order: Array<string> = []
      const told = <A>(what: string, effect: Effect.Effect<A>) =>
        Effect.tap(effect, () => Effect.sync(() => order.push(what)))

      const listing = yield* Effect.fork(told("the list", get(router, "/v1/models")))
      const patience = new AbortController()
      const question = JSON.stringify({ model: "ollama:llama2", messages: [{ role: "user", content: "Hi" }] })
      const lost = fetch(`${router.url}/v1/chat/completions`, {
        ...{ method: "POST", body: question, signal: patience.signal }
      }).then(
        () => order.push("ollama"),
        () => order.push("gave up")
      )
      const names = ["vendor/one", "gpt-x", "meta/llama", "model.gguf"]
      for (const name of [...names, "openai:gpt-new", "percept/inspect"]) {
        const { status } = yield* told(name, asked(router, name))
        assert.strictEqual(status, 200)
      }
      // Its own list is still awaited, and so is the answer to the one request that went there.
      assert.deepStrictEqual(order, [...names, "openai:gpt-new", "percept/inspect"])
      assert.strictEqual((yield* asked(router, "vendor/unknown")).said, "openrouter")

      const list = yield* Fiber.join(listing)
      assert.strictEqual(list.status, 200)
      assert.deepStrictEqual(idsOf(list.body), [...names, "percept/inspect"])
      // The router has not given up on the one that hangs: it just does not wait for it.
      assert.isAbove(ollama.open.size, 0)
      const again = yield* get(router, "/v1/models")
      assert.deepStrictEqual(idsOf(again.body), [...names, "percept/inspect"])
      patience.abort()
      yield* Effect.promise(() => lost)
      assert.deepStrictEqual(order.slice(-2), ["the list", "gave up"])
    })
  )
})
