import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import type { JsonObject } from "../../../src/domain/Json.ts"
import { findMedia, mayHoldMedia } from "../../../src/domain/media/MediaRef.ts"
import type { FindOptions, MediaRef } from "../../../src/domain/media/MediaRef.ts"

const ID = "dQw4w9WgXcQ"
const OPTIONS: FindOptions = { roles: ["user"], sites: ["youtube.com", "vimeo.com"], sniff: false }
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
const PNG_URL = `data:image/png;base64,${PNG}`

const user = (content: unknown): JsonObject => ({ role: "user", content })
const text = (text: string): JsonObject => ({ type: "text", text })

const find = (messages: ReadonlyArray<JsonObject>, options: Partial<FindOptions> = {}) => {
  const refs = findMedia(messages, { ...OPTIONS, ...options })
  // What says it may hold nothing must hold nothing, in any spelling of the slash.
  const raw = JSON.stringify({ messages })
  assert.isTrue(refs.length === 0 || mayHoldMedia(raw), raw)
  assert.isTrue(refs.length === 0 || mayHoldMedia(raw.replaceAll("/", "\\/")), raw)
  return refs
}

const one = (messages: ReadonlyArray<JsonObject>, options: Partial<FindOptions> = {}): MediaRef => {
  const refs = find(messages, options)
  assert.strictEqual(refs.length, 1)
  const [ref] = refs
  assert.isDefined(ref)
  return ref
}

/** A reference in a line: where, what, and of what. */
const line = ({ inText, kind, param, source }: MediaRef): string =>
  `${param} ${inText ? "says" : "is"} ${kind} ${"link" in source ? source.link.key : `${source.declared} ${source.data.slice(0, 20)}`}`

const lines = (messages: ReadonlyArray<JsonObject>, options: Partial<FindOptions> = {}) =>
  find(messages, options).map(line)

describe("parts", () => {
  const parts: ReadonlyArray<readonly [name: string, part: JsonObject, wanted: string | undefined]> = [
    [
      "a picture's link",
      { type: "image_url", image_url: { url: "https://x/a.png", detail: "low" } },
      "image https://x/a.png"
    ],
    ["a picture's link, bare", { type: "image_url", image_url: "https://x/a.png" }, "image https://x/a.png"],
    [
      "a picture's link without an ending",
      { type: "image_url", image_url: { url: "https://x/a" } },
      "image https://x/a"
    ],
    [
      "a film said to be a picture",
      { type: "image_url", image_url: { url: "https://x/a.mp4" } },
      "video https://x/a.mp4"
    ],
    [
      "a film of a site said to be a picture",
      { type: "image_url", image_url: { url: `https://youtu.be/${ID}` } },
      `site youtube:${ID}`
    ],
    [
      "a site's picture",
      { type: "image_url", image_url: { url: "https://vimeo.com/76979871" } },
      "image https://vimeo.com/76979871"
    ],
    [
      "a picture's data",
      { type: "image_url", image_url: { url: PNG_URL } },
      "image image/png data:image/png;base6"
    ],
    [
      "a picture's data, bare",
      { type: "image_url", image_url: PNG_URL },
      "image image/png data:image/png;base6"
    ],
    [
      "a picture's base64",
      { type: "image_url", image_url: { url: PNG } },
      "image undefined iVBORw0KGgoAAAANSUhE"
    ],
    [
      "film data said to be a picture",
      { type: "image_url", image_url: { url: "data:video/mp4;base64,AAAA" } },
      "video video/mp4 data:video/mp4;base6"
    ],
    [
      "data of no type",
      { type: "image_url", image_url: { url: "DATA:;base64,AAAA" } },
      "image undefined DATA:;base64,AAAA"
    ],
    [
      "data of any type",
      { type: "image_url", image_url: { url: "data:application/octet-stream;base64,AA" } },
      "image undefined data:application/oct"
    ],
    [
      "a document said to be a picture",
      { type: "image_url", image_url: { url: "data:application/pdf;base64,AA" } },
      undefined
    ],
    ["a file's address", { type: "image_url", image_url: { url: "file:///etc/passwd" } }, undefined],
    ["a path", { type: "image_url", image_url: { url: "/home/somebody/picture.png" } }, undefined],
    ["a link with a password", { type: "image_url", image_url: { url: "https://u:p@x/a.png" } }, undefined],
    ["no picture at all", { type: "image_url" }, undefined],
    ["a film's link", { type: "video_url", video_url: { url: "https://x/a" } }, "video https://x/a"],
    [
      "a film on a site",
      { type: "video_url", video_url: { url: "https://vimeo.com/76979871" } },
      "site https://vimeo.com/76979871"
    ],
    [
      "a film's data",
      { type: "video_url", video_url: { url: "data:video/webm;base64,GkXf" } },
      "video video/webm data:video/webm;base"
    ],
    [
      "a film as llama.cpp has it",
      { type: "input_video", input_video: { data: "AAAAIGZ0eXA=" } },
      "video undefined AAAAIGZ0eXA="
    ],
    [
      "a film's link there",
      { type: "input_video", input_video: { url: "https://x/a.webm" } },
      "video https://x/a.webm"
    ],
    [
      "a sound",
      { type: "input_audio", input_audio: { data: "UklGRg==", format: "wav" } },
      "audio audio/wav UklGRg=="
    ],
    [
      "a sound as a data URL",
      { type: "input_audio", input_audio: { data: "data:audio/mpeg;base64,SUQz", format: "mp3" } },
      "audio audio/mpeg data:audio/mpeg;base"
    ],
    ["a sound's link", { type: "input_audio", input_audio: { url: "https://x/a" } }, "audio https://x/a"],
    [
      "a sound's link as vLLM has it",
      { type: "audio_url", audio_url: { url: "https://x/a.mp3" } },
      "audio https://x/a.mp3"
    ],
    ["a sound without data", { type: "input_audio", input_audio: { format: "wav", data: "" } }, undefined],
    [
      "a film as a file",
      { type: "file", file: { filename: "a.mp4", file_data: "data:video/mp4;base64,AAAA" } },
      "video video/mp4 data:video/mp4;base6"
    ],
    [
      "a film by its name",
      { type: "file", file: { filename: "A.MOV", file_data: "data:application/octet-stream;base64,AAAA" } },
      "video undefined data:application/oct"
    ],
    [
      "a film by its name, bare",
      { type: "file", file: { filename: "a.mp4", file_data: "AAAA" } },
      "video undefined AAAA"
    ],
    [
      "a film by its declared type",
      { type: "file", file: { file_id: "https://x/a", format: "video/mp4" } },
      "video https://x/a"
    ],
    [
      "a film's link as a file",
      { type: "file", file: { file_data: "https://x/a.mp4" } },
      "video https://x/a.mp4"
    ],
    [
      "a link to what is a film by its name",
      { type: "file", file: { filename: "a.mp4", url: "https://x/a" } },
      "video https://x/a"
    ],
    [
      "a document",
      { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,AAAA" } },
      undefined
    ],
    ["a document by its name", { type: "file", file: { filename: "a.pdf", file_data: "AAAA" } }, undefined],
    [
      "a document that ends like a film",
      { type: "file", file: { filename: "a.ts", file_data: "data:text/plain;base64,AAAA" } },
      undefined
    ],
    ["a document's link", { type: "file", file: { file_data: "https://x/a.pdf" } }, undefined],
    [
      "a file the provider has",
      { type: "file", file: { file_id: "file-abc", filename: "a.mp4" } },
      undefined
    ],
    ["a part nobody knows", { type: "smell", url: "https://x/a.png" }, undefined]
  ]
  for (const [name, part, wanted] of parts)
    it(`${name}: ${wanted ?? "nothing"}`, () =>
      assert.deepStrictEqual(
        lines([user("hi"), user([text("Look"), part])]),
        wanted === undefined ? [] : [`messages[1].content[1] is ${wanted}`]
      ))

  it("keep the name of a file, all of their data, and the time they start at", () => {
    const file = one([user([{ type: "file", file: { filename: "a b.mp4", file_data: "AAAA" } }])])
    assert.strictEqual(file.name, "a b.mp4")
    const data = one([user([{ type: "image_url", image_url: { url: PNG_URL } }])])
    assert.deepStrictEqual(data.source, { data: PNG_URL, declared: "image/png" })
    const { source } = one([user([{ type: "video_url", video_url: { url: `https://youtu.be/${ID}?t=1m` } }])])
    assert.strictEqual("link" in source ? source.link.start : undefined, 60)
  })

  it("each count, even where they show the same", () => {
    const part = { type: "image_url", image_url: { url: "https://x/a.png" } }
    assert.deepStrictEqual(
      find([user([part, part])]).map(({ part }) => part),
      [0, 1]
    )
  })
})

describe("Ollama's images", () => {
  it("are found beside any content", () => {
    const refs = find([
      { role: "user", content: "Look", images: [PNG, PNG_URL] },
      { role: "user", images: [PNG] }
    ])
    assert.deepStrictEqual(refs.map(line), [
      "messages[0].images[0] is image undefined iVBORw0KGgoAAAANSUhE",
      "messages[0].images[1] is image image/png data:image/png;base6",
      "messages[1].images[0] is image undefined iVBORw0KGgoAAAANSUhE"
    ])
    assert.deepStrictEqual(
      refs.map(({ image, part }) => [image, part]),
      [
        [0, undefined],
        [1, undefined],
        [0, undefined]
      ]
    )
  })

  it("are base64, and nothing else that stands there", () => {
    assert.deepStrictEqual(
      lines([{ role: "user", images: ["file:///a.png", "../a.png", "", 7, null, { url: PNG }] }]),
      []
    )
    assert.deepStrictEqual(lines([{ role: "user", images: "abc" }]), [])
  })
})

describe("links in texts", () => {
  it("are found in a string and in text parts, in order", () => {
    assert.deepStrictEqual(
      lines([
        user(`see https://x/a.png and youtu.be/${ID}`),
        { role: "assistant", content: null, tool_calls: [] },
        user([
          text("https://x/b.mp4"),
          { type: "image_url", image_url: { url: PNG_URL } },
          text("(https://x/c.mp3)")
        ])
      ]),
      [
        "messages[0].content says image https://x/a.png",
        `messages[0].content says site youtube:${ID}`,
        "messages[2].content[0] says video https://x/b.mp4",
        "messages[2].content[1] is image image/png data:image/png;base6",
        "messages[2].content[2] says audio https://x/c.mp3"
      ]
    )
  })

  it("count once in a message, in whatever form, and in every message", () => {
    const forms = `https://youtu.be/${ID} https://www.youtube.com/watch?v=${ID}&t=9 https://youtube.com/shorts/${ID}`
    assert.deepStrictEqual(lines([user(forms), user([text(forms), text(forms)])]), [
      `messages[0].content says site youtube:${ID}`,
      `messages[1].content[0] says site youtube:${ID}`
    ])
  })

  it("are but a mention of what is a part of the message too", () => {
    const part = { type: "video_url", video_url: { url: "https://x/a.mp4" } }
    assert.deepStrictEqual(lines([user([text("https://x/a.mp4#t=1"), part])]), [
      "messages[0].content[1] is video https://x/a.mp4"
    ])
  })

  it("that do not look like media count only where they are to be looked at", () => {
    const messages = [user("https://x.example/page")]
    assert.deepStrictEqual(lines(messages), [])
    assert.deepStrictEqual(lines(messages, { sniff: true }), [
      "messages[0].content says unknown https://x.example/page"
    ])
  })

  it("are not read in code", () => assert.deepStrictEqual(lines([user("`https://x/a.png`")]), []))
})

describe("roles", () => {
  const say = "https://x/a.png"
  const parts = [
    text(`${say} ${PNG_URL}`),
    { type: "image_url", image_url: { url: "https://x/b.png" } },
    { type: "image_url", image_url: { url: PNG_URL } },
    { type: "input_audio", input_audio: { data: "UklGRg==", format: "wav" } }
  ]
  for (const role of ["system", "assistant", "tool", "developer"])
    it(`${role} makes us fetch nothing, but what came along is seen`, () => {
      assert.deepStrictEqual(
        lines([
          { role, content: say },
          { role, content: parts, images: [PNG, "https://x/c.png"] }
        ]),
        [
          "messages[1].content[2] is image image/png data:image/png;base6",
          "messages[1].content[3] is audio audio/wav UklGRg==",
          "messages[1].images[0] is image undefined iVBORw0KGgoAAAANSUhE"
        ]
      )
    })

  it("may be given leave", () => {
    assert.strictEqual(find([{ role: "tool", content: parts }], { roles: ["user", "tool"] }).length, 5)
    assert.strictEqual(find([user(parts)], { roles: [] }).length, 2)
    assert.strictEqual(find([{ content: say }], { roles: ["user", ""] }).length, 1)
  })
})

describe("data URLs in texts", () => {
  it("are found with the place they can be taken out at", () => {
    const said = `Look: ![a](${PNG_URL}) and "data:audio/mpeg;name=a.mp3;base64,${PNG}".`
    for (const [content, part] of [
      [said, undefined],
      [[text("x"), text(said)], 1]
    ] as const) {
      const refs = find([user(content)])
      assert.deepStrictEqual(
        refs.map(({ kind }) => kind),
        ["image", "audio"]
      )
      for (const ref of refs) {
        assert.strictEqual(ref.part, part)
        assert.isTrue(ref.inText)
        assert.deepStrictEqual(
          "data" in ref.source ? ref.source.data : undefined,
          said.slice(ref.span?.from, ref.span?.to)
        )
      }
      assert.isTrue(refs.every(({ source }) => "data" in source && source.data.endsWith("==")))
    }
  })

  it("keep their place among links", () => {
    assert.deepStrictEqual(
      find([user(`https://x/a.png ${PNG_URL} https://x/b.png`)]).map(({ span }) => span?.from),
      [undefined, 16, undefined]
    )
  })

  it("are each taken out, even where they are the same", () => {
    assert.strictEqual(find([user(`${PNG_URL} ${PNG_URL}`)]).length, 2)
  })

  const none = [
    "data:image/png;base64,",
    "data:image/png;base64,iVBORw0KGgo…",
    `data:text/plain;base64,${PNG}`,
    `data:application/pdf;base64,${PNG}`,
    `data:image/svg+xml;utf8,<svg>${PNG}</svg>`,
    `\`${PNG_URL}\``,
    `\`\`\`\n${PNG_URL}\n\`\`\``,
    "data: image/png;base64",
    "the data:"
  ]
  for (const said of none)
    it(`are not ${JSON.stringify(said.slice(0, 50))}`, () => assert.deepStrictEqual(find([user(said)]), []))

  it("may be long", () => {
    const long = `data:image/png;base64,${"iVBORw0KGgo+/A".repeat(1_000_000)}=`
    assert.deepStrictEqual(one([user(`a ${long} b`)]).span, { from: 2, to: 2 + long.length })
  })
})

describe("mayHoldMedia", () => {
  const raw = (body: unknown): string => JSON.stringify(body)

  it("says no to plain talk", () => {
    for (const content of [
      "Hello! How are you? Is 3/4 and/or 1:2 more? See src/index and (a) `b`.\n\nÄé 看 \u001b \u0000 file, images, data",
      "",
      "x".repeat(100_000)
    ])
      assert.isFalse(
        mayHoldMedia(
          raw({ model: "openai/gpt-4o", stream: true, messages: [user(content), user([text(content)])] })
        )
      )
  })

  it("sees through the spellings of JSON", () => {
    const spellings = [
      '{"messages":[{"role":"user","content":"https:\\/\\/x\\/a.png"}]}',
      '{"messages":[{"role":"user","content":"https:\\/\\u002fx/a.png"}]}',
      '{"messages":[{"role":"user","content":"\\u0068ttps\\u003A\\u002f\\u002fx"}]}',
      `{"messages":[{"role":"user","content":"youtu.be\\/${ID}"}]}`,
      `{"messages":[{"role":"user","content":"YOUTU.BE\\u002F${ID}"}]}`,
      `{"messages":[{"role":"user","\\u0069mages":["${PNG}"]}]}`,
      `{"messages":[{"role":"user", "images" : ["${PNG}"]}]}`,
      `{"messages":[{"role":"user","content":[{"type":"input\\u005faudio","input\\u005faudio":{"data":"AA"}}]}]}`
    ]
    for (const spelling of spellings) assert.isTrue(mayHoldMedia(spelling), spelling)
  })

  const value = fc.oneof(
    fc.constantFrom<unknown>(
      "https://x/a.png",
      `youtu.be/${ID}`,
      "vimeo.com/76979871",
      "www.x.example/a.mp4",
      PNG,
      PNG_URL,
      "AAAA",
      "a.mp4",
      null,
      7
    ),
    fc.webUrl(),
    fc.string()
  )
  const part = fc
    .tuple(
      fc.constantFrom("text", "image_url", "video_url", "audio_url", "input_audio", "input_video", "file"),
      fc.boolean(),
      fc.constantFrom("url", "data", "file_data", "file_id"),
      value
    )
    .map(([type, isWrapped, key, value]) => ({
      type,
      [type]: isWrapped ? { [key]: value, filename: "a.mp4" } : value
    }))
  const message = fc.record(
    {
      role: fc.constantFrom("user", "tool"),
      content: fc.oneof(value, fc.array(part, { maxLength: 3 })),
      images: fc.array(value, { maxLength: 2 })
    },
    { requiredKeys: ["role"] }
  )

  /** Any letter of JSON's strings may be written as its number, and a slash behind a backslash. */
  const spelled = (text: string, choices: ReadonlyArray<number>): string =>
    text.replaceAll(/[a-z/:._]/g, (letter, at: number) => {
      const choice = choices[at % choices.length]
      const isInWord = !/^(?:null|true|false)/.test(text.slice(text.lastIndexOf(":", at) + 1))
      if (choice === 0 && isInWord && !/[\\]/.test(text.charAt(at - 1)))
        return `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`
      return choice === 1 && letter === "/" ? "\\/" : letter
    })

  it.prop(
    "never says no where there is something",
    [fc.array(message, { maxLength: 3 }), fc.array(fc.nat(30), { minLength: 1, maxLength: 50 })],
    ([messages, choices]) => {
      const plain = JSON.stringify(messages)
      const refs = findMedia(messages, {
        roles: ["user"],
        sites: ["*", "youtube.com", "vimeo.com"],
        sniff: true
      })
      if (refs.length > 0) {
        assert.isTrue(mayHoldMedia(plain), plain)
        assert.isTrue(mayHoldMedia(spelled(plain, choices)), spelled(plain, choices))
      }
    },
    { fastCheck: { numRuns: 3000 } }
  )
})

describe("any messages", () => {
  it.prop(
    "are read without a stumble",
    [fc.array(fc.dictionary(fc.constantFrom("role", "content", "images"), fc.jsonValue()))],
    ([messages]) => {
      assert.isArray(findMedia(messages, { ...OPTIONS, sniff: true }))
    }
  )
})
