import type { MediaProblem } from "../Errors.ts"

export interface SiteProblem {
  readonly code: MediaProblem
  /** Plain words, ours alone. */
  readonly message: string
  /** It may be otherwise another day. */
  readonly transient?: boolean
}

/** Why a site does not hand a video out, by what yt-dlp wrote; undefined where that is not about the video. */
export const siteProblem = (written: string): SiteProblem | undefined => firstOf(PROBLEMS, errorsIn(written))

/** What went wrong on the way there and back, or else that something did. */
export const generalProblem = (written: string): SiteProblem =>
  firstOf(GENERAL, errorsIn(written)) ?? UNREADABLE

const firstOf = (problems: ReadonlyArray<readonly [RegExp, SiteProblem]>, text: string) =>
  problems.find(([sign]) => sign.test(text))?.[1]

/** Addresses say nothing, whatever words they are made of. */
const errorsIn = (written: string): string => {
  const lines = written.split(/\r\n|\r|\n/)
  const errors = lines.filter((line) => line.startsWith("ERROR:"))
  return (errors.length > 0 ? errors : lines).join("\n").replace(/\b[a-z]+:\/\/\S*/gi, "…")
}

const says = (code: MediaProblem, message: string): SiteProblem => ({ code, message })

/** For what is no property of the video: it must not be remembered as one. */
const passing = (code: MediaProblem, message: string): SiteProblem => ({ code, message, transient: true })

/** The same words for all that cannot be called, whatever the reason. */
export const OUT_OF_REACH = says("unreachable", "The address could not be reached.")

export const UNREADABLE = passing("unsupported", "No video could be had from the site.")

export const TOO_LARGE = says("too_large", "The video is larger than is taken here.")

export const TOO_LONG = says("too_long", "The video is longer than is taken here.")

export const TOO_SLOW = says("timeout", "The site took too long to hand the video out.")

export const LIVE = passing("unsupported", "It is a live stream; only recordings can be looked at.")

const NO_FORM = passing("unsupported", "The site hands the video out in no form that can be read here.")

/** The first that fits, so the particular stands before the general. */
const PROBLEMS: ReadonlyArray<readonly [RegExp, SiteProblem]> = [
  [/no space left on device/i, says("no_space", "There is no room left for the video.")],
  [/larger than max-filesize|file too large/i, TOO_LARGE],
  [
    /live event will begin|premieres in|(?:stream|event|premiere) has not (?:yet )?started/i,
    passing("unsupported", "The video has not begun yet.")
  ],
  [/(?:is|channel is) (?:currently |now )?live\b|\blive ?streams?\b(?! recording)/i, LIVE],
  [/\bdrm\b/i, says("unsupported", "The video is protected against copying.")],
  [/ffmpeg|ffprobe|exited with code|requested format is not available/i, NO_FORM],
  [
    /members[- ]only|join this channel|requires? (?:payment|purchase)|\bpremium\b|\bsubscri(?:bers?|ption)\b|\brent(?:al)?\b/i,
    says("unsupported", "The video is only for members or buyers.")
  ],
  [
    /not a bot|captcha|unusual traffic|cloudflare|anti-bot/i,
    passing("unsupported", "The site takes the router for a robot and hands out no video.")
  ],
  [
    /confirm your age|age[- ]?restrict|age[- ]?verif|inappropriate for some users/i,
    says("unsupported", "The video is only for grown-ups who are logged in.")
  ],
  [
    /private (?:video|track|media)|(?:is|was made|set to) private|--video-password|password[- ]protected|protected by a password/i,
    says("unsupported", "The video is private.")
  ],
  [
    /geo[- ]?restrict|(?:in|from) your (?:country|location|region)/i,
    says("unsupported", "The video is not shown where the router is.")
  ],
  [
    /removed|deleted|terminated|no longer available|does(?:n't|n’t| not) exist|(?:video|page|track|clip|content) (?:was )?not found|video unavailable|(?:video|track|content|recording) is(?:n't|n’t| not) available|http error (?:404|410)/i,
    says("unsupported", "The video has been removed, or there never was one.")
  ],
  [
    /\blog ?in\b|logged[- ]in|sign in|registered users|authenticat|http error 401/i,
    says("unsupported", "The site shows the video only to those who are logged in.")
  ],
  [
    /http error 429|too many requests|rate[- ]?limit/i,
    passing("unsupported", "The site has had too many requests from the router and takes no more for now.")
  ],
  [
    /unsupported url|no (?:video|media)(?: formats)?(?: could be)? found|there(?:'s|’s| is) no video/i,
    says("not_media", "No video was found on the page.")
  ]
]

const GENERAL: ReadonlyArray<readonly [RegExp, SiteProblem]> = [
  [/http error (?:403|451)/i, passing("unsupported", "The site refuses to hand the video out.")],
  [
    /timed out|time-?out|connection|urlopen|tunnel|proxy|\bssl\b|certificate|http error 5\d\d|network/i,
    OUT_OF_REACH
  ]
]
