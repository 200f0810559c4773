import { Duration, Effect } from "effect"
import { MediaFailure } from "../../domain/Errors.ts"
import {
  generalProblem,
  OUT_OF_REACH,
  siteProblem,
  TOO_LARGE,
  TOO_SLOW
} from "../../domain/media/SiteProblem.ts"
import { isAtLeast } from "../../domain/media/SiteVersion.ts"
import { AppConfig } from "../AppConfig.ts"
import { AddressGuard } from "./AddressGuard.ts"
import { EgressProxy } from "./EgressProxy.ts"
import { MediaTools } from "./MediaTools.ts"
import { Subprocess } from "./Subprocess.ts"
import type { Command, SubprocessFailed } from "./Subprocess.ts"
import { guardedArgs, optionsIn } from "./YtDlpArgs.ts"

/** A call of yt-dlp that is ready to go out, and what it means when nothing comes of it. */
export interface SiteCall {
  readonly command: Command
  readonly explain: (written: string, reason?: SubprocessFailed["reason"]) => MediaFailure
}

/** How yt-dlp is called: new enough, with what it may not do taken away, and through a proxy of its own. */
export const make = Effect.gen(function* () {
  const { fetchIdleTimeout, fetchTimeout, videoMaxMb, ytDlpMinVersion, ytDlpRuntime } = yield* AppConfig
  const guard = yield* AddressGuard
  const proxy = yield* EgressProxy
  const subprocess = yield* Subprocess
  const tools = yield* MediaTools
  const patience = Math.ceil(Duration.toSeconds(fetchIdleTimeout))
  let known: ReadonlySet<string> | undefined

  const trusted = Effect.gen(function* () {
    const { path, version } = yield* tools.need("yt-dlp")
    return isAtLeast(version, ytDlpMinVersion) ? path : yield* tooOld(version, ytDlpMinVersion)
  })

  /** What the installed one understands; it is asked once. */
  const optionsOf = Effect.fnUntraced(function* (command: string, cwd: string) {
    const help = { command, args: ["--ignore-config", "--help"], cwd, timeout: "30 seconds" } as const
    known ??= optionsIn((yield* Effect.mapError(subprocess.run(help), notStarted)).stdout.toString())
    return known
  })

  /** The proxy is there, and so the call can be made, as long as the scope is open. */
  const call = Effect.fnUntraced(function* (
    url: URL,
    cwd: string,
    args: ReadonlyArray<string>,
    mostBytes: number
  ) {
    yield* Effect.mapError(
      guard.check(url),
      ({ message }) => new MediaFailure({ ...OUT_OF_REACH, detail: message })
    )
    const program = yield* trusted
    const options = yield* optionsOf(program, cwd)
    const egress = yield* proxy.open({ bytes: mostBytes, timeout: fetchTimeout })
    const guarded = guardedArgs({ proxy: egress.url, runtime: ytDlpRuntime, patience }, options)

    const explain: SiteCall["explain"] = (written, reason) => {
      const detail = withoutSecrets(written)
      if (reason === "start") return notStarted({ message: detail })
      const problem =
        reason === "timeout"
          ? TOO_SLOW
          : egress.used() > mostBytes
            ? TOO_LARGE
            : (siteProblem(written) ?? (egress.refused() > 0 ? OUT_OF_REACH : generalProblem(written)))
      return new MediaFailure({ ...problem, detail })
    }

    return {
      command: {
        command: program,
        args: [...guarded, ...args, "--", unwrapped(url).href],
        cwd,
        timeout: fetchTimeout,
        network: true,
        maxOutput: MOST_TOLD,
        limits: { memoryMb: MOST_MEMORY_MB, fileMb: videoMaxMb + 1 }
      },
      explain
    } satisfies SiteCall
  })

  return call
})

const tooOld = (version: string, least: string) =>
  new MediaFailure({
    code: "tool_missing",
    message: `yt-dlp ${version} is too old to be trusted with links; ${least} or newer is needed.`
  })

const notStarted = ({ message }: { readonly message: string }) =>
  new MediaFailure({ code: "tool_missing", message: "yt-dlp could not be started.", detail: message })

/** Behind this mark yt-dlp keeps orders to itself; from outside it takes none. */
const unwrapped = (url: URL): URL => {
  const link = new URL(url)
  if (/__youtubedl_smuggle/i.test(decoded(link.hash))) link.hash = ""
  return link
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Links may carry keys in what follows their path, and the proxy's own address carries one. */
const withoutSecrets = (written: string): string =>
  written
    .slice(-MOST_DETAIL)
    .replace(/(\b[a-z]+:\/\/)[^\s/@]+@/gi, "$1")
    .replace(/(\b[a-z]+:\/\/[^\s?#'"]+)[?#][^\s'"]*/gi, "$1")

const MOST_DETAIL = 4096
const MOST_TOLD = 16 * 1024 * 1024
const MOST_MEMORY_MB = 2048
