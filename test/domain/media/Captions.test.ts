import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { readCaptions } from "../../../src/domain/media/Captions.ts"

const texts = (file: string) => readCaptions(file).map(({ text }) => text)

const vtt = (...blocks: ReadonlyArray<string>) => ["WEBVTT", ...blocks].join("\n\n")

/** As YouTube writes down what it hears: every line comes twice, and once more when the next one is spoken. */
const ROLLING = `WEBVTT
Kind: captions
Language: en

00:00:00.160 --> 00:00:02.389 align:start position:0%
 
hello<00:00:00.480><c> and</c><00:00:00.640><c> welcome</c>

00:00:02.389 --> 00:00:02.399 align:start position:0%
hello and welcome
 

00:00:02.399 --> 00:00:04.990 align:start position:0%
hello and welcome
to<00:00:02.720><c> the</c><00:00:02.960><c> show</c>

00:00:04.990 --> 00:00:05.000 align:start position:0%
to the show
 

00:00:05.000 --> 00:00:07.500 align:start position:0%
to the show
no

00:00:07.500 --> 00:00:07.510 align:start position:0%
no
 

00:00:07.510 --> 00:00:09.000 align:start position:0%
no
no

00:01:07.510 --> 00:01:09.000 align:start position:0%
no
later<00:01:08.000><c> on</c>
`

describe("WebVTT", () => {
  it("gives words and times", () => {
    assert.deepStrictEqual(
      readCaptions(
        vtt(
          "NOTE written by hand\nand long",
          "STYLE\n::cue { color: red }",
          "intro\n00:01.000 --> 00:02.500 line:0 position:20% align:end\nHello there,\nyou two.",
          "1:02:03.004 --> 1:02:05.006\nAn hour later.\n\n\n",
          "100:00:00.000 --> 100:00:01.000\nMuch later."
        )
      ),
      [
        { from: 1, to: 2.5, text: "Hello there, you two." },
        { from: 3723.004, to: 3725.006, text: "An hour later." },
        { from: 360_000, to: 360_001, text: "Much later." }
      ]
    )
  })

  it("is read with any line ends, and a mark at its head", () => {
    const file = vtt("00:01.000 --> 00:02.000\nOne", "00:03.000 --> 00:04.000\nTwo")
    for (const ends of ["\n", "\r\n", "\r"])
      assert.deepStrictEqual(texts(`\ufeff${file.replaceAll("\n", ends)}`), ["One", "Two"])
  })

  it("loses its looks, and keeps who speaks", () => {
    const line = (text: string) => texts(vtt(`00:01.000 --> 00:02.000\n${text}`))[0]
    const lines: Record<string, string | undefined> = {
      "<c.yellow.bg_blue>Loud</c> and <b><i>clear</i></b>": "Loud and clear",
      "<v Fred Stone>Hi, I&#39;m Fred": "Fred Stone: Hi, I'm Fred",
      "<v.first.loud Mary>Hi</v>": "Mary: Hi",
      "<ruby>漢<rt>kan</rt></ruby>": "漢kan",
      "Fish &amp; chips &lt;b&gt; &quot;x&quot;&nbsp;&#x41;&#66;&lrm;": 'Fish & chips <b> "x" AB',
      "{\\an8}On top": "On top",
      "a < b, c > d": "a d",
      "\u200bnothing\u200b to\tsee ": "nothing to see",
      "&unknown; &#1114112; &#xd800; &amp;lt;": "&unknown; &lt;",
      "&nbsp;": undefined,
      "<i></i>": undefined
    }
    for (const [written, read] of Object.entries(lines)) assert.strictEqual(line(written), read, written)
  })

  it("keeps what is said twice, and at the same time", () => {
    const cues = [
      ["00:01.000", "00:02.000", "No."],
      ["00:02.000", "00:03.000", "No."],
      ["00:05.000", "00:09.000", "One speaks."],
      ["00:06.000", "00:07.000", "One laughs."]
    ]
    assert.deepStrictEqual(
      readCaptions(vtt(...cues.map(([from, to, text]) => `${from} --> ${to}\n${text}`))),
      [
        { from: 1, to: 2, text: "No." },
        { from: 2, to: 3, text: "No." },
        { from: 5, to: 9, text: "One speaks." },
        { from: 6, to: 7, text: "One laughs." }
      ]
    )
  })

  it("says every line once where the lines move up", () => {
    assert.deepStrictEqual(readCaptions(ROLLING), [
      { from: 0.16, to: 2.399, text: "hello and welcome" },
      { from: 2.399, to: 5, text: "to the show" },
      { from: 5, to: 7.51, text: "no" },
      { from: 7.51, to: 9, text: "no" },
      { from: 67.51, to: 69, text: "no later on" }
    ])
  })

  it("is known to move up without the words' own times", () => {
    const lines = ["one", "two", "three", "four", "five", "six"]
    const cues = lines.map((line, at) =>
      [`00:0${at}.000 --> 00:0${at + 1}.000`, ...lines.slice(Math.max(0, at - 2), at), line].join("\n")
    )
    assert.deepStrictEqual(
      readCaptions(vtt(...cues)),
      lines.map((text, at) => ({ from: at, to: at + 1, text }))
    )
  })

  it("comes in order, however it is written", () => {
    assert.deepStrictEqual(
      readCaptions(vtt("00:05.000 --> 00:04.000\nLater", "00:01.000 --> 00:02.000\nFirst")),
      [
        { from: 1, to: 2, text: "First" },
        { from: 5, to: 5, text: "Later" }
      ]
    )
  })

  it("gives back every cue that was written down, whatever its words", () => {
    const time = (ms: number) => {
      const two = (value: number) => String(Math.floor(value)).padStart(2, "0")
      return `${two(ms / 3_600_000)}:${two((ms / 60_000) % 60)}:${two((ms / 1000) % 60)}.${String(ms % 1000).padStart(3, "0")}`
    }
    const cue = fc.record({
      gap: fc.integer({ min: 200, max: 400_000 }),
      lasting: fc.integer({ min: 0, max: 9000 })
    })
    const word = fc.stringMatching(/^[a-zäß漢',.!?]{1,12}$/)
    fc.assert(
      fc.property(fc.array(fc.tuple(cue, fc.array(word, { minLength: 1, maxLength: 6 }))), (cues) => {
        let at = 0
        const wanted = cues.map(([{ gap, lasting }, words]) => {
          const from = at + gap
          at = from + lasting
          return { from, to: at, text: words.join(" ") }
        })
        const file = vtt(...wanted.map(({ from, text, to }) => `${time(from)} --> ${time(to)}\n${text}`))
        assert.deepStrictEqual(
          readCaptions(file),
          wanted.map(({ from, text, to }) => ({ from: from / 1000, to: to / 1000, text }))
        )
      })
    )
  })
})

describe("SubRip", () => {
  it("is read too, with or without empty lines between", () => {
    const cues = [
      "1\n00:00:01,000 --> 00:00:02,000\n<i>One</i>",
      "2\n00:00:02,500 --> 00:00:03,000\nTwo\nlines"
    ]
    for (const between of ["\n\n", "\n"])
      assert.deepStrictEqual(readCaptions(cues.join(between)), [
        { from: 1, to: 2, text: "One" },
        { from: 2.5, to: 3, text: "Two lines" }
      ])
  })
})

describe("json3", () => {
  it("gives words and times, each until the next begins", () => {
    const events = [
      { tStartMs: 0, dDurationMs: 90_000, id: 1, wpWinPosId: 1 },
      {
        tStartMs: 160,
        dDurationMs: 4839,
        segs: [{ utf8: "hello" }, { utf8: " and", tOffsetMs: 320 }, { utf8: "\nyou" }]
      },
      { tStartMs: 2389, dDurationMs: 2610, aAppend: 1, segs: [{ utf8: "\n" }] },
      { tStartMs: 2399, dDurationMs: 5000, segs: [{ utf8: "a <b> & c" }] },
      { tStartMs: 9000, segs: [{ utf8: "no end" }] }
    ]
    assert.deepStrictEqual(readCaptions(JSON.stringify({ wireMagic: "pb3", events })), [
      { from: 0.16, to: 2.399, text: "hello and you" },
      { from: 2.399, to: 7.399, text: "a <b> & c" },
      { from: 9, to: 9, text: "no end" }
    ])
  })

  it("may be anything", () => {
    for (const file of [
      ...["{}", '{"events":{}}', '{"events":[null,1,"x",{}]}', '{"events":[{"segs":[{"utf8":"x"}]}]}'],
      ...[
        '{"events":[{"tStartMs":1e999,"segs":[{"utf8":"x"}]}]}',
        '{"events":[{"tStartMs":"1","segs":[{"utf8":"x"}]}]}'
      ]
    ])
      assert.deepStrictEqual(readCaptions(file), [], file)
  })
})

describe("any text", () => {
  it("that is no captions says nothing", () => {
    for (const text of [
      "",
      "WEBVTT",
      "#EXTM3U\n#EXTINF:1,\nseg.ts",
      "<html><!-- a --> b</html>",
      "{",
      "00:01 --> 00:02\nx"
    ])
      assert.deepStrictEqual(readCaptions(text), [], text)
  })

  it("gives segments in order with something in them", () => {
    const line = fc.oneof(
      fc.constantFrom(
        "00:01.000 --> 00:02.000",
        "00:00:01,5 --> 00:00:00,1",
        "WEBVTT",
        "",
        " ",
        "1",
        "--> 00:01.000"
      ),
      fc.string(),
      fc.constantFrom("<c>", "<00:00:01.000>", "<v", "&#x", "{\\", "hello")
    )
    fc.assert(
      fc.property(fc.array(line, { maxLength: 40 }), (lines) => {
        let before = 0
        for (const { from, text, to } of readCaptions(lines.join("\n"))) {
          assert.isAtLeast(from, before)
          assert.isAtLeast(to, from)
          assert.notStrictEqual(text.trim(), "")
          before = from
        }
      })
    )
  })

  it("is read in time that grows with its length", () => {
    const hostile = [
      "<".repeat(300_000),
      "{\\".repeat(150_000),
      "<v".repeat(150_000),
      "<v.".repeat(100_000),
      "&#".repeat(150_000),
      `<v${" ".repeat(300_000)}`
    ]
    for (const text of hostile) assert.isAtMost(texts(vtt(`00:01.000 --> 00:02.000\n${text}`)).length, 1)
  })
})
