import { OpenApi } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { transformSync } from "esbuild"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { basename, dirname, join, normalize } from "node:path"
import { root } from "../scripts/fresh.mjs"
import { Api } from "../src/http/contract.ts"
import { settings } from "../src/services/config/settings.ts"
import { documents } from "./support/Documents.ts"
import { anchorsOf, blocksOf, codeOf, linksOf } from "./support/Markdown.ts"

const all = Object.values(settings)
const known = new Set<string>(all.flatMap(({ aliases, name }) => [name, ...aliases]))

const { paths } = OpenApi.fromApi(Api)
/** `GET /v1/models/{id}` as `GET /v1/models/{}`, since what a place is called is nobody's business. */
const unnamed = (address: string) => address.replace(/\{[^}]*\}|\*/g, "{}")
const served = new Set(
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => unnamed(`${method.toUpperCase()} ${path}`))
  )
)

describe.each(documents)("$path", ({ path, text }) => {
  it("points to what is there", () => {
    for (const { line, target } of linksOf(text)) {
      const [file = "", anchor] = target.split("#")
      if (/^https:\/\/[\w.-]+\//.test(target)) continue
      assert.notMatch(target, /^\w+:/, `line ${line}`)
      const place = file === "" ? path : normalize(join(dirname(path), file))
      assert.isTrue(existsSync(join(root, place)), `line ${line}: there is no ${place}`)
      if (anchor !== undefined) {
        const anchors = anchorsOf(readFileSync(join(root, place), "utf8"))
        assert.isTrue(anchors.has(anchor), `line ${line}: ${place} has no heading for #${anchor}`)
      }
    }
  })

  it("names files that are there", () => {
    const files = codeOf(text).filter((code) =>
      /^(src|test|docs|deploy|bench|scripts|examples)\/[\w./-]+$/.test(code)
    )
    for (const file of files) assert.isTrue(existsSync(join(root, file)), file)
  })

  it("names addresses that are there", () => {
    const addresses = codeOf(text).filter((code) => /^(GET|POST|PUT|DELETE|HEAD) \/\S*$/.test(code))
    for (const address of addresses)
      assert.isTrue(served.has(unnamed(address)) || BESIDE.has(address), address)
  })

  it("names settings that are there", () => {
    // The migration page names what is gone, and has a test of its own.
    const named = path === "docs/migration.md" ? [] : text.matchAll(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g)
    for (const [name] of named) assert.isTrue(known.has(name) || OTHERS.has(name), name)
  })

  it("has blocks of kinds that are checked", () => {
    for (const { language, line } of blocksOf(text)) assert.include(CHECKED, language, `line ${line}`)
  })

  it("has JSON that is JSON", () => {
    for (const { language, line, text: block } of blocksOf(text))
      if (language === "json") assert.doesNotThrow(() => JSON.parse(block), `line ${line}`)
  })

  it("has programs that are programs", () => {
    for (const { language, line, text: block } of blocksOf(text))
      if (language === "ts") assert.doesNotThrow(() => transformSync(block, { loader: "ts" }), `line ${line}`)
  })

  it("has environments of settings, and servers whose brackets close", () => {
    for (const { language, line, text: block } of blocksOf(text)) {
      if (language === "ini")
        for (const each of block.split("\n"))
          assert.isTrue(known.has(/^([A-Z_]+)=\S+$/.exec(each)?.[1] ?? ""), `line ${line}: ${each}`)
      if (language === "nginx" || language === "caddy")
        assert.strictEqual(block.split("{").length, block.split("}").length, `line ${line}`)
    }
  })
})

describe("the README", () => {
  const readme = readFileSync(join(root, "README.md"), "utf8")

  it("has the limits that hold", () => {
    const [, table = ""] = /## Limits\n([^]*?)\n## /.exec(readme) ?? []
    const rows = Array.from(
      table.matchAll(/^\| [^|]+ \| ([^|]+) \| (`[^|]+`) \|$/gm),
      ([, limit = "", names = ""]) => ({
        limit,
        names: codeOf(names)
      })
    )
    assert.isAbove(rows.length, 15)
    for (const { limit, names } of rows) {
      const values = names.flatMap((name) => all.filter((setting) => setting.name === name))
      assert.lengthOf(values, names.length, names.join())
      const shown = limit.match(/\d+( hours?| minutes?)?/g) ?? []
      const wanted = values.map(({ fallback }) => fallback).filter((fallback) => fallback !== "")
      assert.deepStrictEqual(shown, wanted, names.join())
    }
  })

  it("says how each document is reached", () => {
    const reached = new Set(
      documents.flatMap(({ path, text }) =>
        linksOf(text).map(({ target }) => normalize(join(dirname(path), target.replace(/#.*/, ""))))
      )
    )
    for (const { path } of documents.filter(({ path }) => path !== "README.md"))
      assert.isTrue(reached.has(path), `nobody links to ${path}`)
  })
})

describe("the drawing of the house", () => {
  const page = documents.find(({ path }) => path === "docs/architecture.md")?.text ?? ""
  const [drawing = ""] = blocksOf(page).flatMap(({ language, text }) =>
    language === "mermaid" ? [text] : []
  )

  it("shows services that there are", () => {
    const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    const there = new Set(files.map((file) => basename(file, ".ts")))
    const shown = new Set(Array.from(drawing.matchAll(/\b(?:[A-Z][a-z]+){1,4}\b/g), ([name]) => name))
    assert.isAbove(shown.size, 10)
    for (const name of shown) assert.isTrue(there.has(name), name)
  })
})

describe("the reading of documents", () => {
  it("finds headings as GitHub names them", () => {
    const anchors = anchorsOf("# Is it well?\n## `a.b` & c\n## Is it well?\n```sh\n# no heading\n```\n")
    assert.deepStrictEqual([...anchors], ["is-it-well", "ab--c", "is-it-well-1"])
  })

  it("finds links, and none in code", () => {
    const links = linksOf("[a](b.md#c) and [d](e)\n`[f](g)`\n```\n[h](i)\n```\n![j](k.svg)")
    assert.deepStrictEqual(
      links.map(({ line, target }) => `${line} ${target}`),
      ["1 b.md#c", "1 e", "6 k.svg"]
    )
  })

  it("refuses a block without an end", () => assert.throws(() => blocksOf("```sh\nls\n"), /line 1/))
})

/** What clients of others are told by. */
const OTHERS = new Set(["OLLAMA_HOST"])

/** Served beside the contract, since they speak of it. */
const BESIDE = new Set(["GET /docs", "GET /openapi.json"])

/** With a language, or a drawing. */
const CHECKED = ["sh", "json", "js", "ts", "ini", "nginx", "caddy", "mermaid", ""]
