import type { MediaKind } from "./Media.ts"
import type { MediaLink } from "./MediaLink.ts"
import { YOUTUBE_HOSTS, isYouTube, youTubeVideo } from "./YouTube.ts"

/** What a link promises to be, by its address alone. */
export const identify = (url: URL, sites: ReadonlyArray<string>): MediaLink => {
  const file = isPage(url) ? undefined : kindOfFile(url)
  if (file !== undefined) return { url, kind: file, key: keyOf(url), ...startOf(url, file) }
  if (siteOf(url.hostname, sites) === undefined)
    return { url, kind: "unknown", key: keyOf(url), ...startOf(url) }
  if (isYouTube(url)) {
    const video = youTubeVideo(url)
    return video === undefined
      ? { url, kind: "unknown", key: keyOf(url) }
      : { url, kind: "site", key: `youtube:${video.id}`, ...startOf(video.url) }
  }
  const kind = isMediaPage(url, sites) ? "site" : "unknown"
  return { url, kind, key: keyOf(url), ...startOf(url) }
}

/** The kind a file's name promises; undefined for what is neither seen nor heard. */
export const kindOfName = (name: string): MediaKind | undefined => {
  const [, extension = ""] =
    /\.([a-z0-9]{2,5})(?:;.*|:(?:large|orig|small|medium|thumb))?$/is.exec(name) ?? []
  return KINDS.get(extension.toLowerCase())
}

/** The site of the list a host belongs to. */
export const siteOf = (hostname: string, sites: ReadonlyArray<string>): string | undefined => {
  const host = hostname.toLowerCase().replace(/\.$/, "")
  const belongs = (site: string) => host === site || host.endsWith(`.${site}`)
  const isListed = (site: string) => site === "*" || belongs(site)
  const listed = sites.find((site) => isListed(site.toLowerCase()))
  // YouTube has several names; who allows one means all of them.
  if (listed === undefined && sites.some((site) => /^youtu(?:be\.com|\.be)$/i.test(site)))
    return YOUTUBE_HOSTS.find(belongs)
  return listed
}

const kindOfFile = (url: URL): MediaKind | undefined => {
  const name = decoded(url.pathname.slice(url.pathname.lastIndexOf("/") + 1))
  const kind = kindOfName(name)
  if (kind !== undefined) return /\.ts$/i.test(name) && isSourceCode(url) ? undefined : kind
  const format = kindOfName(`.${url.searchParams.get("format") ?? url.searchParams.get("fm") ?? ""}`)
  return format === "image" ? format : undefined
}

const decoded = (segment: string): string => {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

/** TypeScript and MPEG transport streams end alike. */
const isSourceCode = (url: URL): boolean =>
  /\.d\.ts$|\/(?:blob|raw|src|tree|main|master|npm|refs)\/|^(?:raw\.|unpkg\.com|esm\.sh|deno\.land|jsr\.io)/i.test(
    url.hostname + url.pathname
  )

/** Pages about a file that bear the file's name. */
const isPage = (url: URL): boolean =>
  (/^(?:www\.)?github\.com\/[^/]+\/[^/]+\/blob\//i.test(url.hostname + url.pathname) &&
    !url.searchParams.has("raw")) ||
  /\.wiki[mp]edia\.org\/wiki\/[^/]+(?::|%3a)/i.test(url.hostname + url.pathname)

const isMediaPage = (url: URL, sites: ReadonlyArray<string>): boolean => {
  const host = url.hostname.replace(/\.$/, "")
  const known = MEDIA_PAGES.find(([site]) => host === site || host.endsWith(`.${site}`))
  if (known !== undefined) return known[1].test(host + url.pathname)
  if (siteOf(host, sites) !== "*") return url.pathname !== "/" || url.search !== ""
  const [, extension] = /\.([a-z][a-z0-9]{1,4})$/i.exec(url.pathname) ?? []
  return extension === undefined || /^(?:x?html?|php\d?|aspx?|jspx?|cgi|do)$/i.test(extension)
}

const keyOf = (url: URL): string => {
  const { href } = url
  const fragment = href.indexOf("#")
  return fragment < 0 ? href : href.slice(0, fragment)
}

const startOf = (url: URL, kind?: MediaKind): { readonly start?: number } => {
  if (kind === "image") return {}
  const fragment = new URLSearchParams(url.hash.slice(1))
  const said = [
    ...["t", "start", "time_continue"].map((name) => url.searchParams.get(name)),
    fragment.get("t"),
    fragment.get("start")
  ]
  const start = said.map((written) => secondsIn(written ?? "")).find((seconds) => seconds !== undefined)
  return start === undefined ? {} : { start }
}

/** `90`, `90s`, `1m30s`, `1:30`, and of a stretch `10,20` its beginning. */
const secondsIn = (written: string): number | undefined => {
  const [from = ""] = written.trim().toLowerCase().replace(/^npt:/, "").split(",")
  const [, ...spelled] =
    /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?$/.exec(from) ??
    /^(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)$/.exec(from) ??
    []
  const [hours = 0, minutes = 0, seconds = 0] = spelled.map((part) => Number(part ?? 0))
  const total = hours * 3600 + minutes * 60 + seconds
  return total > 0 && total <= LATEST ? total : undefined
}

/** Beyond this a number is no time in a film but a date or a token. */
const LATEST = 100 * 3600

/** What of a site is a film or a sound; its other pages are text. */
const MEDIA_PAGES: ReadonlyArray<readonly [site: string, page: RegExp]> = [
  ["vimeo.com", /\/\d{4,}(?:\/|$)|\/ondemand\/./],
  ["tiktok.com", /\/(?:@[^/]*\/video|t|v|embed|player)\/.|^v[mt]\.tiktok\.com\/./],
  ["x.com", /\/status(?:es)?\/\d|\/i\/(?:broadcasts|spaces)\/./],
  ["twitter.com", /\/status(?:es)?\/\d|\/i\/(?:broadcasts|spaces)\/./],
  ["twitch.tv", /\/(?:videos?|v|clip)\/.|^clips\.twitch\.tv\/./],
  ["dailymotion.com", /\/video\/./],
  ["loom.com", /\/(?:share|embed)\/./],
  ["soundcloud.com", /^(?:(?:www|m)\.)?soundcloud\.com\/[^/]+\/[^/]+|^on\.soundcloud\.com\/./],
  ["ted.com", /\/talks\/./],
  ["archive.org", /^(?:www\.)?archive\.org\/(?:details|embed)\/./]
]

const named = (kind: MediaKind, extensions: string): ReadonlyArray<readonly [string, MediaKind]> =>
  extensions.split(" ").map((extension) => [extension, kind])

const KINDS: ReadonlyMap<string, MediaKind> = new Map([
  ...named("image", "jpg jpeg jfif png gif webp avif heic heif bmp tif tiff"),
  ...named("video", "mp4 m4v mov mkv webm avi mpg mpeg ts m2ts ogv 3gp flv wmv"),
  ...named("audio", "mp3 m4a wav flac ogg oga opus aac wma amr aif aiff")
])
