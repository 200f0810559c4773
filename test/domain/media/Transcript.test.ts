import { assert, describe, it } from "@effect/vitest"
import type { Piece } from "../../../src/domain/media/SpeechGate.ts"
import { Transcript } from "../../../src/domain/media/Transcript.ts"

const piece = (from: number, to: number): Piece => ({
  from,
  to,
  regions: [{ from, to }],
  pcm: new Uint8Array(0),
  steady: false
})

describe("a transcript", () => {
  it("counts from where the sound stands in the recording", () => {
    const transcript = new Transcript(600)
    assert.deepStrictEqual(transcript.add(piece(2, 6), [{ from: 0.5, to: 3, text: "Here we are." }], "en"), [
      { from: 602.5, to: 605, text: "Here we are." }
    ])
    transcript.addNoise(piece(10, 14))
    transcript.miss(piece(20, 25), "it broke")
    assert.deepStrictEqual(transcript.heard({ duration: 30, active: 13 }), {
      language: "en",
      segments: [{ from: 602.5, to: 605, text: "Here we are." }],
      sounds: [{ from: 610, to: 614, text: "(no speech: noise)" }],
      duration: 30,
      heard: 25,
      active: 13,
      missed: [{ from: 620, to: 625, why: "it broke" }]
    })
  })

  it("makes one gap of what was missed in a row, and keeps apart what was not", () => {
    const transcript = new Transcript()
    transcript.miss(piece(0, 10), "too slow")
    transcript.miss(piece(11, 20), "too slow")
    transcript.miss(piece(20, 30), "it broke")
    transcript.add(piece(30, 40), [], undefined)
    transcript.miss(piece(40, 50), "it broke")
    const { heard, missed } = transcript.heard({ duration: 60, active: 50 })
    assert.deepStrictEqual(missed, [
      { from: 0, to: 20, why: "too slow" },
      { from: 20, to: 30, why: "it broke" },
      { from: 40, to: 50, why: "it broke" }
    ])
    assert.strictEqual(heard, 20)
  })

  it("is in the language most was said in", () => {
    const transcript = new Transcript()
    const say = (from: number, text: string, language: string) =>
      transcript.add(piece(from, from + 5), [{ from: 0, to: 5, text }], language)
    say(0, "Ja.", "de")
    say(5, "The rest of it was all in English.", "en")
    say(10, "Nein.", "de")
    assert.strictEqual(transcript.heard({ duration: 15, active: 15 }).language, "en")
  })

  it("without words has no language", () => {
    const transcript = new Transcript()
    transcript.add(piece(0, 5), [{ from: 0, to: 5, text: "[Music]" }], "nn")
    assert.isFalse("language" in transcript.heard({ duration: 5, active: 5 }))
  })
})
