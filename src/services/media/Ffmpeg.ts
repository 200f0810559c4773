import { Effect, Stream } from "effect"
import type { Duration } from "effect"
import { MediaFailure } from "../../domain/Errors.ts"
import type { MediaFile, Span } from "../../domain/media/Media.ts"
import { readProbe } from "../../domain/media/ProbeOutput.ts"
import { AppConfig } from "../AppConfig.ts"
import { DEMUXERS } from "./look/demuxers.ts"
import { ownFolder } from "./look/ownFolder.ts"
import { readTaken, takingArgs } from "./look/takePictures.ts"
import type { Source, Taking } from "./look/takePictures.ts"
import { MediaTools } from "./MediaTools.ts"
import { Subprocess } from "./Subprocess.ts"
import type { Finished, SubprocessFailed } from "./Subprocess.ts"

export type { Probe } from "../../domain/media/ProbeOutput.ts"

/** ffmpeg and ffprobe: they see a local file of ours and no more, and nothing they say reaches a caller. */
export class Ffmpeg extends Effect.Service<Ffmpeg>()("percept/Ffmpeg", {
  effect: Effect.gen(function* () {
    const { imageMaxMegapixels } = yield* AppConfig
    const subprocess = yield* Subprocess
    const tools = yield* MediaTools

    /** A local file, read by the demuxer that its first bytes call for and no other. */
    const fileArgs = ({ type }: Pick<MediaFile, "type">): ReadonlyArray<string> => {
      const demuxers = DEMUXERS[type.container] ?? type.container
      return [
        ...["-max_pixels", String(imageMaxMegapixels * 1_000_000)],
        ...["-protocol_whitelist", "file,pipe", "-format_whitelist", demuxers],
        ...["-f", demuxers.replace(/,.*/, "")]
      ]
    }

    const command = Effect.fnUntraced(function* (
      name: "ffmpeg" | "ffprobe",
      cwd: string,
      timeout: Duration.DurationInput,
      args: ReadonlyArray<string>
    ) {
      const { path } = yield* tools.need(name)
      return {
        command: path,
        args: ["-hide_banner", ...args],
        cwd,
        timeout,
        limits: LIMITS,
        env: ENVIRONMENT
      }
    })

    /** What is in a file. */
    const probe = Effect.fn("Ffmpeg.probe")(function* (file: MediaFile, folder: string) {
      const asked = ["-v", "error", "-show_entries", SHOWN, "-show_chapters", "-of", "json"]
      const input = [...fileArgs(file), "-i", file.path]
      const whole = yield* command("ffprobe", folder, "1 minute", [...asked, ...input])
      const { stdout } = yield* Effect.mapError(subprocess.run(whole), (failed) => unreadable(failed))
      const found = readProbe(stdout.toString("utf8"))
      if (found === undefined) return yield* unreadable()
      if (found.duration !== undefined && file.bytes / found.duration > FEWEST_BYTES) return found
      const duration = yield* measured(file, folder).pipe(Effect.orElseSucceed(() => undefined))
      return { ...found, duration: duration ?? found.duration }
    })

    /** Recordings that were broken off do not know how long they are, and some lie: their packets are counted. */
    const measured = Effect.fnUntraced(function* (file: MediaFile, folder: string) {
      const input = [...QUIET, ...fileArgs(file), "-i", file.path]
      const output = ["-map", "0:V?", "-map", "0:a?", "-c", "copy", "-f", "null", "-progress", "pipe:1", "-"]
      const whole = yield* command("ffmpeg", folder, "2 minutes", [...input, ...output])
      const { stdout } = yield* subprocess.run(whole)
      const times = Array.from(stdout.toString("utf8").matchAll(/^out_time_us=(\d+)$/gm), ([, time]) =>
        Number(time)
      )
      const last = times.at(-1) ?? 0
      return last > 0 ? last / 1_000_000 : undefined
    })

    /** A track's sound as 16 kHz, one channel, 16 bits, as fast as it is taken; it begins where the window does. */
    const pcm = (
      file: MediaFile,
      folder: string,
      { from = 0, to, track }: { readonly track: number } & Partial<Span>
    ): Stream.Stream<Uint8Array, MediaFailure> => {
      const window = [
        ...(from > 0 ? ["-ss", seconds(from)] : []),
        ...(to === undefined ? [] : ["-to", seconds(to)])
      ]
      const input = ["-threads", "1", ...window, ...fileArgs(file), "-i", file.path]
      // Sound that begins late is preceded by silence, so that its time can be told by counting.
      const filter = ["-af", "aresample=16000:async=1:first_pts=0", "-ac", "1", "-ar", "16000"]
      const output = ["-map", `0:a:${track}`, "-vn", "-sn", "-dn", ...filter, "-f", "s16le", "pipe:1"]
      const args = [...QUIET, ...input, ...output]
      return Stream.unwrap(
        Effect.map(command("ffmpeg", folder, "2 hours", args), (whole) =>
          Stream.mapError(subprocess.stream(whole), (failed) => undecodable("sound", failed))
        )
      )
    }

    /** Pictures of several sources in one run. What came out before something broke is kept. */
    const take = Effect.fn("Ffmpeg.take")(function* (
      sources: ReadonlyArray<Source>,
      taking: Taking,
      folder: string
    ) {
      const own = yield* ownFolder(folder, "take")
      const args = ["-v", "error", "-nostdin", "-y", "-copyts", ...takingArgs(sources, taking, fileArgs)]
      const said = yield* Effect.merge(subprocess.run(yield* command("ffmpeg", own, "3 minutes", args)))
      const taken = yield* readTaken(sources.length, taking, own)
      if (taken.every((pictures) => pictures.length === 0)) return yield* undecodable("picture", said)
      return taken
    }, Effect.scoped)

    return { probe, pcm, take }
  })
}) {}

const seconds = (time: number): string => Math.max(0, time).toFixed(6)

const QUIET = ["-v", "error", "-nostdin", "-y", "-max_error_rate", "1"]

const SHOWN = [
  "format=start_time,duration:format_tags=title",
  "stream=codec_type,codec_name,width,height,sample_aspect_ratio,avg_frame_rate,duration",
  "stream_disposition=attached_pic,default:stream_tags=language,rotate:stream_side_data=rotation"
].join(":")

/** Bytes a second: with fewer the length a file claims is not believed. */
const FEWEST_BYTES = 500

/**
 * Programs that bring their own C library crash when they load the host's character sets; and one heap for each of
 * their threads would use up the address space they are given.
 */
const ENVIRONMENT = { GCONV_PATH: "/nonexistent", MALLOC_ARENA_MAX: "2" }

const LIMITS = { memoryMb: 1500, fileMb: 1024, cpuSeconds: 600 }

/** A program that did not start or was killed says nothing about the file. */
const isPassing = (failed: SubprocessFailed | undefined): boolean =>
  failed !== undefined && (failed.reason === "start" || failed.signal !== undefined)

const unreadable = (failed?: SubprocessFailed) =>
  new MediaFailure({
    code: failed?.reason === "timeout" ? "timeout" : "broken",
    message: "The file could not be read; it may be damaged or cut off.",
    detail: failed?.message ?? "ffprobe gave no JSON",
    transient: isPassing(failed)
  })

const undecodable = (what: "sound" | "picture", said: SubprocessFailed | Finished) =>
  new MediaFailure({
    code: "reason" in said && said.reason === "timeout" ? "timeout" : "broken",
    message: `The ${what} could not be decoded.`,
    detail: "reason" in said ? said.message : `Nothing came out. ${said.stderr}`,
    transient: "reason" in said && isPassing(said)
  })
