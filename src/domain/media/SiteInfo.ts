import { arrayField, field, isObject, numberField, stringField } from "../Json.ts"
import type { Chapter } from "./Evidence.ts"

/** What a site says about one of its videos. */
export interface SiteInfo {
  /** The same for every link to the same video: `youtube:ID`. */
  readonly key: string
  readonly id: string
  /** As people call it: `YouTube`, or the host where it has no name. */
  readonly site: string
  readonly url: string
  readonly title: string | undefined
  readonly duration: number | undefined
  /** Going on now, or still to come. */
  readonly isLive: boolean
  /** What is spoken, where the site knows. */
  readonly language: string | undefined
  readonly chapters: ReadonlyArray<Chapter>
  /** Languages there are captions in that we can read. */
  readonly captions: { readonly human: ReadonlyArray<string>; readonly automatic: ReadonlyArray<string> }
}

/** Reads what yt-dlp tells of a page; of several videos on it, the first. */
export const readSiteInfo = (
  told: unknown,
  asked: URL,
  /** Hosts whose numbering of videos is their own, subdomains included. */
  homes: ReadonlyArray<string>
): SiteInfo | undefined => {
  const info = stringField(told, "_type") === "playlist" ? arrayField(told, "entries")[0] : told
  if (!isObject(info)) return undefined
  const id = stringField(info, "id") ?? ""
  const extractor = stringField(info, "extractor_key") ?? "Generic"
  const page = pageOf(info, asked)
  return {
    key: keyOf(extractor, id, page, homes),
    id,
    site: isNamed(extractor) ? (SPELLED[extractor] ?? extractor) : page.host,
    url: page.href,
    title: stringField(info, "title"),
    duration: positive(numberField(info, "duration")),
    isLive: field(info, "is_live") === true || LIVE.has(stringField(info, "live_status") ?? ""),
    language: stringField(info, "language"),
    chapters: arrayField(info, "chapters").flatMap((chapter) => {
      const from = numberField(chapter, "start_time")
      return from === undefined ? [] : [{ from, title: stringField(chapter, "title") ?? "" }]
    }),
    captions: {
      human: readable(field(info, "subtitles")),
      automatic: readable(field(info, "automatic_captions"))
    }
  }
}

/** Which captions to take: people's before a machine's, in the spoken language before any other. */
export const chooseCaptions = (
  { captions, language }: SiteInfo,
  wanted?: string
): { readonly language: string; readonly automatic: boolean } | undefined => {
  const { automatic, human } = captions
  const byPeople = oneOf(human, [wanted, language, "en"]) ?? human[0]
  if (byPeople !== undefined) return { language: byPeople, automatic: false }
  // A machine's captions in other languages are translations of the ones marked as original.
  const heard = automatic.filter((name) => name.endsWith("-orig"))
  const byMachine =
    oneOf(heard, [language, wanted]) ?? heard[0] ?? oneOf(automatic, [language, wanted, "en"]) ?? automatic[0]
  return byMachine === undefined ? undefined : { language: byMachine, automatic: true }
}

/** `en` is as good as `en-US`, but not before it where just that was wanted. */
const oneOf = (
  names: ReadonlyArray<string>,
  wishes: ReadonlyArray<string | undefined>
): string | undefined => {
  for (const wish of wishes) {
    if (wish === undefined) continue
    const found = names.find((name) => same(name, wish)) ?? names.find((name) => same(base(name), base(wish)))
    if (found !== undefined) return found
  }
  return undefined
}

const same = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase()

const base = (language: string): string => language.split(/[-_]/)[0] ?? language

/** Names that can be asked for again; chats beside a stream are listed with the captions, and are none. */
const readable = (captions: unknown): ReadonlyArray<string> =>
  isObject(captions)
    ? Object.keys(captions).filter(
        (name) =>
          /^[a-z][\w.-]{0,39}$/i.test(name) &&
          name !== "all" &&
          arrayField(captions, name).some((one) => READABLE.has(stringField(one, "ext") ?? ""))
      )
    : []

const READABLE = new Set(["json3", "vtt", "srt"])

/** Anybody may run a server that hands out ids of another's, so an id counts only together with a host we know. */
const keyOf = (extractor: string, id: string, page: URL, homes: ReadonlyArray<string>): string => {
  const name = extractor.toLowerCase()
  if (!isNamed(extractor) || id === "") return `${name}:${page.href}#${id}`
  return isAtHome(page.hostname, homes) ? `${name}:${id}` : `${name}:${id}@${page.host}`
}

/** Whether a host is one of these or below one of them. */
export const isAtHome = (host: string, homes: ReadonlyArray<string>): boolean =>
  homes.some((home) => same(host, home) || host.toLowerCase().endsWith(`.${home.toLowerCase()}`))

/** Pages without a reader of their own are read by a general one, whose ids are bits of their address. */
const isNamed = (extractor: string): boolean => !["Generic", "HTML5MediaEmbed"].includes(extractor)

const pageOf = (info: object, asked: URL): URL => {
  const page = stringField(info, "webpage_url") ?? ""
  return URL.canParse(page) ? new URL(page) : asked
}

const positive = (seconds: number | undefined): number | undefined =>
  seconds !== undefined && seconds > 0 && Number.isFinite(seconds) ? seconds : undefined

const LIVE = new Set(["is_live", "is_upcoming"])

const SPELLED: Readonly<Record<string, string>> = {
  Youtube: "YouTube",
  TikTok: "TikTok",
  Soundcloud: "SoundCloud",
  TwitchVod: "Twitch",
  TwitchClips: "Twitch",
  TedTalk: "TED",
  ArchiveOrg: "Internet Archive"
}
