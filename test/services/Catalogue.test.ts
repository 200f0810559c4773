import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Fiber, Layer, TestClock } from "effect"
import { UpstreamFailure } from "../../src/domain/Errors.ts"
import type { Model } from "../../src/domain/Model.ts"
import { AppConfig } from "../../src/services/AppConfig.ts"
import { Catalogue } from "../../src/services/gateway/Catalogue.ts"
import { ModelRouter } from "../../src/services/gateway/ModelRouter.ts"
import { Providers } from "../../src/services/gateway/Provider.ts"
import type { Provider } from "../../src/services/gateway/Provider.ts"

const DOWN = new UpstreamFailure({
  ...{ status: 502, type: "upstream_error", code: null, message: "It is down.", retryable: true }
})

/** A provider whose list can be changed, and that counts how often it is asked. */
const provider = (name: string, ...models: ReadonlyArray<string>) => {
  const state = {
    asked: 0,
    list: Effect.succeed(models) as Effect.Effect<ReadonlyArray<string>, UpstreamFailure>,
    lists: (...models: ReadonlyArray<string>) => {
      state.list = Effect.succeed(models)
    }
  }
  const asModel = (id: string): Model => ({ id, provider: name, pricing: undefined, entry: { id, of: name } })
  const made: Provider = {
    name,
    answer: () => Effect.void,
    models: Effect.suspend(() => {
      state.asked++
      return Effect.map(state.list, (ids) => ids.map(asModel))
    })
  }
  return Object.assign(state, { made })
}

type Stub = ReturnType<typeof provider>

const started = (stubs: ReadonlyArray<Stub>, env: { readonly [name: string]: string } = {}) =>
  Effect.gen(function* () {
    const layer = ModelRouter.Default.pipe(
      Layer.provideMerge(Catalogue.Default),
      Layer.provide([
        Layer.succeed(
          Providers,
          stubs.map(({ made }) => made)
        ),
        AppConfig.layer({ LOG_LEVEL: "none", ...env })
      ])
    )
    const context = yield* Effect.orDie(Layer.build(layer))
    return {
      catalogue: yield* Effect.provide(Catalogue, context),
      router: yield* Effect.provide(ModelRouter, context)
    }
  })

/** Lets whatever has been started get on. */
const settle = TestClock.adjust("1 millis")

const ids = (models: ReadonlyArray<Model>) => models.map(({ id }) => id)

describe("a list", () => {
  it.scoped("is fetched at the start, and again when it is stale and somebody looks", () =>
    Effect.gen(function* () {
      const openrouter = provider("openrouter", "a/old")
      const { catalogue } = yield* started([openrouter], { CATALOGUE_TTL: "10 minutes" })
      yield* settle
      assert.strictEqual(openrouter.asked, 1)
      openrouter.lists("a/new")
      yield* TestClock.adjust("9 minutes")
      assert.strictEqual(catalogue.known("a/old").length, 1)
      assert.strictEqual(openrouter.asked, 1)
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual(openrouter.asked, 1)
      // Who finds it stale gets the old one, at once; the next finds the new one.
      assert.strictEqual(catalogue.known("a/old").length, 1)
      yield* settle
      assert.strictEqual(openrouter.asked, 2)
      assert.deepStrictEqual([catalogue.known("a/old"), ids(catalogue.known("a/new"))], [[], ["a/new"]])
    })
  )

  it.scoped("is fetched once, however many look", () =>
    Effect.gen(function* () {
      const openrouter = provider("openrouter", "a/b")
      const { catalogue } = yield* started([openrouter], { CATALOGUE_TTL: "10 minutes" })
      yield* settle
      yield* TestClock.adjust("11 minutes")
      openrouter.list = Effect.never
      for (let look = 0; look < 100; look++) catalogue.known("a/b")
      yield* Effect.all(Array.from({ length: 20 }, catalogue.all), { concurrency: "unbounded" })
      yield* settle
      assert.strictEqual(openrouter.asked, 2)
    })
  )

  it.scoped("serves while its provider is down, which is asked again after half a minute", () =>
    Effect.gen(function* () {
      const openrouter = provider("openrouter", "a/b")
      const { catalogue } = yield* started([openrouter], { CATALOGUE_TTL: "10 minutes" })
      yield* settle
      openrouter.list = Effect.fail(DOWN)
      yield* TestClock.adjust("11 minutes")
      assert.deepStrictEqual(ids(yield* catalogue.all()), ["a/b"])
      yield* settle
      assert.deepStrictEqual(Array.from(catalogue.troubles()), [["openrouter", "It is down."]])
      assert.strictEqual(openrouter.asked, 2)
      yield* TestClock.adjust("20 seconds")
      assert.deepStrictEqual(ids(yield* catalogue.all()), ["a/b"])
      assert.strictEqual(openrouter.asked, 2)
      openrouter.lists("a/new")
      yield* TestClock.adjust("11 seconds")
      assert.deepStrictEqual(ids(yield* catalogue.all()), ["a/b"])
      yield* settle
      assert.deepStrictEqual(ids(yield* catalogue.all()), ["a/new"])
      assert.strictEqual(catalogue.troubles().size, 0)
    })
  )

  it.scoped("that never comes is given up after a minute, and asked for again", () =>
    Effect.gen(function* () {
      const ollama = provider("ollama")
      ollama.list = Effect.never
      const { catalogue } = yield* started([ollama])
      yield* TestClock.adjust("61 seconds")
      assert.include(catalogue.troubles().get("ollama") ?? "", "timed out")
      ollama.lists("llama2:latest")
      yield* TestClock.adjust("31 seconds")
      yield* catalogue.all()
      yield* settle
      assert.deepStrictEqual(ids(catalogue.listOf("ollama")), ["llama2:latest"])
    })
  )

  it.scoped("of providers that hang is waited for once, five seconds, and never again", () =>
    Effect.gen(function* () {
      const ollama = provider("ollama")
      ollama.list = Effect.never
      const upstream = provider("upstream")
      upstream.list = Effect.never
      const { catalogue } = yield* started([provider("openrouter", "a/b"), ollama, upstream])
      const first = yield* Effect.fork(catalogue.all())
      yield* TestClock.adjust("4 seconds")
      assert.strictEqual((yield* Fiber.poll(first))._tag, "None")
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(ids(yield* Fiber.join(first)), ["a/b"])
      // No time passes here: who waited would wait for ever.
      assert.deepStrictEqual(ids(yield* catalogue.all()), ["a/b"])
      assert.isUndefined(yield* catalogue.find("none"))
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(ids(yield* catalogue.all()), ["a/b"])
      assert.isUndefined(yield* catalogue.find("ollama:none"))
    })
  )
})

describe("a name that nobody lists", () => {
  it.scoped("makes the lists be fetched anew, at most every half minute", () =>
    Effect.gen(function* () {
      const ollama = provider("ollama", "llama2:latest")
      const openai = provider("openai", "gpt-x")
      const { router } = yield* started([openai, ollama])
      const to = () => Either.getOrThrow(router.route("mistral")).provider.name
      yield* settle
      assert.strictEqual(to(), "openai")
      yield* settle
      assert.strictEqual(ollama.asked, 1)
      ollama.lists("llama2:latest", "mistral:latest")
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(to(), "openai")
      yield* settle
      assert.strictEqual(to(), "ollama")
      for (let ask = 0; ask < 50; ask++) router.route(`unknown-${ask}`)
      yield* settle
      assert.deepStrictEqual([ollama.asked, openai.asked], [2, 2])
    })
  )

  it.scoped("at its provider makes only that list be fetched anew", () =>
    Effect.gen(function* () {
      const ollama = provider("ollama")
      const openai = provider("openai")
      const { router } = yield* started([openai, ollama])
      yield* TestClock.adjust("31 seconds")
      router.route("ollama:new")
      yield* settle
      assert.deepStrictEqual([ollama.asked, openai.asked], [2, 1])
    })
  )

  it.scoped("does so for no name that is known", () =>
    Effect.gen(function* () {
      const ollama = provider("ollama", "llama2:latest")
      const { router } = yield* started([ollama, provider("percept", "percept/inspect")])
      yield* TestClock.adjust("31 seconds")
      for (const name of ["llama2", "llama2:latest", "ollama:llama2", "percept/inspect"]) router.route(name)
      yield* settle
      assert.strictEqual(ollama.asked, 1)
    })
  )
})

describe("right after the start", () => {
  const resolving = (stubs: ReadonlyArray<Stub>, name: string | undefined, env = {}) =>
    Effect.gen(function* () {
      const { router } = yield* started(stubs, env)
      yield* settle
      return yield* Effect.fork(
        Effect.map(router.resolve(name), ({ provider, rule }) => `${rule} ${provider.name}`)
      )
    })

  const hanging = () => {
    const stub = provider("ollama")
    stub.list = Effect.never
    return stub
  }

  const clear: ReadonlyArray<readonly [what: string, name: string, answer: string]> = [
    ["that is known", "a/b", "listed openrouter"],
    ["that is mapped to one that is known", "mapped", "listed openrouter"],
    ["with a provider before it", "ollama:x", "explicit ollama"],
    ["with the provider that hangs before it", "openai:x", "explicit openai"],
    ["of percept's", "percept/inspect", "percept percept"]
  ]
  for (const [what, name, answer] of clear)
    it.scoped(`a name ${what} does not wait for lists`, () =>
      Effect.gen(function* () {
        const stubs = [provider("openrouter", "a/b"), provider("openai"), hanging(), provider("percept")]
        const fiber = yield* resolving(stubs, name, { MODEL_MAP: `{"mapped":"a/b"}` })
        // No time passes here.
        assert.strictEqual(yield* Fiber.join(fiber), answer)
      })
    )

  it.scoped("a name that is not known waits two seconds, and then no other", () =>
    Effect.gen(function* () {
      const { router } = yield* started([provider("openrouter"), hanging(), provider("percept")])
      const fiber = yield* Effect.fork(router.resolve("x/y"))
      yield* TestClock.adjust("1900 millis")
      assert.strictEqual((yield* Fiber.poll(fiber))._tag, "None")
      yield* TestClock.adjust("100 millis")
      assert.strictEqual((yield* Fiber.join(fiber)).rule, "slash")
      assert.strictEqual((yield* router.resolve("y/z")).rule, "slash")
    })
  )

  it.scoped("a name waits no longer than for the list that has it", () =>
    Effect.gen(function* () {
      const slow = provider("openai")
      slow.list = Effect.delay(Effect.succeed(["gpt-x"]), "1 second")
      const fiber = yield* resolving([provider("openrouter"), slow, hanging()], "gpt-x")
      yield* TestClock.adjust("500 millis")
      assert.strictEqual((yield* Fiber.poll(fiber))._tag, "None")
      yield* TestClock.adjust("500 millis")
      assert.strictEqual(yield* Fiber.join(fiber), "listed openai")
    })
  )
})

describe("all models", () => {
  it.scoped("are there once each, the map's names before all", () =>
    Effect.gen(function* () {
      const map = { "gpt-x": "ollama:both", new: "nowhere", "/pattern/": "both" }
      const stubs = [
        ...[provider("openrouter", "both", "a/b"), provider("openai", "gpt-x", "both")],
        ...[provider("ollama", "both", "c"), provider("percept", "percept/inspect")]
      ]
      const { catalogue } = yield* started(stubs, { MODEL_MAP: JSON.stringify(map) })
      const models = yield* catalogue.all()
      assert.deepStrictEqual(ids(models), ["gpt-x", "new", "both", "a/b", "c", "percept/inspect"])
      const [renamed, lost, both] = models
      assert.deepInclude(renamed, { id: "gpt-x", provider: "percept" })
      assert.deepStrictEqual(renamed?.entry, { id: "gpt-x", of: "ollama", owned_by: "percept" })
      assert.deepStrictEqual(lost?.entry, { id: "new", owned_by: "percept" })
      assert.deepStrictEqual(both?.entry, { id: "both", of: "openrouter" })
    })
  )

  it.scoped("are found by every name that leads to them", () =>
    Effect.gen(function* () {
      const stubs = [
        ...[provider("openrouter", "both", "a/b"), provider("ollama", "both", "llama2:latest")],
        ...[provider("huggingface", "h/f"), provider("percept", "percept/inspect")]
      ]
      const { catalogue } = yield* started(stubs, { MODEL_MAP: `{"x":"ollama:both","/y-(.*)/":"$1"}` })
      const found = (name: string) =>
        Effect.map(catalogue.find(name), (model) => model && `${model.id} of ${String(model.entry["of"])}`)
      const table: ReadonlyArray<readonly [string, string | undefined]> = [
        ["both", "both of openrouter"],
        ["ollama:both", "both of ollama"],
        ["openrouter:both", "both of openrouter"],
        ["huggingface:both", undefined],
        ["upstream:both", undefined],
        ["llama2", "llama2:latest of ollama"],
        ["a/b:free", "a/b of openrouter"],
        ["h/f:fastest", "h/f of huggingface"],
        ["h/f:a/b", undefined],
        ["x", "x of ollama"],
        ["y-a/b", "y-a/b of openrouter"],
        ["none", undefined]
      ]
      for (const [name, answer] of table) assert.strictEqual(yield* found(name), answer, name)
    })
  )
})
