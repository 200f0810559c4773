import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Logger, LogLevel, TestClock } from "effect"
import { UpstreamFailure } from "../../../src/domain/Errors.ts"
import { field } from "../../../src/domain/Json.ts"
import type { JsonObject } from "../../../src/domain/Json.ts"
import { AppConfig } from "../../../src/services/AppConfig.ts"
import { Catalogue } from "../../../src/services/gateway/Catalogue.ts"
import { ModelRouter } from "../../../src/services/gateway/ModelRouter.ts"
import { OllamaModels } from "../../../src/services/gateway/OllamaModels.ts"
import { Providers } from "../../../src/services/gateway/Provider.ts"
import type { OllamaFacts, Provider } from "../../../src/services/gateway/Provider.ts"

const down = (status = 502) =>
  new UpstreamFailure({ status, type: "upstream_error", code: null, message: "Down.", retryable: true })

const provider = (name: string, ids: ReadonlyArray<string>, ollama?: OllamaFacts): Provider => ({
  name,
  answer: () => Effect.void,
  models: Effect.succeed(ids.map((id) => ({ id, provider: name, pricing: undefined, entry: { id } }))),
  ...(ollama === undefined ? {} : { ollama })
})

const facts = (
  running: OllamaFacts["running"],
  show: OllamaFacts["show"] = () => Effect.fail(down(404))
) => ({
  running,
  show
})

/** The service before these providers. */
const before = <A, E>(
  providers: ReadonlyArray<Provider>,
  test: (models: OllamaModels) => Effect.Effect<A, E>,
  env: Readonly<Record<string, string>> = {}
) =>
  Effect.flatMap(OllamaModels, test).pipe(
    Effect.provide(
      OllamaModels.Default.pipe(
        Layer.provide(ModelRouter.Default),
        Layer.provide(Catalogue.Default),
        Layer.provide(Layer.succeed(Providers, providers)),
        Layer.provide(AppConfig.layer(env)),
        Layer.provide(Logger.minimumLogLevel(LogLevel.None))
      )
    )
  )

const namesOf = ({ models }: { readonly models: ReadonlyArray<JsonObject> }) => models.map(({ name }) => name)

describe("what is loaded", () => {
  it.effect("is that of every Ollama server; who is down or slow has nothing", () =>
    before(
      [
        provider("openrouter", ["a/b"]),
        provider("ollama", [], facts(Effect.succeed([{ name: "one" }, { name: "two" }]))),
        provider("upstream", [], facts(Effect.fail(down()))),
        provider("openai", [], facts(Effect.never)),
        provider("huggingface", [], facts(Effect.succeed([{ name: "three" }])))
      ],
      (models) =>
        Effect.gen(function* () {
          const asking = yield* Effect.fork(models.running())
          yield* TestClock.adjust("4 seconds")
          assert.isTrue((yield* Fiber.poll(asking))._tag === "None")
          yield* TestClock.adjust("1 seconds")
          assert.deepStrictEqual(namesOf(yield* Fiber.join(asking)), ["one", "two", "three"])
        })
    )
  )
})

describe("the list", () => {
  it.effect("has each name once, whoever lists it, and tells them apart by their digests", () =>
    before([provider("openrouter", ["a/b", "c/d"]), provider("upstream", ["a/b", "e"])], (models) =>
      Effect.gen(function* () {
        const list = yield* models.tags()
        assert.sameMembers(namesOf(list), ["a/b", "c/d", "e"])
        assert.strictEqual(new Set(list.models.map(({ digest }) => digest)).size, 3)
        assert.deepStrictEqual(yield* models.tags(), list)
      })
    )
  )
})

describe("a model that is shown", () => {
  it.effect("is asked of the server by the name it has there", () => {
    const asked: Array<JsonObject> = []
    const show = (request: JsonObject) => {
      asked.push(request)
      return Effect.succeed({ capabilities: ["completion"] })
    }
    const ollama = provider("ollama", ["mistral:7b"], facts(Effect.succeed([]), show))
    return before(
      [ollama],
      (models) =>
        Effect.gen(function* () {
          const said = yield* models.show("gpt-4", { name: "gpt-4", verbose: true })
          assert.deepStrictEqual(said, { capabilities: ["completion", "vision"] })
          assert.deepStrictEqual(asked, [{ model: "mistral:7b", name: "mistral:7b", verbose: true }])
        }),
      { MODEL_MAP: '{"gpt-4":"mistral:7b"}' }
    )
  })

  it.effect("and whose server is down is that server's failure, and no missing model", () =>
    before(
      [
        provider(
          "ollama",
          ["m"],
          facts(Effect.succeed([]), () => Effect.fail(down()))
        )
      ],
      (models) =>
        Effect.gen(function* () {
          const failure = yield* Effect.flip(models.show("m", { model: "m" }))
          assert.strictEqual(failure._tag, "UpstreamFailure")
        })
    )
  )

  it.effect("by no name that anybody knows is missing under the name it was asked by", () =>
    before(
      [provider("openrouter", ["a/b"]), provider("ollama", ["m"], facts(Effect.succeed([])))],
      (models) =>
        Effect.gen(function* () {
          for (const name of ["nope", "ollama:nope", "openrouter:nope", "openai:gpt-4", "x".repeat(500)]) {
            const failure = yield* Effect.flip(models.show(name, {}))
            assert.strictEqual(failure.status, 404)
            assert.strictEqual(failure.message, `model '${name.slice(0, 200)}' not found`)
          }
        })
    )
  )

  it.effect("sees only what it sees itself where the operator wants it so", () =>
    before(
      [provider("openrouter", ["a/b"])],
      (models) =>
        Effect.map(models.show("a/b", {}), (said) =>
          assert.deepStrictEqual(field(said, "capabilities"), ["completion", "tools"])
        ),
      { MEDIA_POLICY: "off" }
    )
  )
})
