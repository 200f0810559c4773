import { assert, describe, it } from "@effect/vitest"
import { Context, Effect } from "effect"
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { root } from "../../../scripts/fresh.mjs"
import type { Segment } from "../../../src/domain/media/Evidence.ts"
import { Workspace } from "../../../src/services/media/Workspace.ts"
import { bundledEngine, ears } from "../../support/Ears.ts"
import { nobodyWith } from "../../support/Processes.ts"
import { fixture, spoken, wordErrors } from "../../support/Words.ts"

const textOf = (segments: ReadonlyArray<Segment>) => segments.map(({ text }) => text).join(" ")

/** A real voice, where the recording lies beside the checkout. */
const jfk = join(root, "..", "shared", "media", "jfk.wav")
const INAUGURAL =
  "And so, my fellow Americans: ask not what your country can do for you. Ask what you can do for your country."

const bundled = ears(bundledEngine)

describe("the bundled engine with real weights", () => {
  it.scopedLive(
    "writes speech down word for word",
    () =>
      Effect.gen(function* () {
        const { listen } = yield* bundled
        const { engine, language, missed, segments } = yield* listen(fixture("speech.opus"))
        assert.isAtMost(wordErrors(spoken.library, textOf(segments)), 0.05, textOf(segments))
        assert.deepStrictEqual(
          { engine, language, missed },
          { engine: "whisper.cpp (bundled)", language: "en", missed: [] }
        )
        const narrow = yield* listen(fixture("low-rate.flac"))
        assert.isAtMost(wordErrors(spoken.kitchen, textOf(narrow.segments)), 0.1, textOf(narrow.segments))
        if (!existsSync(jfk)) return
        const natural = yield* listen(jfk)
        assert.isAtMost(wordErrors(INAUGURAL, textOf(natural.segments)), 0.05, textOf(natural.segments))
      }),
    120_000
  )

  it.scopedLive(
    "dates words that come after 25 seconds of silence, and leaves nothing behind",
    () =>
      Effect.gen(function* () {
        const { context, listen } = yield* bundled
        const { segments } = yield* listen(fixture("late-speech.opus"))
        assert.isAtMost(wordErrors(spoken.kitchen, textOf(segments)), 0.05, textOf(segments))
        assert.approximately(segments[0]?.from ?? 0, 25, 2)
        const { root } = Context.get(context, Workspace)
        assert.deepStrictEqual(readdirSync(root), [])
        yield* nobodyWith(root)
      }),
    120_000
  )

  it.scopedLive.each([
    ["pink-noise.opus", /^\(no speech: noise\)$/],
    ["music.opus", /^\((?:music|no speech: noise)\)$/]
  ] as const)(
    "names what there is in %s, and makes no words of it",
    ([name, kind]) =>
      Effect.gen(function* () {
        const { listen } = yield* bundled
        const { segments, sounds } = yield* listen(fixture(name))
        assert.deepStrictEqual(segments, [])
        assert.isAtLeast(sounds.length, 1)
        for (const { text } of sounds) assert.match(text, kind)
      }),
    120_000
  )
})
