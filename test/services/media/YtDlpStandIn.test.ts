import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { LIVE, OUT_OF_REACH } from "../../../src/domain/media/SiteProblem.ts"
import { YtDlp } from "../../../src/services/media/YtDlp.ts"
import { makeMark, nobodyWith } from "../../support/Processes.ts"
import { temporaryFolder } from "../../support/Router.ts"
import { inEnvironment, ytDlp } from "../../support/Sites.ts"

describe("a program that stands in for yt-dlp", () => {
  const URL_OF_SITE = new URL("https://93.184.215.14/watch?v=1")

  /** It says it is of a day, tells its options, and else does as it is told. */
  const standIn = (version: string, does: string, env: Record<string, string> = {}) =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const path = join(folder, "my-yt-dlp")
      const script = [
        "#!/bin/sh",
        `case "$2" in --version) echo ${version}; exit 0;; --help) echo '${OPTIONS}'; exit 0;; esac`,
        does.replaceAll("HERE", folder)
      ]
      writeFileSync(path, script.join("\n"), { mode: 0o755 })
      const job = join(folder, "job")
      mkdirSync(job)
      const context = yield* Layer.build(ytDlp({ DATA_DIR: join(folder, "data"), YTDLP_PATH: path, ...env }))
      return { folder, job, site: Context.get(context, YtDlp), at: (name: string) => join(folder, name) }
    })

  const OPTIONS = "  --no-plugin-dirs\n  --no-js-runtimes  --no-remote-components, --proxy URL"

  it.scopedLive("must be new enough to be trusted with links", () =>
    Effect.gen(function* () {
      const old = yield* standIn("2023.03.04", "touch HERE/ran")
      const failed = yield* Effect.flip(old.site.about(URL_OF_SITE, old.job))
      assert.strictEqual(failed.code, "tool_missing")
      assert.strictEqual(
        failed.message,
        "yt-dlp 2023.03.04 is too old to be trusted with links; 2026.07.04 or newer is needed."
      )
      for (const work of [
        Effect.asVoid(old.site.captions(URL_OF_SITE, old.job)),
        Effect.asVoid(old.site.download(URL_OF_SITE, old.job))
      ])
        assert.strictEqual((yield* Effect.flip(work)).message, failed.message)
      assert.isFalse(existsSync(old.at("ran")))
    })
  )

  it.scopedLive("is not even started for what may not be called", () =>
    Effect.gen(function* () {
      const { at, job, site } = yield* standIn("2026.07.04", "touch HERE/ran")
      for (const address of ["http://127.0.0.1/", "http://[::1]/", "file:///etc/passwd", "http://a:b@c.de/"])
        for (const work of [
          Effect.asVoid(site.about(new URL(address), job)),
          Effect.asVoid(site.download(new URL(address), job))
        ])
          assert.include(yield* Effect.flip(work), OUT_OF_REACH, address)
      assert.isFalse(existsSync(at("ran")))
      assert.deepStrictEqual(readdirSync(job), [])
    })
  )

  it.scopedLive("must be there", () =>
    Effect.gen(function* () {
      const none = yield* standIn("", "", { YTDLP_PATH: "/nowhere/yt-dlp" })
      const { code, message } = yield* Effect.flip(none.site.about(URL_OF_SITE, none.job))
      assert.strictEqual(code, "tool_missing")
      assert.notInclude(message, "/nowhere")
    })
  )

  it.scopedLive("is told what it may not do, and knows nothing of us", () =>
    Effect.gen(function* () {
      yield* inEnvironment({
        OPENROUTER_API_KEY: "sk-secret",
        no_proxy: "*",
        XDG_CONFIG_HOME: "/etc",
        PYTHONPATH: "/tmp"
      })
      const does = `for arg; do printf '%s\\n' "$arg"; done > HERE/args; env > HERE/env; pwd > HERE/place; touch told.txt`
      const { at, job, site } = yield* standIn("2026.07.04", does)
      const url = new URL("https://93.184.215.14/--exec?v=1#__youtubedl_smuggle=%7B%7D")
      yield* Effect.flip(Effect.asVoid(site.download(url, job)))
      const args = readFileSync(at("args"), "utf8").trimEnd().split("\n")

      for (const option of [
        ...[
          "--ignore-config",
          "--no-cache-dir",
          "--no-plugin-dirs",
          "--no-exec",
          "--no-playlist",
          "--playlist-items=1"
        ],
        ...["--downloader=native", "--no-js-runtimes", "--no-remote-components", "--restrict-filenames"],
        ...[
          "--match-filters=!is_live & duration<=?14400",
          `--max-filesize=${500 * 1024 * 1024}`,
          "--fixup=never"
        ],
        ...["--output=media.%(ext)s"]
      ]) {
        const [name = "", value] = option.split(/=(.*)/s)
        const found = args.indexOf(name)
        assert.isAtLeast(found, 0, option)
        if (value !== undefined) assert.strictEqual(args[found + 1], value)
      }
      assert.match(args[args.indexOf("--proxy") + 1] ?? "", /^http:\/\/percept:[\w-]{32}@127\.0\.0\.1:\d+$/)
      assert.match(args[args.indexOf("--ffmpeg-location") + 1] ?? "", /^\/.*ffmpeg$/)
      assert.deepStrictEqual(args.slice(-2), ["--", "https://93.184.215.14/--exec?v=1"])
      assert.strictEqual(args.indexOf("--"), args.length - 2)
      for (const never of [
        "--exec",
        "--netrc-cmd",
        "--write-link",
        "--cookies",
        "--cookies-from-browser",
        "--enable-file-urls"
      ])
        assert.notInclude(args, never)

      const env = Object.fromEntries(
        readFileSync(at("env"), "utf8")
          .trimEnd()
          .split("\n")
          .map((line) => line.split(/=(.*)/s))
      )
      const place = readFileSync(at("place"), "utf8").trim()
      assert.strictEqual(dirname(place), job)
      const { PATH, ...rest } = env
      assert.strictEqual(PATH, process.env["PATH"])
      // A shell sets these for itself.
      for (const name of ["PWD", "OLDPWD", "SHLVL", "_"]) delete rest[name]
      assert.deepStrictEqual(rest, { HOME: place, TMPDIR: place, LANG: "C.UTF-8" })
      assert.deepStrictEqual(readdirSync(job), [])
    })
  )

  it.scopedLive("may know fewer options", () =>
    Effect.gen(function* () {
      const does = `printf '%s\\n' "$@" > HERE/args`
      const { at, job, site } = yield* standIn("2026.07.04", does)
      const script = readFileSync(at("my-yt-dlp"), "utf8")
      writeFileSync(at("my-yt-dlp"), script.replace("--no-plugin-dirs", "").replace("--no-js-runtimes", ""))
      yield* Effect.flip(site.about(URL_OF_SITE, job))
      const args = readFileSync(at("args"), "utf8")
      assert.notInclude(args, "--no-plugin-dirs")
      assert.notInclude(args, "--no-js-runtimes")
      assert.include(args, "--no-remote-components")
    })
  )

  it.scopedLive("runs no code of a site, unless the operator says in what", () =>
    Effect.gen(function* () {
      const does = `printf '%s\\n' "$@" > HERE/args`
      const { at, job, site } = yield* standIn("2026.07.04", does, { YTDLP_JS_RUNTIME: "node" })
      const script = readFileSync(at("my-yt-dlp"), "utf8")
      writeFileSync(at("my-yt-dlp"), script.replace("--no-js-runtimes", "--no-js-runtimes --js-runtimes"))
      yield* Effect.flip(site.about(URL_OF_SITE, job))
      assert.include(
        readFileSync(at("args"), "utf8"),
        "--no-js-runtimes\n--no-remote-components\n--js-runtimes\nnode\n"
      )
    })
  )

  it.scopedLive("is judged by what it leaves, not by what it says", () =>
    Effect.gen(function* () {
      const image = `printf 'GIF89a\\001\\000\\001\\000\\000\\000\\000;'`
      const outcomes: ReadonlyArray<readonly [string, string]> = [
        [`${image} > media.gif; echo 'ERROR: Private video' >&2; exit 1`, "image/gif"],
        ["exit 0", "unsupported"],
        [`${image} > media.gif; ${image} > media.mp4; exit 0`, "unsupported"],
        [`${image} > media.gif.part; exit 0`, "unsupported"],
        [`${image} > media.f137.gif; exit 0`, "unsupported"],
        [`ln -s /etc/hostname media.mp4; exit 0`, "unsupported"],
        [`echo 'playlist' > media.mp4; exit 0`, "not_media"],
        [`head -c 1100000 /dev/zero > media.mp4; exit 0`, "too_large"],
        [`head -c 900000 /dev/zero > a; cp a b; cp a c; exec sleep 60`, "too_large"],
        [`echo 'true NA NA' > told.txt; exit 0`, LIVE.message],
        [`echo '"NA" "is_upcoming" "NA"' > told.txt; exit 0`, LIVE.message],
        [`echo 'false "not_live" 90000.5' > told.txt; exit 0`, "too_long"],
        [`echo 'ERROR: [youtube] x: Private video. Sign in' >&2; exit 1`, "unsupported"]
      ]
      const { at, job, site } = yield* standIn("2026.07.04", "sh HERE/does", { VIDEO_MAX_MB: "1" })
      for (const [does, wanted] of outcomes) {
        writeFileSync(at("does"), does)
        const said = yield* Effect.match(site.download(URL_OF_SITE, job), {
          onSuccess: ({ path, type }) => {
            execFileSync("rm", [path])
            return [type.mime]
          },
          onFailure: ({ code, message }) => [code, message]
        })
        assert.include(said, wanted, does)
        assert.deepStrictEqual(readdirSync(job), [], does)
      }
    })
  )

  it.scopedLive("that takes too long is ended, with all it started", () =>
    Effect.gen(function* () {
      const mark = makeMark()
      const { job, site } = yield* standIn("2026.07.04", `sleep ${mark} & sleep ${mark}`, {
        FETCH_TIMEOUT: "1"
      })
      const failed = yield* Effect.flip(site.download(URL_OF_SITE, job))
      assert.strictEqual(failed.code, "timeout")
      assert.strictEqual(failed.message, "The site took too long to hand the video out.")
      yield* nobodyWith(mark)
      assert.deepStrictEqual(readdirSync(job), [])
    })
  )

  it.scopedLive("is quoted to the operator alone, and without what links carry", () =>
    Effect.gen(function* () {
      const error = "ERROR: [x] 1: Private video at https://me:pw@cdn.example/v.mp4?token=secret#part"
      const { job, site } = yield* standIn("2026.07.04", `echo '${error}' >&2; exit 1`)
      const failed = yield* Effect.flip(site.about(URL_OF_SITE, job))
      assert.strictEqual(failed.message, "The video is private.")
      assert.include(failed.detail ?? "", "ERROR: [x] 1: Private video at https://cdn.example/v.mp4")
      assert.notMatch(failed.detail ?? "", /secret|pw@/)
    })
  )

  it.scopedLive("tells of captions by a machine, in the form of the site", () =>
    Effect.gen(function* () {
      const info = {
        id: "1",
        extractor_key: "Vimeo",
        webpage_url: "https://vimeo.com/1",
        automatic_captions: { "de-orig": [{ ext: "json3" }] }
      }
      const json3 = { events: [{ tStartMs: 500, dDurationMs: 1000, segs: [{ utf8: "Guten Tag" }] }] }
      const { at, job, site } = yield* standIn(
        "2026.07.04",
        `case " $* " in *" --dump-single-json "*) cat HERE/info;; *" --write-auto-subs --sub-langs de-orig "*) cp HERE/json3 media.de-orig.json3;; esac`
      )
      writeFileSync(at("info"), JSON.stringify(info))
      writeFileSync(at("json3"), JSON.stringify(json3))
      assert.strictEqual((yield* site.about(URL_OF_SITE, job)).key, "vimeo:1")
      assert.deepStrictEqual(yield* site.captions(URL_OF_SITE, job), {
        language: "de-orig",
        automatic: true,
        segments: [{ from: 0.5, to: 1.5, text: "Guten Tag" }]
      })
      writeFileSync(at("json3"), "{}")
      assert.strictEqual(yield* site.captions(URL_OF_SITE, job), undefined)
      assert.deepStrictEqual(readdirSync(job), [])
    })
  )
})

describe("the sites that are known", () => {
  const known = (sites: string, addresses: ReadonlyArray<string>) =>
    Effect.map(YtDlp, ({ knows }) => addresses.filter((address) => knows(new URL(address)))).pipe(
      Effect.provide(ytDlp({ MEDIA_SITES: sites, DATA_DIR: "/nonexistent/percept" }))
    )

  it.effect("are the ones that are listed, and what is below them", () =>
    Effect.gen(function* () {
      const listed = ["https://www.youtube.com/watch?v=1", "https://VIMEO.com/1"]
      const others = [
        "https://notyoutube.com/",
        "https://youtube.com.evil.example/",
        "https://any.example/vimeo.com"
      ]
      assert.deepStrictEqual(yield* known("youtube.com,Vimeo.com", [...listed, ...others]), listed)
      assert.deepStrictEqual(yield* known("*", others), others)
    })
  )
})
