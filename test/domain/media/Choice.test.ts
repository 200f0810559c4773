import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { choose } from "../../../src/domain/media/Choice.ts"
import type { Choice, Item } from "../../../src/domain/media/Choice.ts"
import type { MediaRef } from "../../../src/domain/media/MediaRef.ts"

type Kind = MediaRef["kind"]

/** A link in a message's words. */
const link = (message: number, name: string, kind: Kind = "video"): MediaRef => ({
  message,
  part: undefined,
  kind,
  param: `messages[${message}].content`,
  inText: true,
  source: {
    link: { url: new URL(`https://a.example/${name}`), kind: kind === "site" ? "video" : kind, key: name }
  }
})

/** Bytes that came along as a part. */
const data = (message: number, name: string, kind: Kind = "image"): MediaRef => ({
  message,
  part: 0,
  kind,
  param: `messages[${message}].content[0]`,
  inText: false,
  source: { data: name, declared: undefined }
})

const keyOf = ({ source }: MediaRef): string => ("link" in source ? source.link.key : `data:${source.data}`)

const keys = (items: ReadonlyArray<Item>) => items.map(({ key }) => key)

const shape = ({ items, skipped }: Choice) => [keys(items), keys(skipped)]

const MANY = 64

describe("the choice of media", () => {
  const table: ReadonlyArray<
    readonly [string, ReadonlyArray<MediaRef>, number, ReadonlyArray<string>, ReadonlyArray<string>]
  > = [
    ["of nothing is nothing", [], 8, [], []],
    ["takes all within the limit", [link(0, "a"), link(2, "b")], 2, ["a", "b"], []],
    ["takes the newest", [link(0, "a"), link(2, "b"), link(4, "c")], 2, ["b", "c"], ["a"]],
    ["takes one", [link(0, "a"), link(2, "b"), link(4, "c")], 1, ["c"], ["a", "b"]],
    ["of one message takes the first", [link(0, "a"), link(0, "b"), link(0, "c")], 2, ["a", "b"], ["c"]],
    [
      "counts one that is named again as new",
      [link(0, "a"), link(2, "b"), link(4, "c"), link(4, "a")],
      2,
      ["a", "c"],
      ["b"]
    ],
    [
      "counts no picture that came along",
      [data(0, "p"), link(0, "a"), data(2, "q"), data(2, "r")],
      1,
      ["data:p", "a", "data:q", "data:r"],
      []
    ],
    [
      "takes no more pictures that came along than any conversation has",
      Array.from({ length: 258 }, (_, at) => data(at, `p${at}`)),
      8,
      Array.from({ length: 256 }, (_, at) => `data:p${at + 2}`),
      ["data:p0", "data:p1"]
    ],
    [
      "counts films and sounds that came along, and pictures that have to be fetched",
      [data(0, "film", "video"), data(0, "song", "audio"), link(2, "picture", "image")],
      1,
      ["picture"],
      ["data:film", "data:song"]
    ]
  ]
  for (const [name, refs, limit, items, skipped] of table)
    it(name, () => assert.deepStrictEqual(shape(choose(refs, keyOf, limit)), [items, skipped]))

  it("shows a medium where it is named first, and knows all its places", () => {
    const refs = [link(0, "a"), link(1, "b"), link(2, "a"), link(2, "a")]
    const { items } = choose(refs, keyOf, MANY)
    assert.deepStrictEqual(keys(items), ["a", "b"])
    assert.strictEqual(items[0]?.ref, refs[0])
    assert.deepStrictEqual(
      items[0]?.all,
      refs.filter((_, at) => at !== 1)
    )
  })

  it("numbers media within their own message, those passed over too", () => {
    const refs = [link(0, "a"), link(0, "b"), link(2, "c"), link(2, "a"), data(2, "p"), link(2, "d")]
    const { items, skipped } = choose(refs, keyOf, 3)
    const places = [...items, ...skipped].map(({ item, key, of }) => [key, item, of])
    assert.deepStrictEqual(places, [
      ["a", 1, 2],
      ["c", 1, 3],
      ["data:p", 2, 3],
      ["d", 3, 3],
      ["b", 2, 2]
    ])
  })
})

describe("any choice", () => {
  /** Media of a chat in order of appearance; few names, so that many are named twice. */
  const refs = fc
    .array(
      fc.record({
        name: fc.constantFrom("a", "b", "c", "d", "e", "f"),
        along: fc.boolean(),
        kind: fc.constantFrom<Kind>("image", "video", "audio", "site", "unknown"),
        later: fc.integer({ min: 0, max: 2 })
      }),
      { maxLength: 20 }
    )
    .map((found) => {
      let message = 0
      return found.map(({ along, kind, later, name }) => {
        message += later
        // The same name is the same medium, and so of one kind.
        return along ? data(message, name, "image") : link(message, name + kind, kind)
      })
    })

  const isFree = ({ ref }: Item) => ref.kind === "image" && "data" in ref.source

  const newest = ({ all }: Item) => Math.max(...all.map(({ message }) => message))

  it("loses nothing, doubles nothing, and keeps the order", () => {
    fc.assert(
      fc.property(refs, fc.integer({ min: 1, max: 8 }), (refs, limit) => {
        const { items, skipped } = choose(refs, keyOf, limit)
        const distinct = Array.from(new Set(refs.map(keyOf)))
        assert.sameMembers(keys([...items, ...skipped]), distinct)
        for (const some of [items, skipped])
          assert.deepStrictEqual(
            keys(some),
            distinct.filter((key) => keys(some).includes(key))
          )
        assert.sameMembers(
          [...items, ...skipped].flatMap(({ all }) => all),
          [...refs]
        )
        for (const item of [...items, ...skipped]) assert.strictEqual(item.ref, item.all[0])
      })
    )
  })

  it("takes as many as it may, and none that is older than one it passes over", () => {
    fc.assert(
      fc.property(refs, fc.integer({ min: 1, max: 8 }), (refs, limit) => {
        const { items, skipped } = choose(refs, keyOf, limit)
        const counted = items.filter((item) => !isFree(item))
        assert.isFalse(skipped.some(isFree))
        assert.strictEqual(counted.length, Math.min(limit, counted.length + skipped.length))
        for (const item of counted) for (const other of skipped) assert.isAtLeast(newest(item), newest(other))
      })
    )
  })

  it("gives an older message's media the same place when the chat goes on", () => {
    fc.assert(
      fc.property(refs, refs, (before, after) => {
        const last = before.at(-1)?.message ?? 0
        const more = after.map((ref) => ({ ...ref, message: ref.message + last + 1 }))
        const was = choose(before, keyOf, MANY).items
        const is = choose([...before, ...more], keyOf, MANY).items
        const place = ({ item, key, of, ref }: Item) => ({ key, item, of, param: ref.param })
        assert.deepStrictEqual(is.slice(0, was.length).map(place), was.map(place))
      })
    )
  })
})
