import { assert, describe, it, layer } from "@effect/vitest"
import { Context, Effect, Fiber, Layer } from "effect"
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs"
import { basename, delimiter, join } from "node:path"
import { readSiteInfo } from "../../../src/domain/media/SiteInfo.ts"
import { isAtLeast } from "../../../src/domain/media/SiteVersion.ts"
import { YtDlp } from "../../../src/services/media/YtDlp.ts"
import { endless, redirect, stall, startCanary, startMediaHost, status } from "../../support/MediaHost.ts"
import type { MediaHost } from "../../support/MediaHost.ts"
import { processesWith } from "../../support/Processes.ts"
import { eventually, temporaryFolder } from "../../support/Router.ts"
import { inEnvironment, ytDlp } from "../../support/Sites.ts"

const version = (process.env["PATH"] ?? "")
  .split(delimiter)
  .some((folder) => existsSync(join(folder, "yt-dlp")))
  ? execFileSync("yt-dlp", ["--ignore-config", "--version"], { encoding: "utf8" }).trim()
  : undefined

/** A site that may be called, and some films on it. */
class Films extends Context.Tag("test/Films")<Films, MediaHost & { readonly video: Buffer }>() {}

/** With yt-dlp as it is installed here, however old. */
const Site = Layer.unwrapScoped(
  Effect.gen(function* () {
    const host = yield* startMediaHost
    const folder = yield* temporaryFolder
    const env = {
      ...host.env,
      DATA_DIR: join(folder, "data"),
      YTDLP_MIN_VERSION: "2023.01.01",
      VIDEO_MAX_MB: "1",
      VIDEO_MAX_DURATION: "60",
      FETCH_IDLE_TIMEOUT: "10"
    }
    const made = join(folder, "made")
    mkdirSync(made)
    execFileSync("ffmpeg", MAKING, { cwd: made })
    for (const name of readdirSync(made)) host.serve(`/${name}`, join(made, name), typeOf(name))
    const film = { ...host, video: readFileSync(join(made, "film.mp4")) }
    return Layer.merge(ytDlp(env), Layer.succeed(Films, film))
  })
)

/** Two seconds of picture and sound: whole, cut into pieces, and picture and sound apart. */
const MAKING = [
  ...["-v", "error", "-f", "lavfi", "-i", "testsrc=d=2:s=160x120:r=5", "-f", "lavfi", "-i", "sine=d=2"],
  ...["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", "film.mp4"],
  ...["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", "-f", "hls", "-hls_time", "1", "film.m3u8"],
  ...["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", "-f", "dash", "film.mpd"]
]

const typeOf = (name: string) => ({
  "content-type": name.endsWith(".m3u8")
    ? "application/vnd.apple.mpegurl"
    : name.endsWith(".mpd")
      ? "application/dash+xml"
      : "video/mp4"
})

const VTT = "WEBVTT\n\n00:00.000 --> 00:01.000\nHello <b>there</b>\n\n00:01.000 --> 00:02.000\nAnd bye\n"

const html = (body: string) =>
  status(
    200,
    { "content-type": "text/html" },
    `<!doctype html><html><head><title>A little film</title></head><body>${body}</body></html>`
  )

const film = (source: string, track = "") =>
  html(`<video src="${source}">${track && `<track kind="subtitles" srclang="en" src="${track}">`}</video>`)

const playlist = (...lines: ReadonlyArray<string>) =>
  status(200, typeOf(".m3u8"), ["#EXTM3U", "#EXT-X-VERSION:3", ...lines].join("\n"))

const pieces = (...urls: ReadonlyArray<string>) =>
  playlist("#EXT-X-TARGETDURATION:1", ...urls.flatMap((url) => ["#EXTINF:1,", url]), "#EXT-X-ENDLIST")

/** A download that fails, in a folder of its own, of which nothing is left. */
const failure = (url: URL) =>
  Effect.scoped(
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const { download } = yield* YtDlp
      const failed = yield* Effect.flip(download(url, folder))
      assert.deepStrictEqual(readdirSync(folder), [])
      return failed
    })
  )

const UNREACHABLE = { code: "unreachable", message: "The address could not be reached." } as const

if (version === undefined && process.env["CI"] === undefined)
  console.warn("yt-dlp is not on PATH, so the tests that ask sites through it are skipped.")
else if (version === undefined)
  it("yt-dlp has to be on PATH for these tests", () =>
    assert.fail("yt-dlp is not on PATH, so nothing is known about how sites are asked."))

/** Each call takes a second of a processor that others want too. */
const PATIENCE = 120_000

const ELSEWHERE = "a source that is neither http nor https"
const FOR_FFMPEG = "what only ffmpeg could read"

describe.skipIf(version === undefined)("yt-dlp as it is installed", () => {
  layer(Site, { excludeTestServices: true, timeout: 60_000 })((it) => {
    it.scoped(
      "tells of a page, and hands out its captions and its video",
      () =>
        Effect.gen(function* () {
          const films = yield* Films
          const site = yield* YtDlp
          const folder = yield* temporaryFolder
          films.serve("/film.vtt", Buffer.from(VTT), { "content-type": "text/vtt" })
          const url = films.behave("/page", film("/film.mp4", "/film.vtt"))

          const info = yield* site.about(url, folder)
          assert.strictEqual(info.site, films.authority)
          assert.match(info.title ?? "", /A little film/)
          assert.isFalse(info.isLive)
          assert.deepStrictEqual(info.captions, { human: ["en"], automatic: [] })

          assert.deepStrictEqual(yield* site.captions(url, folder, undefined, info), {
            language: "en",
            automatic: false,
            segments: [
              { from: 0, to: 1, text: "Hello there" },
              { from: 1, to: 2, text: "And bye" }
            ]
          })

          const shares: Array<number> = []
          const file = yield* site.download(url, folder, (share) => shares.push(share))
          const { bytes, path, sha256, type } = file
          assert.deepStrictEqual(type, { kind: "video", mime: "video/mp4", container: "mp4" })
          assert.strictEqual(sha256, createHash("sha256").update(films.video).digest("hex"))
          assert.strictEqual(bytes, films.video.length)
          assert.isTrue(readFileSync(path).equals(films.video))
          assert.strictEqual(statSync(path).mode & 0o777, 0o600)
          assert.deepStrictEqual(readdirSync(folder), [basename(path)])
          assert.strictEqual(shares.at(-1), 1)
          assert.deepStrictEqual(
            shares,
            shares.toSorted((a, b) => a - b)
          )
        }),
      PATIENCE
    )

    it.scoped(
      "puts pieces, and picture and sound, together to one file",
      () =>
        Effect.gen(function* () {
          const films = yield* Films
          const { download } = yield* YtDlp
          const folder = yield* temporaryFolder
          const inPieces = yield* download(films.at("/film.m3u8"), folder)
          assert.strictEqual(inPieces.type.container, "ts")
          const apart = yield* download(films.at("/film.mpd"), folder)
          assert.strictEqual(apart.type.mime, "video/mp4")
          const streams = ["-show_entries", "stream=codec_type", "-of", "csv=p=0", apart.path]
          const found = execFileSync("ffprobe", ["-v", "error", ...streams], { encoding: "utf8" })
          assert.deepStrictEqual(found.trim().split("\n").toSorted(), ["audio", "video"])
          assert.strictEqual(readdirSync(folder).length, 2)
        }),
      PATIENCE
    )

    it.scoped(
      "reads no other file for the sake of one that asks for it",
      () =>
        Effect.gen(function* () {
          const films = yield* Films
          // What is said to be sound is the film, and what is said to be its picture a script that names that file.
          films.serve("/script.mp4", Buffer.from("ffconcat version 1.0\nfile media.f1.m4a\n"), typeOf("mp4"))
          const set = (id: number, kind: string, codec: string, name: string) =>
            `<AdaptationSet contentType="${kind}" mimeType="${kind}/mp4"><Representation id="${id}" bandwidth="9"
            codecs="${codec}"><BaseURL>${films.at(name)}</BaseURL></Representation></AdaptationSet>`
          const sets = [
            set(0, "video", "avc1.64000a", "/script.mp4"),
            set(1, "audio", "mp4a.40.2", "/film.mp4")
          ]
          const url = films.behave("/script.mpd", status(200, typeOf(".mpd"), mpd(sets.join(""))))
          assert.strictEqual((yield* failure(url)).code, "unsupported")
          assert.isTrue(
            ["/script.mp4", "/film.mp4"].every((path) => films.asked.some((one) => one.path === path))
          )
        }),
      PATIENCE
    )

    const ways: Record<string, (films: MediaHost, forbidden: string) => URL> = {
      "a redirect": (films, forbidden) => films.behave("/moved.mp4", redirect(`${forbidden}/film.mp4`)),
      "a playlist in a playlist": (films, forbidden) =>
        films.behave("/child.m3u8", playlist("#EXT-X-STREAM-INF:BANDWIDTH=9", `${forbidden}/film.m3u8`)),
      "a piece of a film": (films, forbidden) => {
        films.behave("/piece.m3u8", pieces("film0.ts", `${forbidden}/film1.ts`))
        return films.behave("/master.m3u8", playlist("#EXT-X-STREAM-INF:BANDWIDTH=9", "piece.m3u8"))
      },
      "the piece of another form": (films, forbidden) =>
        films.behave("/forbidden.mpd", status(200, typeOf(".mpd"), manifest(`${forbidden}/`))),
      [ELSEWHERE]: (films, forbidden) =>
        films.behave("/ftp", film(`${forbidden.replace("http", "ftp")}/film.mp4`)),
      [FOR_FFMPEG]: (films, forbidden) =>
        films.behave(
          "/strange.m3u8",
          playlist(
            ...["#EXT-X-TARGETDURATION:1", `#EXT-X-KEY:METHOD=SAMPLE-AES,URI="${forbidden}/key"`],
            ...["#EXTINF:1,", `${forbidden}/film0.ts`, "#EXT-X-ENDLIST"]
          )
        )
    }

    /** Old ones go there past the proxy, which is why they are not trusted. */
    const pastOld: typeof ways =
      version !== undefined && isAtLeast(version, "2026.07.04")
        ? {
            "a redirect to another protocol": (films, forbidden) =>
              films.behave("/ftp.mp4", redirect(`${forbidden.replace("http", "ftp")}/film.mp4`))
          }
        : {}

    it.scoped(
      "reaches nobody it may not reach, by no way",
      () =>
        Effect.gen(function* () {
          const films = yield* Films
          const canary = yield* startCanary
          const forbidden = `http://127.0.0.1:${canary.port}`
          yield* inEnvironment({ no_proxy: "*", NO_PROXY: "*", http_proxy: "", HTTP_PROXY: forbidden })
          const fails = ([way, urlOf]: readonly [string, (typeof ways)[string]]) =>
            Effect.map(failure(urlOf(films, forbidden)), ({ code, detail = "", message }) => {
              if (way === ELSEWHERE || way === FOR_FFMPEG) assert.strictEqual(code, "unsupported", way)
              else assert.deepStrictEqual({ code, message }, UNREACHABLE, way)
              assert.notMatch(message, /127\.0\.0\.1|\d{4}/)
              assert.notMatch(detail, /percept:/)
            })
          yield* Effect.forEach(Object.entries({ ...ways, ...pastOld }), fails, { concurrency: 2 })
          const { captions } = yield* YtDlp
          const url = films.behave("/words", film("/film.mp4", `${forbidden}/film.vtt`))
          const info = readSiteInfo({ subtitles: { en: [{ ext: "vtt" }] } }, url, [])
          const words = captions(url, yield* temporaryFolder, "en", info)
          assert.include(yield* Effect.flip(words), UNREACHABLE)
          assert.strictEqual(canary.connections(), 0)
          // Only ffmpeg asks like that, even when it is told to call itself a browser.
          assert.isTrue(films.asked.every(({ headers }) => headers["icy-metadata"] === undefined))
        }),
      PATIENCE
    )

    it.scoped(
      "takes no text for a film, whatever it is called",
      () =>
        Effect.gen(function* () {
          const films = yield* Films
          const text = Buffer.from("ffconcat version 1.0\nfile /etc/hostname\n")
          const url = films.serve("/list.mp4", text, { "content-type": "video/mp4" })
          assert.strictEqual((yield* failure(url)).code, "not_media")
        }),
      PATIENCE
    )

    it.scoped(
      "takes no more than is allowed, said or not",
      () =>
        Effect.gen(function* () {
          const films = yield* Films
          const large = Buffer.concat([films.video, Buffer.alloc(1024 * 1024)])
          const said = yield* failure(films.serve("/large.mp4", large, { "content-type": "video/mp4" }))
          assert.strictEqual(said.code, "too_large")
          const before = films.sent()
          const unsaid = yield* failure(films.behave("/endless.mp4", endless(films.video)))
          assert.strictEqual(unsaid.code, "too_large")
          assert.isBelow(films.sent() - before, 64 * 1024 * 1024)
          yield* eventually(Effect.sync(films.open), (open) => open === 0)
        }),
      PATIENCE
    )

    it.scoped(
      "says in plain words what is not to be had",
      () =>
        Effect.gen(function* () {
          const films = yield* Films
          const long = {
            "@context": "https://schema.org",
            "@type": "VideoObject",
            name: "Long",
            duration: "PT2M"
          }
          const linked = JSON.stringify({ ...long, contentUrl: films.at("/film.mp4").href })
          const urls = {
            too_long: films.behave("/long", html(`<script type="application/ld+json">${linked}</script>`)),
            not_media: films.behave("/text", html("Nothing to see"))
          }
          const { about } = yield* YtDlp
          assert.strictEqual((yield* about(urls.too_long, yield* temporaryFolder)).duration, 120)
          const failures = yield* Effect.all(
            Object.values(urls).map((url) => failure(url)),
            { concurrency: 2 }
          )
          assert.deepStrictEqual(
            failures.map(({ code }) => code),
            Object.keys(urls)
          )
          assert.deepStrictEqual(
            failures.map(({ message }) => message),
            ["The video is longer than is taken here.", "No video was found on the page."]
          )
        }),
      PATIENCE
    )

    it.scoped(
      "is gone at once when nobody waits for it any more, with all it had",
      () =>
        Effect.gen(function* () {
          const films = yield* Films
          const { download } = yield* YtDlp
          const folder = yield* temporaryFolder
          const url = films.behave("/stall.mp4", stall(films.video, 900_000))
          const running = yield* Effect.fork(download(url, folder))
          yield* eventually(
            Effect.sync(() => processesWith(url.href)),
            (found) => found.length > 0
          )
          yield* eventually(
            Effect.sync(() => readdirSync(folder, { recursive: true }).map(String)),
            (names) => names.some((name) => name.endsWith(".part"))
          )
          yield* Fiber.interrupt(running)
          assert.deepStrictEqual(processesWith(url.href), [])
          assert.deepStrictEqual(readdirSync(folder), [])
          yield* eventually(Effect.sync(films.open), (open) => open === 0)
        }),
      PATIENCE
    )
  })
})

const mpd = (sets: string) =>
  `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT2S">
  <Period>${sets}</Period></MPD>`

/** A picture whose pieces are somewhere else. */
const manifest = (base: string) =>
  mpd(`<BaseURL>${base}</BaseURL><AdaptationSet contentType="video" mimeType="video/mp4">
  <Representation id="0" bandwidth="9" codecs="avc1.64000a" width="160" height="120"><SegmentList duration="1">
  <Initialization sourceURL="init.mp4"/><SegmentURL media="1.m4s"/></SegmentList></Representation></AdaptationSet>`)
