import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import type { ChatRequest } from "../../../src/domain/chat/ChatRequest.ts"
import { rewrite } from "../../../src/domain/chat/Rewrite.ts"
import { arrayField, stringField } from "../../../src/domain/Json.ts"
import type { JsonObject } from "../../../src/domain/Json.ts"
import { choose } from "../../../src/domain/media/Choice.ts"
import type { Item } from "../../../src/domain/media/Choice.ts"
import { editsFor } from "../../../src/domain/media/Edits.ts"
import type { Shown } from "../../../src/domain/media/Edits.ts"
import { findMedia } from "../../../src/domain/media/MediaRef.ts"
import type { MediaRef } from "../../../src/domain/media/MediaRef.ts"

const DATA = `data:image/png;base64,${"iVBORw0KGgo".padEnd(60, "A")}`

const keyOf = ({ source }: MediaRef): string => ("link" in source ? source.link.key : source.data)

/** The messages as a model gets them, with each medium shown as `show` has it. */
const edited = (
  messages: ReadonlyArray<JsonObject>,
  show: (item: Item) => Shown
): ReadonlyArray<JsonObject> => {
  const { items } = choose(
    findMedia(messages, { roles: ["user"], sites: ["youtube.com"], sniff: false }),
    keyOf,
    64
  )
  const edits = editsFor(
    messages,
    items.map((item) => ({ item, shown: show(item) }))
  )
  return rewrite(asked(messages), edits).messages
}

const asked = (messages: ReadonlyArray<JsonObject>): ChatRequest => {
  const text = JSON.stringify({ messages })
  return { bytes: Buffer.from(text), text, body: { messages }, messages, model: undefined, stream: false }
}

const text = (text: string): JsonObject => ({ type: "text", text })
const image = (url: string, rest: object = {}): JsonObject => ({
  type: "image_url",
  image_url: { url, ...rest }
})
const film = (url: string): JsonObject => ({ type: "video_url", video_url: { url } })
const user = (content: unknown, rest: object = {}): JsonObject => ({ role: "user", content, ...rest })

/** What is shown beside the words. */
const beside: (item: Item) => Shown = ({ key }) => ({ inPlace: [], after: [text(`shown ${key}`)] })

/** What takes the part's place. */
const instead: (item: Item) => Shown = ({ key }) => ({ inPlace: [image(`data:new ${key}`)], after: [] })

const A = "https://a.example/a.mp4"
const B = "https://a.example/b.mp4"
const P = "https://a.example/p.png"

describe("edits", () => {
  const table: ReadonlyArray<
    readonly [string, ReadonlyArray<JsonObject>, (item: Item) => Shown, ReadonlyArray<JsonObject>]
  > = [
    ["of nothing change nothing", [user("hello")], beside, [user("hello")]],
    [
      "put what is shown behind the user's own words",
      [user(`What is ${A}?`)],
      beside,
      [user([text(`What is ${A}?`), text(`shown ${A}`)])]
    ],
    [
      "put two media in the order they were named",
      [user(`${B} and ${A}`)],
      beside,
      [user([text(`${B} and ${A}`), text(`shown ${B}`), text(`shown ${A}`)])]
    ],
    [
      "take a part out and show it behind all others",
      [user([film(A), text("What is this?")])],
      beside,
      [user([text("What is this?"), text(`shown ${A}`)])]
    ],
    [
      "put a picture where the picture was",
      [user([text("one"), image(P), text("two")])],
      instead,
      [user([text("one"), image(`data:new ${P}`), text("two")])]
    ],
    [
      "leave a part that is fine as it is",
      [user([text("one"), image(DATA)])],
      () => ({ inPlace: [image(DATA)], after: [] }),
      [user([text("one"), image(DATA)])]
    ],
    [
      "show what is named in a later message where it was named first",
      [user(`Look: ${A}`), { role: "assistant", content: "Yes." }, user(`Again ${A}`)],
      beside,
      [
        user([text(`Look: ${A}`), text(`shown ${A}`)]),
        { role: "assistant", content: "Yes." },
        user(`Again ${A}`)
      ]
    ],
    [
      "put the same picture everywhere it came as a part",
      [user([image(P)]), user([image(P), text("again")])],
      instead,
      [user([image(`data:new ${P}`)]), user([image(`data:new ${P}`), text("again")])]
    ],
    [
      "move Ollama's images into the content",
      [user("What is this?", { images: [DATA, P] })],
      ({ key }) => ({ inPlace: [], after: [image(key)] }),
      [user([text("What is this?"), image(DATA), image(P)])]
    ],
    [
      "move them also where there are no words",
      [{ role: "user", images: [P] }],
      ({ key }) => ({ inPlace: [], after: [image(key)] }),
      [{ role: "user", content: [image(P)] }]
    ],
    [
      "take data out of a text, so that it is not sent twice",
      [user(`What is ${DATA} here?`)],
      ({ key }) => ({ inPlace: [], after: [image(key)] }),
      [user([text("What is (see below) here?"), image(DATA)])]
    ],
    [
      "take several out of one text part and keep what else it carries",
      [user([{ ...text(`${DATA} or ${DATA}B, and ${A}`), cache_control: { type: "ephemeral" } }, text("?")])],
      ({ key }) => ({ inPlace: [], after: [text(`shown ${key}`)] }),
      [
        user([
          {
            ...text(`(see below) or (see below), and ${A}`),
            cache_control: { type: "ephemeral" }
          },
          text("?"),
          text(`shown ${DATA}`),
          text(`shown ${DATA}B`),
          text(`shown ${A}`)
        ])
      ]
    ],
    [
      "keep what else a part says that is replaced",
      [user([{ ...image(P, { detail: "low" }), cache_control: { type: "ephemeral" } }])],
      instead,
      [user([{ ...image(`data:new ${P}`, { detail: "low" }), cache_control: { type: "ephemeral" } }])]
    ],
    [
      "keep it once where several parts take the place of one",
      [user([{ ...film(A), cache_control: { type: "ephemeral" } }])],
      () => ({ inPlace: [text("one"), text("two")], after: [] }),
      [user([text("one"), { ...text("two"), cache_control: { type: "ephemeral" } }])]
    ],
    [
      "say so where a film comes once more",
      [user([film(A), text("one")]), user([film(A)])],
      beside,
      [user([text("one"), text(`shown ${A}`)]), user([text("(see above)")])]
    ],
    [
      "say so where an image of Ollama's comes once more",
      [user("one", { images: [DATA] }), user("two", { images: [DATA] })],
      ({ key }) => ({ inPlace: [], after: [image(key)] }),
      [user([text("one"), image(DATA)]), user([text("two"), text("(see above)")])]
    ],
    [
      "say so where data are written into a text once more",
      [user(`one ${DATA}`), user(`two ${DATA}`)],
      ({ key }) => ({ inPlace: [], after: [image(key)] }),
      [user([text("one (see below)"), image(DATA)]), user([text("two (see above)")])]
    ]
  ]
  for (const [name, messages, show, wanted] of table)
    it(name, () => assert.deepStrictEqual(edited(messages, show), wanted))
})

describe("any edits", () => {
  const part = fc.oneof(
    fc.string().map((words) => text(words.replaceAll("/", " "))),
    fc.constantFrom(
      ...[text(`see ${A}`), text(`${B}, ${A}`), text(`data ${DATA}`), film(A), film(B), image(P), image(DATA)]
    )
  )
  const message = fc.oneof(
    fc.array(part, { maxLength: 5 }).map((parts) => user(parts)),
    fc.constantFrom(`see ${A}`, "nothing", `${DATA}`, `${A} ${P}`).map((words) => user(words)),
    fc.constantFrom(user("two", { images: [DATA, P] }), { role: "assistant", content: `see ${A}` })
  )
  const chat = fc.array(message, { minLength: 1, maxLength: 6 })

  const show = fc.constantFrom<(item: Item) => Shown>(
    ({ item, key, of }) => ({ inPlace: [], after: [text(`${item} of ${of}: ${key}`)] }),
    ({ item, key, of }) => ({ inPlace: [text(`${item} of ${of}: ${key}`)], after: [] }),
    ({ key }) => ({ inPlace: [], after: [text(key)] })
  )

  it("leave older messages as they were when the chat goes on", () => {
    fc.assert(
      fc.property(chat, chat, show, (before, after, show) => {
        const is = edited([...before, ...after], show)
        assert.deepStrictEqual(is.slice(0, before.length), edited(before, show))
      })
    )
  })

  it("keep the words of everybody, first and in order", () => {
    fc.assert(
      fc.property(chat, show, (chat, show) => {
        edited(chat, show).forEach((message, at) => {
          const own = wordsIn(chat[at]).map((words) => words.replaceAll(DATA, ""))
          const told = wordsIn(message).map((words) => words.replace(/\(see (?:below|above)\)/g, ""))
          const left = [...told]
          for (const words of own) {
            const found = left.indexOf(words)
            assert.isAtLeast(found, 0, `${JSON.stringify(words)} in ${JSON.stringify(told)}`)
            left.splice(0, found + 1)
          }
        })
      })
    )
  })

  it("leave no message of a user without any content", () => {
    fc.assert(
      fc.property(chat, show, (chat, show) => {
        const spoken = chat.filter((message) => JSON.stringify(message["content"]) !== "[]")
        for (const message of edited(spoken, show)) assert.notDeepEqual(message["content"], [])
      })
    )
  })
})

const wordsIn = (message: JsonObject | undefined): ReadonlyArray<string> => {
  const content = message?.["content"]
  if (typeof content === "string") return [content]
  return arrayField(message, "content").flatMap((part) => stringField(part, "text") ?? [])
}
