import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { NotFoundError } from "openai"
import type { ChatCompletionMessageParam } from "openai/resources/chat/completions"
import { createHash } from "node:crypto"
import { field } from "../../src/domain/Json.ts"
import { all, openAi, question, raised, settled, startLine, textOf } from "../support/Clients.ts"
import type { Line } from "../support/Clients.ts"
import { eventually, startRouter } from "../support/Router.ts"
import { chunk, completion, json, MODELS, stream, USAGE } from "../support/Upstream.ts"

for (const lanes of [true, false]) {
  describe(lanes ? "percept/inspect on the fast lane" : "percept/inspect through the contract", () => {
    it.scopedLive("shows a conversation word for word, whole and streamed, and asks nobody", () =>
      Effect.gen(function* () {
        const line = yield* startLine({ lanes })
        const call = {
          id: "call_1",
          type: "function" as const,
          function: { name: "weather", arguments: '{"city":"Köln"}' }
        }
        const messages: Array<ChatCompletionMessageParam> = [
          { role: "system", content: "You are\nterse." },
          { role: "user", content: "  Wörds, 😀 <b>&amp;</b>\r\n\n\ttabs, \\n and `code`  \n" },
          { role: "assistant", content: null, tool_calls: [call] },
          { role: "tool", tool_call_id: "call_1", content: '{"celsius":21}' },
          {
            role: "user",
            content: [
              { type: "text", text: "first part" },
              { type: "text", text: "second part\n" }
            ]
          }
        ]
        const { streamed, whole } = yield* bothWays(line, messages)
        assert.strictEqual(streamed, whole)
        assert.strictEqual(
          whole,
          [
            "[system]\nYou are\nterse.",
            "[user]\n  Wörds, 😀 <b>&amp;</b>\r\n\n\ttabs, \\n and `code`  \n",
            `[assistant]\n[tool call: ${JSON.stringify(call)}]`,
            '[tool]\n{"celsius":21}',
            "[user]\nfirst part\nsecond part\n"
          ].join("\n\n")
        )
        assert.strictEqual(line.upstream.received.length, 0)
      })
    )

    it.scopedLive("costs nothing and says so, whole and streamed", () =>
      Effect.gen(function* () {
        const line = yield* startLine({ lanes })
        const { chunks, completion } = yield* bothWays(line, [{ role: "user", content: "Hi\nthere" }])
        assert.strictEqual(completion.model, "percept/inspect")
        assert.strictEqual(completion.object, "chat.completion")
        assert.strictEqual(completion.choices[0]?.finish_reason, "stop")
        assert.isTrue(chunks.every((chunk) => chunk.id === chunks[0]?.id))
        assert.strictEqual(chunks[0]?.choices[0]?.delta.role, "assistant")
        assert.strictEqual(chunks.at(-1)?.choices[0]?.finish_reason, "stop")
        for (const usage of [completion.usage, chunks.at(-1)?.usage]) {
          assert.strictEqual(usage?.prompt_tokens, 0)
          assert.strictEqual(usage?.completion_tokens, 0)
          assert.strictEqual(usage?.total_tokens, 0)
          assert.strictEqual(field(usage, "cost"), 0)
        }
        const rows = yield* settled(line.router, 2)
        for (const row of rows) {
          assert.strictEqual(row.state, "done")
          assert.strictEqual(row.cost_nano_usd, 0)
          assert.strictEqual(row.cost_source, "provider")
          assert.strictEqual(row.total_tokens, 0)
          assert.strictEqual(row.provider, "percept")
          assert.strictEqual(row.route_rule, "percept")
          assert.strictEqual(row.model_routed_to_openrouter, "percept/inspect")
          assert.strictEqual(row.output_char_length, "[user]\nHi\nthere".length)
        }
        assert.deepStrictEqual(
          rows.map((row) => row.is_streaming),
          [0, 1]
        )
      })
    )
  })
}

/** What it is shown is shown to it as it came. */
const WITHOUT_EYES = { MEDIA_POLICY: "off" }

describe("percept/inspect", () => {
  for (const { bytes, mime, name, shown } of PICTURES)
    it.scopedLive(`shows ${name} by its kind, size and digest`, () =>
      Effect.gen(function* () {
        const line = yield* startLine({ env: WITHOUT_EYES })
        const url = `data:${mime};base64,${bytes.toString("base64")}`
        const { streamed, whole } = yield* bothWays(line, [{ role: "user", content: [image(url)] }])
        const digest = createHash("sha256").update(bytes).digest("hex")
        assert.strictEqual(whole, `[user]\n[image 1: ${shown}, 1 kB, sha256 ${digest}]`)
        assert.strictEqual(streamed, whole)
      })
    )

  it.scopedLive("goes by the picture's bytes, not by its label", () =>
    Effect.gen(function* () {
      const line = yield* startLine({ env: WITHOUT_EYES })
      const { whole } = yield* bothWays(line, [
        { role: "user", content: [image(`data:image/jpeg;base64,${png(3, 4).toString("base64")}`)] }
      ])
      assert.include(whole, "[image 1: png 3x4, 1 kB, sha256 ")
    })
  )

  it.scopedLive("counts pictures through the conversation, and rounds their size to kilobytes", () =>
    Effect.gen(function* () {
      const line = yield* startLine({ env: WITHOUT_EYES })
      const large = Buffer.concat([png(640, 360), Buffer.alloc(31 * 1024)])
      const { whole } = yield* bothWays(line, [
        {
          role: "user",
          content: [{ type: "text", text: "Look:" }, image(dataUrl(large)), image(dataUrl(gif(2, 3)))]
        },
        { role: "user", content: [image(dataUrl(png(1, 1))), { type: "text", text: "and say." }] }
      ])
      assert.match(
        whole,
        /^\[user\]\nLook:\n\[image 1: png 640x360, 31 kB, sha256 \w{64}\]\n\[image 2: gif 2x3, 1 kB, sha256 \w{64}\]\n\n\[user\]\n\[image 3: png 1x1, 1 kB, sha256 \w{64}\]\nand say\.$/
      )
    })
  )

  it.scopedLive("shows what is no picture it knows by its type", () =>
    Effect.gen(function* () {
      const line = yield* startLine({ env: WITHOUT_EYES })
      const svg = Buffer.from("<svg xmlns='http://www.w3.org/2000/svg'/>")
      const torn = png(9, 9).subarray(0, 12)
      const { whole } = yield* bothWays(line, [
        {
          role: "user",
          content: [
            image(`data:image/svg+xml;base64,${svg.toString("base64")}`),
            image(`data:image/png;base64,${torn.toString("base64")}`)
          ]
        }
      ])
      assert.strictEqual(
        whole,
        `[user]\n[image 1: image/svg+xml, 1 kB, sha256 ${sha256(svg)}]\n[image 2: image/png, 1 kB, sha256 ${sha256(torn)}]`
      )
    })
  )

  it.scopedLive("reads data links that are not base64 for what they are", () =>
    Effect.gen(function* () {
      const line = yield* startLine({ env: WITHOUT_EYES })
      const svg = "<svg xmlns='http://www.w3.org/2000/svg'/>"
      const { whole } = yield* bothWays(line, [
        { role: "user", content: [image(`data:image/svg+xml,${encodeURIComponent(svg)}`)] }
      ])
      assert.strictEqual(whole, `[user]\n[image 1: image/svg+xml, 1 kB, sha256 ${sha256(Buffer.from(svg))}]`)
    })
  )

  it.scopedLive("shows links to pictures as links, and fetches none", () =>
    Effect.gen(function* () {
      const line = yield* startLine({ env: WITHOUT_EYES })
      const url = `${line.upstream.url}/cat.png?size=large&x=%20#top`
      const { whole } = yield* bothWays(line, [{ role: "user", content: [image(url)] }])
      assert.strictEqual(whole, `[user]\n[image 1: ${url}]`)
      assert.strictEqual(line.upstream.received.length, 0)
    })
  )

  it.scopedLive("shows sound and files by their kind", () =>
    Effect.gen(function* () {
      const line = yield* startLine({ env: WITHOUT_EYES })
      const sound = Buffer.from("RIFF....WAVE")
      const { whole } = yield* bothWays(line, [
        {
          role: "user",
          content: [
            { type: "input_audio", input_audio: { data: sound.toString("base64"), format: "wav" } },
            { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,JVBERi0=" } }
          ]
        }
      ])
      assert.strictEqual(
        whole,
        `[user]\n[audio 1: wav, 1 kB, sha256 ${sha256(sound)}]\n[file 1: application/pdf, 1 kB, sha256 ${sha256(Buffer.from("%PDF-"))}]`
      )
    })
  )

  it.scopedLive("answers without any provider, and to requests that name no model", () =>
    Effect.gen(function* () {
      const router = yield* startRouter({})
      const answer = yield* router.post({ messages: [{ role: "user", content: "Hi" }] })
      const text = yield* Effect.promise(() => answer.text())
      assert.include(text, '"content":"[user]\\nHi"')
      const openai = openAi(router)
      const named = yield* Effect.promise(() =>
        openai.chat.completions.create(question("Hi", "percept:percept/inspect"))
      )
      assert.strictEqual(named.choices[0]?.message.content, "[user]\nHi")
      yield* raised(NotFoundError, () => openai.chat.completions.create(question("Hi", "percept/other")))
    })
  )
})

describe("cost", () => {
  for (const { cost, expected, model, name, source, usage } of BILLS)
    it.scopedLive(name, () =>
      Effect.gen(function* () {
        const line = yield* startLine({ models: json(200, { data: PRICED }) })
        yield* listed(line)
        const bill = { ...TOKENS, ...usage, ...(cost === undefined ? {} : { cost }) }
        line.upstream.once(
          completion("Hi", { usage: bill }),
          stream(chunk({ content: "Hi" }), chunk({}, "stop", { usage: bill }), "data: [DONE]\n\n")
        )
        yield* Effect.promise(() => line.openai.chat.completions.create(question("Hi", model)))
        yield* all(line.openai.chat.completions.create({ ...question("Hi", model), stream: true }))
        for (const row of yield* settled(line.router, 2)) {
          assert.strictEqual(row.state, "done")
          assert.strictEqual(row.cost_nano_usd, expected)
          assert.strictEqual(row.cost_source, source)
          assert.strictEqual(row.cost_usd, expected === null ? null : expected / 1e9)
        }
      })
    )

  it.scopedLive("cached and reasoning tokens are recorded", () =>
    Effect.gen(function* () {
      const line = yield* startLine()
      const usage = {
        ...USAGE,
        prompt_tokens_details: { cached_tokens: 7, cache_write_tokens: 1 },
        completion_tokens_details: { reasoning_tokens: 3 }
      }
      line.upstream.once(
        completion("Hi", { usage }),
        stream(chunk({ content: "Hi" }), chunk({}, "stop", { usage }), "data: [DONE]\n\n")
      )
      yield* Effect.promise(() => line.openai.chat.completions.create(question("Hi")))
      yield* all(line.openai.chat.completions.create({ ...question("Hi"), stream: true }))
      for (const row of yield* settled(line.router, 2)) {
        assert.strictEqual(row.prompt_tokens, 10)
        assert.strictEqual(row.completion_tokens, 5)
        assert.strictEqual(row.total_tokens, 15)
        assert.strictEqual(row.cached_tokens, 7)
        assert.strictEqual(row.reasoning_tokens, 3)
      }
    })
  )

  it.scopedLive("is unknown, and the row is closed, where a provider counts in fractions", () =>
    Effect.gen(function* () {
      const line = yield* startLine({ models: json(200, { data: PRICED }) })
      yield* listed(line)
      let goOn = () => {}
      line.upstream.once((request, response) => {
        goOn = () => completion("Hi", { usage: { ...TOKENS, prompt_tokens: 10.5 } })(request, response)
      })
      const asking = yield* Effect.fork(
        Effect.promise(() => line.openai.chat.completions.create(question("Hi", "test/priced")))
      )
      yield* eventually(line.router.rowsNow, (rows) => rows[0]?.state === "running")
      yield* eventually(
        Effect.sync(() => line.upstream.received.length),
        (count) => count === 1
      )
      goOn()
      yield* asking
      const [row] = yield* eventually(line.router.rowsNow, (rows) => rows[0]?.state !== "running", 3)
      assert.strictEqual(row?.state, "done")
      assert.isNull(row?.cost_nano_usd)
    })
  )

  it.scopedLive("a provider that does not count leaves the counts unknown", () =>
    Effect.gen(function* () {
      const line = yield* startLine()
      line.upstream.once(completion("Hi", { usage: null }))
      yield* Effect.promise(() => line.openai.chat.completions.create(question("Hi")))
      const [row] = yield* line.router.rows
      assert.strictEqual(row?.state, "done")
      assert.isNull(row?.prompt_tokens)
      assert.isNull(row?.cost_nano_usd)
      assert.isNull(row?.cost_source)
    })
  )
})

const bothWays = (line: Line, messages: Array<ChatCompletionMessageParam>) =>
  Effect.gen(function* () {
    const request = { model: "percept/inspect", messages }
    const completion = yield* Effect.promise(() => line.openai.chat.completions.create(request))
    const chunks = yield* all(line.openai.chat.completions.create({ ...request, stream: true }))
    return {
      completion,
      chunks,
      whole: completion.choices[0]?.message.content ?? "",
      streamed: textOf(chunks)
    }
  })

/** Waits until the provider's prices are known. */
const listed = ({ router }: Line) =>
  eventually(
    Effect.promise(async () => (await fetch(`${router.url}/v1/models`)).text()),
    (text) => text.includes("test/priced")
  )

const TOKENS = { prompt_tokens: 333, completion_tokens: 7, total_tokens: 340 }

const PRICED = [
  ...MODELS,
  {
    id: "test/priced",
    pricing: { prompt: "0.00000015", completion: "0.0000006", image: "1", web_search: "1" }
  },
  { id: "test/request", pricing: { prompt: "0", completion: "0.0000006", request: "0.005" } },
  { id: "test/small", pricing: { prompt: "0.0000000000015", completion: "0" } },
  { id: "test/halves", pricing: { prompt: "0.0000000005", completion: "0" } },
  { id: "test/dynamic", pricing: { prompt: "-1", completion: "-1" } },
  { id: "test/unpriced" },
  { id: "test/half-priced", pricing: { prompt: "0.000001" } },
  { id: "test/odd-price", pricing: { prompt: "free", completion: "0" } }
]

const BILLS: ReadonlyArray<{
  readonly name: string
  readonly model: string
  readonly cost?: unknown
  readonly usage?: object
  readonly expected: number | null
  readonly source: "provider" | "estimated" | null
}> = [
  {
    name: "is what the provider says",
    model: "test/priced",
    cost: 0.00014,
    expected: 140_000,
    source: "provider"
  },
  {
    name: "is taken from text too",
    model: "test/priced",
    cost: "0.00014",
    expected: 140_000,
    source: "provider"
  },
  { name: "may be tiny", model: "test/priced", cost: 1.5e-7, expected: 150, source: "provider" },
  {
    name: "that is zero by the provider is zero",
    model: "test/priced",
    cost: 0,
    expected: 0,
    source: "provider"
  },
  {
    name: "is estimated from the list where the provider says nothing",
    model: "test/priced",
    expected: 333 * 150 + 7 * 600,
    source: "estimated"
  },
  {
    name: "is estimated where the provider says null",
    model: "test/priced",
    cost: null,
    expected: 333 * 150 + 7 * 600,
    source: "estimated"
  },
  {
    name: "has the price of the request itself in it",
    model: "test/request",
    expected: 7 * 600 + 5_000_000,
    source: "estimated"
  },
  { name: "is rounded once, at the end, down", model: "test/small", expected: 0, source: "estimated" },
  {
    name: "is rounded once, at the end, up",
    model: "test/small",
    usage: { prompt_tokens: 334 },
    expected: 1,
    source: "estimated"
  },
  {
    name: "is rounded half up",
    model: "test/halves",
    usage: { prompt_tokens: 3 },
    expected: 2,
    source: "estimated"
  },
  {
    name: "is exact where a double is not",
    model: "test/priced",
    usage: { prompt_tokens: 123_456_789, completion_tokens: 987_654_321 },
    expected: 123_456_789 * 150 + 987_654_321 * 600,
    source: "estimated"
  },
  { name: "of a free model is zero", model: "test/free:free", expected: 0, source: "estimated" },
  { name: "of a model without prices is unknown", model: "test/unpriced", expected: null, source: null },
  {
    name: "of a model with half a price is unknown",
    model: "test/half-priced",
    expected: null,
    source: null
  },
  {
    name: "of a model with no number for a price is unknown",
    model: "test/odd-price",
    expected: null,
    source: null
  },
  { name: "of a model whose price depends is unknown", model: "test/dynamic", expected: null, source: null },
  { name: "of a model that is not listed is unknown", model: "test/unlisted", expected: null, source: null },
  {
    name: "is unknown where the tokens are",
    model: "test/priced",
    usage: { completion_tokens: null },
    expected: null,
    source: null
  },
  {
    name: "with the client's own key has the upstream's bill on top",
    model: "test/priced",
    cost: 0.00001,
    usage: { is_byok: true, cost_details: { upstream_inference_cost: 0.0002 } },
    expected: 210_000,
    source: "provider"
  },
  {
    name: "with the client's own key and no bill is estimated, since the fee alone would hide the spending",
    model: "test/priced",
    cost: 0.00001,
    usage: { is_byok: true, cost_details: { upstream_inference_cost: null } },
    expected: 333 * 150 + 7 * 600,
    source: "estimated"
  },
  {
    name: "with the router's key has the upstream's bill in it already",
    model: "test/priced",
    cost: 0.00021,
    usage: { is_byok: false, cost_details: { upstream_inference_cost: 0.0002 } },
    expected: 210_000,
    source: "provider"
  }
]

const image = (url: string) => ({ type: "image_url" as const, image_url: { url } })

const dataUrl = (bytes: Buffer): string => `data:image/png;base64,${bytes.toString("base64")}`

const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex")

const u16 = (value: number): ReadonlyArray<number> => [value >> 8, value & 255]
const u32 = (value: number): ReadonlyArray<number> => [...u16(value >>> 16), ...u16(value & 65535)]
const le16 = (value: number): ReadonlyArray<number> => [value & 255, value >> 8]
const le24 = (value: number): ReadonlyArray<number> => [...le16(value & 65535), value >> 16]
const le32 = (value: number): ReadonlyArray<number> => [...le16(value & 65535), ...le16(value >>> 16)]
const ascii = (text: string): ReadonlyArray<number> => Array.from(Buffer.from(text, "latin1"))

/** Signature, header, end; no line of pixels. */
const png = (width: number, height: number): Buffer =>
  Buffer.from([
    ...[0x89, ...ascii("PNG\r\n\u001a\n")],
    ...[...u32(13), ...ascii("IHDR"), ...u32(width), ...u32(height), 8, 6, 0, 0, 0, ...u32(0)],
    ...[...u32(0), ...ascii("IEND"), 0xae, 0x42, 0x60, 0x82]
  ])

const gif = (width: number, height: number, version = "89a"): Buffer =>
  Buffer.from([...ascii(`GIF${version}`), ...le16(width), ...le16(height), 0, 0, 0, 0x3b])

const segment = (marker: number, body: ReadonlyArray<number>): ReadonlyArray<number> => [
  ...[0xff, marker, ...u16(body.length + 2)],
  ...body
]

const frame = (marker: number, width: number, height: number): ReadonlyArray<number> =>
  segment(marker, [8, ...u16(height), ...u16(width), 1, 1, 0x11, 0])

const jpeg = (...segments: ReadonlyArray<ReadonlyArray<number>>): Buffer =>
  Buffer.from([0xff, 0xd8, ...segments.flat(), 0xff, 0xd9])

const riff = (kind: string, body: ReadonlyArray<number>): Buffer =>
  Buffer.from([
    ...[...ascii("RIFF"), ...le32(body.length + 12), ...ascii("WEBP")],
    ...[...ascii(kind), ...le32(body.length), ...body]
  ])

const JFIF = segment(0xe0, [...ascii("JFIF\0"), 1, 1, 0, 0, 1, 0, 1, 0, 0])

const lossless = (width: number, height: number): ReadonlyArray<number> => [
  ...[0x2f, ...le32((width - 1) | ((height - 1) << 14))]
]

const PICTURES: ReadonlyArray<{
  readonly name: string
  readonly mime: string
  readonly bytes: Buffer
  readonly shown: string
}> = [
  { name: "a png", mime: "image/png", bytes: png(640, 360), shown: "png 640x360" },
  { name: "a large png", mime: "image/png", bytes: png(70_000, 3), shown: "png 70000x3" },
  { name: "a gif", mime: "image/gif", bytes: gif(5, 258), shown: "gif 5x258" },
  { name: "an old gif", mime: "image/gif", bytes: gif(1, 1, "87a"), shown: "gif 1x1" },
  { name: "a jpeg", mime: "image/jpeg", bytes: jpeg(JFIF, frame(0xc0, 640, 360)), shown: "jpeg 640x360" },
  {
    name: "a progressive jpeg with a picture inside its metadata",
    mime: "image/jpeg",
    bytes: jpeg(
      segment(0xe1, [...ascii("Exif\0\0"), 0xff, 0xd8, ...frame(0xc0, 16, 12), 0xff, 0xd9]),
      segment(
        0xdb,
        Array.from({ length: 65 }, () => 1)
      ),
      segment(
        0xc4,
        Array.from({ length: 28 }, () => 0)
      ),
      frame(0xc2, 4000, 3000)
    ),
    shown: "jpeg 4000x3000"
  },
  {
    name: "a jpeg with padding between its segments",
    mime: "image/jpeg",
    bytes: jpeg(JFIF, [0xff, 0xff], frame(0xc1, 7, 9)),
    shown: "jpeg 7x9"
  },
  {
    name: "a lossy webp",
    mime: "image/webp",
    bytes: riff("VP8 ", [0x30, 1, 0, 0x9d, 1, 0x2a, ...le16(320 | 0x4000), ...le16(200), 0, 0]),
    shown: "webp 320x200"
  },
  {
    name: "a lossless webp",
    mime: "image/webp",
    bytes: riff("VP8L", [...lossless(1025, 770), 0, 0, 0, 0, 0]),
    shown: "webp 1025x770"
  },
  {
    name: "the smallest lossless webp",
    mime: "image/webp",
    bytes: riff("VP8L", [...lossless(1, 1), 0]),
    shown: "webp 1x1"
  },
  {
    name: "an extended webp",
    mime: "image/webp",
    bytes: riff("VP8X", [0x10, 0, 0, 0, ...le24(69_999), ...le24(299), 0, 0]),
    shown: "webp 70000x300"
  }
]
