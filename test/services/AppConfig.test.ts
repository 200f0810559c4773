import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Either, Redacted } from "effect"
import * as fc from "effect/FastCheck"
import { writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { AppConfig, read } from "../../src/services/AppConfig.ts"
import type { AppConfigValues, Environment } from "../../src/services/AppConfig.ts"
import type { Setting } from "../../src/services/config/Setting.ts"
import { settings } from "../../src/services/config/settings.ts"
import { launch, startProgram } from "../support/Program.ts"
import { temporaryFolder } from "../support/Router.ts"

const values = (env: Environment): AppConfigValues => Either.getOrThrow(read(env))

/** The one line that stops the start. */
const problem = (env: Environment): string => Either.getOrThrow(Either.flip(read(env))).message

const all: ReadonlyArray<readonly [string, Setting<unknown>]> = Object.entries(settings)

describe("the settings", () => {
  it("have a name of their own each, older names included", () => {
    const names = all.flatMap(([, { aliases, name }]) => [name, ...aliases])
    assert.strictEqual(new Set(names).size, names.length)
    for (const name of names) assert.match(name, /^[A-Z][A-Z0-9_]*$/)
  })

  for (const [key, { about, example, fallback, name, read: parse }] of all) {
    it(`${name} can be left out, set to its example, and is told about`, () => {
      assert.isTrue(Either.isRight(parse(undefined)))
      assert.isTrue(Either.isRight(parse(example)), `${name}=${example}`)
      if (fallback !== "") assert.deepStrictEqual(read({ [name]: fallback }), read({}))
      assert.notStrictEqual(example, "")
      assert.match(about, /^[A-Z`][^\n|]{10,}\.$/)
      assert.isTrue(/^[a-z][A-Za-z]+$/.test(key))
    })
  }

  it("are these where nothing is set", () => {
    const { catalogueTtl, drainTimeout, requestTimeout, streamIdleTimeout, ...rest } = values({})
    const { bodyTimeout, headersTimeout, modelMap, openRouterModelsUrl, openRouterUrl, ...plain } = rest
    assert.deepStrictEqual(
      [catalogueTtl, drainTimeout, requestTimeout, streamIdleTimeout, bodyTimeout, headersTimeout].map(
        Duration.toSeconds
      ),
      [600, 30, 300, 120, 120, 15]
    )
    assert.strictEqual(openRouterUrl.href, "https://openrouter.ai/api/v1/chat/completions")
    assert.strictEqual(openRouterModelsUrl.href, "https://openrouter.ai/api/v1/models")
    assert.strictEqual(plain.openAiUrl.href, "https://api.openai.com/v1")
    assert.strictEqual(plain.huggingFaceUrl.href, "https://router.huggingface.co/v1")
    assert.deepStrictEqual([modelMap.aliases, modelMap.find("gpt-4")], [[], undefined])
    assert.deepInclude(plain, {
      listenHost: "127.0.0.1",
      listenPort: 8000,
      dataDir: resolve("data"),
      databaseFile: resolve("data/percept.db"),
      logFile: resolve("data/router.log.json"),
      apiKeys: [],
      corsOrigins: [],
      allowAnonymous: false,
      openRouterKey: undefined,
      openRouterReferer: undefined,
      openRouterTitle: undefined,
      openAiKey: undefined,
      huggingFaceKey: undefined,
      huggingFaceBillTo: undefined,
      ollamaUrl: undefined,
      upstreamUrl: undefined,
      upstreamKey: undefined,
      defaultTextModel: undefined,
      stripThinking: true,
      disableThinking: false,
      upstreamRetries: 2,
      maxAnswerMb: 128,
      maxBodyMb: 64,
      maxLogAgeDays: 7,
      bodyMaxAgeDays: undefined,
      rollupMaxAgeDays: 90,
      dbMaxMb: 4096,
      searchIndex: true,
      uiEnabled: true,
      uiUsername: undefined,
      uiPassword: undefined,
      enableLogging: true,
      logBodyKb: 256,
      logMaxMb: 10,
      logMaxFiles: 5,
      logLevel: "info",
      otlpEndpoint: undefined,
      otlpProtocol: "http/protobuf",
      otlpTimeout: 10_000,
      otelDisabled: false,
      otelSampler: "parentbased_always_on",
      captureContent: false,
      traceUpstream: false
    })
  })

  it("that are empty or blank are not set", () => {
    const blank = Object.fromEntries(
      all.flatMap(([, { aliases, name }], at) => [name, ...aliases].map((n) => [n, " ".repeat(at % 3)]))
    )
    assert.deepStrictEqual(values(blank), values({}))
  })

  it("are taken without the space around them", () => {
    assert.strictEqual(values({ LISTEN_PORT: " 9000\t" }).listenPort, 9000)
    assert.strictEqual(values({ DEFAULT_TEXT_MODEL: " a/b " }).defaultTextModel, "a/b")
  })
})

describe("a wrong value", () => {
  const TIMES = [
    "soon",
    "-1",
    "0",
    "0 seconds",
    "1 week",
    "2 minuten",
    "1e3",
    "1,5",
    "Infinity",
    "5m",
    "90 s",
    "1h"
  ]
  const FLAGS = ["maybe", "2", "tru", "-"]
  const URLS = [
    "nonsense",
    "ftp://example.com/x",
    "//example.com",
    "file:///etc/passwd",
    "localhost:8000",
    "http://"
  ]
  const wrong: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
    ["LISTEN_PORT", ["many", "-1", "65536", "80.5", "8e3", "0x10", "８０"]],
    ["ALLOW_ANONYMOUS", FLAGS],
    ["OPENROUTER_API_URL", URLS],
    ["OPENROUTER_MODELS_API_URL", URLS],
    ["OPENAI_BASE_URL", URLS],
    ["HUGGINGFACE_BASE_URL", URLS],
    ["OLLAMA_BASE_URL", URLS],
    ["UPSTREAM_URL", URLS],
    ["MODEL_MAP", ["gpt-4", "{", "[]", "null", '{"a":1}', '{"a":""}', '{"/(/":"a"}', '{"/a/":"$1"}']],
    ["STRIP_THINKING", FLAGS],
    ["DISABLE_THINKING", FLAGS],
    ["CATALOGUE_TTL", TIMES],
    ["REQUEST_TIMEOUT", TIMES],
    ["STREAM_IDLE_TIMEOUT", TIMES],
    ["HEADERS_TIMEOUT", TIMES],
    ["BODY_TIMEOUT", TIMES],
    ["DRAIN_TIMEOUT", TIMES],
    ["UPSTREAM_RETRIES", ["11", "-1", "two"]],
    ["MAX_ANSWER_MB", ["0", "1025", "1.5", "32MB"]],
    ["MAX_BODY_MB", ["0", "1025", "1.5", "64 MB"]],
    [
      "DATABASE_URL",
      [
        "data.db",
        "sqlite:data.db",
        "sqlite://data.db",
        "sqlite:///",
        "mysql://x/y",
        "postgresql://",
        "postgresql://h:port/d"
      ]
    ],
    ["MAX_LOG_AGE_DAYS", ["0", "-1", "7d", "week", "36501"]],
    ["BODY_MAX_AGE_DAYS", ["0", "1.5", "never"]],
    ["ROLLUP_MAX_AGE_DAYS", ["0", "90 days"]],
    ["DB_MAX_MB", ["-1", "1 GB", "0.5"]],
    ["SEARCH_INDEX", FLAGS],
    ["UI_ENABLED", FLAGS],
    ["BUDGET_UNKNOWN_USD", ["-1", "a dime", "$1"]],
    ["EXPORT_MAX_ROWS", ["0", "-1", "all", "1e6"]],
    ["ENABLE_LOGGING", FLAGS],
    ["LOG_BODY_KB", ["-1", "65537", "much"]],
    ["LOG_MAX_MB", ["0", "10241", "0.5"]],
    ["LOG_MAX_FILES", ["0", "1001", "five"]],
    ["LOG_LEVEL", ["loud", "trace", "0", "warn"]],
    ["MEDIA_POLICY", ["on", "automatic", "true"]],
    ["MEDIA_MAX_ITEMS", ["0", "65", "all"]],
    ["MEDIA_SNIFF", FLAGS],
    ["MEDIA_STRICT", FLAGS],
    [
      "MEDIA_ALLOWED_HOSTS",
      [
        "media.lan",
        "http://media.lan:80",
        "10.0.0.0/33",
        "10.0.0/8",
        "a:80/x",
        "u@a:80",
        "::1/129",
        "a:99999"
      ]
    ],
    ["MEDIA_JOBS", ["0", "257", "cores"]],
    ["MEDIA_QUEUE", ["-1", "10001", "long"]],
    ["MEDIA_CACHE_MB", ["-1", "1048577", "1 GB"]],
    ["MEDIA_TMP_MB", ["0", "1048577", "much"]],
    ["MEDIA_MIN_FREE_MB", ["-1", "1048577", "some"]],
    ...["MEDIA_QUEUE_TIMEOUT", "MEDIA_TIMEOUT", "MEDIA_RECHECK"].map((name) => [name, TIMES] as const),
    ...["FETCH_CONNECT_TIMEOUT", "FETCH_IDLE_TIMEOUT", "FETCH_TIMEOUT"].map((name) => [name, TIMES] as const),
    ["FETCH_MAX_REDIRECTS", ["-1", "21", "few"]],
    ["FETCH_PORTS", ["0", "80,65536", "http", "80;443"]],
    ["IMAGE_MAX_MB", ["0", "1025", "20 MB"]],
    ["IMAGE_MAX_MEGAPIXELS", ["0", "1001", "1.5"]],
    ["IMAGE_MAX_PX", ["63", "8193", "large"]],
    ["VIDEO_MAX_MB", ["0", "102401", "all"]],
    ["VIDEO_MAX_DURATION", TIMES],
    ["VIDEO_FRAMES", ["0", "65", "many", "1.5"]],
    ["VIDEO_FRAME_PX", ["63", "4097", "hd"]],
    ["VIDEO_FRAME_MB", ["0", "65", "small"]],
    ["VIDEO_CAPTIONS", ["yes", "human", "0"]],
    ["VIDEO_NATIVE_MB", ["-1", "1025", "none"]],
    ["AUDIO_MAX_MB", ["0", "10241", "long"]],
    ["WHISPER_DEVICE", ["metal", "0", "auto"]],
    ["WHISPER_THREADS", ["0", "65", "all"]],
    ["WHISPER_URL", URLS],
    ["WHISPER_MODELS_URL", URLS],
    ["OTEL_EXPORTER_OTLP_ENDPOINT", URLS],
    ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", URLS],
    ["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", URLS],
    ["OTEL_EXPORTER_OTLP_PROTOCOL", ["grpc", "http", "protobuf"]],
    ["OTEL_EXPORTER_OTLP_TIMEOUT", ["0", "10 s", "-1"]],
    ["OTEL_TRACES_SAMPLER", ["jaeger_remote", "on", "0.5"]],
    ["OTEL_TRACES_SAMPLER_ARG", ["1.1", "-0.5", "half", "1e-3", "."]],
    ["OTEL_SDK_DISABLED", FLAGS],
    ["OTEL_TRACES_EXPORTER", ["console", "zipkin"]],
    ["OTEL_METRICS_EXPORTER", ["console", "prometheus"]],
    ["OTEL_BSP_SCHEDULE_DELAY", ["0", "5 s"]],
    ["OTEL_METRIC_EXPORT_INTERVAL", ["0", "1 minute"]],
    ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", FLAGS],
    ["TRACE_UPSTREAM", FLAGS]
  ]
  const free = [
    ...["LISTEN_HOST", "DATA_DIR", "API_KEYS", "CORS_ORIGINS", "OPENROUTER_API_KEY", "OPENROUTER_REFERER"],
    ...["OPENAI_API_KEY", "HUGGINGFACE_API_TOKEN", "HUGGINGFACE_BILL_TO", "UPSTREAM_API_KEY"],
    ...[
      "OPENROUTER_X_TITLE",
      "DEFAULT_TEXT_MODEL",
      "DB_PATH",
      "UI_USERNAME",
      "UI_PASSWORD",
      "LOG_FILE_PATH",
      "VISION_MODEL"
    ],
    ...["MEDIA_ROLES", "MEDIA_SITES", "MEDIA_TMP_DIR", "WHISPER_MODEL_NAME", "WHISPER_CLI_PATH"],
    ...["FFMPEG_PATH", "FFPROBE_PATH", "YTDLP_PATH", "YTDLP_MIN_VERSION", "YTDLP_JS_RUNTIME"],
    ...["OTEL_EXPORTER_OTLP_HEADERS", "OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"]
  ]

  for (const [name, texts] of wrong)
    it(`of ${name} stops the start with one line: the variable, the problem, an example`, () => {
      const example = all.find(([, setting]) => setting.name === name)?.[1].example
      for (const text of texts) {
        const message = problem({ [name]: text })
        assert.isTrue(message.startsWith(`${name} must `), `${name}=${text}: ${message}`)
        assert.isTrue(message.endsWith(`, for example ${name}=${example}`), message)
        assert.notInclude(message, "\n")
      }
    })

  it("there is none of what may be any text, and every other setting is tried here", () => {
    const tried = [...wrong.map(([name]) => name), ...free]
    assert.sameMembers(
      tried,
      all.map(([, { name }]) => name)
    )
    for (const name of free) assert.isTrue(Either.isRight(read({ [name]: "any text, whatever" })))
  })

  it("is shown, but not at any length", () => {
    assert.include(problem({ LISTEN_PORT: "many" }), 'not "many"')
    const message = problem({ LISTEN_PORT: "9".repeat(10_000) })
    assert.isBelow(message.length, 200)
  })

  it("is named as it was set", () => {
    assert.match(problem({ PORT: "many" }), /^PORT must .*, for example PORT=8000$/)
    assert.match(
      problem({ OLLAMA_UPSTREAM_URL: "here" }),
      /^OLLAMA_UPSTREAM_URL must .*, for example OLLAMA_/
    )
  })

  it("is the first one in the order of the settings where there are several", () => {
    assert.match(problem({ LOG_LEVEL: "loud", LISTEN_PORT: "many", MAX_BODY_MB: "x" }), /^LISTEN_PORT /)
  })

  it.prop("never shows the password of a database", [fc.stringMatching(/^[a-z0-9]{6,12}$/)], ([password]) => {
    for (const address of [
      `postgresql://percept:${password}@db:port/percept`,
      `mysql://percept:${password}@db/x`
    ])
      assert.notInclude(problem({ DATABASE_URL: address }), password)
    const config = values({ DATABASE_URL: `postgresql://percept:${password}@db/percept` })
    assert.notInclude(JSON.stringify(config), password)
  })
})

describe("a value", () => {
  it("has older names, and the new one goes first", () => {
    assert.strictEqual(values({ PORT: "9000" }).listenPort, 9000)
    assert.strictEqual(values({ PORT: "9000", LISTEN_PORT: "9001" }).listenPort, 9001)
    assert.strictEqual(values({ PORT: "9000", LISTEN_PORT: " " }).listenPort, 9000)
    const { huggingFaceKey, ollamaUrl } = values({ HF_TOKEN: "hf_x", OLLAMA_UPSTREAM_URL: "http://o:1" })
    assert.strictEqual(huggingFaceKey && Redacted.value(huggingFaceKey), "hf_x")
    assert.strictEqual(ollamaUrl?.href, "http://o:1/")
    const both = { OLLAMA_UPSTREAM_URL: "http://old:1", OLLAMA_BASE_URL: "http://new:1" }
    assert.strictEqual(values(both).ollamaUrl?.href, "http://new:1/")
  })

  const times: ReadonlyArray<readonly [string, number]> = [
    ["90", 90_000],
    ["1.5", 1500],
    ["0.001", 1],
    ["500 millis", 500],
    ["1 second", 1000],
    ["2 minutes", 120_000],
    ["1 hour", 3_600_000],
    ["7 days", 604_800_000]
  ]
  for (const [text, millis] of times)
    it(`of a time may be "${text}"`, () =>
      assert.strictEqual(Duration.toMillis(values({ REQUEST_TIMEOUT: text }).requestTimeout), millis))

  it("of a time is none that a timer cannot hold", () => {
    for (const text of ["30 days", "2147484", "99999999999999999999"])
      for (const name of ["BODY_TIMEOUT", "REQUEST_TIMEOUT", "DRAIN_TIMEOUT"])
        assert.isTrue(Either.isLeft(read({ [name]: text })), `${name}=${text}`)
    assert.isTrue(Either.isRight(read({ BODY_TIMEOUT: "24 days" })))
  })

  it("of a switch may be said in many words", () => {
    for (const yes of ["true", "TRUE", "True", "1", "yes", "on", "On"])
      assert.isTrue(values({ ALLOW_ANONYMOUS: yes }).allowAnonymous, yes)
    for (const no of ["false", "FALSE", "0", "no", "off", "OFF"])
      assert.isFalse(values({ ENABLE_LOGGING: no }).enableLogging, no)
  })

  it("of a list is cut at commas, and what is empty is left out", () => {
    const { apiKeys, corsOrigins } = values({ API_KEYS: " one, two,,three ,", CORS_ORIGINS: "*" })
    assert.deepStrictEqual(apiKeys.map(Redacted.value), ["one", "two", "three"])
    assert.deepStrictEqual(corsOrigins, ["*"])
    assert.deepStrictEqual(values({ API_KEYS: " , ," }).apiKeys, [])
  })

  it("that is secret does not show itself", () => {
    const { apiKeys, openRouterKey } = values({ API_KEYS: "canary-one", OPENROUTER_API_KEY: "canary-two" })
    assert.notInclude(`${String(openRouterKey)} ${JSON.stringify({ apiKeys, openRouterKey })}`, "canary")
    const others = ["OPENAI_API_KEY", "HUGGINGFACE_API_TOKEN", "UPSTREAM_API_KEY"]
    const config = values(Object.fromEntries(others.map((name) => [name, "canary-three"])))
    assert.notInclude(JSON.stringify(config), "canary")
    const keys = [config.openAiKey, config.huggingFaceKey, config.upstreamKey]
    assert.deepStrictEqual(
      keys.map((key) => key && Redacted.value(key)),
      keys.map(() => "canary-three")
    )
    assert.strictEqual(openRouterKey === undefined ? "" : Redacted.value(openRouterKey), "canary-two")
  })

  it("of a number holds to its bounds", () => {
    assert.strictEqual(values({ LISTEN_PORT: "0" }).listenPort, 0)
    assert.strictEqual(values({ LISTEN_PORT: "65535" }).listenPort, 65_535)
    assert.strictEqual(values({ LOG_BODY_KB: "0" }).logBodyKb, 0)
  })

  it("of the speech engine's device may be what other engines call it", () => {
    for (const word of ["gpu", "GPU", "cuda"])
      assert.strictEqual(values({ WHISPER_DEVICE: word }).whisperDevice, "gpu")
  })

  it("of the log level may be in capitals", () =>
    assert.strictEqual(values({ LOG_LEVEL: "WARNING" }).logLevel, "warning"))
})

describe("the place of the database", () => {
  const table: ReadonlyArray<readonly [Environment, string]> = [
    [{ DATABASE_URL: "sqlite:///x.db" }, resolve("x.db")],
    [{ DATABASE_URL: "sqlite:///./data/x.db" }, resolve("data/x.db")],
    [{ DATABASE_URL: "sqlite:////var/lib/x.db" }, "/var/lib/x.db"],
    [{ DATABASE_URL: "sqlite+aiosqlite:///x.db" }, resolve("x.db")],
    [{ DATABASE_URL: "sqlite+aiosqlite:////abs/x.db" }, "/abs/x.db"],
    [{ DB_PATH: "x.db" }, resolve("x.db")],
    [{ DB_PATH: "/abs/x.db" }, "/abs/x.db"],
    [{ DATA_DIR: "/abs" }, "/abs/percept.db"],
    [{ DATA_DIR: "rel" }, resolve("rel/percept.db")],
    [{ DATA_DIR: "/abs", DB_PATH: "/other/x.db" }, "/other/x.db"],
    [{ DATABASE_URL: "sqlite:////url/x.db", DB_PATH: "/path/x.db", DATA_DIR: "/dir" }, "/url/x.db"]
  ]
  for (const [env, file] of table)
    it(`is ${file} with ${JSON.stringify(env)}`, () => assert.strictEqual(values(env).databaseFile, file))

  it("is no file that is called :memory:", () => {
    assert.match(problem({ DATABASE_URL: "sqlite:///:memory:" }), /^DATABASE_URL must /)
    assert.match(problem({ DATABASE_URL: "sqlite://" }), /^DATABASE_URL must /)
  })

  it("may be a Postgres server, also as SQLAlchemy spells it", () => {
    for (const scheme of ["postgres", "postgresql", "postgresql+asyncpg", "postgresql+psycopg2"]) {
      const { databaseServer } = values({ DATABASE_URL: `${scheme}://percept:secret@db:5432/percept` })
      assert.strictEqual(
        databaseServer && Redacted.value(databaseServer),
        "postgresql://percept:secret@db:5432/percept"
      )
    }
    assert.isUndefined(values({ DATABASE_URL: "sqlite:///x.db" }).databaseServer)
  })

  it("is beside the log, unless the log is elsewhere", () => {
    assert.strictEqual(values({ DATA_DIR: "/abs" }).logFile, "/abs/router.log.json")
    assert.strictEqual(values({ DATA_DIR: "/abs", LOG_FILE_PATH: "/other/x.json" }).logFile, "/other/x.json")
    assert.strictEqual(values({ LOG_FILE_PATH: "x.json" }).logFile, resolve("x.json"))
  })
})

describe("the environment of a process", () => {
  it.effect("is what layerFromEnv reads", () =>
    Effect.gen(function* () {
      const config = yield* Effect.provide(AppConfig, AppConfig.layerFromEnv)
      assert.deepStrictEqual(config, values({ ...process.env }))
    })
  )

  it.scopedLive("goes before the .env of its folder, which goes before what is built in", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      writeFileSync(
        join(folder, ".env"),
        [
          "# a comment",
          "export DATA_DIR='./from the file'",
          'API_KEYS="one, two" # two of them',
          "LOG_LEVEL=shout",
          "DB_PATH="
        ].join("\n")
      )
      const program = yield* startProgram({ LOG_LEVEL: "none" }, { cwd: folder })
      assert.include(program.output(), join(folder, "from the file", "percept.db"))
      const models = (key: string) =>
        Effect.promise(() => fetch(`${program.url}/v1/models`, { headers: { "x-api-key": key } }))
      assert.strictEqual((yield* models("two")).status, 200)
      assert.strictEqual((yield* models("three")).status, 401)
    })
  )

  it.scopedLive("with a broken name map stops the start in one line that names the entry", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const maps = [
        [`{"gpt-4":"a","/gpt-(.*/":"b"}`, `in its entry "/gpt-(.*/" a pattern that can be read: `],
        [`{"gpt-4":"a",}`, "be a JSON object, not what cannot be read as JSON: "]
      ] as const
      const programs = yield* Effect.forEach(maps, ([map]) =>
        launch({ DATA_DIR: folder, MODEL_MAP: map }, { cwd: folder })
      )
      for (const [at, program] of programs.entries()) {
        assert.deepStrictEqual(yield* program.ended, { code: 1, signal: null })
        assert.match(
          program.output(),
          /^Percept cannot start: MODEL_MAP must [^\n]*, for example MODEL_MAP=[^\n]*\n$/
        )
        assert.include(program.output(), maps[at]?.[1] ?? "?")
      }
    })
  )

  it.scopedLive("that is wrong in the .env stops the start in one line", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      writeFileSync(join(folder, ".env"), "MAX_BODY_MB=huge\n")
      const program = yield* launch({ DATA_DIR: folder }, { cwd: folder })
      assert.deepStrictEqual(yield* program.ended, { code: 1, signal: null })
      assert.match(
        program.output(),
        /^Percept cannot start: MAX_BODY_MB must [^\n]*, for example MAX_BODY_MB=64\n$/
      )
    })
  )
})
