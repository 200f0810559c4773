import { assert, describe, it } from "@effect/vitest"
import {
  generalProblem,
  OUT_OF_REACH,
  siteProblem,
  UNREADABLE
} from "../../../src/domain/media/SiteProblem.ts"

const WRITTEN: Record<string, ReadonlyArray<string>> = {
  "The video is private.": [
    "ERROR: [youtube] aqz: Private video. Sign in if you've been granted access to this video. Use --cookies-from-browser",
    "ERROR: [vimeo] 1: This video is protected by a password, use the --video-password option"
  ],
  "The video has been removed, or there never was one.": [
    "ERROR: [youtube] aqz: Video unavailable. This video has been removed by the uploader",
    "ERROR: [youtube] aqz: Video unavailable",
    "ERROR: [youtube] aqz: This video is no longer available because the YouTube account associated with this video has been terminated.",
    "ERROR: [generic] Unable to download webpage: HTTP Error 404: Not Found (caused by <HTTPError 404: Not Found>)",
    "ERROR: [twitter] 1: The page was not found"
  ],
  "The video is only for grown-ups who are logged in.": [
    "ERROR: [youtube] aqz: Sign in to confirm your age. This video may be inappropriate for some users. Use --cookies",
    "ERROR: [youtube] aqz: This video is age-restricted and only available on YouTube."
  ],
  "The site takes the router for a robot and hands out no video.": [
    "ERROR: [youtube] aqz: Sign in to confirm you’re not a bot. Use --cookies-from-browser or --cookies for the authentication.",
    "ERROR: [generic] Got HTTP Error 403 caused by Cloudflare anti-bot challenge; try again with --extractor-args"
  ],
  "The video is not shown where the router is.": [
    "ERROR: [youtube] aqz: The uploader has not made this video available in your country",
    "ERROR: [bbc] x: This video is not available from your location due to geo restriction. You might want to use a VPN"
  ],
  "The video is only for members or buyers.": [
    "ERROR: [youtube] aqz: Join this channel to get access to members-only content like this video, and other exclusive perks.",
    "ERROR: [youtube] aqz: This video requires payment to watch"
  ],
  "The site shows the video only to those who are logged in.": [
    "ERROR: [vimeo] 1: The web client only works when logged-in. Use --cookies, --cookies-from-browser",
    "ERROR: [tv] 1: This video is only available for registered users. Use --username and --password"
  ],
  "The video has not begun yet.": [
    "ERROR: [youtube] aqz: This live event will begin in 3 days.",
    "ERROR: [youtube] aqz: Premieres in 12 hours"
  ],
  "It is a live stream; only recordings can be looked at.": [
    "ERROR: [twitch] x: The channel is currently live"
  ],
  "The video is protected against copying.": ["ERROR: [x] 1: This video is DRM protected"],
  "The video is larger than is taken here.": [
    "[download] File is larger than max-filesize (16317 bytes > 1024 bytes). Aborting.",
    "ERROR: unable to write data: [Errno 27] File too large"
  ],
  "There is no room left for the video.": ["ERROR: unable to write data: [Errno 28] No space left on device"],
  "No video was found on the page.": [
    "WARNING: [generic] Falling back on generic information extractor\nERROR: Unsupported URL: https://example.com/",
    "ERROR: [youtube] aqz: No video formats found!; please report this issue on  https://github.com/yt-dlp/yt-dlp/issues",
    "ERROR: [twitter] 1: No video could be found in this tweet"
  ],
  "The site has had too many requests from the router and takes no more for now.": [
    "ERROR: [vimeo] 1: Unable to download JSON metadata: HTTP Error 429: Too Many Requests"
  ],
  "The site hands the video out in no form that can be read here.": [
    "ERROR: [x] 1: Requested format is not available. Use --list-formats for a list of available formats",
    "ERROR: ffmpeg exited with code 1"
  ]
}

describe("why a site hands out no video", () => {
  for (const [message, texts] of Object.entries(WRITTEN))
    it(message, () => {
      for (const text of texts) assert.strictEqual(siteProblem(text)?.message, message, text)
    })

  it("is not read out of addresses, nor out of what went well", () => {
    const texts = [
      "ERROR: [generic] Unable to download webpage: <urlopen error> https://example.com/private-video/drm/removed",
      "[generic] Private video: Downloading webpage\nERROR: [generic] Unable to extract data",
      "ERROR: fragment 1 not found, unable to continue",
      ""
    ]
    for (const text of texts) assert.strictEqual(siteProblem(text), undefined, text)
  })

  it("is else a matter of the way there", () => {
    for (const text of [
      "ERROR: [generic] Unable to download webpage: <urlopen error Tunnel connection failed: 403 Forbidden>",
      "ERROR: [generic] Unable to download webpage: The read operation timed out",
      "ERROR: [generic] Unable to download webpage: HTTP Error 502: Bad Gateway",
      "ERROR: [ssl: CERTIFICATE_VERIFY_FAILED] certificate verify failed"
    ])
      assert.deepStrictEqual(generalProblem(text), OUT_OF_REACH, text)
    assert.strictEqual(OUT_OF_REACH.message, "The address could not be reached.")
  })

  it("is else a door that is shut, or nothing we can name", () => {
    const shut =
      "ERROR: [generic] Unable to download webpage: HTTP Error 403: Forbidden (caused by <HTTPError 403>)"
    assert.strictEqual(generalProblem(shut).message, "The site refuses to hand the video out.")
    assert.deepStrictEqual(generalProblem("ERROR: [x] 1: Unable to extract data"), UNREADABLE)
    assert.deepStrictEqual(generalProblem(""), UNREADABLE)
  })
})
