import { arrayField, field, isObject, numberField, parseJson, stringField } from "../Json.ts"
import type { Chapter } from "./Evidence.ts"

/** What is in a file, as the decoder's own tool sees it. */
export interface Probe {
  /** Seconds that the file's clock shows at its beginning. */
  readonly startTime: number
  readonly duration: number | undefined
  /** As it is shown: turned, and with square pixels. */
  readonly video:
    | {
        readonly width: number
        readonly height: number
        readonly rotation: number
        readonly codec: string
        /** Pictures a second on average, as the file says. */
        readonly rate?: number | undefined
      }
    | undefined
  readonly audio: ReadonlyArray<AudioTrack>
  readonly chapters: ReadonlyArray<Chapter>
  readonly title: string | undefined
}

export interface AudioTrack {
  /** Among the audio streams. */
  readonly index: number
  readonly codec: string
  readonly language: string | undefined
  readonly isDefault: boolean
}

/** Reads ffprobe's JSON; undefined where it is none. */
export const readProbe = (text: string): Probe | undefined => {
  const said = parseJson(text)
  if (!isObject(said)) return undefined
  const format = field(said, "format")
  const streams = arrayField(said, "streams")
  const pictures = streams.find(
    (stream) => stringField(stream, "codec_type") === "video" && !isCover(stream) && areaOf(stream) > 0
  )
  const start = number(field(format, "start_time")) ?? 0
  const lengths = [
    number(field(format, "duration")),
    ...streams.map((stream) => number(field(stream, "duration")))
  ]
  return {
    startTime: start,
    duration: lengths.find((length) => length !== undefined && length > 0),
    video: pictures === undefined ? undefined : shown(pictures),
    audio: streams.filter(isAudio).map((stream, index) => ({
      index,
      codec: stringField(stream, "codec_name") ?? "unknown",
      language: languageOf(stream),
      isDefault: numberField(field(stream, "disposition"), "default") === 1
    })),
    chapters: arrayField(said, "chapters").flatMap((chapter) => {
      const from = number(field(chapter, "start_time"))
      const title = stringField(field(chapter, "tags"), "title")
      return from === undefined || title === undefined ? [] : [{ from: Math.max(0, from - start), title }]
    }),
    title: stringField(field(format, "tags"), "title")
  }
}

const shown = (stream: unknown): Probe["video"] => {
  const ratio = quotient(stringField(stream, "sample_aspect_ratio"), ":") ?? 1
  const width = Math.max(
    1,
    Math.round((numberField(stream, "width") ?? 0) * (isPlausible(ratio) ? ratio : 1))
  )
  const height = numberField(stream, "height") ?? 0
  const turned = arrayField(stream, "side_data_list").map((data) => numberField(data, "rotation"))
  const rotation =
    turned.find((angle) => angle !== undefined) ?? number(field(field(stream, "tags"), "rotate")) ?? 0
  const isUpright = Math.abs(Math.round(rotation / 90)) % 2 === 0
  return {
    width: isUpright ? width : height,
    height: isUpright ? height : width,
    rotation: (((Math.round(rotation / 90) * 90) % 360) + 360) % 360,
    codec: stringField(stream, "codec_name") ?? "unknown",
    rate: quotient(stringField(stream, "avg_frame_rate"), "/")
  }
}

const quotient = (text: string | undefined, sign: string): number | undefined => {
  const [above = 0, below = 0] = (text ?? "").split(sign).map(Number)
  return above > 0 && below > 0 ? above / below : undefined
}

/** Shapes of pixels that have been seen outside of files made to break something. */
const isPlausible = (ratio: number) => ratio > 0.1 && ratio < 10

const isAudio = (stream: unknown) => stringField(stream, "codec_type") === "audio"

/** A picture that goes with a recording of sound. */
const isCover = (stream: unknown) => numberField(field(stream, "disposition"), "attached_pic") === 1

const areaOf = (stream: unknown) => (numberField(stream, "width") ?? 0) * (numberField(stream, "height") ?? 0)

const languageOf = (stream: unknown) => {
  const language = stringField(field(stream, "tags"), "language")
  return language === "und" ? undefined : language
}

/** ffprobe writes most numbers as texts, and what it does not know as `N/A`. */
const number = (value: unknown): number | undefined => {
  const found = typeof value === "string" && value !== "" ? Number(value) : value
  return typeof found === "number" && Number.isFinite(found) ? found : undefined
}
