import { Effect, Schema } from "effect"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { toSrt } from "../domain/dialects/Subtitles.ts"
import { Evidence, isNothing } from "../domain/media/Evidence.ts"
import type { Blob } from "../domain/media/Evidence.ts"
import { clockFor } from "../domain/media/Timecode.ts"
import type { Observed } from "../services/media/Observer.ts"
import { NotDone } from "./words.ts"

/** Writes what was found into a folder; answers with the names of the files. */
export const keepInspected = Effect.fnUntraced(function* (observed: Observed, folder: string) {
  const files = filesOf(observed)
  yield* Effect.tryPromise({
    try: async () => {
      await mkdir(folder, { recursive: true })
      for (const [name, content] of files) await writeFile(join(folder, name), content)
    },
    catch: (error) => new NotDone({ message: `It cannot be written to ${folder}: ${String(error)}` })
  })
  return files.map(([name]) => name)
})

const filesOf = (observed: Observed): ReadonlyArray<File> => {
  switch (observed.form) {
    case "evidence":
      return [...framesOf(observed), ...transcriptOf(observed.evidence), evidenceFile(observed.evidence)]
    case "pictures":
      return observed.pictures.map((picture, at) => [`picture-${at + 1}.${endingOf(picture)}`, picture.bytes])
    case "whole":
      return [[`medium.${observed.type.container}`, observed.bytes]]
  }
}

type File = readonly [name: string, content: string | Uint8Array]

const framesOf = ({ blobs, evidence }: Extract<Observed, { form: "evidence" }>): ReadonlyArray<File> =>
  isNothing(evidence.seen)
    ? []
    : evidence.seen.frames.flatMap(({ sha256, time }): ReadonlyArray<File> => {
        const blob = blobs.get(sha256)
        return blob === undefined ? [] : [[`${nameOf(time)}.${endingOf(blob)}`, blob.bytes]]
      })

const transcriptOf = ({ duration = 0, heard }: Evidence): ReadonlyArray<File> => {
  if (isNothing(heard)) return []
  const clock = clockFor(duration)
  const lines = heard.segments.map((segment) => `[${clock.span(segment)}] ${segment.text.trim()}\n`)
  return [
    ["transcript.txt", lines.join("")],
    ["transcript.srt", toSrt(heard.segments)]
  ]
}

const evidenceFile = (evidence: Evidence): File => [
  "evidence.json",
  `${JSON.stringify(Schema.encodeSync(Evidence)(evidence), null, 2)}\n`
]

/** `00-01-02.500`: in order by name as by time, on every file system. */
const nameOf = (time: number): string =>
  new Date(Math.max(0, Math.round(time * 1000))).toISOString().slice(11, 23).replaceAll(":", "-")

const endingOf = ({ mime }: Pick<Blob, "mime">): string => ENDINGS[mime] ?? "bin"

const ENDINGS: { readonly [mime: string]: string } = {
  "image/jpeg": "jpg",
  "image/png": "png",
  "image/webp": "webp",
  "image/gif": "gif"
}
