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
const ollama = provider(
  "ollama",
  ...["mistral:7b", "vendor/both", "vendor/local", "both", "llama2:latest", "vendor/one:free"]
)
const gptOss = provider("ollama", "gpt-oss:latest")
const huggingface = provider("huggingface", "meta/llama")
const upstream = provider("upstream")
const latest = provider("upstream", "new:latest")
const openai = provider("openai", "gpt-x", "both")
const groq = provider("groq", "llama-3.3", "vendor/one")
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
        onRight: ({ mapped, model, provider, rule }) =>
          `${rule}: ${provider.name} ${model}${mapped === undefined ? "" : ` by ${mapped}`}`
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
    [
      "with a provider of the program's own before it goes there",
      [openrouter, groq, percept],
      "groq:new",
      "explicit: groq new"
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
    ["that two providers list goes to the first of them without a slash", all, "both", "first: openai both"],
    [
      "that two providers list goes to one of them, slash or not",
      [openrouter, provider("openai", "a/b"), provider("ollama", "a/b"), percept],
      "a/b",
      "first: openai a/b"
    ],
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
    ["of OpenAI's goes to OpenAI, listed or not", all, "gpt-5", "prefix: openai gpt-5"],
    ["of OpenAI's goes to the first without it", [openrouter, percept], "gpt-5", "first: openrouter gpt-5"],
    [
      "of OpenAI's that another lists goes there",
      [openai, gptOss, percept],
      "gpt-oss",
      "listed: ollama gpt-oss"
    ],
    ["that nobody lists reaches Ollama where it is alone", [ollama, percept], "new", "first: ollama new"],
    [
      "that nobody lists reaches an upstream that is alone",
      [upstream, percept],
      "a/b",
      "first: upstream a/b"
    ],
    ["of OpenAI's reaches an upstream that is alone", [upstream, percept], "gpt-4", "first: upstream gpt-4"],
    ["finds Ollama's latest", [openai, ollama, percept], "llama2", "listed: ollama llama2"],
    [
      "with a tag does not find another tag",
      [openai, ollama, percept],
      "llama2:7b",
      "first: openai llama2:7b"
    ],
    ["with OpenRouter's suffix finds its model", all, "bare-one:nitro", "listed: openrouter bare-one:nitro"],
    [
      "with Hugging Face's suffix finds its model",
      [openrouter, openai, huggingface, percept],
      "meta/llama:fastest",
      "listed: huggingface meta/llama:fastest"
    ],
    [
      "with a suffix that is listed itself goes there",
      all,
      "vendor/one:free",
      "listed: ollama vendor/one:free"
    ],
    [
      "with a suffix finds no model of Ollama's",
      [openai, ollama, percept],
      "vendor/local:free",
      "first: openai vendor/local:free"
    ],
    ["finds nobody else's latest", [ollama, latest, percept], "new", "first: ollama new"],
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
        Layer.provide([Layer.succeed(Providers, [...all, groq]), AppConfig.layer({})])
      )
      const context = yield* Effect.orDie(Layer.build(layer))
      yield* Effect.flatMap(Effect.provide(Catalogue, context), (catalogue) => catalogue.all())
      const { route } = yield* Effect.provide(ModelRouter, context)
      const price = (name: string) => Either.getOrThrow(route(name)).pricing?.prompt
      assert.strictEqual(price("vendor/both"), "0.10")
      assert.strictEqual(price("ollama:vendor/both"), "0.6")
      assert.isUndefined(price("openai:vendor/both"))
      assert.isUndefined(price("vendor/unknown"))
      const { find } = yield* Effect.provide(Catalogue, context)
      assert.strictEqual((yield* find("groq:vendor/one"))?.provider, "groq")
    })
  )
})

describe("OpenAI's names", () => {
  const names = [
    ...[
      "gpt-4",
      "gpt-5-mini",
      "chatgpt-4o-latest",
      "o1",
      "o3-mini",
      "o4-mini-2025",
      "text-embedding-3-small"
    ],
    ...["whisper-1", "dall-e-3", "tts-1-hd", "ft:gpt-4o:acme::x"]
  ]
  const others = [
    "gpt",
    "o",
    "oracle",
    "olmo-2",
    "whisper-large",
    "my-gpt-4",
    "dalle",
    "GPT-4",
    "text-davinci"
  ]
  it.scoped("are known by how they begin", () =>
    Effect.gen(function* () {
      const route = yield* routing([openrouter, openai, percept])
      for (const name of names) assert.strictEqual(route(name), `prefix: openai ${name}`)
      for (const name of others) assert.strictEqual(route(name), `first: openrouter ${name}`)
      assert.strictEqual(route("gpt-4/x"), "slash: openrouter gpt-4/x")
    })
  )
})

describe("the map", () => {
  const all = [openrouter, openai, ollama, percept]
  const map = {
    "gpt-4": "vendor/one",
    "gpt-5": "ollama:mistral:7b",
    first: "second",
    second: "vendor/one",
    "me/too": "percept/inspect",
    "/gpt-(.*)-turbo/": "vendor/$1"
  }
  const table: ReadonlyArray<readonly [asked: string, answer: string]> = [
    ["gpt-4", "listed: openrouter vendor/one by gpt-4"],
    ["gpt-5", "explicit: ollama mistral:7b by gpt-5"],
    ["gpt-local-turbo", "listed: ollama vendor/local by /gpt-(.*)-turbo/"],
    ["gpt-new-turbo-16k", "slash: openrouter vendor/new by /gpt-(.*)-turbo/"],
    ["first", "first: openrouter second by first"],
    ["me/too", "percept: percept percept/inspect by me/too"],
    ["gpt-6", "prefix: openai gpt-6"],
    ["openai:gpt-4", "explicit: openai gpt-4"]
  ]
  for (const [asked, answer] of table)
    it.scoped(`goes before every rule: ${asked}`, () =>
      Effect.gen(function* () {
        const route = yield* routing(all, { MODEL_MAP: JSON.stringify(map) })
        assert.strictEqual(route(asked), answer)
      })
    )

  it.scoped("holds for the default too", () =>
    Effect.gen(function* () {
      const env = { MODEL_MAP: JSON.stringify(map), DEFAULT_TEXT_MODEL: "gpt-5" }
      const route = yield* routing(all, env)
      assert.strictEqual(route(undefined), "default: ollama mistral:7b by gpt-5")
    })
  )
})

describe("no name", () => {
  const all = [openrouter, openai, ollama, percept]
  const embedder = provider("ollama", "nomic-embed-text:latest", "llama2:latest", "mistral:7b")
  const server = provider("upstream", "model.gguf")
  const table: ReadonlyArray<
    readonly [string, ReadonlyArray<Provider>, { readonly [name: string]: string }, string]
  > = [
    [
      "asks for percept/inspect where there is nobody else",
      [percept],
      {},
      "default: percept percept/inspect"
    ],
    ["asks for openrouter/auto where there is OpenRouter", all, {}, "default: openrouter openrouter/auto"],
    ["asks for DEFAULT_TEXT_MODEL", all, { DEFAULT_TEXT_MODEL: "gpt-x" }, "default: openai gpt-x"],
    [
      "asks for DEFAULT_TEXT_MODEL at its provider",
      all,
      { DEFAULT_TEXT_MODEL: "ollama:mistral:7b" },
      "default: ollama mistral:7b"
    ],
    ["asks for what a server of one's own has", [server, percept], {}, "default: upstream model.gguf"],
    [
      "asks for the first that chats",
      [openai, embedder, server, percept],
      {},
      "default: ollama llama2:latest"
    ]
  ]
  for (const [name, providers, env, answer] of table)
    it.scoped(name, () =>
      Effect.gen(function* () {
        const route = yield* routing(providers, env)
        assert.strictEqual(route(undefined), answer)
      })
    )

  it.scoped("is a 404 where any model would cost money, or there is none", () =>
    Effect.gen(function* () {
      for (const providers of [
        [openai, huggingface, percept],
        [upstream, percept]
      ]) {
        const route = yield* routing(providers)
        assert.deepInclude(route(undefined), { _tag: "ModelNotFound", status: 404 })
        assert.include(JSON.stringify(route(undefined)), "DEFAULT_TEXT_MODEL")
      }
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
