/** A film on YouTube, and the address that names it (a link may carry another one). */
export interface YouTubeVideo {
  readonly id: string
  readonly url: URL
}

/** Whatever form a link to a film has; a channel, a list or a search is none. */
export const youTubeVideo = (url: URL): YouTubeVideo | undefined => named(carried(url) ?? url)

export const isYouTube = (url: URL): boolean => {
  const host = url.hostname.replace(/\.$/, "")
  return YOUTUBE_HOSTS.some((name) => host === name || host.endsWith(`.${name}`))
}

export const YOUTUBE_HOSTS = ["youtube.com", "youtu.be", "youtube-nocookie.com", "youtubekids.com"] as const

const named = (url: URL): YouTubeVideo | undefined => {
  if (!isYouTube(url)) return undefined
  const [, first = "", second = ""] = url.pathname.split("/")
  const places = [
    /(?:^|\.)youtu\.be\.?$/.test(url.hostname) ? first : "",
    url.searchParams.get("v") ?? "",
    AHEAD_OF_ID.has(first.toLowerCase()) ? second : ""
  ]
  const id = places.map(idIn).find((found) => found !== undefined)
  return id === undefined ? undefined : { id, url }
}

/** Shared and consent links hold the real one, as a path or whole. */
const carried = (url: URL): URL | undefined => {
  const [, first = ""] = url.pathname.split("/")
  const held =
    first === "attribution_link"
      ? url.searchParams.get("u")
      : url.hostname.startsWith("consent.")
        ? url.searchParams.get("continue")
        : null
  return held !== null && URL.canParse(held, HOME) ? new URL(held, HOME) : undefined
}

const idIn = (place: string): string | undefined => {
  const [id] = /^[\w-]{11}(?![\w-])/.exec(place) ?? []
  return id === undefined || NO_IDS.has(id) ? undefined : id
}

const HOME = "https://www.youtube.com/"
const AHEAD_OF_ID = new Set(["watch", "shorts", "live", "embed", "v", "e", "vi"])

/** Players without a film of their own, in the place of an id and as long as one. */
const NO_IDS = new Set(["videoseries", "live_stream"])
