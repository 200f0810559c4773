import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import type { ChatRequest } from "../../src/domain/chat/ChatRequest.ts"
import { rewrite, withoutKey } from "../../src/domain/chat/Rewrite.ts"
import type { ContentEdit } from "../../src/domain/chat/Rewrite.ts"
import type { JsonObject } from "../../src/domain/Json.ts"
import { jsonKey, jsonObject, jsonValue } from "./JsonText.ts"

const asked = (text: string): ChatRequest => {
  const body: { readonly messages: ReadonlyArray<JsonObject> } = JSON.parse(text)
  return {
    bytes: Buffer.from(text),
    text,
    body: { ...body },
    messages: body.messages,
    model: undefined,
    stream: false
  }
}

const edit = (
  message: number,
  replace: Readonly<Record<number, ReadonlyArray<JsonObject>>>,
  append: ReadonlyArray<JsonObject> = [],
  without: ReadonlyArray<string> = []
): ContentEdit => ({
  message,
  replace: new Map(Object.entries(replace).map(([index, parts]) => [Number(index), parts])),
  append,
  without
})

const holdsTogether = (request: ChatRequest): void => {
  assert.strictEqual(Buffer.from(request.bytes).toString(), request.text)
  assert.deepStrictEqual(JSON.parse(request.text), request.body)
  assert.deepStrictEqual(request.body["messages"], request.messages)
}

const N = { type: "text", text: "new" }
const NEW = '{"type":"text","text":"new"}'

describe("rewrite", () => {
  const table: ReadonlyArray<readonly [string, string, ContentEdit, string]> = [
    [
      "makes a string the first part, letter by letter",
      String.raw`{"messages":[{"role":"user","content":"l\u006fok \ud83d\ude00 \/"}]}`,
      edit(0, {}, [N]),
      String.raw`{"messages":[{"role":"user","content":[{"type":"text","text":"l\u006fok \ud83d\ude00 \/"},${NEW}]}]}`
    ],
    [
      "replaces a string",
      '{"messages":[{"content" : "old" ,"role":"user"}]}',
      edit(0, { 0: [N] }),
      `{"messages":[{"content" : [${NEW}] ,"role":"user"}]}`
    ],
    [
      "takes a string out",
      '{"messages":[{"content":"old"}]}',
      edit(0, { 0: [] }, [N]),
      `{"messages":[{"content":[${NEW}]}]}`
    ],
    [
      "replaces a part and leaves the rest of the list as it is written",
      '{"messages":[{"content":[ {"a":1.0e2} ,\n{"b":2} ,\t{"c":3,"c":4} ] }]}',
      edit(0, { 1: [N, N] }),
      `{"messages":[{"content":[ {"a":1.0e2} ,\n${NEW},${NEW} ,\t{"c":3,"c":4} ] }]}`
    ],
    [
      "takes the first part out",
      '{"messages":[{"content":[ {"a":1} ,\n{"b":2} ,\t{"c":3} ]}]}',
      edit(0, { 0: [] }),
      '{"messages":[{"content":[ {"b":2} ,\t{"c":3} ]}]}'
    ],
    [
      "takes the last part out",
      '{"messages":[{"content":[ {"a":1} ,\n{"b":2} ,\t{"c":3} ]}]}',
      edit(0, { 2: [] }),
      '{"messages":[{"content":[ {"a":1} ,\n{"b":2} ]}]}'
    ],
    [
      "takes all parts out and adds one",
      '{"messages":[{"content":[ {"a":1} ,\n{"b":2} ]}]}',
      edit(0, { 0: [], 1: [] }, [N]),
      `{"messages":[{"content":[ ${NEW} ]}]}`
    ],
    [
      "adds to a list",
      '{"messages":[{"content":[ {"a":1} ]}]}',
      edit(0, {}, [N, N]),
      `{"messages":[{"content":[ {"a":1},${NEW},${NEW} ]}]}`
    ],
    [
      "adds to an empty list",
      '{"messages":[{"content":[ ]}]}',
      edit(0, {}, [N]),
      `{"messages":[{"content":[${NEW} ]}]}`
    ],
    [
      "adds to nothing",
      '{"messages":[{"content": null}]}',
      edit(0, {}, [N]),
      `{"messages":[{"content": [${NEW}]}]}`
    ],
    [
      "adds to a message without content",
      '{"messages":[{"role":"user" }]}',
      edit(0, {}, [N]),
      `{"messages":[{"role":"user","content":[${NEW}] }]}`
    ],
    [
      "takes the last of two contents and of two lists of messages, as JSON.parse does",
      String.raw`{"messages":[{"content":"x"}],"messages":[{"content":"a","c\u006fntent":"b","z":[]}],"a":{"messages":[]}}`,
      edit(0, { 0: [N] }),
      String.raw`{"messages":[{"content":"x"}],"messages":[{"content":"a","c\u006fntent":[${NEW}],"z":[]}],"a":{"messages":[]}}`
    ],
    [
      "takes a message's other media with it",
      '{"messages":[{"images": ["aGk="] , "content":"old","role":"user"}]}',
      edit(0, {}, [N], ["images"]),
      `{"messages":[{"content":[{"type":"text","text":"old"},${NEW}],"role":"user"}]}`
    ],
    [
      "takes nothing but them",
      '{"messages":[{"role":"user", "images": ["aGk="] }]}',
      edit(0, {}, [], ["images"]),
      '{"messages":[{"role":"user" }]}'
    ],
    [
      "edits the message that is meant, whatever the others say",
      String.raw`{ "messages" : [ {"content":"]}\\"} , {"content":"old"},{"content":[]} ] , "big":12345678901234567890.10}`,
      edit(1, { 0: [N] }),
      String.raw`{ "messages" : [ {"content":"]}\\"} , {"content":[${NEW}]},{"content":[]} ] , "big":12345678901234567890.10}`
    ]
  ]
  for (const [name, text, change, wanted] of table)
    it(name, () => {
      const request = rewrite(asked(text), [change])
      assert.strictEqual(request.text, wanted)
      holdsTogether(request)
    })

  it("gives back the very request where nothing is to be changed", () => {
    const request = asked('{"messages":[{"content":"a"},{"content":[{}]},{"content":null}]}')
    const nothing = [
      edit(0, {}),
      edit(0, { 1: [N] }),
      edit(1, { 1: [N], [-1]: [N] }),
      edit(2, { 0: [N] }),
      edit(2, {}, [], ["images"]),
      edit(7, { 0: [N] }, [N])
    ]
    for (const change of nothing) assert.strictEqual(rewrite(request, [change]), request)
    assert.strictEqual(rewrite(request, nothing), request)
  })

  it("joins the edits of one message", () => {
    const request = asked('{"messages":[{"content":[{"a":1},{"b":2}]}]}')
    const joined = rewrite(request, [edit(0, { 0: [] }, [N]), edit(0, { 1: [N] })])
    assert.strictEqual(joined.text, `{"messages":[{"content":[${NEW},${NEW}]}]}`)
  })

  it("leaves the request it was given alone, and what it knows besides", () => {
    const request = { ...asked('{"messages":[{"content":"a"}],"n":1}'), model: "a/b", stream: true }
    const before = structuredClone(request)
    const after = rewrite(request, [edit(0, {}, [N])])
    assert.deepStrictEqual(request, before)
    assert.strictEqual(after.model, "a/b")
    assert.isTrue(after.stream)
  })

  it("handles a body of many megabytes", () => {
    const picture = `data:image/png;base64,${"iVBORw0KGgo+/A".repeat(1_500_000)}`
    const part = JSON.stringify({ type: "image_url", image_url: { url: picture } })
    const request = asked(`{"messages":[{"content":[${part},{"a":1}]},{"content":[${part}]}]}`)
    const slim = rewrite(request, [edit(0, { 0: [N] }), edit(1, {}, [N])])
    assert.strictEqual(slim.text, `{"messages":[{"content":[${NEW},{"a":1}]},{"content":[${part},${NEW}]}]}`)
  })

  const part = fc
    .dictionary(fc.string({ maxLength: 3 }), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 2 })
    .map((value): JsonObject => JSON.parse(JSON.stringify({ type: "new", ...value })))

  const edits = fc.array(
    fc.record({
      message: fc.nat(3),
      replace: fc
        .array(fc.tuple(fc.nat(3), fc.array(part, { maxLength: 2 })), { maxLength: 3 })
        .map((parts) => new Map(parts)),
      append: fc.array(part, { maxLength: 2 }),
      without: fc.subarray(["images", "a", "1"])
    }),
    { maxLength: 3 }
  )

  const gap = fc.constantFrom("", "", "", " ", "\n  ", "\t", "\r\n")
  const junk = fc.tuple(jsonKey, jsonValue).map(([key, value]) => `${JSON.stringify(key)}:${value}`)
  const contentText = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 8 }).map((text) => JSON.stringify(text)),
    fc
      .tuple(fc.array(fc.tuple(gap, jsonObject, gap), { maxLength: 4 }), gap)
      .map(([parts, end]) => `[${parts.map(([from, { text }, to]) => from + text + to).join(",")}${end}]`),
    fc.constant("null")
  )
  const named = fc.tuple(fc.constantFrom('"content"', '"c\\u006fntent"'), gap, gap)

  /** The text of a message, its last content apart. */
  const messageText = fc
    .record({ before: fc.array(junk, { maxLength: 2 }), early: fc.boolean(), named, content: contentText })
    .chain(({ before, content, early, named: [key, from, to] }) =>
      fc.tuple(fc.array(junk, { maxLength: 2 }), gap, gap).map(([after, start, end]) => {
        const said = ['"role":"user"', ...before, ...(early ? ['"content":"early"'] : [])]
        return {
          before: `{${start}${said.join(`${start},`)},${key}${from}:${to}`,
          content,
          after: `${["", ...after].join(`${end},`)}${end}}`
        }
      })
    )

  const pieces = fc.record({
    head: fc
      .tuple(gap, fc.array(junk, { maxLength: 2 }))
      .map(([space, said]) => `${space}{${[...said, '"messages"'].join(",")}:[`),
    messages: fc.array(messageText, { minLength: 1, maxLength: 3 }),
    tail: fc
      .tuple(
        gap,
        fc.array(
          junk.filter((member) => !member.startsWith('"messages"')),
          { maxLength: 2 }
        )
      )
      .map(([space, said]) => `]${["", ...said].join(`${space},`)}}${space}`)
  })

  /** The edits, made on what JSON.parse gives. */
  const applied = (body: JsonObject, changes: ReadonlyArray<ContentEdit>): unknown => {
    const copy: { messages: Array<Record<string, unknown>> } = JSON.parse(JSON.stringify(body))
    copy.messages.forEach((message, index) => {
      const mine = changes.filter((change) => change.message === index)
      const { content } = message
      const parts = typeof content === "string" ? [{ type: "text", text: content }] : (content ?? [])
      const list = Array.isArray(parts) ? parts : []
      const added = mine.flatMap(({ append }) => append)
      const replaced = new Map(mine.flatMap(({ replace }) => Array.from(replace)))
      if (added.length > 0 || list.some((_, at) => replaced.has(at)))
        message["content"] = [...list.flatMap((part, at) => replaced.get(at) ?? [part]), ...added]
      for (const key of mine.flatMap(({ without = [] }) => without)) delete message[key]
    })
    return copy
  }

  it.prop(
    "makes the text say what the edits make of its meaning",
    [pieces, edits],
    ([{ head, messages, tail }, changes]) => {
      const text =
        head + messages.map(({ after, before, content }) => before + content + after).join(",") + tail
      const request = asked(text)
      const after = rewrite(request, changes)
      assert.deepStrictEqual(JSON.parse(after.text), applied(request.body, changes))
      holdsTogether(after)
    },
    { fastCheck: { numRuns: 1000 } }
  )

  it.prop(
    "changes the content that is meant and no other letter",
    [pieces, edits, fc.nat(2)],
    ([{ head, messages, tail }, changes, chosen]) => {
      const index = chosen % messages.length
      const mine = changes.map(({ append, replace }) => ({ message: index, append, replace }))
      const pieces = messages.map(({ after, before, content }) => [before, content, after] as const)
      const text = head + pieces.map((piece) => piece.join("")).join(",") + tail
      const after = rewrite(asked(text), mine).text
      const [before = "", content = "", behind = ""] = pieces[index] ?? []
      const left =
        head +
        pieces
          .slice(0, index)
          .map((piece) => `${piece.join("")},`)
          .join("") +
        before
      const right =
        behind +
        pieces
          .slice(index + 1)
          .map((piece) => `,${piece.join("")}`)
          .join("") +
        tail
      assert.strictEqual(after.slice(0, left.length), left)
      assert.strictEqual(after.slice(after.length - right.length), right)
      const now: unknown = JSON.parse(after.slice(left.length, after.length - right.length))
      if (mine.every(({ append, replace }) => append.length === 0 && replace.size === 0))
        assert.deepStrictEqual(now, JSON.parse(content))
    },
    { fastCheck: { numRuns: 1000 } }
  )
})

describe("withoutKey", () => {
  const table: ReadonlyArray<readonly [string, string]> = [
    ['{"percept":{"a":[1,{"percept":2}]},"messages":[]}', '{"messages":[]}'],
    ['{"messages":[],"percept":"x"}', '{"messages":[]}'],
    ['{ "messages":[] , "percept" : 1.0 , "n":1e2 }', '{ "messages":[] , "n":1e2 }'],
    ['\n{ "percept":1 ,\n"messages":[] ,"percept":2 } ', '\n{ "messages":[] } '],
    [
      String.raw`{"perc\u0065pt":1,"messages":["percept",{"percept":1}]}`,
      '{"messages":["percept",{"percept":1}]}'
    ]
  ]
  for (const [text, wanted] of table)
    it(`makes ${wanted.trim()} of ${text.trim()}`, () => {
      const request = withoutKey(asked(text), "percept")
      assert.strictEqual(request.text, wanted)
      holdsTogether(request)
    })

  it("gives back the very request where the key is not said", () => {
    const request = asked('{"messages":[{"percept":1}],"toString":1}')
    assert.strictEqual(withoutKey(request, "percept"), request)
    assert.strictEqual(withoutKey(request, "valueOf"), request)
  })

  it.prop(
    "takes every member of that name out, and leaves the others as they are written",
    [jsonObject, jsonKey],
    ([{ members, text }, key]) => {
      const request = { ...asked('{"messages":[]}'), text, body: JSON.parse(text) as JsonObject }
      const after = withoutKey(request, key)
      const { [key]: _, ...rest } = request.body
      assert.deepStrictEqual(JSON.parse(after.text), rest)
      assert.deepStrictEqual(after.body, rest)
      let at = 0
      for (const [name, value] of members)
        if (name !== key) {
          at = after.text.indexOf(value, at)
          assert.isAtLeast(at, 0)
          at += value.length
        }
    },
    { fastCheck: { numRuns: 1000 } }
  )
})
