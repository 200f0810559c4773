import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import sharp from "sharp"
import { altered, clip, eyes, lookAt, readCode, readColour, rewrapped } from "../../support/Clips.ts"
import type { Looked } from "../../support/Clips.ts"

const times = ({ seen }: Looked) => seen.frames.map(({ time }) => time)

const sizes = ({ blobs }: Looked) =>
  Effect.promise(() => Promise.all(blobs.map(({ bytes }) => sharp(bytes).metadata()))).pipe(
    Effect.map((found) => found.map(({ height, width }) => `${width}x${height}`))
  )

/** What a caller reads says nothing of paths, programs or addresses. */
const assertPlain = (message: string) => {
  assert.match(message, /^[A-Z][A-Za-z ,;']+\.$/)
  assert.notMatch(message, /ffmpeg|ffprobe|Invalid|Error|0x/)
}

layer(eyes())("looking at", (it) => {
  it.scoped("a single picture shows that one", () =>
    Effect.gen(function* () {
      const found = yield* lookAt(clip("one-picture.mp4"))
      assert.deepStrictEqual(times(found), [0])
      assert.deepInclude(found.seen, { shots: 1, shotsShown: 1, instants: 1, duplicates: 0, unseen: [] })
    })
  )

  it.scoped("what stays the same shows it once, and says how often it was looked at", () =>
    Effect.gen(function* () {
      for (const name of ["black.mp4", "still.mp4"]) {
        const { seen } = yield* lookAt(clip(name))
        assert.strictEqual(seen.frames.length, 1, name)
        assert.isAbove(seen.instants, 3, name)
        assert.strictEqual(seen.duplicates, seen.instants - 1, name)
        assert.strictEqual(seen.shots, 1, name)
      }
    })
  )

  it.scoped("a blink shows what there is of it", () =>
    Effect.gen(function* () {
      for (const frames of [undefined, 64]) {
        const found = yield* lookAt(clip("blink.mp4"), { frames })
        assert.isAtLeast(found.seen.frames.length, 3)
        assert.isAtMost(found.seen.frames.length, frames === undefined ? 3 : 10)
        assert.isTrue(times(found).every((time) => time >= 0 && time < 0.4))
        // One picture of the clip is a tenth of a second by its own clock, and lasts a 25th.
        for (const [place, { bytes }] of found.blobs.entries()) {
          const { clock } = yield* Effect.promise(() => readCode(bytes))
          assert.closeTo(clock * 0.4, times(found)[place] ?? -1, 0.001)
        }
      }
    })
  )

  it.scoped(
    "a film gives pictures as they are shown: turned, with square pixels, no larger than wanted",
    () =>
      Effect.gen(function* () {
        const turned = yield* lookAt(clip("seconds-turned.mp4"), { frames: 2 })
        assert.deepStrictEqual(yield* sizes(turned), ["112x192", "112x192"])
        const wide = yield* lookAt(clip("wide-pixels.mp4"), { frames: 1 })
        assert.deepStrictEqual(yield* sizes(wide), ["280x112"])
        assert.deepInclude(wide.seen.frames[0], { width: 280, height: 112, mime: "image/jpeg" })
        const small = yield* lookAt(clip("slide.mp4"), { frames: 2, px: 320 })
        assert.deepStrictEqual(yield* sizes(small), ["320x180", "320x180"])
      })
  )

  it.scoped("sound with a cover fails in plain words", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(lookAt(clip("cover.m4a")))
      assert.strictEqual(failure.code, "unsupported")
      assertPlain(failure.message)
    })
  )

  const TRUNCATED: ReadonlyArray<readonly [string, string, ReadonlyArray<string>]> = [
    ["cuts.mp4", "cut.mp4", ["-movflags", "+faststart"]],
    ["cuts.mp4", "cut.mkv", []],
    ["scenes.webm", "cut.webm", []],
    ["cuts.mp4", "cut.ts", []]
  ]
  for (const [name, as, args] of TRUNCATED)
    it.scoped(`a file that breaks off (${as}) shows what there is of it`, () =>
      Effect.gen(function* () {
        const whole = yield* rewrapped(name, as, args)
        const file = yield* altered(whole.path, as, (bytes) => bytes.subarray(0, bytes.length * 0.6))
        const found = yield* lookAt(file)
        assert.isAtLeast(found.seen.frames.length, 5)
        assert.isAbove(Math.max(...times(found)), 35)
        for (const [place, { bytes }] of found.blobs.entries()) {
          const { clock } = yield* Effect.promise(() => readCode(bytes))
          assert.closeTo(clock, times(found)[place] ?? -1, 0.051)
        }
        const last = found.seen.unseen.at(-1)
        // Where the container says how long it should be, the missing part is named.
        if (as === "cut.mp4" || as === "cut.mkv") assert.deepInclude(last, { to: 120 })
        assert.isTrue(times(found).every((time) => last === undefined || time < last.from))
      })
    )

  it.scoped("a recording that does not know its length finds it out", () =>
    Effect.gen(function* () {
      const file = yield* rewrapped("cuts.mp4", "live.mkv", ["-f", "matroska", "-live", "1"])
      const found = yield* lookAt(file)
      assert.strictEqual(found.seen.frames.length, 9)
      assert.isAbove(Math.max(...times(found)), 100)
    })
  )

  it.scoped("a file that claims to be a day long is looked at where there are pictures", () =>
    Effect.gen(function* () {
      const day = 86_400
      const mp4 = yield* altered("blink.mp4", "day.mp4", (bytes) => lengthened(bytes, day))
      const mkv = yield* rewrapped("seconds-turned.mp4", "day.mkv")
      const float = yield* altered(mkv.path, "day.mkv", (bytes) => {
        bytes.writeDoubleBE(day * 1000, bytes.indexOf(Buffer.from([0x44, 0x89, 0x88])) + 3)
        return bytes
      })
      for (const [file, length] of [
        [mp4, 0.4],
        [float, 30]
      ] as const) {
        const found = yield* lookAt(file)
        assert.isAtLeast(found.seen.frames.length, 3)
        assert.isAtMost(found.seen.frames.length, 16)
        assert.isTrue(times(found).every((time) => time < length))
      }
    })
  )

  it.scoped("nothing, or what is no video, fails in plain words", () =>
    Effect.gen(function* () {
      const nothing = yield* altered("cuts.mp4", "nothing.mp4", () => Buffer.alloc(0))
      const noise = yield* altered("cuts.mp4", "noise.mp4", (bytes) => bytes.fill(7, 0, 4000))
      const part = yield* rewrapped("off-cuts.mp4", "part.mp4", BEGINNING)
      const blank = yield* altered(part.path, "blank.mp4", (bytes) => {
        const media = bytes.indexOf("mdat")
        return bytes.fill(0, media + 4, media + 4 + bytes.readUInt32BE(media - 4) - 8)
      })
      for (const file of [nothing, noise, blank]) {
        const failure = yield* Effect.flip(lookAt(file))
        assert.strictEqual(failure.code, "broken", file.path)
        assertPlain(failure.message)
        assert.isAbove(failure.detail?.length ?? 0, 5)
      }
    })
  )

  it.scoped("a file whose table points astray still gives a defined result", () =>
    Effect.gen(function* () {
      const part = yield* rewrapped("cuts.mp4", "part.mp4", BEGINNING)
      const file = yield* altered(part.path, "astray.mp4", (bytes) => {
        const table = bytes.indexOf("stco") + 12
        for (let at = table; at < table + 4 * bytes.readUInt32BE(table - 4); at += 4)
          bytes.writeUInt32BE(bytes.readUInt32BE(at) + 1, at)
        return bytes
      })
      const result = yield* Effect.either(lookAt(file))
      if (result._tag === "Left") assertPlain(result.left.message)
      else assert.isAtLeast(result.right.seen.frames.length, 1)
    })
  )

  it.scoped("a part of a film keeps to it, and its times count from the beginning", () =>
    Effect.gen(function* () {
      const parts = [
        { from: 50, to: 60 },
        { from: 100.5, to: 101.25 },
        { from: 119, to: 500 }
      ]
      for (const file of [clip("seconds.mp4"), yield* rewrapped("seconds.mp4", "part.ts")])
        for (const window of parts) {
          const found = yield* lookAt(file, { window })
          assert.isAtLeast(found.seen.frames.length, window.to - window.from === 10 ? 3 : 1)
          for (const [place, time] of times(found).entries()) {
            assert.isTrue(time >= window.from - 0.001 && time <= window.to, `${time}`)
            const bytes = found.blobs[place]?.bytes ?? new Uint8Array()
            assert.strictEqual(yield* Effect.promise(() => readColour(bytes)), Math.floor(time))
          }
        }
    })
  )

  it.scoped("a part behind its end fails in plain words", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(lookAt(clip("seconds.mp4"), { window: { from: 130, to: 140 } }))
      assert.strictEqual(failure.code, "unsupported")
      assertPlain(failure.message)
    })
  )
})

/** Enough to be taken for a long film, whose pictures are sought one by one. */
const BEGINNING = ["-t", "70"]

/** Claims of a length: of the film, of its track, and of its last picture. */
const lengthened = (bytes: Buffer, seconds: number): Buffer => {
  const [film, track, media, pictures] = ["mvhd", "tkhd", "mdhd", "stts"].map(
    (name) => bytes.indexOf(name) + 4
  )
  const scale = (box = 0) => bytes.readUInt32BE(box + 12)
  bytes.writeUInt32BE(seconds * scale(film), (film ?? 0) + 16)
  bytes.writeUInt32BE(seconds * scale(film), (track ?? 0) + 20)
  bytes.writeUInt32BE(seconds * scale(media), (media ?? 0) + 16)
  assert.strictEqual(bytes.readUInt32BE((pictures ?? 0) + 4), 1)
  return bytes
}
