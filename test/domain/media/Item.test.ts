import { assert, describe, it } from "@effect/vitest"
import { Either } from "effect"
import * as fc from "effect/FastCheck"
import { describedBy, findingOf, itemOf, linkAgain, mediumOf } from "../../../src/domain/media/Item.ts"
import * as ItemQuery from "../../../src/domain/media/ItemQuery.ts"

const SHA = "ab".repeat(32)
const OTHER = "0c".repeat(32)

describe("an entry of the memory", () => {
  const entries: ReadonlyArray<readonly [string, string, ReturnType<typeof findingOf>]> = [
    [`pictures ${SHA} p1568`, SHA, "pictures"],
    [`pictures ${SHA} ${OTHER} p1568`, `${SHA} ${OTHER}`, "pictures"],
    [`whole ${SHA}`, SHA, "whole"],
    [`heard ${SHA} v1 base.en auto`, SHA, "heard"],
    [`description ${SHA} v1 test/vision v2 n`, describedBy(SHA), "description"],
    [`${SHA} v1 nauto p1024  base.en captions prefer`, SHA, "evidence"],
    [`${SHA} ${OTHER} v1 n4 p1024 host base.en captions off 1-2.5`, `${SHA} ${OTHER}`, "evidence"],
    ["youtube:dQw4w9WgXcQ v12 nauto p1024  base.en captions prefer", "youtube:dQw4w9WgXcQ", "evidence"]
  ]
  for (const [entry, medium, finding] of entries)
    it(`'${entry.slice(0, 40)}…' says what it is of`, () => {
      assert.deepStrictEqual([mediumOf(entry), findingOf(entry)], [medium, finding])
    })

  it("that is broken tells nothing, and never fails", () => {
    fc.assert(
      fc.property(fc.constantFrom(...entries.map(([entry]) => entry)), fc.json(), (entry, text) => {
        itemOf(entry, text)
        assert.isUndefined(itemOf(`${SHA} v1 nauto`, "{"))
      })
    )
  })

  it("tells the same of its medium as was found out, on one line each", () => {
    const frame = { time: 1, mime: "image/jpeg", width: 10, height: 5, bytes: 1, sha256: OTHER }
    const evidence = {
      ...{
        id: "",
        kind: "video",
        title: "A\n<b>film</b>",
        site: "YouTube",
        duration: 3700,
        width: 640,
        height: 360
      },
      seen: { frames: [frame], shots: 4, shotsShown: 1 },
      heard: {
        heard: 3700,
        duration: 3700,
        segments: [{ text: " One" }, { text: "two\u202E three ".repeat(40) }]
      }
    }
    const item = itemOf(`${SHA} v1 nauto`, JSON.stringify(evidence))
    assert.deepInclude(item, {
      id: SHA,
      kind: "video",
      title: "A ‹b>film‹/b>",
      site: "YouTube",
      cover: OTHER
    })
    assert.deepInclude(item, { duration: 3700, width: 640, height: 360 })
    assert.strictEqual(item?.coverage, "1 picture of 1 of 4 shots. 1:01:40 of 1:01:40 heard.")
    assert.match(item?.words ?? "", /^One two three two three .*…$/)
    assert.isAtMost(item?.words?.length ?? 0, 160)
    const silent = {
      kind: "video",
      seen: { nothing: "It broke." },
      heard: { nothing: "There is no sound in it." }
    }
    assert.strictEqual(
      itemOf(`${SHA} v1 nauto`, JSON.stringify(silent))?.coverage,
      "Nothing seen: It broke. Nothing heard: There is no sound in it."
    )
  })
})

describe("where a medium is to be had again", () => {
  it("is its link, where that is one still", () => {
    assert.strictEqual(linkAgain("youtube:dQw4w9WgXcQ", null), "https://www.youtube.com/watch?v=dQw4w9WgXcQ")
    assert.strictEqual(linkAgain(SHA, "http://a.example/b.mp4?c=1#t=3"), "http://a.example/b.mp4?c=1#t=3")
    for (const label of [
      ...[null, "", "data", "ftp://a.example/b.mp4", "https://a.example/b?token=[redacted]"],
      ...[
        "https://a.example/b… [12 more characters]",
        `https://a.example/${"b".repeat(2000)}`,
        "https://[",
        "youtube:x"
      ]
    ])
      assert.isUndefined(linkAgain(SHA, label), label ?? "")
  })
})

describe("a place in the list of media", () => {
  it("comes back as it was, and nothing else is taken for one", () => {
    fc.assert(
      fc.property(fc.string(), fc.maxSafeInteger(), (id, usedAt) => {
        const parameters = new URLSearchParams({ cursor: ItemQuery.encode({ id, usedAt }) })
        const query = Either.getOrThrow(ItemQuery.parse(parameters))
        assert.deepStrictEqual(query.after, { id, usedAt })
      })
    )
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (cursor) => {
        fc.pre(cursor.length < 12)
        assert.isTrue(Either.isLeft(ItemQuery.parse(new URLSearchParams({ cursor }))))
      })
    )
  })
})
