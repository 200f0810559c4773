import { Effect } from "effect"
import { createHash } from "node:crypto"
import { open } from "node:fs/promises"
import { MediaFailure } from "../../domain/Errors.ts"
import { readImageHeader } from "../../domain/media/ImageHeader.ts"
import type { Picture } from "../../domain/media/Evidence.ts"
import type { MediaFile } from "../../domain/media/Media.ts"
import { AppConfig } from "../AppConfig.ts"
import { makeImageWorkers } from "./ImageWorkers.ts"
import type { Answered } from "./ImageWorkers.ts"
import type { ImageProblem } from "./workers/imageMessages.ts"

/** Makes images fit for every provider: upright, without metadata, of a usual format and size. */
export class ImagePipeline extends Effect.Service<ImagePipeline>()("percept/ImagePipeline", {
  scoped: Effect.gen(function* () {
    const { imageMaxMegapixels, imageMaxPx } = yield* AppConfig
    const workers = yield* makeImageWorkers
    const maxPixels = imageMaxMegapixels * 1_000_000

    const picturesIn = ({ answer, body }: Answered) => {
      if ("problem" in answer) return Effect.fail(failure(answer.problem, answer.detail))
      let from = 0
      const pictures = answer.pictures.map(({ bytes, height, mime, width }): Picture => {
        const own = new Uint8Array(body.subarray(from, (from += bytes)))
        return { mime, width, height, bytes: own, sha256: createHash("sha256").update(own).digest("hex") }
      })
      return from === body.length && pictures.length > 0
        ? Effect.succeed(pictures)
        : Effect.fail(failure("broken", "The worker's lengths are wrong."))
    }

    const failure = (problem: ImageProblem, detail: string) =>
      new MediaFailure({ ...failures(imageMaxMegapixels)[problem], detail })

    /** One picture, or a few of an animation. A file that is fit as it is keeps its bytes. */
    const normalise = Effect.fn("ImagePipeline.normalise")(function* (file: MediaFile) {
      const { container } = file.type
      if (!DECODABLE.has(container))
        return yield* new MediaFailure({
          code: "unsupported",
          message: `${container.toUpperCase()} images cannot be decoded here; send JPEG or PNG instead.`
        })
      // What can be refused by its first bytes starts no worker.
      const header = readImageHeader(yield* headOf(file))
      if (header !== undefined && header.width * header.height > maxPixels)
        return yield* failure("too_large", `${header.width}x${header.height}`)
      const job = { path: file.path, px: imageMaxPx, maxPixels, mayStay: true }
      return yield* Effect.flatMap(workers.ask(job, NO_BYTES), picturesIn)
    })

    /** The same picture with a shorter long side. */
    const shrink = Effect.fn("ImagePipeline.shrink")(function* (picture: Picture, px: number) {
      if (Math.max(picture.width, picture.height) <= px) return picture
      const job = { px, maxPixels, mayStay: false }
      const [smaller = picture] = yield* Effect.flatMap(workers.ask(job, picture.bytes), picturesIn)
      return smaller
    })

    return { normalise, shrink }
  })
}) {}

const headOf = (file: MediaFile) =>
  Effect.tryPromise({
    try: async () => {
      const handle = await open(file.path)
      try {
        const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0)
        return buffer.subarray(0, bytesRead)
      } finally {
        await handle.close()
      }
    },
    catch: (error) => new MediaFailure({ ...failures(0).broken, detail: String(error) })
  })

const failures = (megapixels: number) =>
  ({
    broken: { code: "broken", message: "The image could not be decoded." },
    hevc: {
      code: "unsupported",
      message: "HEIC images with HEVC compression cannot be decoded here; send JPEG or PNG instead."
    },
    too_large: { code: "too_large", message: `The image has more than ${megapixels} million pixels.` },
    animation_too_large: {
      code: "too_large",
      message: `The frames of the animation have more than ${megapixels} million pixels together.`
    }
  }) as const

const DECODABLE = new Set(["jpeg", "png", "gif", "webp", "avif", "heic", "tiff"])
const HEAD_BYTES = 64 * 1024
const NO_BYTES = new Uint8Array()
