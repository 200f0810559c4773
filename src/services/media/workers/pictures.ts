import sharp from "sharp"
import type { Metadata } from "sharp"
import { isPlain } from "../../../domain/media/PlainImage.ts"
import type { ImageJob, ImageProblem } from "./imageMessages.ts"
import { encode } from "./pictureFormats.ts"
import type { Made, Pixels } from "./pictureFormats.ts"

export type Wishes = Omit<ImageJob, "path">

/** What is wrong with an image, as the router names it. */
export class Unfit extends Error {
  readonly problem: ImageProblem
  constructor(problem: ImageProblem, why: string) {
    super(why)
    this.problem = problem
  }
}

/** Decoders of formats that may carry scripts, links or other files are not there at all. */
export const lockDown = () => {
  sharp.block({ operation: ["VipsForeignLoad"] })
  sharp.unblock({ operation: LOADERS })
  sharp.cache(false)
  sharp.concurrency(1)
}

/** The picture, or a few of an animation, upright, without metadata, and no larger than wished. */
export const pictures = async (bytes: Buffer, wishes: Wishes): Promise<ReadonlyArray<Made>> => {
  const facts = await sharp(bytes, { failOn: "none", limitInputPixels: false }).metadata()
  if (facts.compression === "hevc") throw new Unfit("hevc", "HEVC is not built in.")
  const pages = isAnimated(facts) ? (facts.pages ?? 1) : 1
  const size = facts.width * facts.height * pages
  if (size > wishes.maxPixels)
    throw new Unfit(pages > 1 ? "animation_too_large" : "too_large", `It has ${size} pixels.`)
  if (pages > 1) return animation(bytes, facts, pages, wishes)
  const { intact, pixels } = await decode(bytes, facts.pagePrimary ?? 0, wishes)
  return [
    intact && wishes.mayStay && isFit(bytes, facts, wishes)
      ? asItIs(bytes, facts)
      : await encode(pixels, facts)
  ]
}

/** The first frame, the last, and some between; frames that look the same count once, and broken ones not at all. */
const animation = async (bytes: Buffer, facts: Metadata, pages: number, wishes: Wishes) => {
  const count = Math.min(pages, MOST_FRAMES)
  const made: Array<Made> = []
  for (let frame = 0; frame < count; frame++) {
    const page = Math.round((frame * (pages - 1)) / (count - 1))
    const found = await decode(bytes, page, wishes).catch((error: unknown) => {
      if (made.length === 0) throw error
    })
    if (found === undefined) break
    const picture = await encode(found.pixels, facts)
    if (!made.some((other) => other.bytes.equals(picture.bytes))) made.push(picture)
  }
  return made
}

/** A file that was cut off or has small faults is taken for what is left of it, unless most is missing. */
const decode = async (
  bytes: Buffer,
  page: number,
  wishes: Wishes
): Promise<{ readonly pixels: Pixels; readonly intact: boolean }> => {
  try {
    return { pixels: await read(bytes, page, wishes, "warning"), intact: true }
  } catch {
    const pixels = await read(bytes, page, wishes, "none")
    if (emptyRows(pixels) * 2 > pixels.height) throw new Unfit("broken", "Most of the picture is missing.")
    return { pixels, intact: false }
  }
}

const read = async (
  bytes: Buffer,
  page: number,
  { maxPixels, px }: Wishes,
  failOn: "warning" | "none"
): Promise<Pixels> => {
  const { data, info } = await sharp(bytes, { page, failOn, limitInputPixels: maxPixels })
    .autoOrient()
    .resize({ width: px, height: px, fit: "inside", withoutEnlargement: true })
    .toColourspace("srgb")
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { data, width: info.width, height: info.height, channels: info.channels }
}

/** Rows at the end that are like the one before: what decoders put in the place of what is missing. */
const emptyRows = ({ channels, data, height, width }: Pixels): number => {
  const row = width * channels
  let count = 0
  for (let at = data.length - row; at >= row; at -= row) {
    if (data.compare(data, at - row, at, at, at + row) !== 0) break
    count++
  }
  return Math.min(count, height - 1)
}

const isAnimated = ({ format, pages = 1 }: Metadata): boolean =>
  pages > 1 && (format === "gif" || format === "webp")

/** Small enough, of a kind that every provider takes, upright, in the usual colours, and with nothing else in it. */
const isFit = (bytes: Buffer, facts: Metadata, { px }: Wishes): boolean =>
  Object.hasOwn(STAYING, facts.format) &&
  bytes.length <= MOST_STAYING_BYTES &&
  Math.max(facts.width, facts.height) <= px &&
  (facts.orientation ?? 1) === 1 &&
  (facts.space === "srgb" || facts.space === "b-w") &&
  (facts.icc === undefined || isSrgb(facts.icc)) &&
  isPlain(bytes)

const isSrgb = (profile: Buffer): boolean => profile.includes("sRGB") || profile.includes("s\0R\0G\0B")

const asItIs = (bytes: Buffer, { format, height, width }: Metadata): Made => ({
  mime: STAYING[format] ?? "image/png",
  width,
  height,
  bytes
})

const STAYING: Readonly<Record<string, Made["mime"]>> = {
  jpeg: "image/jpeg",
  png: "image/png",
  webp: "image/webp"
}
const MOST_STAYING_BYTES = 4 * 1024 * 1024
const MOST_FRAMES = 4
const LOADERS = ["Jpeg", "Png", "Webp", "Nsgif", "Heif", "Tiff"].map((name) => `VipsForeignLoad${name}`)
