import { assert, describe, it } from "@effect/vitest"
import { Either } from "effect"
import * as fc from "effect/FastCheck"
import { answer, decodeRequest, doneEvent, makeDeltas } from "../../src/domain/dialects/Transcription.ts"
import type { Fields, TranscriptionFormat } from "../../src/domain/dialects/Transcription.ts"
import { arrayField, field, stringField } from "../../src/domain/Json.ts"
import type { Heard, Segment } from "../../src/domain/media/Evidence.ts"

const heardOf = (segments: ReadonlyArray<Segment>, more: Partial<Heard> = {}): Heard => ({
  source: "speech recognition",
  segments,
  sounds: [],
  duration: 8.47,
  heard: 8.47,
  active: 8,
  missed: [],
  ...more
})

const beach = heardOf(
  [
    { from: 0, to: 3.32, text: "The beach was a popular spot on a hot summer day." },
    { from: 3.32, to: 7.48, text: "People were swimming & building <castles>." }
  ],
  { language: "en", sounds: [{ from: 7.5, to: 8, text: "(music)" }] }
)

const BEACH = "The beach was a popular spot on a hot summer day. People were swimming & building <castles>."

const plain = { language: undefined, temperature: undefined }

const textIn = (heard: Heard, format: TranscriptionFormat) => answer(heard, { ...plain, format }).body

const jsonIn = (heard: Heard, format: TranscriptionFormat): unknown => JSON.parse(textIn(heard, format))

describe("a transcription's form", () => {
  const read = (fields: Fields) => Either.getOrThrow(decodeRequest(fields))

  it("needs nothing but the file", () => {
    assert.deepStrictEqual(read({}), {
      model: "whisper-1",
      language: undefined,
      prompt: undefined,
      format: "json",
      temperature: undefined,
      stream: false
    })
  })

  it("is read field by field, and unknown fields are let be", () => {
    const fields = {
      model: "whisper-local",
      language: "de",
      prompt: " Eigennamen: Percept ",
      response_format: "verbose_json",
      temperature: "0.2",
      stream: "false",
      "timestamp_granularities[]": ["segment", "segment"],
      chunking_strategy: "auto",
      "include[]": "logprobs"
    }
    assert.deepStrictEqual(read(fields), {
      model: "whisper-local",
      language: "de",
      prompt: " Eigennamen: Percept ",
      format: "verbose_json",
      temperature: 0.2,
      stream: false
    })
  })

  it("takes empty fields for absent ones", () => {
    assert.deepStrictEqual(
      read({
        model: "",
        language: " ",
        response_format: "",
        temperature: "",
        stream: "",
        timestamp_granularities: ""
      }),
      read({})
    )
  })

  const languages: ReadonlyArray<readonly [string, string | undefined]> = [
    ["EN", "en"],
    ["pt-BR", "pt"],
    ["zh_Hant", "zh"],
    ["yue", "yue"],
    ["auto", undefined]
  ]
  for (const [said, language] of languages)
    it(`understands the language ${said}`, () =>
      assert.strictEqual(read({ language: said }).language, language))

  const streams: ReadonlyArray<readonly [Fields, boolean]> = [
    [{ stream: "true" }, true],
    [{ stream: "True", response_format: "text" }, true],
    [{ stream: "1" }, true],
    [{ stream: "0" }, false],
    [{ stream: "true", response_format: "srt" }, false],
    [{ stream: "true", response_format: "vtt" }, false],
    [{ stream: "true", response_format: "verbose_json" }, false]
  ]
  for (const [fields, stream] of streams)
    it(`${JSON.stringify(fields)} ${stream ? "streams" : "does not stream"}`, () =>
      assert.strictEqual(read(fields).stream, stream))

  const wrong: ReadonlyArray<readonly [Fields, string, RegExp]> = [
    [{ response_format: "diarized_json" }, "response_format", /json, text, srt, vtt, verbose_json/],
    [{ response_format: "JSON" }, "response_format", /must be one of/],
    [{ temperature: "hot" }, "temperature", /from 0 to 1/],
    [{ temperature: "1.01" }, "temperature", /from 0 to 1/],
    [{ temperature: "-0.1" }, "temperature", /from 0 to 1/],
    [{ temperature: "0x1" }, "temperature", /from 0 to 1/],
    [{ temperature: "NaN" }, "temperature", /from 0 to 1/],
    [{ stream: "yes" }, "stream", /true or false/],
    [{ language: "english" }, "language", /ISO 639-1/],
    [{ language: "e" }, "language", /ISO 639-1/],
    [{ language: "en; rm" }, "language", /ISO 639-1/],
    [{ language: "--model" }, "language", /ISO 639-1/],
    [{ model: ["a", "b"] }, "model", /more than once/],
    [{ "timestamp_granularities[]": "segment" }, "timestamp_granularities", /verbose_json/],
    [
      { response_format: "verbose_json", "timestamp_granularities[]": ["segment", "word"] },
      "timestamp_granularities",
      /not words/
    ],
    [
      { response_format: "verbose_json", timestamp_granularities: "word" },
      "timestamp_granularities",
      /not words/
    ],
    [
      { response_format: "verbose_json", timestamp_granularities: "letter" },
      "timestamp_granularities",
      /nothing but 'segment'/
    ]
  ]
  for (const [fields, param, says] of wrong)
    it(`${JSON.stringify(fields)} is refused, and told why`, () => {
      const refused = Either.getOrThrow(Either.flip(decodeRequest(fields)))
      assert.deepInclude(refused, { status: 400, param })
      assert.match(refused.message, says)
      assert.match(refused.message, new RegExp(`^'${param}' .*\\.$`))
    })

  it("does not take what objects have by nature for fields", () => {
    assert.deepStrictEqual(read(Object.create({ model: "inherited" })), read({}))
  })
})

describe("an answer", () => {
  it("as json", () => {
    assert.deepStrictEqual(jsonIn(beach, "json"), { text: BEACH, usage: { type: "duration", seconds: 9 } })
    assert.strictEqual(answer(beach, { ...plain, format: "json" }).contentType, "application/json")
  })

  it("as text", () => {
    assert.deepStrictEqual(answer(beach, { ...plain, format: "text" }), {
      contentType: "text/plain; charset=utf-8",
      body: `${BEACH}\n`
    })
  })

  it("as srt", () => {
    assert.strictEqual(
      textIn(beach, "srt"),
      `1
00:00:00,000 --> 00:00:03,320
The beach was a popular spot on a hot summer day.

2
00:00:03,320 --> 00:00:07,480
People were swimming & building <castles>.

`
    )
  })

  it("as vtt", () => {
    assert.strictEqual(
      textIn(beach, "vtt"),
      `WEBVTT

00:00:00.000 --> 00:00:03.320
The beach was a popular spot on a hot summer day.

00:00:03.320 --> 00:00:07.480
People were swimming &amp; building &lt;castles&gt;.

`
    )
  })

  it("as verbose_json", () => {
    const unknown = { tokens: [], avg_logprob: 0, compression_ratio: 1, no_speech_prob: 0 }
    const body = answer(beach, { format: "verbose_json", language: undefined, temperature: 0.4 }).body
    assert.deepStrictEqual(JSON.parse(body), {
      task: "transcribe",
      language: "english",
      duration: 8.47,
      text: BEACH,
      segments: [
        {
          ...{ id: 0, seek: 0, start: 0, end: 3.32, temperature: 0.4, ...unknown },
          text: " The beach was a popular spot on a hot summer day."
        },
        {
          ...{ id: 1, seek: 332, start: 3.32, end: 7.48, temperature: 0.4, ...unknown },
          text: " People were swimming & building <castles>."
        }
      ],
      usage: { type: "duration", seconds: 9 }
    })
  })

  it("of silence is as empty in each form", () => {
    const silence = heardOf([{ from: 0, to: 1, text: " \u0000\n" }], {
      sounds: [{ from: 0, to: 9, text: "(music)" }]
    })
    assert.strictEqual(stringField(jsonIn(silence, "json"), "text"), "")
    assert.strictEqual(textIn(silence, "text"), "\n")
    assert.strictEqual(textIn(silence, "srt"), "")
    assert.strictEqual(textIn(silence, "vtt"), "WEBVTT\n\n")
    assert.deepStrictEqual(field(jsonIn(silence, "verbose_json"), "segments"), [])
  })

  const languages: ReadonlyArray<readonly [string | undefined, string | undefined, string]> = [
    ["de", "en", "german"],
    [undefined, "fr", "french"],
    [undefined, undefined, "unknown"],
    ["", undefined, "unknown"],
    ["my", undefined, "myanmar"],
    ["ht", undefined, "haitian creole"],
    ["jw", undefined, "javanese"],
    ["yue", undefined, "cantonese"],
    ["pt-BR", undefined, "portuguese"],
    ["English", undefined, "english"]
  ]
  for (const [heard, asked, name] of languages)
    it(`calls the language ${heard} (asked for: ${asked}) ${name}`, () => {
      const found = heardOf([], heard === undefined ? {} : { language: heard })
      const { body } = answer(found, { format: "verbose_json", language: asked, temperature: undefined })
      assert.strictEqual(stringField(JSON.parse(body), "language"), name)
    })

  it("puts spaces where a script has them", () => {
    const said = (...texts: ReadonlyArray<string>) =>
      stringField(jsonIn(heardOf(texts.map((text, at) => ({ from: at, to: at + 1, text }))), "json"), "text")
    assert.strictEqual(said("今日は", "いい天気です。", "そうですね"), "今日はいい天気です。そうですね")
    assert.strictEqual(said("สวัสดี", "ครับ"), "สวัสดีครับ")
    assert.strictEqual(said("안녕하세요", "여러분"), "안녕하세요 여러분")
    assert.strictEqual(said("He said 你好", "to them"), "He said 你好 to them")
    assert.strictEqual(said("They call it", "寿司"), "They call it 寿司")
    assert.strictEqual(said(" a  \n b", "", "c "), "a b c")
    const verbose = jsonIn(heardOf([{ from: 0, to: 1, text: "今日は" }]), "verbose_json")
    assert.strictEqual(stringField(arrayField(verbose, "segments")[0], "text"), "今日は")
  })

  it("shows no cue any longer when the next one comes", () => {
    const late = heardOf([
      { from: 0, to: 5, text: "one" },
      { from: 4, to: 4.5, text: "two" }
    ])
    assert.deepStrictEqual(
      textIn(late, "srt")
        .split("\n")
        .filter((line) => line.includes("-->")),
      ["00:00:00,000 --> 00:00:04,000", "00:00:04,000 --> 00:00:04,500"]
    )
  })
})

describe("times", () => {
  const line = (from: number, to: number) => textIn(heardOf([{ from, to, text: "x" }]), "srt").split("\n")[1]

  const times: ReadonlyArray<readonly [number, number, string]> = [
    [0, 0.0005, "00:00:00,000 --> 00:00:00,001"],
    [0.9994, 0.9996, "00:00:00,999 --> 00:00:01,000"],
    [59.9996, 61, "00:01:00,000 --> 00:01:01,000"],
    [3599.9999, 3600.5, "01:00:00,000 --> 01:00:00,500"],
    [86_399.999, 86_400, "23:59:59,999 --> 24:00:00,000"],
    [360_000, 360_001, "100:00:00,000 --> 100:00:01,000"],
    [1.005, 1.115, "00:00:01,005 --> 00:00:01,115"],
    [-1, 1, "00:00:00,000 --> 00:00:01,000"],
    [5, 4, "00:00:05,000 --> 00:00:05,001"],
    [2, 2, "00:00:02,000 --> 00:00:02,001"],
    [1, Infinity, "00:00:01,000 --> 00:00:01,001"],
    [NaN, 1, "00:00:00,000 --> 00:00:01,000"]
  ]
  for (const [from, to, written] of times)
    it(`from ${from} to ${to} are written ${written}`, () => assert.strictEqual(line(from, to), written))
})

/** What a player makes of a file of cues. */
const cuesIn = (file: string, mark: "," | ".") =>
  file
    .split("\n\n")
    .filter((block) => block.includes("-->"))
    .map((block) => {
      const lines = block.split("\n").slice(mark === "," ? 1 : 0)
      assert.strictEqual(lines.length, 2, block)
      const [times = "", text = ""] = lines
      const [start = NaN, end = NaN] = times.split(" --> ").map((time) => millisecondsIn(time, mark))
      return { start, end, text }
    })

const millisecondsIn = (time: string, mark: "," | "."): number => {
  const parts = new RegExp(`^(\\d{2,}):([0-5]\\d):([0-5]\\d)[${mark}](\\d{3})$`).exec(time)
  assert.isNotNull(parts, time)
  const [hours = NaN, minutes = NaN, seconds = NaN, rest = NaN] = (parts ?? []).slice(1).map(Number)
  return ((hours * 60 + minutes) * 60 + seconds) * 1000 + rest
}

const seconds = fc.oneof(
  fc.double({ min: 0, max: 20_000, noNaN: true }),
  fc.integer({ min: 0, max: 50 }).map((tick) => tick / 1000),
  fc.constantFrom(59.9995, 3599.9995, 0.0004)
)

const words = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 20 }),
  fc.constantFrom("a --> b", "R&D &amp; <b>", "1", "WEBVTT", "two\n\nlines", "你好", "\u2028x", "-->")
)

const segments = fc.array(
  fc.record({ from: seconds, to: seconds, text: words }).map(({ from, text, to }) => ({
    from: Math.min(from, to),
    to: Math.max(from, to),
    text
  })),
  { maxLength: 8 }
)

const onOneLine = (text: string) => text.replace(/[\s\p{Cc}]+/gu, " ").trim()

const unescaped = (text: string) =>
  text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&")

describe("whatever is heard", () => {
  it("cues come one after the other, and players read back every word", () => {
    fc.assert(
      fc.property(segments, (said) => {
        const inOrder = said
          .toSorted((one, other) => one.from - other.from)
          .map(({ text }) => onOneLine(text))
          .filter((text) => text !== "")
        const srt = cuesIn(textIn(heardOf(said), "srt"), ",")
        const vtt = cuesIn(textIn(heardOf(said), "vtt"), ".")
        assert.deepStrictEqual(
          srt.map(({ text }) => text),
          inOrder.map((text) => text.replaceAll("-->", "->"))
        )
        assert.deepStrictEqual(
          vtt.map(({ text }) => unescaped(text)),
          inOrder
        )
        assert.isFalse(vtt.some(({ text }) => /<|-->|&(?!(amp|lt|gt);)/.test(text)))
        let free = 0
        for (const [index, { end, start }] of srt.entries()) {
          assert.isAtLeast(start, free)
          assert.isAbove(end, start)
          assert.deepInclude(vtt[index], { start, end })
          free = end
        }
      })
    )
  })

  it("the parts together are the whole", () => {
    fc.assert(
      fc.property(segments, (said) => {
        const heard = heardOf(said)
        const whole = stringField(jsonIn(heard, "json"), "text")
        assert.strictEqual(textIn(heard, "text"), `${whole}\n`)
        const verbose = jsonIn(heard, "verbose_json")
        assert.strictEqual(stringField(verbose, "text"), whole)
        const parts = arrayField(verbose, "segments").map((part) => stringField(part, "text") ?? "")
        assert.strictEqual(parts.join("").trimStart(), whole)
        const deltas = said
          .map(makeDeltas())
          .flatMap((event) => (event === undefined ? [] : [JSON.parse(event)]))
        assert.isTrue(deltas.every((event) => stringField(event, "type") === "transcript.text.delta"))
        assert.strictEqual(deltas.map((event) => stringField(event, "delta")).join(""), whole)
        assert.deepStrictEqual(JSON.parse(doneEvent(heard)), { type: "transcript.text.done", text: whole })
      })
    )
  })
})
