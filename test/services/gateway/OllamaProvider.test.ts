import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, TestClock } from "effect"
import type { JsonObject } from "../../../src/domain/Json.ts"
import type { Model } from "../../../src/domain/Model.ts"
import { AppConfig } from "../../../src/services/AppConfig.ts"
import * as Ollama from "../../../src/services/gateway/providers/Ollama.ts"
import { Connections } from "../../../src/services/gateway/providers/OpenAiCompatible.ts"
import { Redaction } from "../../../src/services/tracking/Redaction.ts"
import {
  asked,
  callsOf,
  complains,
  OLLAMA_MODELS,
  runningOf,
  showOf,
  startOllama,
  tagOf
} from "../../support/OllamaUpstream.ts"
import { eventually } from "../../support/Router.ts"
import { closedPort, json, raw, says, silence } from "../../support/Upstream.ts"

/** The provider alone, over connections of its own. */
const start = (path = "") =>
  Effect.gen(function* () {
    const upstream = yield* startOllama
    return { upstream, provider: yield* providerAt(upstream.url + path) }
  })

const providerAt = (address: string) =>
  Effect.gen(function* () {
    const config = AppConfig.layer({ UPSTREAM_RETRIES: "0" })
    const context = yield* Layer.build(
      Layer.mergeAll(Connections.Default, Redaction.Default).pipe(Layer.provideMerge(config))
    )
    return yield* Effect.provide(Ollama.make(new URL(address)), context)
  })

const named = (models: ReadonlyArray<Model>, id: string): JsonObject => {
  const found = models.find((model) => model.id === id)
  assert.isDefined(found)
  return found.entry
}

const [first, second] = OLLAMA_MODELS
assert.isDefined(first)
assert.isDefined(second)

describe("the models of an Ollama server", () => {
  it.scopedLive("are listed with their own words and with what OpenAI's clients look for", () =>
    Effect.gen(function* () {
      const { provider, upstream } = yield* start()
      const models = yield* provider.models
      assert.deepStrictEqual(
        models.map(({ id, pricing, provider }) => ({ id, pricing, provider })),
        OLLAMA_MODELS.map(({ name }) => ({
          id: name,
          pricing: { prompt: "0", completion: "0" },
          provider: "ollama"
        }))
      )
      assert.deepStrictEqual(named(models, "llama3.2:latest"), {
        ...tagOf(first),
        id: "llama3.2:latest",
        created: 1777941464,
        owned_by: "ollama",
        pricing: { prompt: "0", completion: "0" },
        capabilities: ["completion", "tools"],
        context_length: 131072,
        architecture: { input_modalities: ["text"], output_modalities: ["text"] }
      })
      assert.deepStrictEqual(named(models, "llava:7b")["architecture"], {
        input_modalities: ["text", "image"],
        output_modalities: ["text"]
      })
      assert.deepStrictEqual(named(models, "nomic-embed-text:latest")["architecture"], {
        input_modalities: ["text"],
        output_modalities: ["embeddings"]
      })
      assert.deepStrictEqual(
        callsOf(upstream, "/api/show")
          .map(({ body }) => body.toString("utf8"))
          .toSorted(),
        OLLAMA_MODELS.map(({ name }) => JSON.stringify({ model: name })).toSorted()
      )
    })
  )

  it.scopedLive("are asked about once, and again when they are not the same any more", () =>
    Effect.gen(function* () {
      const { provider, upstream } = yield* start()
      const before = yield* provider.models
      assert.deepStrictEqual(yield* provider.models, before)
      assert.strictEqual(callsOf(upstream, "/api/show").length, OLLAMA_MODELS.length)
      upstream.lists(json(200, { models: [tagOf({ ...first, digest: "f".repeat(64) }), tagOf(second)] }))
      upstream.shows(json(200, showOf({ ...first, context: 7 })))
      const after = yield* provider.models
      assert.deepStrictEqual(
        after.map(({ entry }) => entry["context_length"]),
        [7, second.context]
      )
      assert.strictEqual(callsOf(upstream, "/api/show").length, OLLAMA_MODELS.length + 1)
    })
  )

  it.scopedLive("lose nothing but details where one cannot be described, until it can", () =>
    Effect.gen(function* () {
      const { provider, upstream } = yield* start()
      upstream.shows((request, response) => {
        const name = asked(request)["model"]
        const found = OLLAMA_MODELS.find((model) => model.name === name)
        const answer =
          found === undefined || found === second
            ? complains(500, "cannot read it")
            : json(200, showOf(found))
        answer(request, response)
      })
      const models = yield* provider.models
      assert.strictEqual(models.length, OLLAMA_MODELS.length)
      assert.deepStrictEqual(named(models, second.name), {
        ...tagOf(second),
        id: second.name,
        created: 1777941464,
        owned_by: "ollama",
        pricing: { prompt: "0", completion: "0" }
      })
      assert.strictEqual(named(models, "llava:7b")["context_length"], 4096)
      upstream.shows(json(200, showOf(second)))
      assert.strictEqual(named(yield* provider.models, second.name)["context_length"], second.context)
      assert.strictEqual(callsOf(upstream, "/api/show").length, OLLAMA_MODELS.length + 1)
    })
  )

  it.scopedLive("are asked about four at a time", () =>
    Effect.gen(function* () {
      const { provider, upstream } = yield* start()
      let open = 0
      let most = 0
      const waiting: Array<() => void> = []
      upstream.lists(
        json(200, {
          models: Array.from({ length: 9 }, (_, at) => tagOf({ ...first, name: `m:${at}`, digest: `${at}` }))
        })
      )
      upstream.shows((request, response) => {
        open += 1
        most = Math.max(most, open)
        waiting.push(() => {
          open -= 1
          json(200, showOf(first))(request, response)
        })
        // The ninth comes alone: all others have been answered by then.
        const awaited = callsOf(upstream, "/api/show").length === 9 ? 1 : 4
        if (waiting.length >= awaited) for (const answer of waiting.splice(0)) answer()
      })
      const models = yield* provider.models
      assert.strictEqual(models.filter(({ entry }) => entry["context_length"] === first.context).length, 9)
      assert.strictEqual(most, 4)
    })
  )

  it.scoped("are not waited for where one is never described", () =>
    Effect.gen(function* () {
      const { provider, upstream } = yield* start()
      upstream.shows(silence)
      const asking = yield* Effect.fork(provider.models)
      const shows = Effect.sync(() => callsOf(upstream, "/api/show").length)
      yield* eventually(shows, (count) => count === 4)
      yield* TestClock.adjust("3 seconds")
      yield* eventually(shows, (count) => count === OLLAMA_MODELS.length)
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual((yield* Fiber.join(asking)).length, OLLAMA_MODELS.length)
    })
  )

  for (const [what, shown, entry] of [
    ["no capabilities", { model_info: showOf(first).model_info }, { context_length: 131072 }],
    [
      "no model_info",
      { capabilities: ["completion"] },
      {
        capabilities: ["completion"],
        architecture: { input_modalities: ["text"], output_modalities: ["text"] }
      }
    ],
    ["nothing", {}, {}]
  ] as const)
    it.scopedLive(`may be described with ${what}`, () =>
      Effect.gen(function* () {
        const { provider, upstream } = yield* start()
        upstream.lists(json(200, { models: [tagOf(first)] }))
        upstream.shows(json(200, shown))
        const { capabilities, architecture, context_length } = named(yield* provider.models, first.name)
        assert.deepStrictEqual(
          Object.fromEntries(
            Object.entries({ capabilities, architecture, context_length }).filter(
              ([, value]) => value !== undefined
            )
          ),
          entry
        )
      })
    )

  it.scopedLive("may have entries that are none", () =>
    Effect.gen(function* () {
      const { provider, upstream } = yield* start()
      upstream.lists(json(200, { models: [null, 7, {}, { name: "bare:1b" }] }))
      upstream.shows(complains(404, "model 'bare:1b' not found"))
      assert.deepStrictEqual(yield* provider.models, [
        {
          id: "bare:1b",
          provider: "ollama",
          pricing: { prompt: "0", completion: "0" },
          entry: {
            ...{ id: "bare:1b", name: "bare:1b", created: 0, owned_by: "ollama" },
            pricing: { prompt: "0", completion: "0" }
          }
        }
      ])
    })
  )

  for (const [what, answer] of [
    ["an error", complains(500, "disk on fire")],
    ["no list", json(200, { models: 7 })],
    ["no JSON", says(200, "<html>")],
    ["no HTTP", raw("nonsense\r\n\r\n")]
  ] as const)
    it.scopedLive(`cannot be had where the server answers with ${what}`, () =>
      Effect.gen(function* () {
        const { provider, upstream } = yield* start()
        upstream.lists(answer)
        assert.strictEqual((yield* Effect.flip(provider.models))._tag, "UpstreamFailure")
      })
    )

  it.scopedLive("cannot be had where nobody listens", () =>
    Effect.gen(function* () {
      const provider = yield* providerAt(`http://127.0.0.1:${yield* closedPort}`)
      assert.strictEqual((yield* Effect.flip(provider.models)).code, "upstream_unreachable")
    })
  )
})

describe("an Ollama server", () => {
  for (const path of ["", "/", "/v1", "/v1/", "/api", "/api/"])
    it.scopedLive(`may be named by an address that ends in '${path}'`, () =>
      Effect.gen(function* () {
        const { provider, upstream } = yield* start(path)
        yield* provider.models
        assert.strictEqual(upstream.listed[0]?.path, "/api/tags")
      })
    )

  it.scopedLive("may live below a path", () =>
    Effect.gen(function* () {
      const { provider, upstream } = yield* start("/gpu/ollama/")
      yield* Effect.either(provider.models)
      assert.strictEqual(upstream.listed[0]?.path, "/gpu/ollama/api/tags")
    })
  )

  it.scopedLive("describes a model in its own words", () =>
    Effect.gen(function* () {
      const { provider, upstream } = yield* start()
      const shown = yield* provider.ollama.show({ model: "mistral:7b", verbose: true })
      assert.deepStrictEqual(shown, JSON.parse(JSON.stringify(showOf(second))))
      assert.deepStrictEqual(asked(upstream.listed[0] ?? (yield* Effect.dieMessage("not asked"))), {
        model: "mistral:7b",
        verbose: true
      })
      const failure = yield* Effect.flip(provider.ollama.show({ model: "nobody:7b" }))
      assert.strictEqual(failure.status, 404)
      assert.strictEqual(failure.message, "model 'nobody:7b' not found")
    })
  )

  it.scopedLive("says which models are loaded", () =>
    Effect.gen(function* () {
      const { provider } = yield* start()
      assert.deepStrictEqual(yield* provider.ollama.running, [runningOf(first)])
    })
  )
})
