import { Duration, Effect } from "effect"
import { MediaFailure } from "../../domain/Errors.ts"
import type { MediaProblem } from "../../domain/Errors.ts"
import { PIPELINE_VERSION, isNothing } from "../../domain/media/Evidence.ts"
import type { Blob, Chapter, Evidence, Heard, Nothing } from "../../domain/media/Evidence.ts"
import type { MediaFile, Span } from "../../domain/media/Media.ts"
import { AppConfig } from "../AppConfig.ts"
import { AudioPipeline, UNDECODED } from "./AudioPipeline.ts"
import { Ffmpeg } from "./Ffmpeg.ts"
import type { Probe } from "./Ffmpeg.ts"
import { Looking } from "./Looking.ts"

/** What is to be found out about a file. */
export interface Task {
  readonly folder: string
  /** Undefined leaves the number to the length. */
  readonly frames: number | undefined
  readonly window: Span | undefined
  /** What a site says about it; words of its own spare the listening. */
  readonly site?: SiteWords | undefined
  /** What is being done, and how much of it is done, from 0 to 1. */
  readonly report: (line: string, share: number) => void
}

export interface SiteWords {
  readonly title: string | undefined
  readonly name: string | undefined
  readonly duration: number | undefined
  readonly chapters: ReadonlyArray<Chapter>
  readonly captions: Heard | undefined
}

export interface Analysis {
  readonly evidence: Evidence
  readonly blobs: ReadonlyArray<Blob>
  /** Whether the same would be found again; what failed for a passing reason is not worth keeping. */
  readonly lasting: boolean
}

/** probe → (look ∥ listen) → evidence. Each step is idempotent, has a timeout, and leaves nothing behind. */
export class VideoPipeline extends Effect.Service<VideoPipeline>()("percept/VideoPipeline", {
  effect: Effect.gen(function* () {
    const { mediaTimeout, videoCaptions, videoFramePx, videoMaxDuration, whisperModel, whisperUrl } =
      yield* AppConfig
    const audio = yield* AudioPipeline
    const ffmpeg = yield* Ffmpeg
    const looking = yield* Looking
    const longest = Duration.toSeconds(videoMaxDuration)

    /** What sets one analysis of the same content apart from another. */
    const idOf = (content: string, { frames, window }: Pick<Task, "frames" | "window">): string =>
      [
        ...[content, `v${PIPELINE_VERSION}`, `n${frames ?? "auto"}`, `p${videoFramePx}`],
        ...[whisperUrl?.host ?? "", whisperModel, `captions ${videoCaptions}`],
        ...[...(window === undefined ? [] : [`${window.from}-${window.to}`])]
      ].join(" ")

    const analyse = Effect.fn("VideoPipeline.analyse")(
      function* (file: MediaFile, content: string, task: Task) {
        task.report("reading", 0)
        const probe = yield* ffmpeg.probe(file, task.folder)
        const duration = probe.duration ?? task.site?.duration
        if ((duration ?? 0) > longest) return yield* tooLong(longest)
        const news = newsOfBoth(task.report)
        const [seen, heard] = yield* Effect.all(
          [half(look(file, probe, task, news.looking)), half(listen(file, probe, task, news.listening))],
          { concurrency: 2 }
        )
        if (!("seen" in seen.found) && isNothing(heard.found))
          return yield* neither(probe, seen.found.nothing, heard.found.nothing)
        const { site } = task
        const evidence: Evidence = {
          id: idOf(content, task),
          kind: probe.video === undefined ? "audio" : "video",
          title: site?.title ?? probe.title,
          site: site?.name,
          duration,
          width: probe.video?.width,
          height: probe.video?.height,
          bytes: file.bytes,
          chapters: site !== undefined && site.chapters.length > 0 ? site.chapters : probe.chapters,
          window: within(task.window, duration),
          seen: "seen" in seen.found ? seen.found.seen : seen.found,
          heard: heard.found
        }
        const blobs = "seen" in seen.found ? seen.found.blobs : []
        const analysis: Analysis = {
          evidence,
          blobs,
          lasting: seen.lasting && heard.lasting && isSettled(heard.found)
        }
        return analysis
      },
      Effect.timeoutFail({ duration: mediaTimeout, onTimeout: tookTooLong })
    )

    const look = (file: MediaFile, probe: Probe, task: Task, progress: (share: number) => void) =>
      probe.video === undefined
        ? Effect.fail(new MediaFailure({ code: "unsupported", message: "There is no moving picture in it." }))
        : looking.look(file, probe, {
            folder: task.folder,
            frames: task.frames,
            px: videoFramePx,
            progress,
            ...(task.window === undefined ? {} : { window: task.window })
          })

    const listen = (file: MediaFile, probe: Probe, task: Task, progress: (share: number) => void) =>
      task.site?.captions !== undefined
        ? Effect.succeed(clipped(task.site.captions, task.window))
        : audio.listen(file, probe, {
            folder: task.folder,
            progress,
            ...(task.window === undefined ? {} : { window: task.window })
          })

    /** What a site says of a recording that could not be had itself. */
    const wordsAlone = (content: string, task: Task, why: MediaFailure): Analysis => {
      const { site } = task
      const evidence: Evidence = {
        id: idOf(content, task),
        kind: "video",
        title: site?.title,
        site: site?.name,
        duration: site?.duration,
        chapters: site?.chapters ?? [],
        window: within(task.window, site?.duration),
        seen: { nothing: why.message },
        heard: site?.captions === undefined ? { nothing: why.message } : clipped(site.captions, task.window)
      }
      return { evidence, blobs: [], lasting: isLasting(why) }
    }

    return { idOf, analyse, wordsAlone }
  })
}) {}

interface Half<A> {
  readonly found: A | Nothing
  readonly lasting: boolean
}

/** One half may fail without taking the other along; what it says instead is why. */
const half = <A>(step: Effect.Effect<A, MediaFailure>): Effect.Effect<Half<A>> =>
  step.pipe(
    Effect.map((found): Half<A> => ({ found, lasting: true })),
    Effect.catchAll((failure) =>
      Effect.as(Effect.logDebug(`Half of a medium is missing: ${failure.message} ${failure.detail ?? ""}`), {
        found: { nothing: failure.message },
        lasting: isLasting(failure)
      })
    )
  )

/** What an engine failed to hear today it may hear tomorrow. */
const isSettled = (heard: Heard | Nothing): boolean =>
  isNothing(heard) || heard.missed.every(({ why }) => why === UNDECODED)

/** Both halves are one line of news: each says how far it is. */
const newsOfBoth = (report: Task["report"]) => {
  const done = { looking: 0, listening: 0 }
  const tell = (which: keyof typeof done) => (share: number) => {
    done[which] = share
    const percent = (part: number) => `${Math.floor(part * 100)}%`
    const line = (["looking", "listening"] as const)
      .filter((part) => done[part] < 1)
      .map((part) => `${part} ${percent(done[part])}`)
      .join(", ")
    report(line === "" ? "writing it down" : line, (done.looking + done.listening) / 2)
  }
  return { looking: tell("looking"), listening: tell("listening") }
}

/** Whether the same would fail again another day. */
const isLasting = ({ code, transient }: MediaFailure): boolean => LASTING.has(code) && transient !== true

const LASTING = new Set<MediaProblem>(["not_media", "unsupported", "broken", "too_large", "too_long"])

const tooLong = (longest: number) =>
  new MediaFailure({
    code: "too_long",
    message: `It is longer than the ${Math.round(longest / 36) / 100} hours that are taken.`
  })

/** The words of the stretch that was asked for. */
const clipped = (heard: Heard, window: Span | undefined): Heard => {
  if (window === undefined) return heard
  const segments = heard.segments.filter(({ from, to }) => to > window.from && from < window.to)
  const duration = Math.max(0, Math.min(window.to, heard.duration) - window.from)
  const active = segments.reduce((sum, { from, to }) => sum + (to - from), 0)
  return { ...heard, segments, duration, heard: duration, active: Math.min(active, duration) }
}

/** Where there is but one half, why that failed says it all. */
const neither = ({ audio, video }: Probe, look: string, listen: string) => {
  const hasSound = audio.length > 0
  const halves = `${video === undefined ? "" : "picture"} ${hasSound ? "sound" : ""}`.trim()
  const message = {
    "": "There is neither picture nor sound in it.",
    picture: look,
    sound: listen,
    "picture sound": "Neither picture nor sound of it could be read."
  }[halves]
  return new MediaFailure({ code: "broken", message: message ?? listen, detail: `${look} ${listen}` })
}

/** Who asks for no end means the end there is. */
const within = (window: Span | undefined, duration = Infinity): Span | undefined =>
  window && { from: window.from, to: Math.min(window.to, duration) }

/** Whoever looks for too long is stopped. */
export const tookTooLong = () =>
  new MediaFailure({ code: "timeout", message: "It took too long to look at and listen to." })
