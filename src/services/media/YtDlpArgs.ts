/** Options every call has; some are younger than others, and what a yt-dlp does not know it cannot do either. */
export const guardedArgs = (
  options: {
    readonly proxy: string
    readonly runtime: string | undefined
    readonly patience: number
  },
  known: ReadonlySet<string>
): ReadonlyArray<string> => [
  ...GUARDED,
  ...YOUNGER.filter((option) => known.has(option)),
  ...(options.runtime !== undefined && known.has("--js-runtimes") ? ["--js-runtimes", options.runtime] : []),
  ...["--proxy", options.proxy],
  ...["--socket-timeout", String(options.patience)]
]

/** Passes over what goes on and on; its length is not known to every site. */
const filterArgs = (longest: number) => ["--match-filters", `!is_live & duration<=?${longest}`]

/** All options in the text of a `--help`. */
export const optionsIn = (help: string): ReadonlySet<string> => new Set(help.match(/--[a-z][a-z0-9-]*/g))

/** The best picture of at most 720 lines that fits, in the form that is easiest to take apart. */
export const downloadArgs = (options: {
  readonly longest: number
  readonly mostBytes: number
  /** Pictures and sound that come apart are put together by it. */
  readonly ffmpeg: string | undefined
}): ReadonlyArray<string> => {
  const fitting = (share: number) => {
    const most = Math.floor(options.mostBytes * share)
    return `${REACHED}[filesize<?${most}][filesize_approx<?${most}]`
  }
  const whole = [`b${fitting(1)}`, `ba${fitting(1)}`, `w${REACHED}`, `wa${REACHED}`]
  const apart = options.ffmpeg === undefined ? [] : [`bv*${fitting(0.9)}+ba${fitting(0.1)}`]
  return [
    ...filterArgs(options.longest),
    ...["--format", [...apart, ...whole].join("/")],
    ...["--format-sort", "res:720,vcodec:h264,acodec:aac,fps:30"],
    ...["--max-filesize", String(options.mostBytes)],
    // A piece that is missing would pass for a video with a hole.
    ...["--abort-on-unavailable-fragments", "--fixup", "never"],
    ...(options.ffmpeg === undefined ? [] : ["--ffmpeg-location", options.ffmpeg]),
    // Our ffmpeg reads what has been fetched, and goes nowhere itself.
    ...["--downloader-args", "ffmpeg_i:-protocol_whitelist none"],
    ...["--postprocessor-args", `Merger+ffmpeg_i:-protocol_whitelist file -format_whitelist ${CONTAINERS}`],
    ...["--print-to-file", "pre_process:%(is_live)j %(live_status)j %(duration)j", TOLD],
    ...["--newline", "--progress-template", `download:${PROGRESS.join(" ")}`]
  ]
}

/** The captions that were chosen, in a form that can be read. */
export const captionArgs = (
  chosen: { readonly language: string; readonly automatic: boolean },
  longest: number
): ReadonlyArray<string> => [
  ...filterArgs(longest),
  ...["--skip-download", chosen.automatic ? "--write-auto-subs" : "--write-subs"],
  ...["--sub-langs", chosen.language, "--sub-format", "json3/vtt/srt/best"]
]

/** What the site said of the video before any of it was fetched. */
export const TOLD = "told.txt"

/** The share of a download in a line of its output; undefined for all other lines. */
export const shareIn = (line: string): number | undefined => {
  const [mark, done, total, guess] = line.split(" ")
  const share = Number(done) / Number(Number(total) > 0 ? total : guess)
  return mark === PROGRESS[0] && share >= 0 ? Math.min(share, 1) : undefined
}

const PROGRESS = [
  "share:",
  ...["%(progress.downloaded_bytes)s", "%(progress.total_bytes)s", "%(progress.total_bytes_estimate)s"]
]

const GUARDED = [
  ...["--ignore-config", "--no-cache-dir", "--no-exec", "--no-update", "--no-mtime"],
  ...["--no-playlist", "--playlist-items", "1"],
  ...["--downloader", "native", "--retries", "2", "--fragment-retries", "2", "--extractor-retries", "1"],
  ...["--restrict-filenames", "--output", "media.%(ext)s"]
]

const YOUNGER = ["--no-plugin-dirs", "--no-js-runtimes", "--no-remote-components"]

/** Ways that go through the proxy; what is left out would be fetched by other programs, past it. */
const REACHED = "[protocol~='^(https?|m3u8(_native)?|http_dash_segments)$']"

const CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,aac,mp3,ogg,flv"
