import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Layer } from "effect"
import { AppConfig } from "../../src/services/AppConfig.ts"
import { Catalogue } from "../../src/services/gateway/Catalogue.ts"
import { ModelRouter } from "../../src/services/gateway/ModelRouter.ts"
import { Providers } from "../../src/services/gateway/Provider.ts"
import type { Provider } from "../../src/services/gateway/Provider.ts"

/** A provider that lists these models and answers nothing. */
const provider = (name: string, ...models: ReadonlyArray<string>): Provider => ({
  name,
  answer: () => Effect.void,
  models: Effect.succeed(
    models.map((id) => ({ id, provider: name, pricing: { prompt: `0.${name.length}` }, entry: { id } }))
  )
})

const openrouter = provider("openrouter", "vendor/one", "vendor/both", "bare-one", "percept/odd")
const ollama = provider("ollama", "mistral:7b", "vendor/both", "vendor/local", "both")
const openai = provider("openai", "gpt-x", "both")
const percept = provider("percept", "percept/inspect")

/** Where names go in a router of these providers, once it knows their lists. */
const routing = (providers: ReadonlyArray<Provider>, env: { readonly [name: string]: string } = {}) =>
  Effect.gen(function* () {
    const layer = ModelRouter.Default.pipe(
      Layer.provideMerge(Catalogue.Default),
      Layer.provide([Layer.succeed(Providers, providers), AppConfig.layer(env)])
    )
    const context = yield* Effect.orDie(Layer.build(layer))
    const { route } = yield* Effect.provide(ModelRouter, context)
    const catalogue = yield* Effect.provide(Catalogue, context)
    yield* catalogue.all()
    return (name: string | undefined) =>
      Either.match(route(name), {
        onLeft: ({ _tag, message, param, status }) => ({ _tag, message, param, status }),
        onRight: ({ model, provider, rule }) => `${rule}: ${provider.name} ${model}`
      })
  })

describe("a name", () => {
  const all = [openrouter, openai, ollama, percept]
  const table: ReadonlyArray<readonly [string, ReadonlyArray<Provider>, string | undefined, string]> = [
    ["with a provider before it goes there", all, "ollama:vendor/one", "explicit: ollama vendor/one"],
    [
      "with a provider before it keeps its own colons",
      all,
      "ollama:mistral:7b",
      "explicit: ollama mistral:7b"
    ],
    ["with a provider before it need not be listed", all, "openai:gpt-99", "explicit: openai gpt-99"],
    [
      "with percept before it goes to percept",
      all,
      "percept:percept/inspect",
      "explicit: percept percept/inspect"
    ],
    ["with a variant goes where it is listed", all, "mistral:7b", "listed: ollama mistral:7b"],
    ["with an unknown word before a colon is a name", all, "llama:70b", "first: openrouter llama:70b"],
    [
      "with a variant of OpenRouter has its slash",
      all,
      "vendor/new:free",
      "slash: openrouter vendor/new:free"
    ],
    ["of percept goes to percept", all, "percept/inspect", "percept: percept percept/inspect"],
    ["of percept that does not exist goes there too", all, "percept/nope", "percept: percept percept/nope"],
    ["of percept goes to percept, whoever lists it", all, "percept/odd", "percept: percept percept/odd"],
    ["that one provider lists goes there", all, "vendor/one", "listed: openrouter vendor/one"],
    ["that one provider lists goes there, slash or not", all, "vendor/local", "listed: ollama vendor/local"],
    ["that one provider lists goes there, first or not", all, "gpt-x", "listed: openai gpt-x"],
    ["that two providers list goes by its slash", all, "vendor/both", "slash: openrouter vendor/both"],
    ["that two providers list goes to the first without a slash", all, "both", "first: openrouter both"],
    ["that nobody lists goes by its slash", all, "vendor/unknown", "slash: openrouter vendor/unknown"],
    ["that nobody lists goes to the first without a slash", all, "unknown", "first: openrouter unknown"],
    [
      "with a slash goes to the first where there is no OpenRouter",
      [ollama, percept],
      "a/b",
      "first: ollama a/b"
    ],
    ["goes to the first in order", [ollama, openai, percept], "unknown", "first: ollama unknown"],
    ["goes to the first that is not percept", [percept, ollama], "unknown", "first: ollama unknown"],
    ["is taken as it is written", all, "Vendor/One", "slash: openrouter Vendor/One"],
    ["that begins with a colon is a name", all, ":free", "first: openrouter :free"],
    ["of an object's own is a name", all, "constructor", "first: openrouter constructor"],
    ["before a colon that is an object's own is a name", all, "__proto__:x", "first: openrouter __proto__:x"]
  ]
  for (const [name, providers, asked, answer] of table)
    it.scoped(name, () =>
      Effect.gen(function* () {
        const route = yield* routing(providers)
        assert.strictEqual(route(asked), answer)
      })
    )

  it.scoped("has the price of the provider it goes to, not another's", () =>
    Effect.gen(function* () {
      const layer = ModelRouter.Default.pipe(
        Layer.provideMerge(Catalogue.Default),
        Layer.provide([Layer.succeed(Providers, all), AppConfig.layer({})])
      )
      const context = yield* Effect.orDie(Layer.build(layer))
      yield* Effect.flatMap(Effect.provide(Catalogue, context), (catalogue) => catalogue.all())
      const { route } = yield* Effect.provide(ModelRouter, context)
      const price = (name: string) => Either.getOrThrow(route(name)).pricing?.prompt
      assert.strictEqual(price("vendor/both"), "0.10")
      assert.strictEqual(price("ollama:vendor/both"), "0.6")
      assert.isUndefined(price("openai:vendor/both"))
      assert.isUndefined(price("vendor/unknown"))
    })
  )
})

describe("no name", () => {
  const KEY = { OPENROUTER_API_KEY: "sk-or-x" }
  const table: ReadonlyArray<readonly [string, { readonly [name: string]: string }, string]> = [
    ["asks for percept/inspect without a key", {}, "default: percept percept/inspect"],
    ["asks for openrouter/auto with one", KEY, "default: openrouter openrouter/auto"],
    ["asks for DEFAULT_TEXT_MODEL", { ...KEY, DEFAULT_TEXT_MODEL: "gpt-x" }, "default: openai gpt-x"],
    [
      "asks for DEFAULT_TEXT_MODEL at its provider",
      { DEFAULT_TEXT_MODEL: "ollama:mistral:7b" },
      "default: ollama mistral:7b"
    ]
  ]
  for (const [name, env, answer] of table)
    it.scoped(name, () =>
      Effect.gen(function* () {
        const route = yield* routing([openrouter, openai, ollama, percept], env)
        assert.strictEqual(route(undefined), answer)
      })
    )
})

describe("a name that leads nowhere", () => {
  it.scoped("is a 404 that says where to look", () =>
    Effect.gen(function* () {
      const route = yield* routing([percept])
      for (const name of ["gpt-x", "vendor/one", "llama:70b", "", " "])
        assert.deepStrictEqual(route(name), {
          _tag: "ModelNotFound",
          message: `The model '${name}' does not exist here; GET /v1/models lists those that do.`,
          param: "model",
          status: 404
        })
    })
  )

  it.scoped("is a 404 that names the provider which is not there", () =>
    Effect.gen(function* () {
      const route = yield* routing([openrouter, percept])
      for (const name of ["openai", "huggingface", "ollama", "upstream"])
        assert.deepInclude(route(`${name}:any`), {
          _tag: "ModelNotFound",
          message: `The model '${name}:any' asks for the provider '${name}', which is not configured here.`
        })
    })
  )

  it.scoped("is a 404 when it is the default", () =>
    Effect.gen(function* () {
      const route = yield* routing([percept], { DEFAULT_TEXT_MODEL: "gone" })
      assert.deepInclude(route(undefined), { _tag: "ModelNotFound" })
    })
  )

  it.scoped("is not repeated at any length", () =>
    Effect.gen(function* () {
      const route = yield* routing([percept])
      for (const start of ["", "openai:", "a/"]) {
        const refusal = route(start + "x".repeat(100_000))
        assert.isBelow(JSON.stringify(refusal).length, 1000)
      }
    })
  )
})
