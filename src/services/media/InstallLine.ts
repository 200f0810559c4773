import { readFileSync } from "node:fs"

export type ToolName = "ffmpeg" | "ffprobe" | "whisper-cli" | "yt-dlp"

/** What an operator of this host does to get a tool; `binFolder` is where the router looks besides PATH. */
export const installLine = (name: ToolName, binFolder: string): string =>
  LINES[host()]?.[name]?.(binFolder) ??
  `get ${name} from ${SITES[name]} and put it on PATH or into ${binFolder}`

const host = (): string => {
  if (process.platform === "darwin") return "macos"
  try {
    const release = readFileSync("/etc/os-release", "utf8")
    return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(release) ? "debian" : "other"
  } catch {
    return "other"
  }
}

type Line = (binFolder: string) => string

const LINES: Readonly<Record<string, Readonly<Partial<Record<ToolName, Line>>>>> = {
  debian: {
    ffmpeg: () => "apt-get install -y ffmpeg",
    ffprobe: () => "apt-get install -y ffmpeg",
    // The distribution's own yt-dlp is too old to be trusted with links.
    "yt-dlp": (binFolder) => `apt-get install -y pipx && PIPX_BIN_DIR="${binFolder}" pipx install yt-dlp`
  },
  macos: {
    ffmpeg: () => "brew install ffmpeg",
    ffprobe: () => "brew install ffmpeg",
    "whisper-cli": () => "brew install whisper-cpp",
    "yt-dlp": () => "brew install yt-dlp"
  }
}

const SITES: Readonly<Record<ToolName, string>> = {
  ffmpeg: "ffmpeg.org",
  ffprobe: "ffmpeg.org",
  "whisper-cli": "github.com/ggml-org/whisper.cpp",
  "yt-dlp": "github.com/yt-dlp/yt-dlp"
}
