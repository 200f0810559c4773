import { assert, describe, it } from "@effect/vitest"
import { Either } from "effect"
import * as fc from "effect/FastCheck"
import { parse } from "../../src/domain/ModelMap.ts"

type Entries = { readonly [entry: string]: unknown }

const mapOf = (entries: Entries) => Either.getOrThrow(parse(JSON.stringify(entries)))

/** The new name and the entry that gave it, or nothing. */
const renamed = (entries: Entries, name: string) => {
  const found = mapOf(entries).find(name)
  return found === undefined ? undefined : `${found.name} by ${found.entry}`
}

const lack = (text: string): string => Either.getOrThrow(Either.flip(parse(text)))

describe("a name map", () => {
  const table: ReadonlyArray<
    readonly [what: string, entries: Entries, name: string, answer: string | undefined]
  > = [
    ["has exact names", { "gpt-4": "llama3-70b" }, "gpt-4", "llama3-70b by gpt-4"],
    ["takes exact names as they are written", { "gpt-4": "x" }, "GPT-4", undefined],
    ["takes exact names whole", { "gpt-4": "x" }, "gpt-4o", undefined],
    ["leaves other names alone", { "gpt-4": "x", "/claude/": "y" }, "llama", undefined],
    ["has exact names before patterns", { "/gpt-.*/": "x", "gpt-4": "y" }, "gpt-4", "y by gpt-4"],
    ["has patterns in their order", { "/gpt-4.*/": "x", "/gpt-.*/": "y" }, "gpt-4o", "x by /gpt-4.*/"],
    ["goes on to the next pattern", { "/gpt-4.*/": "x", "/gpt-.*/": "y" }, "gpt-5", "y by /gpt-.*/"],
    ["maps once", { a: "b", b: "c" }, "a", "b by a"],
    ["maps once, patterns too", { "/a/": "bb", "/b+/": "c" }, "a", "bb by /a/"],
    ["takes the target of an exact name word for word", { a: "$1\\1\\g<x>" }, "a", "$1\\1\\g<x> by a"],
    ["has exact names with slashes", { "/models/a.gguf": "b" }, "/models/a.gguf", "b by /models/a.gguf"],
    ["has a single slash as a name", { "/": "b" }, "/", "b by /"],
    ["has names of an object's own", { constructor: "b" }, "constructor", "b by constructor"],
    ["knows no names it was not told", {}, "constructor", undefined]
  ]
  for (const [what, entries, name, answer] of table)
    it(what, () => assert.strictEqual(renamed(entries, name), answer))

  it("has its exact names as aliases, in their order, and no patterns", () =>
    assert.deepStrictEqual(mapOf({ b: "one", "/x/": "two", a: "one" }).aliases, [
      { name: "b", target: "one" },
      { name: "a", target: "one" }
    ]))

  it("is empty where it says nothing", () => {
    for (const text of ["{}", " { } ", "{\n}"])
      assert.deepStrictEqual(Either.getOrThrow(parse(text)).aliases, [])
  })
})

describe("a pattern", () => {
  const table: ReadonlyArray<readonly [pattern: string, name: string, fits: boolean]> = [
    ["/gpt/", "gpt-4", true],
    ["/gpt/", "my-gpt", false],
    ["/gpt$/", "gpt-4", false],
    ["/4|gpt/", "gpt", true],
    ["/4|gpt/", "x-gpt", false],
    ["/^gpt/", "gpt-4", true],
    ["/.*turbo/", "gpt-turbo-16k", true],
    ["/(?i)GPT/", "gpt-4", true],
    ["/GPT/", "gpt-4", false],
    ["/\\Agpt\\Z/", "gpt", true],
    ["/\\Agpt\\Z/", "gpt-4", false],
    ["/(?P<v>a)(?P=v)/", "aa", true],
    ["/(?P<v>a)(?P=v)/", "ab", false],
    ["/[(?P<]+x/", "(?P<x", true],
    ["/a\\(?P<b/", "a(P<b", true],
    ["/vendor/.*/", "vendor/model", true],
    ["//", "anything", true]
  ]
  for (const [pattern, name, fits] of table)
    it(`${pattern} ${fits ? "fits" : "does not fit"} ${name}`, () =>
      assert.strictEqual(renamed({ [pattern]: "new" }, name), fits ? `new by ${pattern}` : undefined))

  it("is matched anew each time, from the start", () => {
    const map = mapOf({ "/gpt-(.)/": "$1" })
    for (const _ of [1, 2, 3]) assert.strictEqual(map.find("gpt-4")?.name, "4")
  })

  it("is not tried on names that no model has", () => {
    const map = mapOf({ "/x*/": "short", ["x".repeat(300)]: "exact" })
    assert.strictEqual(map.find("x".repeat(200))?.name, "short")
    assert.isUndefined(map.find("x".repeat(201)))
    assert.strictEqual(map.find("x".repeat(300))?.name, "exact")
  })
})

describe("a target", () => {
  const table: ReadonlyArray<readonly [pattern: string, target: string, name: string, answer: string]> = [
    ["/gpt-(.*)turbo/", "llama3-\\1-instruct", "gpt-3.5-turbo", "llama3-3.5--instruct"],
    ["/gpt-4(.*)$/", "claude-3-opus\\1", "gpt-4-32k", "claude-3-opus-32k"],
    ["/gpt-4/", "llama", "gpt-4-32k", "llama"],
    ["/(.*)-(.*)/", "\\2/\\1", "a-b", "b/a"],
    ["/(.*)-(.*)/", "$2/$1", "a-b", "b/a"],
    ["/(.*)-(.*)/", "\\g<2>0", "a-b", "b0"],
    ["/(?P<who>.*)-(?<what>.*)/", "\\g<what>/$<who>/\\1$2", "a-b", "b/a/ab"],
    ["/gpt-./", "new/$0+\\0+\\g<0>", "gpt-4o", "new/gpt-4+gpt-4+gpt-4"],
    ["/(a)(b)?/", "x$2-$1", "a", "x-a"],
    ["/(a)/", "$$1-$-$x\\\\1", "a", "$1-$-$x\\1"],
    ["/(a)/", "$12", "a", "a2"],
    [`/${"(a)".repeat(12)}/`, "$12x\\12", "a".repeat(12), "axa"],
    ["/(.*)/", "ü😀 $1", "ß", "ü😀 ß"]
  ]
  for (const [pattern, target, name, answer] of table)
    it(`${target} of ${pattern} makes ${answer} of ${name}`, () =>
      assert.strictEqual(renamed({ [pattern]: target }, name), `${answer} by ${pattern}`))

  it("that leaves nothing of a name does not fit it", () =>
    assert.strictEqual(renamed({ "/x(.*)/": "$1", "/x/": "y" }, "x"), "y by /x/"))

  it.prop(
    "takes what a group took, whatever it is",
    [fc.string({ minLength: 1, maxLength: 100 }).filter((name) => !/[\n\r\u2028\u2029]/.test(name))],
    ([name]) => {
      for (const target of ["\\1", "$1", "\\g<1>", "\\g<all>", "$<all>", "$0"])
        assert.strictEqual(mapOf({ "/(?P<all>.+)/": target }).find(name)?.name, name)
    }
  )
})

describe("a broken map", () => {
  const table: ReadonlyArray<readonly [what: string, text: string, said: string]> = [
    ["is no JSON", `{"a":`, `must be a JSON object, not what cannot be read as JSON: "{\\"a\\":"`],
    ["is an array", `["a"]`, "must be a JSON object, not an array"],
    ["is null", "null", "must be a JSON object, not null"],
    ["is a text", `"a"`, "must be a JSON object, not a string"],
    ["has a target that is no text", `{"a":"b","c":7}`, `entry "c" a model's name`],
    ["has a target that is null", `{"c":null}`, `entry "c" a model's name`],
    ["has a target that is an object", `{"c":{}}`, `entry "c" a model's name`],
    ["has an empty target", `{"c":""}`, `entry "c" a target that is not empty`],
    ["has a blank target", `{"/c/":" "}`, `entry "/c/" a target that is not empty`],
    ["has an empty name", `{"":"c"}`, `entry "" a name`],
    ["has a bad pattern", `{"a":"b","/gpt-(/":"c"}`, `entry "/gpt-(/" a pattern that can be read: unterm`],
    ["has a pattern that starts with a star", `{"/*/":"c"}`, `entry "/*/" a pattern that can be read: `],
    ["refers to a group that is not there", `{"/(a)/":"\\\\2"}`, `entry "/(a)/" a group for "\\\\2"`],
    ["refers to one in the newer way", `{"/(a)/":"$2"}`, `entry "/(a)/" a group for "$2"`],
    ["refers to a twelfth of one", `{"/(a)/":"\\\\12"}`, `entry "/(a)/" a group for "\\\\12"`],
    ["refers to a number in brackets", `{"/a/":"\\\\g<1>"}`, `entry "/a/" a group for "\\\\g<1>"`],
    ["refers to a name that is not there", `{"/(?P<a>.)/":"\\\\g<b>"}`, `a group for "\\\\g<b>"`],
    ["refers to one in the newer way", `{"/(?P<a>.)/":"$<b>"}`, `a group for "$<b>"`],
    ["escapes what needs no escape", `{"/(a)/":"\\\\q"}`, `entry "/(a)/" a target without "\\\\q"`],
    ["ends with a backslash", `{"/(a)/":"a\\\\"}`, `entry "/(a)/" a target without "\\\\"`]
  ]
  for (const [what, text, said] of table)
    it(`that ${what} is refused in a line that says where`, () => {
      const line = lack(text)
      assert.include(line, said)
      assert.match(line, /^must [^\n]+$/)
    })

  it("is not repeated at any length", () => {
    for (const text of ["x".repeat(10_000), JSON.stringify({ [`/${"(".repeat(10_000)}/`]: "a" })])
      assert.isBelow(lack(text).length, 300)
  })

  it.prop("never throws", [fc.string(), fc.string(), fc.string()], ([entry, target, name]) => {
    for (const key of [entry, `/${entry}/`])
      Either.map(parse(JSON.stringify({ [key]: target })), (map) => map.find(name.slice(0, 20)))
  })
})
