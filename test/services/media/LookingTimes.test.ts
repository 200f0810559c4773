import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { clip, eyes, lookAt, readColour, rewrapped } from "../../support/Clips.ts"
import type { Looked } from "../../support/Clips.ts"

/** Every picture has the colour of the second it is dated with, down to the last. */
const assertColours = ({ blobs, seen }: Looked) =>
  Effect.gen(function* () {
    assert.strictEqual(blobs.length, seen.frames.length)
    for (const [place, { time }] of seen.frames.entries()) {
      const colour = yield* Effect.promise(() => readColour(blobs[place]?.bytes ?? new Uint8Array()))
      assert.strictEqual(colour, Math.floor(time) % 125, `the picture dated ${time}`)
    }
  })

layer(eyes())("a picture's time is the decoder's", (it) => {
  const looks = (name: string, file: ReturnType<typeof rewrapped>, frames: number, fewest = frames) =>
    it.scoped(name, () =>
      Effect.gen(function* () {
        const found = yield* lookAt(yield* file, { frames })
        assert.isAtLeast(found.seen.frames.length, fewest)
        yield* assertColours(found)
      })
    )

  looks(
    "in a plain film",
    Effect.sync(() => clip("seconds.mp4")),
    24
  )
  looks(
    "where pictures come at uneven times",
    Effect.sync(() => clip("seconds-vfr.mp4")),
    24
  )
  looks(
    "where the film is turned",
    Effect.sync(() => clip("seconds-turned.mp4")),
    12
  )
  looks(
    "in two hours",
    Effect.sync(() => clip("seconds-2h.mp4")),
    16
  )
  looks(
    "where pixels are not square",
    Effect.sync(() => clip("wide-pixels.mp4")),
    8
  )
  looks("in Matroska", rewrapped("seconds.mp4", "a.mkv"), 16)
  looks("in fragments", rewrapped("seconds.mp4", "a.mp4", ["-movflags", "frag_keyframe+empty_moov"]), 16)
  looks("in a transport stream, whose clock starts late", rewrapped("seconds.mp4", "a.ts"), 16)
  looks("in a short transport stream", rewrapped("seconds-turned.mp4", "a.ts"), 12)
  looks("in two hours of transport stream", rewrapped("seconds-2h.mp4", "a.ts"), 16, 12)
  looks("in a Flash film", rewrapped("seconds.mp4", "a.flv"), 16)
  looks("in an AVI file", rewrapped("seconds-2h.mp4", "a.avi"), 16, 12)
  looks("where the sound begins first", rewrapped("seconds.mp4", "a.mkv", ["-output_ts_offset", "7.3"]), 16)
})
