import { assert, describe, it } from "@effect/vitest"
import { Either } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { parseEnv } from "node:util"
import { root } from "../scripts/fresh.mjs"
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
