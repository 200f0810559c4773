import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { conditions, filenameOf, isSame, validatorsOf } from "../../../src/domain/media/HttpFacts.ts"
import type { Headers } from "../../../src/domain/media/HttpFacts.ts"

const DATE = "Fri, 06 Nov 2026 08:49:37 GMT"

describe("validators", () => {
  const cases: ReadonlyArray<
    readonly [Headers, etag?: string | undefined, lastModified?: string | undefined, length?: number]
  > = [
    [{}],
    [{ etag: `"a"`, "last-modified": DATE, "content-length": "12" }, `"a"`, DATE, 12],
    [{ etag: `W/"a b"` }],
    [{ etag: `W/"a"` }, `W/"a"`],
    [{ etag: `""` }, `""`],
    [{ etag: "a" }],
    [{ etag: `"a"b"` }],
    [{ etag: `"ä"` }],
    [{ etag: `"${"a".repeat(501)}"` }],
    [{ etag: [`"a"`, `"b"`] }, `"a"`],
    [{ "last-modified": "yesterday\r\nx-other: 1" }],
    [{ "last-modified": "" }],
    [{ "content-length": "-1" }],
    [{ "content-length": "1e3" }],
    [{ "content-length": "0" }, undefined, undefined, 0]
  ]
  for (const [headers, etag, lastModified, length] of cases)
    it(`of ${JSON.stringify(headers).slice(0, 60)}`, () =>
      assert.deepStrictEqual(validatorsOf(headers), { etag, lastModified, length }))

  it("are asked by, those there are", () => {
    const none = { etag: undefined, lastModified: undefined, length: 5 }
    assert.deepStrictEqual(conditions(none), {})
    assert.deepStrictEqual(conditions({ ...none, etag: `"a"` }), { "if-none-match": `"a"` })
    assert.deepStrictEqual(conditions({ ...none, lastModified: DATE }), { "if-modified-since": DATE })
  })

  it("of nothing are never the same, and those of a strong mark are", () => {
    const value = fc.constantFrom(undefined, `"a"`, `"b"`, `W/"a"`)
    const length = fc.constantFrom(undefined, 1, 2)
    const validators = fc.record({ etag: value, lastModified: value, length })
    fc.assert(
      fc.property(validators, validators, (known, now) => {
        const same = isSame(known, now)
        if (known.etag === undefined && known.lastModified === undefined) assert.isFalse(same)
        if (known.etag === `"a"` && now.etag === `"a"`) assert.isTrue(same)
        if (known.etag !== undefined && now.etag !== undefined && known.etag !== now.etag)
          assert.isFalse(same)
        assert.strictEqual(same, isSame(now, known))
      }),
      { numRuns: 2000 }
    )
  })
})

describe("the name of a file", () => {
  const cases: ReadonlyArray<
    readonly [disposition: string | undefined, path: string, name: string | undefined]
  > = [
    [undefined, "/a/b.mp4", "b.mp4"],
    [undefined, "/a/b%20c.mp4?d=e#f", "b c.mp4"],
    [undefined, "/", undefined],
    [undefined, "/a/", undefined],
    [undefined, "/a/%2e%2e%2f", undefined],
    [undefined, "/..%2f..%2fetc%2fpasswd", "passwd"],
    [undefined, "/a/%E4%B8%AD.mp4", "中.mp4"],
    [undefined, "/a/%ff.mp4", "%ff.mp4"],
    [`attachment; filename="x.mp4"`, "/a/b", "x.mp4"],
    [`attachment; filename=x.mp4`, "/a/b", "x.mp4"],
    [`attachment; filename="../../x.mp4"`, "/a/b", "x.mp4"],
    [`attachment; filename="..\\\\..\\\\x.mp4"`, "/a/b", "x.mp4"],
    [`attachment; filename="a\\"b.mp4"`, "/a/b", `a"b.mp4`],
    [`attachment; filename="x.mp4"; filename*=UTF-8''%e2%82%ac.mp4`, "/a/b", "€.mp4"],
    [`attachment; filename=".."`, "/a/b", undefined],
    [`attachment`, "/a/b.mp4", "b.mp4"],
    [`attachment; filename="a\u0000\u001b[31m\u202eb.mp4"`, "/", "a[31mb.mp4"],
    [`attachment; filename="${"a".repeat(300)}"`, "/", "a".repeat(200)]
  ]
  for (const [disposition, path, name] of cases)
    it(`is ${JSON.stringify(name)?.slice(0, 30)} for ${JSON.stringify(disposition ?? path).slice(0, 60)}`, () =>
      assert.strictEqual(
        filenameOf({ "content-disposition": disposition }, new URL(path, "http://example.com")),
        name
      ))
})
