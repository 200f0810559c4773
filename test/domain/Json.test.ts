import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import {
  arrayField,
  elements,
  field,
  isDeeperThan,
  isObject,
  members,
  numberField,
  parseJson,
  stringField,
  topLevelValues
} from "../../src/domain/Json.ts"
import { jsonKey, jsonObject, jsonValue } from "./JsonText.ts"

/** The found values replaced by another one. */
const replaced = (text: string, key: string, value: unknown): string =>
  topLevelValues(text, key).reduceRight(
    (text, [from, to]) => text.slice(0, from) + JSON.stringify(value) + text.slice(to),
    text
  )

const found = (text: string, key: string): ReadonlyArray<string> =>
  topLevelValues(text, key).map(([from, to]) => text.slice(from, to))

describe("topLevelValues", () => {
  it.prop(
    "finds every value of a key, and nothing else, however the object is written",
    [jsonObject, jsonKey],
    ([{ members, text }, key]) => {
      assert.deepStrictEqual(
        found(text, key),
        members.filter(([name]) => name === key).map(([, value]) => value)
      )
    },
    { fastCheck: { numRuns: 1000 } }
  )

  it.prop(
    "finds the places where another value makes the object one with that value",
    [jsonObject, jsonKey, jsonValue],
    ([{ members, text }, key, value]) => {
      const other: unknown = JSON.parse(value)
      const original: Record<string, unknown> = JSON.parse(text)
      const wanted = members.some(([name]) => name === key) ? { ...original, [key]: other } : original
      assert.strictEqual(JSON.stringify(JSON.parse(replaced(text, key, other))), JSON.stringify(wanted))
    },
    { fastCheck: { numRuns: 1000 } }
  )

  const table: ReadonlyArray<readonly [string, string, ReadonlyArray<string>]> = [
    ["an empty object", "{}", []],
    ["an object of nothing but space", " { \n } ", []],
    ["a key that is not there", '{"a":1}', []],
    ["a string", '{"model":"x"}', ['"x"']],
    ["a null", '{"model":null,"a":1}', ["null"]],
    ["a number with space around it", '{"model" :\t-1.5e3 \r\n}', ["-1.5e3"]],
    ["an object with the key in it", '{"model":{"model":1}}', ['{"model":1}']],
    ["an array with the key in it", '{"a":[{"model":1}],"model":[ "model" , 2 ]}', ['[ "model" , 2 ]']],
    ["the key as a value", '{"a":"model","b":["model",":"]}', []],
    [
      "quotes and braces in a string",
      String.raw`{"a":"\"model\":1}","model":"\\\"}"}`,
      [String.raw`"\\\"}"`]
    ],
    ["a backslash before the closing quote", String.raw`{"a":"\\","model":"\\"}`, [String.raw`"\\"`]],
    ["the key twice", '{"model":1,"a":2,"model":"x"}', ["1", '"x"']],
    ["the key in another spelling", String.raw`{"mod\u0065l":1,"\u006D\u006fdel":2}`, ["1", "2"]],
    ["an empty string", '{"model":""}', ['""']],
    ["a pretty-printed object", '{\n  "a": 1,\n  "model": true\n}', ["true"]]
  ]
  for (const [name, text, values] of table)
    it(`is right about ${name}`, () => assert.deepStrictEqual(found(text, "model"), values))

  it("finds an empty key", () => assert.deepStrictEqual(found('{"":1,"a":{"":2}}', ""), ["1"]))

  it("takes a long text of quotes and backslashes in its stride", () => {
    const value = JSON.stringify('\\"'.repeat(250_000))
    assert.deepStrictEqual(
      found(`{"a":${value},"model":${value}}`, "model").map(({ length }) => length),
      [value.length]
    )
  })
})

describe("members and elements", () => {
  it.prop(
    "find every member of an object, key and value, wherever it stands",
    [jsonObject, fc.string()],
    ([object, before]) => {
      const text = before.replaceAll("{", "") + object.text
      const found = members(text, text.indexOf("{"))
      assert.deepStrictEqual(
        found.map(({ key, to, valueFrom }): readonly [string, string] => [key, text.slice(valueFrom, to)]),
        object.members
      )
      for (const { from, key, to } of found) {
        const one: unknown = JSON.parse(`{${text.slice(from, to)}}`)
        assert.deepStrictEqual(Object.keys(one ?? {}), [key])
      }
    },
    { fastCheck: { numRuns: 1000 } }
  )

  it.prop(
    "find every element of an array, as it is written",
    [fc.array(jsonValue, { maxLength: 4 }), fc.constantFrom("", " ", "\n\t")],
    ([values, space]) => {
      const text = `[${space}${values.join(`${space},${space}`)}${space}], [1]`
      assert.deepStrictEqual(
        elements(text, 0).map(({ from, to }) => text.slice(from, to)),
        values.map((value) => value.trim())
      )
    },
    { fastCheck: { numRuns: 1000 } }
  )

  it("find nothing in what is empty", () => {
    assert.deepStrictEqual(elements("[]", 0), [])
    assert.deepStrictEqual(elements("[ \n ]", 0), [])
    assert.deepStrictEqual(members("{}", 0), [])
    assert.deepStrictEqual(members("{ \t }", 0), [])
  })
})

describe("isDeeperThan", () => {
  it.prop(
    "knows how deep a text nests, whatever its strings say",
    [jsonObject, fc.nat(6)],
    ([{ depth, text }, limit]) => {
      assert.strictEqual(isDeeperThan(text, limit), depth > limit)
    },
    { fastCheck: { numRuns: 1000 } }
  )

  const table: ReadonlyArray<readonly [string, number]> = [
    ["1", 0],
    ["{}", 1],
    ["[]", 1],
    ["[[],[],[]]", 2],
    ['{"a":[{"b":{}}]}', 4],
    ['["[[[[[[", "{{{{"]', 1],
    [String.raw`["\\\"[[[[", []]`, 2],
    [String.raw`{"\\":[1],"[":"]"}`, 2],
    [`${"[".repeat(500)}${"]".repeat(500)}`, 500]
  ]
  for (const [text, depth] of table)
    it(`takes ${text.slice(0, 30)} for ${depth} deep`, () => {
      assert.isFalse(isDeeperThan(text, depth))
      if (depth > 0) assert.isTrue(isDeeperThan(text, depth - 1))
    })

  it("is not impressed by a million brackets", () => {
    assert.isTrue(isDeeperThan("[".repeat(1_000_000), 100))
    assert.isFalse(isDeeperThan(JSON.stringify("[".repeat(1_000_000)), 100))
    assert.isFalse(isDeeperThan(`[${"[],".repeat(300_000)}[]]`, 100))
  })
})

describe("parseJson", () => {
  it.prop("agrees with JSON.parse on JSON", [jsonValue], ([text]) => {
    assert.deepStrictEqual(parseJson(text), JSON.parse(text))
  })

  it.prop("never throws, and says undefined to what is no JSON", [fc.string()], ([text]) => {
    // Whatever follows a bracket that closes nothing.
    assert.isUndefined(parseJson(`{"a":]${text}`))
  })
})

describe("the readers of fields", () => {
  const value = { text: "x", number: 0, list: [1], nothing: null }

  it("give what is there in the kind that is asked for", () => {
    assert.strictEqual(stringField(value, "text"), "x")
    assert.strictEqual(numberField(value, "number"), 0)
    assert.deepStrictEqual(arrayField(value, "list"), [1])
    assert.isNull(field(value, "nothing"))
  })

  it("give nothing where there is something of another kind", () => {
    assert.isUndefined(stringField(value, "number"))
    assert.isUndefined(numberField(value, "text"))
    assert.deepStrictEqual(arrayField(value, "text"), [])
    assert.isUndefined(stringField(value, "absent"))
  })

  it("look into objects only", () => {
    for (const other of [undefined, null, "text", 7, ["text"], true]) {
      assert.isFalse(isObject(other))
      assert.isUndefined(field(other, "length"))
      assert.isUndefined(stringField(other, "0"))
      assert.deepStrictEqual(arrayField(other, "0"), [])
    }
  })
})
