import { afterAll, assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { readdirSync } from "node:fs"
import type { MediaFile } from "../../../src/domain/media/Media.ts"
import { Workspace } from "../../../src/services/media/Workspace.ts"
import { clip, eyes, lookAt, readCode, rewrapped, scenesOf } from "../../support/Clips.ts"

const LENGTH = 120

/** What was shown of each clip, looked at in each of two ways, and what could have been. */
const tally: Array<{ readonly shown: number; readonly possible: number }> = []
const LOOKS = 24

afterAll(() => {
  if (tally.length < LOOKS) return
  const sum = (of: "shown" | "possible") => tally.reduce((total, look) => total + look[of], 0)
  assert.isAtLeast(sum("shown") / sum("possible"), 0.95, `${sum("shown")} of ${sum("possible")} scenes`)
})

/** Looks, leaves nothing behind, and tells how far it is. */
const watched = (file: MediaFile, frames: number | undefined) =>
  Effect.gen(function* () {
    const folder = yield* (yield* Workspace).folder
    const shares: Array<number> = []
    const found = yield* lookAt(file, { folder, frames, progress: (share) => shares.push(share) })
    assert.deepStrictEqual(readdirSync(folder), [])
    assert.deepStrictEqual(
      shares.toSorted((one, other) => one - other),
      shares
    )
    assert.strictEqual(shares.at(-1), 1)
    return found
  })

/** Every picture is of the time it is dated with; hardly a scene that could be shown is missing. */
const assertScenes = (name: string, file: MediaFile, frames: number | undefined) =>
  Effect.gen(function* () {
    const found = yield* watched(file, frames)
    const { blobs, seen } = found
    const codes = yield* Effect.promise(() => Promise.all(blobs.map(({ bytes }) => readCode(bytes))))
    codes.forEach(({ clock }, place) => assert.closeTo(clock, seen.frames[place]?.time ?? -1, 0.051))
    const possible = Math.min(frames ?? 9, scenesOf(name).length)
    const shown = new Set(codes.map(({ scene }) => scene)).size
    tally.push({ shown, possible })
    assert.isAtLeast(shown / possible, 0.8, `${shown} of ${possible} scenes`)
    assert.isAtMost(seen.longestGap.to - seen.longestGap.from, LENGTH / 4)
    const times = [0, ...seen.frames.map(({ time }) => time), LENGTH]
    const widest = Math.max(...times.slice(1).map((time, place) => time - (times[place] ?? 0)))
    assert.closeTo(widest, seen.longestGap.to - seen.longestGap.from, 0.2)
    assert.isAtMost(seen.shotsShown, seen.shots)
    assert.deepStrictEqual(seen.unseen, [])
    return found
  })

layer(eyes())("looking at films", (it) => {
  const shows = (how: string, name: string, file: ReturnType<typeof rewrapped>, again = false) =>
    it.scoped(again ? `${how}, and twice the same, byte for byte` : how, () =>
      Effect.gen(function* () {
        const made = yield* file
        yield* assertScenes(name, made, undefined)
        const found = yield* assertScenes(name, made, 12)
        if (again) assert.deepStrictEqual(yield* lookAt(made, { frames: 12 }), found)
      })
    )
  const plain = (how: string, name: string, again = false) =>
    shows(
      how,
      name,
      Effect.sync(() => clip(name)),
      again
    )
  const fragments = ["-movflags", "frag_keyframe+empty_moov+default_base_moof"]

  describe("of twelve uneven scenes nearly all are shown", () => {
    plain("with key pictures where scenes begin", "cuts.mp4")
    plain("with key pictures anywhere else", "off-cuts.mp4", true)
    plain("with open groups of pictures", "open.mp4", true)
    plain("with a single key picture", "one-key.mp4")
    plain("that fade in and out", "fades.mp4")
    plain("in HEVC", "hevc.mp4")
    plain("in WebM", "scenes.webm")
    shows("in Matroska", "off-cuts.mp4", rewrapped("off-cuts.mp4", "a.mkv"))
    shows("in a live recording", "cuts.mp4", rewrapped("cuts.mp4", "a.mkv", ["-f", "matroska", "-live", "1"]))
    shows("in fragments", "off-cuts.mp4", rewrapped("off-cuts.mp4", "a.mp4", fragments))
    shows("in a transport stream", "off-cuts.mp4", rewrapped("off-cuts.mp4", "a.ts"), true)
    shows("in a Flash film", "cuts.mp4", rewrapped("cuts.mp4", "a.flv"))
  })

  it.scoped("small print is worth a picture each time it changes", () =>
    Effect.gen(function* () {
      const { seen } = yield* lookAt(clip("slide.mp4"))
      const states = new Set(seen.frames.map(({ time }) => Math.floor(time / 10)))
      assert.isAtLeast(states.size, 8)
      assert.strictEqual(states.size, seen.frames.length)
    })
  )
})
