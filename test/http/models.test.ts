import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { arrayField, field, isObject, stringField } from "../../src/domain/Json.ts"
import { CLIENT_KEY, openAi, silence, startLine } from "../support/Clients.ts"
import type { Line } from "../support/Clients.ts"
import { eventually, startRouter } from "../support/Router.ts"
import { json, MODELS, startUpstream, UPSTREAM_KEY } from "../support/Upstream.ts"
import type { Answer } from "../support/Upstream.ts"

describe("the model list", () => {
  it.scopedLive("has percept/inspect and the provider's models with all their fields", () =>
    Effect.gen(function* () {
      const rich = {
        id: "author/rich:thinking",
        canonical_slug: "author/rich-2026",
        name: "Rich",
        created: 1_790_000_000,
        description: "Wörds 😀",
        architecture: { modality: "text+image->text", input_modalities: ["text", "image"], tokenizer: "x" },
        pricing: { prompt: "0.00000015", completion: "-1", overrides: [{ min_prompt_tokens: 200000 }] },
        top_provider: { context_length: null, max_completion_tokens: null, is_moderated: false },
        per_request_limits: null,
        supported_parameters: ["tools"],
        reasoning: { supported_efforts: ["high"] },
        x_unknown: { a: [1, null] }
      }
      const line = yield* startLine({ models: json(200, { data: [...MODELS, rich] }) })
      const list = yield* eventually(body(line, "/v1/models"), (list) => idsOf(list).length > 0)
      assert.strictEqual(field(list, "object"), "list")
      assert.sameMembers(idsOf(list), ["percept/inspect", "test/plain", "test/free:free", rich.id])
      const found = arrayField(list, "data").find((model) => field(model, "id") === rich.id)
      assert.deepStrictEqual(found, { ...rich, object: "model", owned_by: "author" })
      for (const model of arrayField(list, "data")) {
        assert.strictEqual(field(model, "object"), "model")
        assert.isNumber(field(model, "created"))
        assert.isString(field(model, "owned_by"))
      }
    })
  )

  it.scopedLive("is asked for with all output modalities, and with the router's key", () =>
    Effect.gen(function* () {
      const line = yield* startLine()
      yield* eventually(
        Effect.sync(() => line.upstream.listed.length),
        (count) => count > 0
      )
      const [asked] = line.upstream.listed
      assert.strictEqual(asked?.method, "GET")
      assert.strictEqual(queryOf(asked?.path).get("output_modalities"), "all")
      assert.strictEqual(asked?.headers.authorization, `Bearer ${UPSTREAM_KEY}`)
    })
  )

  it.scopedLive("waits for the provider's first list where it is still on its way", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      let goOn = () => {}
      upstream.lists((request, response) => {
        goOn = () => json(200, { data: MODELS })(request, response)
      })
      const router = yield* startRouter(upstream.env)
      yield* eventually(
        Effect.sync(() => upstream.listed.length),
        (count) => count === 1
      )
      const asking = yield* Effect.fork(get({ router }, "/v1/models"))
      const askingToo = yield* Effect.fork(get({ router }, "/v1/models/test%2Fplain"))
      // By the time it has answered this it has met the two above.
      yield* get({ router }, "/healthz")
      goOn()
      const list = yield* asking
      assert.strictEqual(list.status, 200)
      assert.include(idsOf(list.body), "test/plain")
      assert.strictEqual((yield* askingToo).status, 200)
      assert.strictEqual(upstream.listed.length, 1)
    })
  )

  it.scopedLive("follows the provider's pages to the last", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      upstream.lists(
        paged(upstream.url, {
          1: "/v1/models?page=2&output_modalities=all",
          2: `${upstream.url}/v1/models?page=3`
        })
      )
      const router = yield* startRouter(upstream.env)
      const list = yield* eventually(body({ router }, "/v1/models"), (list) => idsOf(list).length > 1)
      assert.sameMembers(idsOf(list), ["percept/inspect", "page/1", "page/2", "page/3"])
      assert.strictEqual(upstream.listed.length, 3)
    })
  )

  it.scopedLive("does not follow pages to another server", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      const stranger = yield* startUpstream
      upstream.lists(paged(upstream.url, { 1: `${stranger.url}/v1/models?page=2` }))
      const router = yield* startRouter(upstream.env)
      const list = yield* eventually(body({ router }, "/v1/models"), (list) => idsOf(list).length > 1)
      assert.sameMembers(idsOf(list), ["percept/inspect", "page/1"])
      assert.strictEqual(stranger.listed.length, 0)
    })
  )

  it.scopedLive("does not follow pages in a circle for ever", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      upstream.lists(paged(upstream.url, { 1: "/v1/models?page=2", 2: "/v1/models?page=1" }))
      const router = yield* startRouter(upstream.env)
      const list = yield* eventually(body({ router }, "/v1/models"), (list) => idsOf(list).length > 1)
      assert.sameMembers(idsOf(list), ["percept/inspect", "page/1", "page/2"])
    })
  )

  for (const [what, answer] of DEAD)
    it.scopedLive(`is answered without a provider whose list ${what}, and chat goes on`, () =>
      Effect.gen(function* () {
        const upstream = yield* startUpstream
        upstream.lists(answer)
        const router = yield* startRouter(upstream.env)
        const chat = yield* router.post({ model: "test/plain", messages: [{ role: "user", content: "Hi" }] })
        assert.strictEqual(chat.status, 200)
        const [found, model] = yield* Effect.all(
          [get({ router }, "/v1/models"), get({ router }, "/v1/models/percept/inspect")],
          { concurrency: "unbounded" }
        )
        assert.strictEqual(found.status, 200)
        assert.deepStrictEqual(idsOf(found.body), ["percept/inspect"])
        assert.strictEqual(model.status, 200)
      })
    )

  it.scopedLive("stays as it was while the provider is down, and is renewed when it is back", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      const router = yield* startRouter({ ...upstream.env, CATALOGUE_TTL: "50 millis" })
      const ids = Effect.map(body({ router }, "/v1/models"), idsOf)
      yield* eventually(ids, (ids) => ids.includes("test/plain"))
      upstream.lists(json(500, { error: { message: "Down." } }))
      const before = upstream.listed.length
      yield* eventually(
        Effect.zipRight(
          ids,
          Effect.sync(() => upstream.listed.length)
        ),
        (count) => count >= before + 3
      )
      assert.include(yield* ids, "test/plain")
      const chat = yield* router.post({ model: "test/plain", messages: [{ role: "user", content: "Hi" }] })
      assert.strictEqual(chat.status, 200)
      upstream.lists(json(200, { data: [{ id: "test/new" }] }))
      const renewed = yield* eventually(ids, (ids) => ids.includes("test/new"))
      assert.notInclude(renewed, "test/plain")
    })
  )
})

describe("a single model", () => {
  it.scopedLive("is found under its id, with slashes plain or encoded", () =>
    Effect.gen(function* () {
      const line = yield* startLine()
      yield* listed(line)
      for (const path of ["test/plain", "test%2Fplain", "test%2fplain?x=1", "%74est/plain"]) {
        const { body, status } = yield* get(line, `/v1/models/${path}`)
        assert.strictEqual(status, 200, path)
        assert.deepStrictEqual(body, { ...MODELS[0], object: "model", owned_by: "test" })
      }
      for (const path of ["test/free:free", "test%2Ffree%3Afree"]) {
        const { body, status } = yield* get(line, `/v1/models/${path}`)
        assert.strictEqual(status, 200, path)
        assert.strictEqual(field(body, "id"), "test/free:free")
      }
    })
  )

  it.scopedLive("that is not there is a 404 in the shape of all errors", () =>
    Effect.gen(function* () {
      const line = yield* startLine()
      yield* listed(line)
      for (const path of ["test/none", "none", "test%2Fnone", "test/plain/", `${"x".repeat(3000)}/y`]) {
        const { body, requestId, status } = yield* get(line, `/v1/models/${path}`)
        assert.strictEqual(status, 404, path)
        assert.strictEqual(stringField(field(body, "error"), "type"), "invalid_request_error")
        assert.strictEqual(stringField(field(body, "error"), "code"), "model_not_found")
        assert.sameMembers(Object.keys(Object(field(body, "error"))), ["message", "type", "param", "code"])
        assert.match(requestId ?? "", /^req_/)
      }
    })
  )
})

describe("an id that is no proper text", () => {
  it.scopedLive("is not called a wrong method", () =>
    Effect.gen(function* () {
      const line = yield* startLine()
      const { body, requestId, status } = yield* get(line, "/v1/models/%E0%A4%A")
      assert.include([400, 404], status, stringField(field(body, "error"), "message"))
      assert.match(requestId ?? "", /^req_/)
    })
  )
})

describe("keys", () => {
  it.scopedLive("are wanted for models, chat and single models, and not for the state of the router", () =>
    Effect.gen(function* () {
      const line = yield* startLine({ env: { API_KEYS: `another,${CLIENT_KEY}` } })
      for (const path of ["/v1/models", "/v1/models/percept/inspect"]) {
        const refused = yield* get(line, path)
        assert.strictEqual(refused.status, 401)
        assert.strictEqual(stringField(field(refused.body, "error"), "code"), "invalid_api_key")
        for (const headers of [
          { authorization: `Bearer ${CLIENT_KEY}` },
          { "x-api-key": CLIENT_KEY },
          { authorization: `Basic ${Buffer.from(`anybody:${CLIENT_KEY}`).toString("base64")}` }
        ])
          assert.strictEqual((yield* get(line, path, { headers })).status, 200)
        const wrong = yield* get(line, path, { headers: { authorization: `Bearer ${CLIENT_KEY}x` } })
        assert.strictEqual(wrong.status, 401)
      }
      const chat = yield* line.router.post({ model: "percept/inspect", messages: [{ role: "user" }] })
      assert.strictEqual(chat.status, 401)
      for (const path of ["/healthz", "/readyz"]) assert.strictEqual((yield* get(line, path)).status, 200)
      const page = yield* Effect.promise(() => openAi(line.router).models.list())
      assert.include(
        page.data.map((model) => model.id),
        "percept/inspect"
      )
    })
  )
})

describe("the router about itself", () => {
  it.scopedLive("says that it is alive and ready", () =>
    Effect.gen(function* () {
      const line = yield* startLine()
      assert.deepStrictEqual((yield* get(line, "/healthz")).body, { status: "ok" })
      const ready = yield* get(line, "/readyz")
      assert.strictEqual(ready.status, 200)
      assert.strictEqual(field(ready.body, "status"), "ready")
    })
  )

  it.scopedLive("describes itself in a valid document", () =>
    Effect.gen(function* () {
      const line = yield* startLine()
      const { body: document, status } = yield* get(line, "/openapi.json")
      assert.strictEqual(status, 200)
      assert.match(stringField(document, "openapi") ?? "", /^3\.[01]\.\d+$/)
      assert.isNotEmpty(stringField(field(document, "info"), "title"))
      assert.isNotEmpty(stringField(field(document, "info"), "version"))
      const paths = field(document, "paths")
      for (const [path, methods] of LANES)
        for (const method of methods) assert.isObject(field(field(paths, path), method), `${method} ${path}`)
      const operations = operationsOf(paths)
      for (const { operation, path } of operations) {
        assert.match(path, /^\//)
        assert.isNotEmpty(Object.keys(Object(field(operation, "responses"))), path)
      }
      const ids = operations.map(({ operation }) => field(operation, "operationId"))
      assert.strictEqual(new Set(ids).size, ids.length)
      for (const reference of referencesIn(document)) {
        const found = reference
          .replace(/^#\//, "")
          .split("/")
          .reduce<unknown>(
            (value, key) => field(value, key.replaceAll("~1", "/").replaceAll("~0", "~")),
            document
          )
        assert.isTrue(isObject(found), reference)
      }
      const schemes = Object.keys(Object(field(field(document, "components"), "securitySchemes")))
      for (const requirement of arrayField(document, "security"))
        assert.includeMembers(schemes, Object.keys(Object(requirement)))
    })
  )

  it.scopedLive("says in its document which methods and paths there are, and only those", () =>
    Effect.gen(function* () {
      const line = yield* startLine()
      const { body: document } = yield* get(line, "/openapi.json")
      const operations = operationsOf(field(document, "paths"))
      for (const { method, path } of operations) {
        const address = ofOne(path)
          ? path.replace("{which}", "request").replace(/\{\w+\}/, "0".repeat(64))
          : path.replace("*", "percept/inspect").replace("{id}", "percept/inspect")
        const init = method === "get" ? {} : { method: method.toUpperCase(), body: "{}" }
        const { status, text } = yield* get(line, address, init)
        // Nobody has sent a request of that number, nor has a picture been kept; the page that would show it is there.
        const isThere = !ofOne(path) || path === "/ui/tracking/{id}"
        if (method === "get") assert.strictEqual(status, isThere ? 200 : 404, path)
        if (ofOne(path)) assert.notInclude(text, "There is nothing at", path)
        if (method !== "get") assert.notInclude(ofOne(path) ? [405] : [404, 405], status, `${path}: ${text}`)
        const here = operations.filter((one) => one.path === path).map((one) => one.method.toUpperCase())
        const other = ["POST", "GET", "PUT"].find((one) => !here.includes(one)) ?? ""
        const { allow, status: refused } = yield* get(line, address, { method: other })
        assert.strictEqual(refused, 405, `${other} ${path}`)
        assert.sameMembers((allow ?? "").split(", "), here)
      }
    })
  )

  it.scopedLive("has a page of documentation", () =>
    Effect.gen(function* () {
      const line = yield* startLine()
      const page = yield* get(line, "/docs")
      assert.strictEqual(page.status, 200)
      assert.match(page.type, /^text\/html/)
      assert.match(page.text, /<!doctype html>/i)
      assert.include(page.text, "/v1/chat/completions")
    })
  )

  for (const lanes of [true, false])
    for (const [what, path, init] of EVERYTHING)
      it.scopedLive(`puts a number on ${what}${lanes ? "" : " without lanes"}`, () =>
        Effect.gen(function* () {
          const line = yield* startLine({ lanes })
          const first = yield* get(line, path, init)
          const second = yield* get(line, path, init)
          assert.match(first.requestId ?? "", /^req_\w+/)
          assert.notStrictEqual(first.requestId, second.requestId)
        })
      )
})

/** What a list can be instead of a list. */
const DEAD: ReadonlyArray<readonly [what: string, answer: Answer]> = [
  ["is a 500", json(500, { error: { message: "Down." } })],
  ["is no list", json(200, { data: "none" })],
  ["is cut off", (_, response) => void response.destroy()],
  ["never comes", silence]
]

const LANES: ReadonlyArray<readonly [path: string, methods: ReadonlyArray<string>]> = [
  ["/v1/chat/completions", ["post"]],
  ["/v1/completions", ["post"]],
  ["/v1/embeddings", ["post"]],
  ["/v1/models", ["get"]],
  ["/", ["get"]],
  ["/api/chat", ["post"]],
  ["/api/generate", ["post"]],
  ["/api/embed", ["post"]],
  ["/api/embeddings", ["post"]],
  ["/api/tags", ["get"]],
  ["/api/show", ["post"]],
  ["/api/ps", ["get"]],
  ["/api/version", ["get"]],
  ["/healthz", ["get"]],
  ["/readyz", ["get"]]
]

const CHAT = "/v1/chat/completions"
const QUESTION = '{"model":"test/plain","messages":[{"role":"user","content":"Hi"}]}'

const EVERYTHING: ReadonlyArray<readonly [what: string, path: string, init: RequestInit]> = [
  ["a chat", CHAT, { method: "POST", body: QUESTION }],
  [
    "a chat with percept/inspect",
    CHAT,
    { method: "POST", body: QUESTION.replace("test/plain", "percept/inspect") }
  ],
  ["broken JSON", CHAT, { method: "POST", body: "{" }],
  ["a body that is no JSON", CHAT, { method: "POST", body: "a", headers: { "content-type": "image/png" } }],
  ["a wrong method", CHAT, { method: "GET" }],
  ["the model list", "/v1/models", {}],
  ["a single model", "/v1/models/percept/inspect", {}],
  ["an unknown model", "/v1/models/none", {}],
  ["an unknown path", "/none", {}],
  ["a chat in Ollama's words", "/api/chat", { method: "POST", body: QUESTION }],
  ["the same that is no JSON", "/api/generate", { method: "POST", body: "{" }],
  ["the model list in Ollama's words", "/api/tags", {}],
  ["an unknown path of Ollama's", "/api/none", {}],
  ["the sign of life in Ollama's words", "/", {}],
  ["the sign of life", "/healthz", {}],
  ["the sign of readiness", "/readyz", {}],
  ["the document", "/openapi.json", {}],
  ["the page of documentation", "/docs", {}]
]

const get = ({ router }: Pick<Line, "router">, path: string, init: RequestInit = {}) =>
  Effect.promise(async () => {
    const response = await fetch(`${router.url}${path}`, init)
    const type = response.headers.get("content-type") ?? ""
    const isEndless = type.startsWith("text/event-stream")
    if (isEndless) await response.body?.cancel()
    const text = isEndless ? "" : await response.text()
    const body: unknown = type.startsWith("application/json") ? JSON.parse(text) : undefined
    const [allow, requestId] = ["allow", "x-request-id"].map((name) => response.headers.get(name))
    return { status: response.status, requestId, allow, type, text, body }
  })

/** A thing of the record by its number. */
const ofOne = (path: string): boolean => /^\/(?:api\/)?ui\/.*\{/.test(path)

const body = (line: Pick<Line, "router">, path: string) => Effect.map(get(line, path), ({ body }) => body)

/** Waits until the provider's models are there. */
const listed = (line: Line) =>
  eventually(body(line, "/v1/models"), (list) => idsOf(list).includes("test/plain"))

const idsOf = (list: unknown) => arrayField(list, "data").map((model) => stringField(model, "id") ?? "")

const queryOf = (path: string | undefined) => new URL(path ?? "", "http://upstream").searchParams

/** A list in pages of one model each, with these links to the next. */
const paged =
  (url: string, next: { readonly [page: string]: string }): Answer =>
  (request, response) => {
    const page = new URL(request.path, url).searchParams.get("page") ?? "1"
    const links = { next: next[page] ?? null }
    json(200, { data: [{ id: `page/${page}` }], total_count: 3, links })(request, response)
  }

const operationsOf = (paths: unknown) =>
  Object.entries(Object(paths)).flatMap(([path, methods]) =>
    Object.entries(Object(methods)).map(([method, operation]: [string, unknown]) => ({
      path,
      method,
      operation
    }))
  )

const referencesIn = (value: unknown): ReadonlyArray<string> =>
  Array.isArray(value)
    ? value.flatMap(referencesIn)
    : isObject(value)
      ? Object.entries(value).flatMap(([key, inner]) =>
          key === "$ref" && typeof inner === "string" ? [inner] : referencesIn(inner)
        )
      : []
