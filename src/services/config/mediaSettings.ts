import { Either } from "effect"
import { isIP } from "node:net"
import * as Setting from "./Setting.ts"

const { duration, flag, integer, list, oneOf, optional, setting, text, url } = Setting

/** What eyes and ears are allowed, and with what. */
export const mediaSettings = {
  mediaPolicy: setting("MEDIA_POLICY", oneOf("auto", "reroute", "describe", "off"), {
    fallback: "auto",
    example: "describe",
    about:
      "`auto`: the model gets what it can take, else `VISION_MODEL` answers. `reroute`: always `VISION_MODEL`. `describe`: the model is kept and reads descriptions. `off`: media pass untouched."
  }),
  visionModel: setting("VISION_MODEL", text, {
    fallback: "mistralai/mistral-small-3.1-24b-instruct",
    example: "google/gemini-2.5-flash",
    about: "Answers for models that cannot see, or describes pictures for them."
  }),
  mediaRoles: setting("MEDIA_ROLES", list, {
    fallback: "user",
    example: "user,tool",
    about: "Roles whose messages may make Percept fetch a link, separated by commas."
  }),
  mediaMaxItems: setting("MEDIA_MAX_ITEMS", integer(1, 64), {
    fallback: "8",
    example: "8",
    about: "Media looked at per request, newest first; the rest are named to the model."
  }),
  mediaSniff: setting("MEDIA_SNIFF", flag, {
    fallback: "false",
    example: "true",
    about: "Also look at the first bytes of links that do not look like media."
  }),
  mediaStrict: setting("MEDIA_STRICT", flag, {
    fallback: "false",
    example: "true",
    about: "A medium that fails fails the request (4xx) instead of becoming a note to the model."
  }),
  mediaAllowedHosts: setting("MEDIA_ALLOWED_HOSTS", hosts, {
    fallback: "",
    example: "media.lan:8080,192.168.7.0/24",
    about:
      "Private addresses media may be fetched from after all, separated by commas: `host:port`, or a network with all its ports."
  }),
  mediaSites: setting("MEDIA_SITES", list, {
    fallback:
      "youtube.com,youtu.be,vimeo.com,tiktok.com,x.com,twitter.com,twitch.tv,dailymotion.com,loom.com,soundcloud.com,ted.com,archive.org",
    example: "youtube.com,youtu.be",
    about: "Sites whose links go to yt-dlp, subdomains included; `*` for all links that are no files."
  }),
  mediaJobs: optional("MEDIA_JOBS", integer(1, 256), {
    example: "4",
    about: "Media worked on at the same time. Unset: as many as there are cores."
  }),
  mediaQueue: setting("MEDIA_QUEUE", integer(0, 10_000), {
    fallback: "32",
    example: "32",
    about: "Media that may wait for their turn; beyond it new ones are refused as busy."
  }),
  mediaQueueTimeout: setting("MEDIA_QUEUE_TIMEOUT", duration, {
    fallback: "2 minutes",
    example: "30",
    about: "Longest wait of a medium for its turn."
  }),
  mediaTimeout: setting("MEDIA_TIMEOUT", duration, {
    fallback: "30 minutes",
    example: "10 minutes",
    about: "Longest work on one medium, from fetching to evidence."
  }),
  mediaRecheck: setting("MEDIA_RECHECK", duration, {
    fallback: "10 minutes",
    example: "1 hour",
    about: "How long a link that has been looked at is taken as unchanged without asking its server."
  }),
  mediaCacheMb: setting("MEDIA_CACHE_MB", integer(0, 1_048_576), {
    fallback: "1024",
    example: "4096",
    about: "Room for what is remembered of media; the least recently used goes first."
  }),
  mediaTmpDir: optional("MEDIA_TMP_DIR", text, {
    example: "/var/tmp/percept",
    about: "Where media are unpacked while they are worked on. Unset: `DATA_DIR/tmp`."
  }),
  mediaTmpMb: setting("MEDIA_TMP_MB", integer(1, 1_048_576), {
    fallback: "4096",
    example: "8192",
    about: "Most room all media under work may take on disk."
  }),
  mediaMinFreeMb: setting("MEDIA_MIN_FREE_MB", integer(0, 1_048_576), {
    fallback: "256",
    example: "1024",
    about: "With less free disk than this, new media work is refused; text goes on."
  }),
  fetchConnectTimeout: setting("FETCH_CONNECT_TIMEOUT", duration, {
    fallback: "10",
    example: "5",
    about: "Longest wait for a media server to take the connection."
  }),
  fetchIdleTimeout: setting("FETCH_IDLE_TIMEOUT", duration, {
    fallback: "15",
    example: "10",
    about: "Longest silence of a media server."
  }),
  fetchTimeout: setting("FETCH_TIMEOUT", duration, {
    fallback: "5 minutes",
    example: "60",
    about: "Longest time one download may take."
  }),
  fetchMaxRedirects: setting("FETCH_MAX_REDIRECTS", integer(0, 20), {
    fallback: "5",
    example: "3",
    about: "Redirects followed; every hop is checked anew."
  }),
  fetchPorts: setting("FETCH_PORTS", ports, {
    fallback: "80,443,8080,8443",
    example: "80,443",
    about: "Ports media may be fetched from."
  }),
  imageMaxMb: setting("IMAGE_MAX_MB", integer(1, 1024), {
    fallback: "20",
    example: "20",
    about: "Largest image taken."
  }),
  imageMaxMegapixels: setting("IMAGE_MAX_MEGAPIXELS", integer(1, 1000), {
    fallback: "50",
    example: "50",
    about: "Most pixels of an image, in millions; the frames of an animation count together."
  }),
  imageMaxPx: setting("IMAGE_MAX_PX", integer(64, 8192), {
    fallback: "1568",
    example: "1024",
    about: "Longest side of an image as the model gets it."
  }),
  videoMaxMb: setting("VIDEO_MAX_MB", integer(1, 102_400), {
    fallback: "500",
    example: "200",
    about: "Largest video fetched."
  }),
  videoMaxDuration: setting("VIDEO_MAX_DURATION", duration, {
    fallback: "4 hours",
    example: "1 hour",
    about: "Longest video or sound taken."
  }),
  videoFrames: setting("VIDEO_FRAMES", frames, {
    fallback: "auto",
    example: "12",
    about: "Pictures taken of a video: `auto` (3 to 16, growing with the length) or a number up to 64."
  }),
  videoFramePx: setting("VIDEO_FRAME_PX", integer(64, 4096), {
    fallback: "1024",
    example: "768",
    about: "Longest side of a video's pictures."
  }),
  videoFrameMb: setting("VIDEO_FRAME_MB", integer(1, 64), {
    fallback: "4",
    example: "2",
    about: "Room for all pictures of one video in a request; beyond it they get smaller, then fewer."
  }),
  videoCaptions: setting("VIDEO_CAPTIONS", oneOf("prefer", "off"), {
    fallback: "prefer",
    example: "off",
    about: "`prefer` takes a site's captions where there are any; `off` always listens."
  }),
  videoNativeMb: setting("VIDEO_NATIVE_MB", integer(0, 1024), {
    fallback: "20",
    example: "8",
    about: "Largest video or sound handed whole to a model that takes it; 0 for never."
  }),
  audioMaxMb: setting("AUDIO_MAX_MB", integer(1, 10_240), {
    fallback: "100",
    example: "25",
    about: "Largest sound file fetched."
  }),
  whisperModel: setting("WHISPER_MODEL_NAME", text, {
    fallback: "base.en",
    example: "small",
    about: "Speech model, by whisper.cpp's name; `base` and others without `.en` know many languages."
  }),
  whisperDevice: setting("WHISPER_DEVICE", device, {
    fallback: "cpu",
    example: "gpu",
    about: "`gpu` lets a whisper-cli that was built for it use the graphics card."
  }),
  whisperThreads: setting("WHISPER_THREADS", integer(1, 64), {
    fallback: "1",
    example: "2",
    about: "Threads per piece of speech; pieces are worked on side by side as cores allow."
  }),
  whisperUrl: optional("WHISPER_URL", url, {
    example: "http://127.0.0.1:8080/v1/audio/transcriptions",
    about: "A whisper-server or any OpenAI-compatible transcription address, used instead of a local engine."
  }),
  whisperModelsUrl: optional("WHISPER_MODELS_URL", url, {
    example: "https://models.example.com/whisper/",
    about: "Where speech models are fetched from, before the official places."
  }),
  whisperCli: optional("WHISPER_CLI_PATH", text, {
    example: "/opt/whisper/bin/whisper-cli",
    about: "The whisper-cli to use. Unset: the one on `PATH`, in `DATA_DIR/bin`, or the bundled engine."
  }),
  ffmpeg: optional("FFMPEG_PATH", text, {
    example: "/usr/local/bin/ffmpeg",
    about: "The ffmpeg to use. Unset: the one on `PATH`, or the bundled one."
  }),
  ffprobe: optional("FFPROBE_PATH", text, {
    example: "/usr/local/bin/ffprobe",
    about: "The ffprobe to use. Unset: the one on `PATH`, or the bundled one."
  }),
  ytDlp: optional("YTDLP_PATH", text, {
    example: "/usr/local/bin/yt-dlp",
    about: "The yt-dlp to use for sites. Unset: the one on `PATH`."
  }),
  ytDlpRuntime: optional("YTDLP_JS_RUNTIME", text, {
    example: "node",
    about:
      "JavaScript engine that yt-dlp may run a site's own code in, as YouTube asks for; unset: none. It runs code of the site on this machine."
  }),
  ytDlpMinVersion: setting("YTDLP_MIN_VERSION", text, {
    fallback: "2026.07.04",
    example: "2026.07.04",
    about: "Oldest yt-dlp trusted with links; older ones have known holes, and some leave the guarding proxy."
  })
}

/** `cuda` is what other speech engines call it. */
function device(value: string) {
  return oneOf("cpu", "gpu")(value.toLowerCase() === "cuda" ? "gpu" : value)
}

function frames(value: string): Either.Either<number | undefined, string> {
  return value === "auto" ? Either.right(undefined) : integer(1, 64)(value)
}

function ports(value: string): Either.Either<ReadonlyArray<number>, string> {
  return Either.flatMap(list(value), (items) => Either.all(items.map(integer(1, 65_535))))
}

function hosts(value: string): Either.Either<ReadonlyArray<string>, string> {
  return Either.flatMap(list(value), (items) => {
    const wrong = items.find((item) => !isHostAndPort(item) && !isNetwork(item))
    return wrong === undefined
      ? Either.right(items)
      : Either.left(`must list host:port or networks such as 192.168.7.0/24, not ${JSON.stringify(wrong)}`)
  })
}

const isHostAndPort = (item: string): boolean =>
  /:\d+$/.test(item) && URL.canParse(`http://${item}/`) && !/[/?#@]/.test(item)

const isNetwork = (item: string): boolean => {
  const [address = "", bits = "", ...rest] = item.split("/")
  const version = isIP(address)
  return (
    rest.length === 0 && version !== 0 && /^\d+$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128)
  )
}
