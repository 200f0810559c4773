import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { brotliDecompressSync, gunzipSync } from "node:zlib"
import { root } from "../../scripts/fresh.mjs"
import { MOST } from "../../scripts/page.mjs"

const folder = join(root, "dist/ui/assets")
const read = (name: string) => readFileSync(join(folder, name))
const html = readFileSync(join(root, "dist/ui/index.html"), "utf8")
const names = readdirSync(folder).filter((name) => !/\.(?:br|gz)$/.test(name))

/** The files a text names, and those that they name in turn. */
const reached = (text: string, seen = new Set<string>()): ReadonlySet<string> => {
  for (const name of names)
    if (text.includes(name) && !seen.has(name)) {
      seen.add(name)
      reached(read(name).toString(), seen)
    }
  return seen
}

describe("the page as it is built", () => {
  it("has what its document leads to, and nothing else", () => {
    assert.isAbove(names.length, 4)
    assert.deepStrictEqual(
      names.filter((name) => !reached(html).has(name)),
      []
    )
  })

  it("has each file compressed beside it", () => {
    for (const name of names) {
      assert.isTrue(gunzipSync(read(`${name}.gz`)).equals(read(name)), name)
      assert.isTrue(brotliDecompressSync(read(`${name}.br`)).equals(read(name)), name)
    }
  })

  it("is as small as it is meant to be", () => {
    const size = (some: ReadonlyArray<string>) =>
      some.reduce((sum, name) => sum + read(`${name}.gz`).length, 0)
    const named = names.filter((name) => html.includes(name))
    const all = size(names)
    assert.isAtMost(all, MOST.all)
    assert.isAtMost(size(named), MOST.first)
    assert.isBelow(size(named), all)
  })

  it("has nothing in it that its policy would refuse", () => {
    const code = names.filter((name) => name.endsWith(".js")).map((name) => read(name).toString())
    for (const text of code)
      assert.notMatch(text, /\beval\(|new Function\(|https?:\/\/(?!www\.w3\.org|upload\.wikimedia\.org)/)
  })
})
