import { Duration, Effect, Either, Stream } from "effect"
import { readdir, readFile, stat } from "node:fs/promises"
import { join } from "node:path"
import { MediaFailure } from "../../domain/Errors.ts"
import { parseJson } from "../../domain/Json.ts"
import { readCaptions } from "../../domain/media/Captions.ts"
import type { Segment } from "../../domain/media/Evidence.ts"
import { chooseCaptions, isAtHome, readSiteInfo } from "../../domain/media/SiteInfo.ts"
import type { SiteInfo } from "../../domain/media/SiteInfo.ts"
import { LIVE, TOO_LONG, UNREADABLE } from "../../domain/media/SiteProblem.ts"
import { AppConfig } from "../AppConfig.ts"
import { MediaTools } from "./MediaTools.ts"
import * as SiteCall from "./SiteCall.ts"
import { siteFolder, takeFile, tooMuchIn } from "./SiteFolder.ts"
import { Subprocess } from "./Subprocess.ts"
import type { SubprocessFailed } from "./Subprocess.ts"
import { captionArgs, downloadArgs, shareIn, TOLD } from "./YtDlpArgs.ts"

export type { SiteInfo } from "../../domain/media/SiteInfo.ts"

export interface SiteCaptions {
  readonly segments: ReadonlyArray<Segment>
  readonly language: string
  readonly automatic: boolean
}

/** Asks video sites through yt-dlp, which is trusted with nothing: it goes out through a proxy of ours alone. */
export class YtDlp extends Effect.Service<YtDlp>()("percept/YtDlp", {
  effect: Effect.gen(function* () {
    const { mediaSites, videoMaxDuration, videoMaxMb } = yield* AppConfig
    const subprocess = yield* Subprocess
    const tools = yield* MediaTools
    const call = yield* SiteCall.make
    const homes = ["youtube.com", ...mediaSites.filter((site) => site !== "*")]
    const longest = Math.floor(Duration.toSeconds(videoMaxDuration))
    const mostBytes = videoMaxMb * MB

    const knows = (url: URL): boolean => mediaSites.includes("*") || isAtHome(url.hostname, mediaSites)

    /** What the site says about the video. */
    const about = Effect.fn("YtDlp.about")(function* (url: URL, folder: string) {
      const place = yield* siteFolder(folder)
      const { command, explain } = yield* call(url, place, ["--dump-single-json", "--skip-download"], PAGES)
      const { stdout } = yield* Effect.mapError(subprocess.run(command), badEnd(explain))
      return readSiteInfo(parseJson(stdout.toString()), url, homes) ?? (yield* new MediaFailure(UNREADABLE))
    }, Effect.scoped)

    /** The site's own captions, if it has any; whoever has asked about the video already hands that on. */
    const captions = Effect.fn("YtDlp.captions")(function* (
      url: URL,
      folder: string,
      language?: string,
      info?: SiteInfo
    ) {
      const chosen = chooseCaptions(info ?? (yield* about(url, folder)), language)
      if (chosen === undefined) return undefined
      const place = yield* siteFolder(folder)
      const { command, explain } = yield* call(url, place, captionArgs(chosen, longest), PAGES)
      const ended = yield* Effect.either(subprocess.run(command))
      const text = yield* Effect.promise(() => captionsIn(place))
      if (text === undefined) return Either.isLeft(ended) ? yield* badEnd(explain)(ended.left) : undefined
      const segments = readCaptions(text)
      return segments.length === 0 ? undefined : ({ ...chosen, segments } satisfies SiteCaptions)
    }, Effect.scoped)

    /** The video itself, in at most 720 lines; `progress` hears which share of it has come. */
    const download = Effect.fn("YtDlp.download")(function* (
      url: URL,
      folder: string,
      progress: (share: number) => void = () => {}
    ) {
      const place = yield* siteFolder(folder)
      const ffmpeg = yield* tools.find("ffmpeg")
      const args = downloadArgs({ longest, mostBytes, ffmpeg: ffmpeg?.path })
      const { command, explain } = yield* call(url, place, args, mostBytes + PAGES)

      const work = Effect.gen(function* () {
        const { exit, output } = yield* subprocess.open(command)
        const said = yield* listen(output, progress)
        const ended = yield* Effect.either(exit)
        return Either.match(ended, {
          onLeft: ({ reason, stderr }) => ({ written: `${said}\n${stderr}`, reason }),
          onRight: ({ stderr }) => ({ written: `${said}\n${stderr}`, reason: undefined })
        })
      }).pipe(Effect.mapError(badEnd(explain)), Effect.scoped)

      const { reason, written } = yield* Effect.raceFirst(work, tooMuchIn(place, mostBytes))
      // A program that was content may have fetched nothing, so only what is there counts.
      const file = yield* takeFile(place, folder, mostBytes)
      if (file !== undefined) return file
      const told = yield* Effect.promise(() => readFile(join(place, TOLD), "utf8").catch(() => ""))
      const skipped = isLive(told) ? LIVE : lengthIn(told) > longest ? TOO_LONG : undefined
      return yield* skipped === undefined ? explain(written, reason) : new MediaFailure(skipped)
    }, Effect.scoped)

    return { knows, about, captions, download }
  })
}) {}

const badEnd =
  (explain: SiteCall.SiteCall["explain"]) =>
  ({ reason, stderr }: SubprocessFailed) =>
    explain(stderr, reason)

/** Hears shares out of the output and keeps the last of the other lines. */
const listen = <E>(output: Stream.Stream<Uint8Array, E>, progress: (share: number) => void) =>
  Effect.suspend(() => {
    const kept: Array<string> = []
    let best = 0
    const hear = (line: string) => {
      const share = shareIn(line)
      if (share === undefined) {
        kept.push(line.slice(0, 2000))
        if (kept.length > 50) kept.shift()
      } else if (share > best) {
        // Sound comes after the picture and counts from nothing again.
        best = share
        progress(share)
      }
    }
    return output.pipe(
      Stream.decodeText(),
      Stream.splitLines,
      Stream.runForEach((line) => Effect.sync(() => hear(line))),
      Effect.map(() => kept.join("\n"))
    )
  })

const captionsIn = async (place: string): Promise<string | undefined> => {
  const name = (await readdir(place)).find((name) => /^media\..*\.(?:json3|vtt|srt)$/.test(name))
  if (name === undefined) return undefined
  const path = join(place, name)
  return (await stat(path)).size <= MOST_CAPTIONS ? readFile(path, "utf8") : undefined
}

/** How yt-dlp writes down the three fields it is told to. */
const isLive = (told: string): boolean => /^true\b|"is_live"|"is_upcoming"/.test(told)

const lengthIn = (told: string): number => Number(/ (\d+(?:\.\d+)?)\s*$/.exec(told)?.[1] ?? 0)

const MB = 1024 * 1024
/** Pages, manifests and captions on the way to a video. */
const PAGES = 64 * MB
const MOST_CAPTIONS = 16 * MB
