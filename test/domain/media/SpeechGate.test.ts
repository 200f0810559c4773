import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { SpeechGate } from "../../../src/domain/media/SpeechGate.ts"
import type { Piece } from "../../../src/domain/media/SpeechGate.ts"
import { babble, inTurn, noise, over, silence, sound, tone } from "../../support/Sound.ts"

/** What the gate lets through of a recording, fed in chunks of some size. */
const gated = (bytes: Uint8Array, chunk: number = bytes.length) => {
  const gate = new SpeechGate()
  const pieces: Array<Piece> = []
  for (let at = 0; at < bytes.length; at += chunk) pieces.push(...gate.push(bytes.subarray(at, at + chunk)))
  pieces.push(...gate.end())
  return { pieces, active: gate.active, duration: gate.duration }
}

const spans = (pieces: ReadonlyArray<Piece>) => pieces.map(({ from, to }) => [from, to] as const)

/** Begins and ends at most half a second away from these. */
const assertAbout = (pieces: ReadonlyArray<Piece>, wanted: ReadonlyArray<readonly [number, number]>) => {
  assert.strictEqual(pieces.length, wanted.length, JSON.stringify(spans(pieces)))
  spans(pieces).forEach(([from, to], index) => {
    const [start = 0, end = 0] = wanted[index] ?? []
    assert.approximately(from, start, 0.5, JSON.stringify(spans(pieces)))
    assert.approximately(to, end, 0.5, JSON.stringify(spans(pieces)))
  })
}

describe("the gate", () => {
  it.each([
    ["no sound at all", sound()],
    ["half a sample", new Uint8Array(1)],
    ["silence", sound(silence(70))],
    ["silence off the middle", sound(silence(20).fill(0.4))],
    ["a soft hiss", sound(noise(70, -60))],
    ["a breath of it", sound(silence(30), noise(5, -58), silence(30))],
    ["a room that hums below the loudest threshold", sound(tone(20, -35, 100))]
  ])("stays shut before %s", (_, bytes) => {
    const { active, duration, pieces } = gated(bytes)
    assert.deepStrictEqual(spans(pieces), [])
    assert.strictEqual(active, 0)
    assert.strictEqual(duration, bytes.length / 32_000)
  })

  it("dates words that come after a long silence", () => {
    const { active, pieces } = gated(sound(silence(25), babble(4, -20), silence(10)))
    assertAbout(pieces, [[25, 29]])
    assert.approximately(active, 4, 0.5)
  })

  it("tells words from the noise they are spoken in", () => {
    const voice = sound(over(noise(60, -45), inTurn(silence(20), babble(5, -20), silence(35))))
    assertAbout(gated(voice).pieces, [[20, 25]])
  })

  it("hears soft words where there is nothing else, also in a recording of two seconds", () => {
    assertAbout(gated(sound(silence(20), babble(5, -42), silence(20))).pieces, [[20, 25]])
    assertAbout(gated(sound(babble(2, -45))).pieces, [[0, 2]])
  })

  it("hears words from the first sample on", () => {
    assertAbout(gated(sound(babble(12, -18), silence(3))).pieces, [[0, 12]])
  })

  it("lets no click through", () => {
    assert.deepStrictEqual(spans(gated(sound(silence(5), tone(0.09, -10), silence(5))).pieces), [])
    assertAbout(gated(sound(silence(5), tone(0.3, -10), silence(5))).pieces, [[5, 5.3]])
  })

  it("joins over short pauses and parts at long ones", () => {
    const words = babble(3, -20)
    const joined = gated(sound(silence(5), words, silence(1.2), words, silence(5)))
    assertAbout(joined.pieces, [[5, 12.2]])
    assert.strictEqual(joined.pieces[0]?.regions.length, 2)
    const parted = gated(sound(silence(5), words, silence(2.5), words, silence(5)))
    assertAbout(parted.pieces, [
      [5, 8],
      [10.5, 13.5]
    ])
  })

  it("cuts what is longer than one look where it is quietest", () => {
    const speech = babble(70, -15).map((value, at) =>
      at >= 21 * 16_000 && at < 21.4 * 16_000 ? value / 30 : value
    )
    const [first, second, third] = gated(sound(silence(3), speech, silence(3))).pieces
    assert.approximately(first?.to ?? 0, 24.2, 0.2)
    assert.strictEqual(second?.from, first?.to)
    assert.strictEqual(third?.from, second?.to)
  })

  it("does not fall apart over noise that hovers about its threshold", () => {
    const hovering = Array.from({ length: 20 }, () => [noise(1, -53.5), noise(2, -57)]).flat()
    const { pieces } = gated(sound(silence(20), ...hovering, silence(20)))
    assert.isAtMost(pieces.length, 4, JSON.stringify(spans(pieces)))
    assert.isAbove(pieces.length, 0)
  })

  it("gets used to a noise that stays", () => {
    const { active } = gated(sound(silence(60), noise(150, -45)))
    assert.isAtMost(active, 60)
  })

  it("lets through a recording too short to know what is noise in it", () => {
    assertAbout(gated(sound(noise(1.5, -40))).pieces, [[0, 1.5]])
  })

  it.each([
    ["a hum", tone(12, -20, 100), true],
    ["a hiss", noise(12, -20), true],
    ["a tone that comes and goes", inTurn(tone(3, -20), silence(1), tone(3, -20)), true],
    ["speech", babble(12, -20), false],
    ["speech in a hiss", over(noise(12, -26), babble(12, -20)), false],
    ["a single beep", tone(0.4, -20), false]
  ])("says whether %s is of one loudness", (_, part, steady) => {
    const { pieces } = gated(sound(silence(3), part, silence(3)))
    assert.deepStrictEqual(
      pieces.map((piece) => piece.steady),
      [steady]
    )
  })
})

/** In order, none too long, each with its own bytes and regions. */
const assertInOrder = (pieces: ReadonlyArray<Piece>, bytes: Uint8Array) => {
  let before = 0
  for (const { from, pcm, regions, to } of pieces) {
    assert.isAtLeast(from, before)
    assert.isAtMost(to - from, 29.5)
    assert.isAtMost(to, bytes.length / 32_000)
    const start = Math.round(from * 32_000)
    assert.isTrue(Buffer.from(bytes.subarray(start, start + pcm.length)).equals(pcm))
    assert.approximately(pcm.length / 32_000, to - from, 0.001)
    assert.strictEqual(regions[0]?.from, from)
    assert.strictEqual(regions.at(-1)?.to, to)
    regions.reduce((end, region) => {
      assert.isAtLeast(region.from, end)
      assert.isAbove(region.to, region.from)
      return region.to
    }, 0)
    before = to
  }
}

describe("any recording", () => {
  const part = fc.tuple(
    fc.constantFrom(silence, noise, babble, tone),
    fc.double({ min: 0.05, max: 12, noNaN: true }),
    fc.double({ min: -60, max: -3, noNaN: true })
  )
  const recording = fc
    .tuple(fc.array(part, { maxLength: 8 }), fc.integer({ min: 0, max: 1 }))
    .map(([parts, odd]) => {
      const made = sound(...parts.map(([kind, seconds, level]) => kind(seconds, level)))
      return made.subarray(0, Math.max(0, made.length - odd))
    })

  it("gives the same pieces however its bytes are chunked", () => {
    fc.assert(
      fc.property(recording, fc.integer({ min: 1, max: 70_000 }), (bytes, chunk) => {
        assert.deepStrictEqual(gated(bytes, chunk), gated(bytes))
      }),
      { numRuns: 25 }
    )
  })

  it("gives pieces in order, none too long, each with its own bytes and regions", () => {
    fc.assert(
      fc.property(recording, (bytes) => {
        const { active, duration, pieces } = gated(bytes)
        assertInOrder(pieces, bytes)
        assert.isAtMost(active, duration + 1e-9)
        assert.strictEqual(active > 0, pieces.length > 0)
      }),
      { numRuns: 40 }
    )
  })

  it("loses nothing that is loud in silence", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.double({ min: 0.2, max: 45, noNaN: true }),
            fc.double({ min: 0.3, max: 20, noNaN: true })
          ),
          {
            minLength: 1,
            maxLength: 4
          }
        ),
        (parts) => {
          const bytes = sound(...parts.flatMap(([loud, quiet]) => [babble(loud, -15), silence(quiet)]))
          const { pieces } = gated(bytes)
          assertInOrder(pieces, bytes)
          let at = 0
          for (const [loud, quiet] of parts) {
            const heard = pieces.reduce(
              (sum, { from, to }) => sum + Math.max(0, Math.min(to, at + loud) - Math.max(from, at)),
              0
            )
            assert.approximately(heard, loud, 0.05)
            at += loud + quiet
          }
        }
      ),
      { numRuns: 15 }
    )
  })
})
