import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { arrayField, field, stringField } from "../../src/domain/Json.ts"
import { CLIENT_KEY, startLine } from "../support/Clients.ts"
import { callsOf, OLLAMA_MODELS, runningOf, showOf, startOllama, tagOf } from "../support/OllamaUpstream.ts"
import { eventually, startRouter } from "../support/Router.ts"
import type { Router } from "../support/Router.ts"
import { closedPort, json, MODELS, send } from "../support/Upstream.ts"

describe("whoever looks whether Ollama is there", () => {
  it.scopedLive("is told that it is running", () =>
    Effect.gen(function* () {
      const { router } = yield* startLine({ env: { API_KEYS: CLIENT_KEY } })
      for (const accept of [undefined, "*/*", "application/json", "text/plain", "text/html;q=0, */*"]) {
        const got = yield* send(router, { method: "GET", path: "/", headers: accept ? { accept } : {} })
        assert.strictEqual(got.status, 200, accept)
        assert.match(got.headers["content-type"] ?? "", /^text\/plain\b/)
        assert.strictEqual(got.text, "Ollama is running")
        assert.match(String(got.headers["x-request-id"]), /^req_/)
      }
      assert.deepStrictEqual(yield* router.rowsNow, [])
    })
  )

  it.scopedLive("with a browser is led to what there is to read", () =>
    Effect.gen(function* () {
      const accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
      for (const [env, place] of [
        [{}, "/ui/tracking"],
        [{ UI_ENABLED: "false" }, "/docs"]
      ] as const) {
        const { router } = yield* startLine({ env })
        for (const method of ["GET", "HEAD"]) {
          const got = yield* send(router, { method, path: "/", headers: { accept } })
          assert.strictEqual(got.status, 302)
          assert.strictEqual(got.headers.location, place)
          assert.strictEqual(got.headers.vary, "accept")
        }
      }
    })
  )

  it.scopedLive("may ask for the head alone", () =>
    Effect.gen(function* () {
      const { router } = yield* startLine()
      for (const path of ["/", "/api/version", "/api/tags"]) {
        const head = yield* send(router, { method: "HEAD", path })
        const whole = yield* send(router, { method: "GET", path })
        assert.strictEqual(head.status, 200, path)
        assert.strictEqual(head.text, "")
        assert.strictEqual(head.headers["content-type"], whole.headers["content-type"])
        assert.strictEqual(head.headers["content-length"], String(whole.bytes.length))
      }
    })
  )
})

describe("the version", () => {
  it.scopedLive("is that of the API which is spoken", () =>
    Effect.gen(function* () {
      const { router } = yield* startLine()
      assert.deepStrictEqual(yield* get(router, "/api/version"), { version: "0.13.0" })
    })
  )
})

describe("the list of models", () => {
  it.scopedLive("has every model of every provider, and those of Ollama as it told them", () =>
    Effect.gen(function* () {
      const ollama = yield* startOllama
      const { router } = yield* startLine({ env: ollama.env })
      const models = yield* listed(router, OLLAMA_MODELS.length + MODELS.length + 1)
      assert.sameMembers(namesOf(models), [
        "percept/inspect",
        ...MODELS.map(({ id }) => id),
        ...OLLAMA_MODELS.map(({ name }) => name)
      ])
      for (const tag of OLLAMA_MODELS.map(tagOf))
        assert.deepStrictEqual(
          models.find((model) => field(model, "name") === tag.name),
          tag
        )
      for (const model of models) {
        assert.sameMembers(Object.keys(Object(model)), Object.keys(OLLAMA_MODELS.map(tagOf)[0] ?? {}))
        assert.match(stringField(model, "digest") ?? "", /^[0-9a-f]{64}$/)
        assert.isFalse(Number.isNaN(Date.parse(stringField(model, "modified_at") ?? "")))
      }
      const digests = models.map((model) => field(model, "digest"))
      assert.strictEqual(new Set(digests).size, digests.length)
      assert.deepStrictEqual(yield* listed(router, models.length), models)
    })
  )

  it.scopedLive("has the aliases of the map, and each name once", () =>
    Effect.gen(function* () {
      const map = { "gpt-4": "test/plain", "test/free:free": "test/plain", gone: "openai:none" }
      const { router } = yield* startLine({ env: { MODEL_MAP: JSON.stringify(map) } })
      const models = yield* listed(router, MODELS.length + 3)
      assert.sameMembers(namesOf(models), [
        "percept/inspect",
        "test/plain",
        "test/free:free",
        "gpt-4",
        "gone"
      ])
      const alias = models.find((model) => field(model, "name") === "gpt-4")
      assert.strictEqual(field(alias, "model"), "gpt-4:latest")
    })
  )

  it.scopedLive("is there without a provider that is dead", () =>
    Effect.gen(function* () {
      const { router } = yield* startLine({
        env: { OLLAMA_BASE_URL: `http://127.0.0.1:${yield* closedPort}` }
      })
      assert.sameMembers(namesOf(yield* listed(router, 3)), [
        "percept/inspect",
        ...MODELS.map(({ id }) => id)
      ])
    })
  )
})

describe("a model that is shown", () => {
  it.scopedLive("of an Ollama server is told in its words, with the eyes it has here", () =>
    Effect.gen(function* () {
      const ollama = yield* startOllama
      const { router } = yield* startLine({ env: ollama.env })
      yield* listed(router, OLLAMA_MODELS.length + MODELS.length + 1)
      for (const said of OLLAMA_MODELS) {
        const own = showOf(said)
        const got = yield* show(router, { model: said.name, verbose: true })
        assert.strictEqual(got.status, 200, got.text)
        const eyes = own.capabilities.includes("completion") && !own.capabilities.includes("vision")
        assert.deepStrictEqual(JSON.parse(got.text), {
          ...own,
          capabilities: eyes ? [...own.capabilities, "vision"] : own.capabilities
        })
      }
      const asked = callsOf(ollama, "/api/show").map(({ body }): unknown => JSON.parse(body.toString()))
      assert.isTrue(
        asked.some((body) => field(body, "verbose") === true && field(body, "model") === "llava:7b")
      )
    })
  )

  it.scopedLive("of an Ollama server is told word for word where nobody is given eyes", () =>
    Effect.gen(function* () {
      const ollama = yield* startOllama
      const router = yield* startRouter({ ...ollama.env, MEDIA_POLICY: "off" })
      for (const said of OLLAMA_MODELS) {
        const got = yield* show(router, { model: said.name })
        assert.deepStrictEqual(JSON.parse(got.text), showOf(said))
      }
    })
  )

  it.scopedLive("elsewhere is told by what its catalogue says, under every name it has", () =>
    Effect.gen(function* () {
      const map = { "gpt-4": "test/plain", "/claude-(.*)/": "test/$1" }
      const { router } = yield* startLine({ env: { MODEL_MAP: JSON.stringify(map) } })
      yield* listed(router, MODELS.length + 2)
      const bodies = [
        { model: "test/plain" },
        { name: "test/plain" },
        { model: "", name: "test/plain" },
        { model: "test/plain:latest" },
        { model: "test/plain:nitro" },
        { model: "gpt-4" },
        { model: "gpt-4:latest" },
        { model: "claude-plain" },
        { model: "openrouter:test/plain" }
      ]
      for (const body of bodies) {
        const got = yield* show(router, body)
        assert.strictEqual(got.status, 200, got.text)
        const said: unknown = JSON.parse(got.text)
        assert.deepStrictEqual(field(said, "model_info"), {
          "general.architecture": "test",
          "test.context_length": 8192
        })
        assert.deepStrictEqual(field(said, "capabilities"), ["completion", "tools", "vision"])
        assert.match(stringField(said, "modelfile") ?? "", /^FROM test\/plain$/m)
      }
    })
  )

  it.scopedLive("by an alias is there, whoever lists it", () =>
    Effect.gen(function* () {
      const map = { secret: "author/unlisted-7b" }
      const { router } = yield* startLine({ env: { MODEL_MAP: JSON.stringify(map) } })
      const got = yield* show(router, { model: "secret" })
      assert.strictEqual(got.status, 200, got.text)
      const details = field(JSON.parse(got.text), "details")
      assert.strictEqual(stringField(details, "family"), "author")
      assert.strictEqual(stringField(details, "parameter_size"), "7B")
    })
  )

  it.scopedLive("and is not there is a 404 in Ollama's words, whoever was asked", () =>
    Effect.gen(function* () {
      const ollama = yield* startOllama
      const both = yield* startLine({ env: ollama.env })
      const alone = yield* startRouter({})
      for (const router of [both.router, alone])
        for (const name of ["nope", "author/nope", "ollama:nope", "openai:gpt-4"]) {
          const got = yield* show(router, { model: name })
          assert.strictEqual(got.status, 404, got.text)
          assert.deepStrictEqual(JSON.parse(got.text), { error: `model '${name}' not found` })
        }
    })
  )

  it.scopedLive("of a server that is down is a failure of that server", () =>
    Effect.gen(function* () {
      const ollama = yield* startOllama
      const router = yield* startRouter(ollama.env)
      ollama.shows(json(500, { error: "out of memory" }))
      const got = yield* show(router, { model: "mistral:7b" })
      assert.isAtLeast(got.status, 500)
      assert.match(stringField(JSON.parse(got.text), "error") ?? "", /out of memory/)
    })
  )
})

describe("the models that are loaded", () => {
  it.scopedLive("are none where there is no Ollama server", () =>
    Effect.gen(function* () {
      const { router } = yield* startLine()
      assert.deepStrictEqual(yield* get(router, "/api/ps"), { models: [] })
    })
  )

  it.scopedLive("are those of the Ollama server", () =>
    Effect.gen(function* () {
      const ollama = yield* startOllama
      const router = yield* startRouter(ollama.env)
      assert.deepStrictEqual(yield* get(router, "/api/ps"), {
        models: OLLAMA_MODELS.slice(0, 1).map(runningOf)
      })
    })
  )

  it.scopedLive("are none where it is dead", () =>
    Effect.gen(function* () {
      const router = yield* startRouter({ OLLAMA_BASE_URL: `http://127.0.0.1:${yield* closedPort}` })
      assert.deepStrictEqual(yield* get(router, "/api/ps"), { models: [] })
    })
  )
})

const get = (router: Router, path: string) =>
  Effect.map(send(router, { method: "GET", path }), (got): unknown => {
    assert.strictEqual(got.status, 200, got.text)
    assert.strictEqual(got.headers["content-type"], "application/json")
    assert.match(String(got.headers["x-request-id"]), /^req_/)
    return JSON.parse(got.text)
  })

const show = (router: Router, body: object) =>
  send(router, { path: "/api/show", body: JSON.stringify(body), headers: { "content-type": "text/plain" } })

/** The list, once all of it is there. */
const listed = (router: Router, count: number) =>
  eventually(
    Effect.map(get(router, "/api/tags"), (list) => arrayField(list, "models")),
    (models) => models.length === count
  )

const namesOf = (models: ReadonlyArray<unknown>) => models.map((model) => stringField(model, "name") ?? "")
