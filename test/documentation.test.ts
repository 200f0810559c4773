import { OpenApi } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Either } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { parseEnv } from "node:util"
import { root } from "../scripts/fresh.mjs"
import { Api } from "../src/http/contract.ts"
import { read } from "../src/services/AppConfig.ts"
import type { Setting } from "../src/services/config/Setting.ts"
import { settings } from "../src/services/config/settings.ts"
import { envExample, settingsTable } from "./support/Docs.ts"

const all: ReadonlyArray<Setting<unknown>> = Object.values(settings)

const file = (name: string): string =>
  existsSync(join(root, name)) ? readFileSync(join(root, name), "utf8") : ""

/** The settings of `.env.example`, with their lines switched on. */
const switchedOn = (): string => file(".env.example").replace(/^# ([A-Z_0-9]+=)/gm, "$1")

describe(".env.example", () => {
  it("is what the settings say", () => assert.strictEqual(file(".env.example"), envExample(settings)))

  it("has every setting exactly once, and none besides", () => {
    const names = Array.from(file(".env.example").matchAll(/^#? ?([A-Z][A-Z0-9_]*)=/gm), ([, name]) => name)
    assert.deepStrictEqual(
      names,
      all.map(({ name }) => name)
    )
  })

  it("changes nothing as it is", () => assert.deepStrictEqual(parseEnv(file(".env.example")), {}))

  it("is a good configuration with every line switched on", () => {
    const env = parseEnv(switchedOn())
    assert.sameMembers(
      Object.keys(env),
      all.map(({ name }) => name)
    )
    const config = read(env)
    assert.isTrue(Either.isRight(config), String(config))
    const spoken = Object.fromEntries(all.map(({ fallback, name }) => [name, fallback]))
    for (const [name, value] of Object.entries(env))
      if (spoken[name] !== "") assert.strictEqual(value, spoken[name])
  })
})

describe("the README", () => {
  const [, between = ""] = /<!-- settings -->\n([^]*)\n<!-- \/settings -->/.exec(file("README.md")) ?? []

  it("has a table of the settings between its two marks", () => {
    assert.strictEqual(between.trim(), settingsTable(settings))
  })

  it("has a row for each setting, with its default and what it is for", () => {
    for (const { about, aliases, fallback, name } of all) {
      const row = between.split("\n").find((line) => line.startsWith(`| \`${name}\` |`)) ?? ""
      assert.include(row, about.replaceAll("|", "\\|"), name)
      if (fallback !== "") assert.include(row, `| \`${fallback}\` |`)
      for (const alias of aliases) assert.include(row, `\`${alias}\``)
    }
  })
})

describe("the migration page", () => {
  const page = file("docs/migration.md")
  const known = new Set(all.flatMap(({ aliases, name }) => [name, ...aliases]))
  const settingsIn = (text: string) =>
    Array.from(text.matchAll(/\b[A-Z]+(?:_[A-Z0-9]+)+\b/g), ([name]) => name)
  const rows = Array.from(
    page.matchAll(/^\| `([^`]+)` \| (.+?) \| ?(.*)\|$/gm),
    ([, before = "", now = ""]) => ({
      before,
      now
    })
  )

  it("is where the README says", () => assert.include(file("README.md"), "](docs/migration.md)"))

  it("names no setting that does not exist, but those it says are missing", () => {
    const missing = rows.filter(({ now }) => now === "not yet").map(({ before }) => before)
    const unknown = settingsIn(page).filter((name) => !known.has(name))
    assert.sameMembers(
      unknown,
      missing.filter((name) => /^[A-Z_]+$/.test(name))
    )
  })

  it("says of each earlier setting what takes it now", () => {
    const mapped = rows.filter(({ before }) => /^[A-Z_]+$/.test(before))
    assert.deepStrictEqual(mapped.map(({ before }) => before).toSorted(), EARLIER_SETTINGS.toSorted())
    for (const { before, now } of mapped) {
      if (now === "not yet") assert.isFalse(known.has(before), before)
      else {
        const setting = all.find(({ name }) => `\`${name}\`` === now)
        assert.include([setting?.name, ...(setting?.aliases ?? [])], before)
      }
    }
  })

  it("says of each earlier address whether it is there", () => {
    const { paths } = OpenApi.fromApi(Api)
    const served = new Set(
      Object.entries(paths).flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`)
      )
    )
    const addresses = rows.filter(({ before }) => before.includes(" /"))
    assert.strictEqual(addresses.length, EARLIER_ADDRESSES)
    for (const { before, now } of addresses)
      assert.strictEqual(now, served.has(before) ? "there" : "not yet", before)
  })
})

/** Of the three systems, as their READMEs list them; the record's address is in two. */
const EARLIER_SETTINGS = [
  ...["OPENROUTER_API_KEY", "DEFAULT_TEXT_MODEL", "VISION_MODEL", "LOG_FILE_PATH", "OPENROUTER_REFERER"],
  ...["OPENROUTER_X_TITLE", "DATABASE_URL", "WHISPER_MODEL_NAME", "WHISPER_DEVICE"],
  ...[
    "UPSTREAM_URL",
    "OLLAMA_UPSTREAM_URL",
    "MODEL_MAP",
    "STRIP_THINKING",
    "DISABLE_THINKING",
    "ENABLE_LOGGING"
  ],
  ...["REQUEST_TIMEOUT", "DB_PATH", "MAX_LOG_AGE_DAYS", "LISTEN_HOST", "LISTEN_PORT"],
  ...[
    "API_KEYS",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "HUGGINGFACE_API_TOKEN",
    "OLLAMA_BASE_URL",
    "DATABASE_URL"
  ]
]

/** Seven of the first, ten of the second, four of the third. */
const EARLIER_ADDRESSES = 21
