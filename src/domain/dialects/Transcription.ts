import { Either } from "effect"
import { InvalidRequest } from "../Errors.ts"
import type { Heard, Segment } from "../media/Evidence.ts"
import { toSrt, toVtt } from "./Subtitles.ts"

/** A transcription as it was asked for, beside the file itself. */
export interface TranscriptionRequest {
  readonly model: string
  /** Two or three small letters; undefined where the speech is to say it. */
  readonly language: string | undefined
  readonly prompt: string | undefined
  readonly format: TranscriptionFormat
  readonly temperature: number | undefined
  readonly stream: boolean
}

export type TranscriptionFormat = (typeof FORMATS)[number]

/** The texts of a form, by name; a name may occur more than once. */
export type Fields = Readonly<Record<string, string | ReadonlyArray<string>>>

/** Reads the fields of a form. What is no business of ours is let be. */
export const decodeRequest = (fields: Fields): Either.Either<TranscriptionRequest, InvalidRequest> =>
  Either.gen(function* () {
    const format = yield* formatOf(yield* only(fields, "response_format"))
    yield* checkGranularities(fields, format)
    const stream = yield* flagOf("stream", yield* only(fields, "stream"))
    return {
      model: yield* modelIn(fields),
      language: yield* languageOf(yield* only(fields, "language")),
      prompt: yield* only(fields, "prompt"),
      format,
      temperature: yield* temperatureOf(yield* only(fields, "temperature")),
      // A stream can carry nothing but text; for the other formats OpenAI ignores the wish as well.
      stream: stream && (format === "json" || format === "text")
    }
  })

/** The model that a form names; who names none wants any. */
export const modelIn = (fields: Fields): Either.Either<string, InvalidRequest> =>
  Either.map(only(fields, "model"), (said) => said ?? DEFAULT_MODEL)

/**
 * Whether a model is heard on this machine: always by the names that clients use where they do not care which, by
 * other names of Whisper where nobody lists them.
 */
export const isHeardHere = (name: string, isListed: boolean): boolean =>
  ANY_EARS.test(name) || (/^whisper/i.test(name) && !isListed)

/** What was heard, in the form it was asked for. */
export const answer = (
  heard: Heard,
  { format, language, temperature }: Pick<TranscriptionRequest, "format" | "language" | "temperature">
): { readonly contentType: string; readonly body: string } => {
  const segments = spokenIn(heard)
  switch (format) {
    case "json":
      return json({ text: textOf(segments), usage: usageOf(heard) })
    case "text":
      return plain(`${textOf(segments)}\n`)
    case "srt":
      return plain(toSrt(segments))
    case "vtt":
      return plain(toVtt(segments))
    case "verbose_json":
      return json({
        task: "transcribe",
        language: languageName(heard.language ?? language),
        duration: heard.duration,
        text: textOf(segments),
        segments: verbose(segments, temperature ?? 0),
        usage: usageOf(heard)
      })
  }
}

/** A stream's events for words as they are heard; undefined where there are none. */
export const makeDeltas = () => {
  let before = ""
  return (segment: Segment): string | undefined => {
    const text = tidy(segment.text)
    if (text === "") return undefined
    const delta = space(before, text) + text
    before = text
    return JSON.stringify({ type: "transcript.text.delta", delta })
  }
}

/** A stream's last event: the whole text once more. */
export const doneEvent = (heard: Heard): string =>
  JSON.stringify({ type: "transcript.text.done", text: textOf(spokenIn(heard)) })

const formatOf = (said: string | undefined) => {
  const format = FORMATS.find((known) => known === (said ?? "json"))
  return format === undefined
    ? wrong("response_format", `must be one of ${FORMATS.join(", ")}.`)
    : Either.right(format)
}

const checkGranularities = (fields: Fields, format: TranscriptionFormat) => {
  const name = "timestamp_granularities"
  const wanted = [...all(fields, name), ...all(fields, `${name}[]`)].filter((said) => said !== "")
  if (wanted.some((said) => said !== "word" && said !== "segment"))
    return wrong(name, "may list nothing but 'segment'.")
  if (wanted.includes("word"))
    return wrong(
      name,
      "may not list 'word': the speech recognition of this router knows when segments are said, not words."
    )
  return wanted.length > 0 && format !== "verbose_json"
    ? wrong(name, "goes with the response_format 'verbose_json' alone.")
    : Either.right(undefined)
}

const flagOf = (name: string, said: string | undefined) => {
  if (said === undefined || /^(false|0)$/i.test(said)) return Either.right(false)
  return /^(true|1)$/i.test(said) ? Either.right(true) : wrong(name, "must be true or false.")
}

const languageOf = (said: string | undefined) => {
  if (said === undefined || /^auto$/i.test(said)) return Either.right(undefined)
  const [, code] = /^([a-z]{2,3})([-_][a-z0-9]{2,8})*$/i.exec(said) ?? []
  return code === undefined
    ? wrong("language", "must be a code of ISO 639-1, such as 'en'.")
    : Either.right(code.toLowerCase())
}

const temperatureOf = (said: string | undefined) => {
  if (said === undefined) return Either.right(undefined)
  const temperature = /^[\d.e+-]+$/i.test(said) ? Number(said) : NaN
  return temperature >= 0 && temperature <= 1
    ? Either.right(temperature)
    : wrong("temperature", "must be a number from 0 to 1.")
}

/** The one text under a name; an empty one is none. */
const only = (fields: Fields, name: string): Either.Either<string | undefined, InvalidRequest> => {
  const [said, ...more] = all(fields, name)
  if (more.length > 0) return wrong(name, "is there more than once.")
  return Either.right(said?.trim() === "" ? undefined : said)
}

const all = (fields: Fields, name: string): ReadonlyArray<string> => {
  const said = Object.hasOwn(fields, name) ? fields[name] : undefined
  return said === undefined ? [] : typeof said === "string" ? [said] : said
}

const wrong = (param: string, what: string) =>
  Either.left(new InvalidRequest({ message: `'${param}' ${what}`, param, code: null }))

/** Segments that have words in them, each a single line. */
const spokenIn = ({ segments }: Heard): ReadonlyArray<Segment> =>
  segments.map((segment) => ({ ...segment, text: tidy(segment.text) })).filter(({ text }) => text !== "")

const tidy = (text: string): string => text.replace(/[\s\p{Cc}]+/gu, " ").trim()

const textOf = (segments: ReadonlyArray<Segment>): string =>
  segments.map(({ text }, index) => space(segments[index - 1]?.text ?? "", text) + text).join("")

/** What stands between two texts: nothing at the very beginning, or in scripts without spaces. */
const space = (before: string, text: string): string =>
  before === "" || (UNSPACED_END.test(before) && UNSPACED_START.test(text)) ? "" : " "

/** Put together, the texts of all segments are the whole text, as with OpenAI: so they begin with their space. */
const verbose = (segments: ReadonlyArray<Segment>, temperature: number) =>
  segments.map(({ from, text, to }, id) => ({
    id,
    seek: Math.round(from * 100),
    start: from,
    end: to,
    text:
      (id === 0 && UNSPACED_START.test(text) ? "" : space(segments[id - 1]?.text ?? ANY_WORD, text)) + text,
    // What the engine does not tell takes values by which nobody sorts anything out.
    tokens: [],
    temperature,
    avg_logprob: 0,
    compression_ratio: 1,
    no_speech_prob: 0
  }))

const usageOf = ({ duration }: Heard) => ({ type: "duration", seconds: Math.ceil(duration) })

/** As Whisper calls it: the English name in small letters. */
const languageName = (said: string | undefined): string => {
  const [code = ""] = (said ?? "unknown").toLowerCase().split(/[^a-z]/)
  return code.length < 2 || code.length > 3
    ? code || "unknown"
    : (OWN_NAMES[code] ?? NAMES.of(code) ?? code).toLowerCase()
}

const json = (value: unknown) => ({ contentType: "application/json", body: JSON.stringify(value) })

const plain = (body: string) => ({ contentType: "text/plain; charset=utf-8", body })

/** Whatever a first segment may have been said after. */
const ANY_WORD = "a"

const FORMATS = ["json", "text", "srt", "vtt", "verbose_json"] as const

const DEFAULT_MODEL = "whisper-1"

const ANY_EARS =
  /^(?:percept[/:]whisper.*|(?:percept[/:])?(?:whisper-(?:1|local)|gpt-4o(?:-mini)?-transcribe.*))$/i

const NAMES = new Intl.DisplayNames(["en"], { type: "language" })

/** Where Whisper has another name for a language than Unicode. */
const OWN_NAMES: Readonly<Record<string, string>> = {
  bn: "bengali",
  mi: "maori",
  my: "myanmar",
  nn: "nynorsk",
  tl: "tagalog"
}

const UNSPACED =
  "[\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}\\u3000-\\u303f\\u30fc\\uff00-\\uffef]"
const UNSPACED_START = new RegExp(`^${UNSPACED}`, "u")
const UNSPACED_END = new RegExp(`${UNSPACED}$`, "u")
