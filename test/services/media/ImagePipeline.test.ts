import { assert, layer } from "@effect/vitest"
import { Cause, Effect, Exit } from "effect"
import { createHash } from "node:crypto"
import sharp from "sharp"
import type { Sharp } from "sharp"
import { isPlain } from "../../../src/domain/media/PlainImage.ts"
import { Subprocess } from "../../../src/services/media/Subprocess.ts"
import { broken, failureOf, large, made, startImages } from "../../support/ImageBench.ts"
import {
  animation,
  BLUE,
  colourAt,
  GREEN,
  GREY,
  heic,
  noise,
  png,
  quarters,
  RED
} from "../../support/Images.ts"
import type { Rgb } from "../../support/Images.ts"

const isAbout = (found: Rgb, wanted: Rgb, most = 12) =>
  assert.isTrue(
    found.every((value, channel) => Math.abs(value - (wanted[channel] ?? 0)) <= most),
    `${found.join()} is not about ${wanted.join()}`
  )

const cornersAre = (bytes: Uint8Array, colours: ReadonlyArray<Rgb>, most?: number) =>
  Effect.promise(async () => {
    const places = [
      [0.2, 0.2],
      [0.8, 0.2],
      [0.8, 0.8],
      [0.2, 0.8]
    ] as const
    for (const [index, [across, down]] of places.entries())
      isAbout(await colourAt(bytes, across, down), colours[index] ?? GREY, most)
  })

const isWhole = (bytes: Uint8Array) =>
  Effect.promise(() =>
    sharp(bytes, { failOn: "warning" })
      .raw()
      .toBuffer()
      .then(
        () => true,
        () => false
      )
  )

layer(Subprocess.Default)("an image for a model", (it) => {
  it.scoped("stands upright, and says nothing of where it was taken", () =>
    Effect.gen(function* () {
      const { one } = yield* startImages()
      const camera = quarters(60, 40)
        .withExif({ IFD0: { Copyright: "CANARY" }, IFD3: { GPSLatitude: "52/1 30/1 0/1" } })
        .withMetadata({ orientation: 6 })
        .jpeg({ quality: 95, chromaSubsampling: "4:4:4" })
      const bytes = yield* made(camera)
      assert.strictEqual((yield* Effect.promise(() => sharp(bytes).metadata())).orientation, 6)
      const picture = yield* one(bytes, "jpeg")
      assert.deepStrictEqual([picture.mime, picture.width, picture.height], ["image/jpeg", 40, 60])
      yield* cornersAre(picture.bytes, [GREY, RED, GREEN, BLUE])
      assert.isTrue(isPlain(picture.bytes))
      assert.notInclude(Buffer.from(picture.bytes).toString("latin1"), "CANARY")
    })
  )

  it.scoped("is the file itself where that is fit", () =>
    Effect.gen(function* () {
      const { one } = yield* startImages()
      for (const [container, image] of [
        ["jpeg", quarters(100, 60).jpeg()],
        ["png", quarters(60, 100).png()],
        ["webp", quarters(64, 48).webp({ lossless: true })],
        ["png", quarters(64, 48).withIccProfile("srgb").png()]
      ] as const) {
        const bytes = yield* made(image)
        const picture = yield* one(bytes, container)
        assert.isTrue(bytes.equals(picture.bytes))
        assert.deepStrictEqual(
          [picture.mime, picture.sha256],
          [`image/${container}`, createHash("sha256").update(bytes).digest("hex")]
        )
      }
    })
  )

  it.scoped("is not the file where that holds more than the picture", () =>
    Effect.gen(function* () {
      const { one } = yield* startImages()
      const exif = { IFD0: { Copyright: "CANARY" } }
      for (const container of ["jpeg", "png", "webp"] as const) {
        const bytes = yield* made(quarters(64, 48).withExif(exif).toFormat(container))
        assert.include(bytes.toString("latin1"), "CANARY")
        const picture = yield* one(bytes, container)
        assert.isTrue(isPlain(picture.bytes))
        assert.deepStrictEqual([picture.width, picture.height], [64, 48])
        assert.notInclude(Buffer.from(picture.bytes).toString("latin1"), "CANARY")
      }
    })
  )

  it.scoped("is no longer than the longest side, and keeps its shape", () =>
    Effect.gen(function* () {
      const { one } = yield* startImages()
      const wide = yield* one(yield* made(quarters(300, 120).jpeg()), "jpeg")
      assert.deepStrictEqual([wide.width, wide.height], [100, 40])
      const tall = yield* one(yield* made(quarters(120, 300).png()), "png")
      assert.deepStrictEqual([tall.mime, tall.width, tall.height], ["image/png", 40, 100])
      const line = yield* one(yield* made(quarters(4_000, 2).png()), "png")
      assert.deepStrictEqual([line.width, line.height], [100, 1])
      const small = yield* one(yield* made(quarters(8, 6).tiff()), "tiff")
      assert.deepStrictEqual([small.mime, small.width, small.height], ["image/png", 8, 6])
    })
  )

  it.scoped("has the usual colours, whatever it came with", () =>
    Effect.gen(function* () {
      const { one } = yield* startImages()
      const fine = { quality: 95, chromaSubsampling: "4:4:4" }
      for (const [container, image, most] of [
        // Ink cannot be as bright.
        ["jpeg", quarters(64, 48).toColourspace("cmyk").jpeg(fine), 80],
        ["png", quarters(64, 48).toColourspace("rgb16").png(), 2],
        ["jpeg", quarters(64, 48).withIccProfile("p3").jpeg(fine), 8],
        ["avif", quarters(64, 48).avif({ ...fine, effort: 0 }), 8],
        ["tiff", quarters(64, 48).tiff(), 2],
        ["gif", quarters(64, 48).gif(), 2]
      ] as const) {
        const picture = yield* one(yield* made(image), container)
        const { channels, depth, icc, space } = yield* Effect.promise(() => sharp(picture.bytes).metadata())
        assert.deepStrictEqual(
          { channels, depth, icc, space },
          { channels: 3, depth: "uchar", icc: undefined, space: "srgb" }
        )
        yield* cornersAre(picture.bytes, [RED, GREEN, BLUE, GREY], most)
      }
    })
  )

  it.scoped("can be seen through where it could before, and only there", () =>
    Effect.gen(function* () {
      const { one } = yield* startImages({ IMAGE_MAX_PX: "800" })
      const glass = quarters(900, 600).ensureAlpha(0.5)
      const clear = yield* one(yield* made(glass.png()), "png")
      assert.deepStrictEqual([clear.mime, clear.width], ["image/png", 800])
      const { data } = yield* Effect.promise(() =>
        sharp(clear.bytes).raw().toBuffer({ resolveWithObject: true })
      )
      assert.isTrue(data[3] === 127 || data[3] === 128)
      const large = yield* one(yield* made(noise(900, 900, 4).png({ compressionLevel: 1 })), "png")
      assert.strictEqual(large.mime, "image/webp")
      const opaque = yield* one(yield* made(quarters(900, 600).ensureAlpha(1).png()), "png")
      assert.isFalse((yield* Effect.promise(() => sharp(opaque.bytes).metadata())).hasAlpha)
    })
  )

  it.scoped("is a photograph or a drawing, and kept as such", () =>
    Effect.gen(function* () {
      const { one } = yield* startImages({ IMAGE_MAX_PX: "800" })
      const mime = (image: Sharp, container: string) =>
        Effect.flatMap(made(image), (bytes) => Effect.map(one(bytes, container), ({ mime }) => mime))
      assert.strictEqual(yield* mime(quarters(900, 600).jpeg(), "jpeg"), "image/jpeg")
      assert.strictEqual(yield* mime(noise(900, 900).png({ compressionLevel: 1 }), "png"), "image/jpeg")
      assert.strictEqual(yield* mime(quarters(900, 600).png(), "png"), "image/png")
      assert.strictEqual(
        yield* mime(quarters(700, 500).withExif({ IFD0: {} }).webp({ lossless: true }), "webp"),
        "image/png"
      )
      assert.strictEqual(yield* mime(noise(900, 600).webp(), "webp"), "image/jpeg")
      assert.strictEqual(yield* mime(quarters(64, 48).avif({ effort: 0 }), "avif"), "image/jpeg")
    })
  )

  it.scoped("is a few pictures where it moves", () =>
    Effect.gen(function* () {
      const { normalise } = yield* startImages()
      const colours = Array.from({ length: 10 }, (_, at): Rgb => [at * 25, 255 - at * 25, 60])
      for (const [container, image] of [
        ["gif", animation(colours).gif()],
        ["webp", animation(colours).webp({ lossless: true })]
      ] as const) {
        const pictures = yield* normalise(yield* made(image), container)
        const found = yield* Effect.promise(() =>
          Promise.all(pictures.map(({ bytes }) => colourAt(bytes, 0.5, 0.5)))
        )
        assert.strictEqual(found.length, 4)
        for (const [index, frame] of [0, 3, 6, 9].entries())
          isAbout(found[index] ?? GREY, colours[frame] ?? GREY)
        assert.deepStrictEqual(
          pictures.map(({ height, width }) => [width, height]),
          Array.from({ length: 4 }, () => [40, 30])
        )
      }
      const two = yield* normalise(yield* made(animation([RED, BLUE]).gif()), "gif")
      assert.strictEqual(two.length, 2)
      const still = yield* normalise(yield* made(animation([RED, BLUE, RED, BLUE, RED]).gif()), "gif")
      assert.strictEqual(still.length, 2)
    })
  )

  it.scoped("has the same bytes every time", () =>
    Effect.gen(function* () {
      const first = yield* startImages()
      const second = yield* startImages()
      const bytes = yield* made(noise(300, 200).jpeg())
      const one = yield* first.one(bytes, "jpeg")
      const again = yield* first.one(bytes, "jpeg")
      const elsewhere = yield* second.one(bytes, "jpeg")
      assert.deepStrictEqual([again.sha256, elsewhere.sha256], [one.sha256, one.sha256])
      assert.strictEqual(createHash("sha256").update(one.bytes).digest("hex"), one.sha256)
      const small = yield* first.shrink(one, 50)
      assert.deepStrictEqual([small.mime, small.width, small.height], ["image/jpeg", 50, 34])
      assert.strictEqual((yield* second.shrink(elsewhere, 50)).sha256, small.sha256)
      assert.strictEqual(yield* first.shrink(small, 50), small)
      const drawing = yield* first.shrink(yield* first.one(yield* made(quarters(80, 60).png()), "png"), 40)
      assert.deepStrictEqual([drawing.mime, drawing.width], ["image/png", 40])
    })
  )
})

layer(Subprocess.Default)("an image that is not as it should be", (it) => {
  it.scoped("is taken for what is left of it, unless most is missing", () =>
    Effect.gen(function* () {
      const { normalise, one } = yield* startImages()
      for (const [container, image] of [
        ["jpeg", noise(90, 90).jpeg()],
        ["png", noise(90, 90).png()]
      ] as const) {
        const bytes = yield* made(image)
        const most = bytes.subarray(0, Math.floor(bytes.length * 0.8))
        const picture = yield* one(most, container)
        assert.deepStrictEqual([picture.width, picture.height], [90, 90])
        assert.isFalse(most.equals(picture.bytes))
        assert.isTrue(isPlain(picture.bytes))
        const least = bytes.subarray(0, Math.floor(bytes.length * 0.3))
        assert.deepStrictEqual(yield* failureOf(normalise(least, container)), broken)
      }
      const torn = yield* made(noise(90, 90).png())
      torn.fill(0x55, 20_000, 20_040)
      const mended = yield* one(torn, "png")
      assert.isTrue(yield* isWhole(mended.bytes))
    })
  )

  it.scoped("is refused in the same words, whatever is wrong with it", () =>
    Effect.gen(function* () {
      const { normalise } = yield* startImages()
      const random = yield* made(noise(40, 40).raw())
      const svg = Buffer.from(
        `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>`
      )
      const gif = yield* made(quarters(64, 48).gif())
      const whole = yield* made(quarters(64, 48).png())
      const noPixels = Buffer.concat([whole.subarray(0, 33), whole.subarray(-12)])
      for (const container of ["jpeg", "png", "gif", "webp", "avif", "heic", "tiff"])
        for (const bytes of [Buffer.alloc(0), random, svg, gif.subarray(0, 20), noPixels])
          assert.deepStrictEqual(yield* failureOf(normalise(bytes, container)), broken)
    })
  )

  it.scoped("is named where its kind cannot be decoded", () =>
    Effect.gen(function* () {
      const { normalise, workers } = yield* startImages()
      const unsupported = (message: string) => ({ code: "unsupported", message })
      const bmp = Buffer.concat([Buffer.from("BM"), Buffer.alloc(60)])
      assert.deepStrictEqual(
        yield* failureOf(normalise(bmp, "bmp")),
        unsupported("BMP images cannot be decoded here; send JPEG or PNG instead.")
      )
      assert.deepStrictEqual(
        yield* failureOf(normalise(Buffer.from("<svg/>"), "svg")),
        unsupported("SVG images cannot be decoded here; send JPEG or PNG instead.")
      )
      assert.deepStrictEqual(yield* workers, [])
      assert.deepStrictEqual(
        yield* failureOf(normalise(heic(64, 48), "heic")),
        unsupported("HEIC images with HEVC compression cannot be decoded here; send JPEG or PNG instead.")
      )
    })
  )

  it.scoped("is refused for its pixels before any is decoded", () =>
    Effect.gen(function* () {
      const { normalise, workers } = yield* startImages({ IMAGE_MAX_MEGAPIXELS: "1" })
      const tooLarge = { code: "too_large", message: "The image has more than 1 million pixels." }
      const claim = png(30_000, 30_000, Buffer.alloc(1_000))
      assert.deepStrictEqual(yield* failureOf(normalise(claim, "png")), tooLarge)
      assert.deepStrictEqual(
        yield* failureOf(normalise(yield* made(quarters(1_100, 1_000).jpeg()), "jpeg")),
        tooLarge
      )
      assert.deepStrictEqual(yield* workers, [])
      for (const container of ["tiff", "avif"] as const) {
        const bytes = yield* made(quarters(1_100, 1_000).toFormat(container, { effort: 0 }))
        assert.deepStrictEqual(yield* failureOf(normalise(bytes, container)), tooLarge)
      }
      const frames = Array.from({ length: 11 }, (_, at): Rgb => [at * 20, 0, 0])
      assert.deepStrictEqual(
        yield* failureOf(normalise(yield* made(animation(frames, 400, 250).gif()), "gif")),
        {
          code: "too_large",
          message: "The frames of the animation have more than 1 million pixels together."
        }
      )
    })
  )

  it.scoped("costs its worker memory, not the router", () =>
    Effect.gen(function* () {
      const { normalise, one } = yield* startImages()
      const before = process.memoryUsage.rss()
      const bomb = yield* large
      assert.isBelow(bomb.length, 500_000)
      const grown = () => process.memoryUsage.rss() - before
      const ours = grown()
      const picture = yield* one(bomb, "png")
      assert.deepStrictEqual([picture.width, picture.height], [100, 75])
      assert.isBelow(grown() - ours, 100 * 1024 * 1024)
      assert.deepStrictEqual(yield* failureOf(normalise(png(30_000, 30_000, Buffer.alloc(1_000)), "png")), {
        code: "too_large",
        message: "The image has more than 50 million pixels."
      })
    })
  )

  it.scoped("may claim any size without harm", () =>
    Effect.gen(function* () {
      const { normalise, one } = yield* startImages()
      const jpeg = yield* made(quarters(64, 48).jpeg())
      const webp = yield* made(quarters(64, 48).webp())
      const claim = (bytes: Buffer, mark: ReadonlyArray<number>, at: number, size: ReadonlyArray<number>) => {
        const lie = Buffer.from(bytes)
        lie.set(size, lie.indexOf(Buffer.from(mark)) + at)
        return lie
      }
      const lies = [
        ["png", png(8, 8, Buffer.alloc(100_000_000))],
        ["png", png(6_000, 6_000, Buffer.alloc(10))],
        ["jpeg", claim(jpeg, [0xff, 0xc0], 5, [0x17, 0, 0x17, 0])],
        ["webp", claim(webp, [0x9d, 0x01, 0x2a], 3, [0xff, 0x0f, 0xff, 0x0f])]
      ] as const
      for (const [container, bytes] of lies) {
        const exit = yield* Effect.exit(normalise(bytes, container))
        if (Exit.isFailure(exit)) assert.include(Cause.pretty(exit.cause), broken.message)
        assert.strictEqual((yield* one(jpeg, "jpeg")).width, 64)
      }
    })
  )
})
