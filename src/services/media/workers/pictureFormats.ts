import sharp from "sharp"
import type { Metadata } from "sharp"

/** Decoded, eight bits a channel. */
export interface Pixels {
  readonly data: Buffer
  readonly width: number
  readonly height: number
  readonly channels: 1 | 2 | 3 | 4
}

/** A picture in a format that every provider takes. */
export interface Made {
  readonly mime: "image/jpeg" | "image/png" | "image/webp"
  readonly width: number
  readonly height: number
  readonly bytes: Buffer
}

/**
 * JPEG for photographs, PNG for what came without loss and stays small, or is smaller that way: text and lines keep
 * their edges. What can be seen through stays so. The same pixels give the same bytes.
 */
export const encode = async (pixels: Pixels, { format }: Pick<Metadata, "format">): Promise<Made> => {
  const { channels, data, height, width } = pixels
  const image = () => sharp(data, { raw: { width, height, channels } })
  const made = (mime: Made["mime"], bytes: Buffer): Made => ({ mime, width, height, bytes })

  if (isTransparent(pixels)) {
    const png = await image().png().toBuffer()
    if (png.length <= MOST_TRANSPARENT_PNG) return made("image/png", png)
    return made("image/webp", await image().webp({ quality: QUALITY, alphaQuality: 100 }).toBuffer())
  }
  const isLossy = format === "jpeg" || format === "heif"
  const chromaSubsampling = isLossy ? "4:2:0" : "4:4:4"
  const jpeg = await image().removeAlpha().jpeg({ quality: QUALITY, chromaSubsampling }).toBuffer()
  if (isLossy) return made("image/jpeg", jpeg)
  const png = await image().removeAlpha().png().toBuffer()
  const isPngBetter = png.length <= jpeg.length || (format !== "webp" && png.length <= MOST_PNG)
  return isPngBetter ? made("image/png", png) : made("image/jpeg", jpeg)
}

const isTransparent = ({ channels, data }: Pixels): boolean => {
  if (channels !== 2 && channels !== 4) return false
  for (let at = channels - 1; at < data.length; at += channels) if (data[at] !== 255) return true
  return false
}

const QUALITY = 85
const MOST_PNG = 1024 * 1024
const MOST_TRANSPARENT_PNG = 1536 * 1024
