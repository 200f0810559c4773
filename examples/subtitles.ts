/**
 * Writes subtitles beside every video and sound of a folder, with nothing but this machine.
 *
 *     node subtitles.ts ~/Videos
 */
import { Console, Effect, Layer } from "effect"
import { readdir, writeFile } from "node:fs/promises"
import { join, parse } from "node:path"
import { analysis, AppConfig, AudioPipeline, Ffmpeg, localFile, toSrt, Workspace } from "percept/media"

/** What is said in a file. The private folder goes when the scope does. */
const hear = (path: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const folder = yield* (yield* Workspace).folder
      const file = yield* localFile(path, folder)
      const probe = yield* (yield* Ffmpeg).probe(file, folder)
      return yield* (yield* AudioPipeline).listen(file, probe, { folder })
    })
  )

const subtitle = (path: string) =>
  Effect.gen(function* () {
    const { segments } = yield* hear(path)
    const { dir, name } = parse(path)
    const target = join(dir, `${name}.srt`)
    yield* Effect.promise(() => writeFile(target, toSrt(segments)))
    yield* Console.log(`${target}: ${segments.length} lines`)
  }).pipe(Effect.catchTag("MediaFailure", ({ message }) => Console.log(`${path}: ${message}`)))

const program = Effect.gen(function* () {
  const folder = process.argv[2] ?? "."
  const names = yield* Effect.promise(() => readdir(folder))
  const media = names.filter((name) => /\.(mp4|webm|mkv|mov|m4a|mp3|opus|flac|wav)$/i.test(name))
  // One after the other: a speech engine takes all the cores there are.
  yield* Effect.forEach(media.toSorted(), (name) => subtitle(join(folder, name)), { discard: true })
})

await program.pipe(Effect.provide(analysis.pipe(Layer.provide(AppConfig.layerFromEnv))), Effect.runPromise)
