import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { chmodSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { temporaryFolder } from "../support/Router.ts"
import type { MediaHost } from "../support/MediaHost.ts"
import {
  asked,
  calls,
  film,
  lastAsked,
  makeClips,
  partsOf,
  picturesOf,
  sketch,
  startSenses,
  wordsOf
} from "../support/Senses.ts"
import { heic, noise, quarters } from "../support/Images.ts"

/** A small picture that is like no other: as wide as it is told. */
const picture = (width: number) => Effect.promise(() => quarters(width, 8).png().toBuffer())

const dataUrl = (mime: string, bytes: Uint8Array) =>
  `data:${mime};base64,${Buffer.from(bytes).toString("base64")}`

/** What is asked for at the host, as it was written there. */
const paths = (host: MediaHost) => host.asked.map(({ method, path }) => `${method} ${path}`)

describe("links in the words of a user", () => {
  /** `@` is the media host; what is fetched there, in the order the model gets it. */
  const found: ReadonlyArray<readonly [text: string, ...fetched: ReadonlyArray<string>]> = [
    ["What is in @/1/clip.mp4?", "/1/clip.mp4"],
    ["@/2/clip.mp4?sig=a%2Fb&exp=1 is signed", "/2/clip.mp4?sig=a%2Fb&exp=1"],
    ["@/3/pic.jpg?w=200#part", "/3/pic.jpg?w=200"],
    ["@/4/a.png,@/4/b.mp4", "/4/a.png", "/4/b.mp4"],
    ["![i](@/5/a.png)![j](@/5/b.png)", "/5/a.png", "/5/b.png"],
    ["(see @/6/a.png), or @/6/b_(1).png.", "/6/a.png", "/6/b_(1).png"],
    ["看@/7/a.png。好", "/7/a.png"],
    ['<@/8/a.png> and **@/8/b.png**, "@/8/c.png"!', "/8/a.png", "/8/b.png", "/8/c.png"],
    ["@/9/photo.avif, @/9/film.m4v, @/9/film.mpg", "/9/photo.avif", "/9/film.m4v", "/9/film.mpg"],
    ["@/10/A.PNG?x=1&amp;y=2", "/10/A.PNG?x=1&y=2"],
    ["@/11/a.mp4.html is a page, @/11/a.png is not", "/11/a.png"]
  ]

  it.scopedLive("are found in strings and in text parts, as they are written", () =>
    Effect.gen(function* () {
      const senses = yield* startSenses()
      const { ask, host } = senses
      for (const [row, [text, ...fetched]] of found.entries()) {
        const pictures: Array<string> = []
        for (const [at, path] of fetched.entries()) {
          const bytes = yield* picture(8 * (row + 1) + at)
          host.serve(path.replace(/\?.*/, ""), bytes)
          pictures.push(dataUrl("image/png", bytes))
        }
        const before = host.asked.length
        const said = text.replaceAll("@", `http://${host.authority}`)
        const reply = yield* ask("test/eyes", said)
        assert.strictEqual(reply.status, 200, reply.text)
        const first = asked(senses).at(-1)
        assert.deepStrictEqual(
          paths(host).slice(before).toSorted(),
          fetched.map((path) => `GET ${path}`).toSorted(),
          text
        )
        assert.deepStrictEqual(picturesOf(first), pictures, text)
        assert.strictEqual(sketch(partsOf(first)[0]), said)

        // The same in a part is the same, and has been seen.
        yield* ask("test/eyes", [{ type: "text", text: said }])
        assert.strictEqual(host.asked.length, before + fetched.length, text)
        assert.deepStrictEqual(partsOf(asked(senses).at(-1)), partsOf(first), text)
      }
    })
  )

  it.scopedLive(
    "are no media in code, as pages, or in the middle of a name: the request passes byte for byte",
    () =>
      Effect.gen(function* () {
        const senses = yield* startSenses()
        const { host, router } = senses
        host.serve("/a.png", yield* picture(8))
        const texts = [
          "```sh\\ncurl @/a.png\\n```",
          "use `@/a.png` here",
          "@/a.mp4.html and @/page?file=a.png&b=1",
          "http://foo.movies.com/page http://a.pngtree.com http://b.mp4.example/",
          "@/live.m3u8",
          "ftp://127.0.0.1/a.png file:///a.png",
          "http://me:secret@127.0.0.1/a.png"
        ]
        for (const text of texts) {
          const said = text.replaceAll("@/", `http://${host.authority}/`)
          const body = `{ "model":"test/eyes","messages":[ {"role":"user","content":"${said}"} ],"x":1.50 }`
          const response = yield* router.post(body)
          assert.strictEqual(response.status, 200)
          assert.strictEqual(lastAsked(senses), body)
          assert.isNull(response.headers.get("x-percept-media"))
        }
        assert.deepStrictEqual(paths(host), [])
      })
  )

  it.scopedLive("are not followed for assistants, systems and tools, unless they are told to be", () =>
    Effect.gen(function* () {
      const senses = yield* startSenses()
      const { host, router } = senses
      const url = host.serve("/a.png", yield* picture(8)).href
      const messages = [
        { role: "system", content: `Look at ${url}` },
        { role: "assistant", content: `See ${url}` },
        { role: "tool", tool_call_id: "1", content: [{ type: "text", text: url }] },
        { role: "tool", tool_call_id: "2", content: [{ type: "image_url", image_url: { url } }] },
        { role: "user", content: "So?" }
      ]
      const body = JSON.stringify({ model: "test/eyes", messages })
      yield* router.post(body)
      assert.strictEqual(lastAsked(senses), body)
      assert.strictEqual(calls(senses, "/a.png"), 0)
    })
  )

  it.scopedLive("of tools are followed where the operator trusts tools", () =>
    Effect.gen(function* () {
      const senses = yield* startSenses({ MEDIA_ROLES: "user,tool" })
      const { ask, host } = senses
      const url = host.serve("/a.png", yield* picture(8)).href
      const before = [
        { role: "assistant", content: `See ${url}` },
        { role: "tool", tool_call_id: "1", content: url }
      ]
      yield* ask("test/eyes", "So?", { before })
      const request = asked(senses)[0]
      assert.deepStrictEqual(
        [0, 1, 2].map((message) => picturesOf(request, message).length),
        [0, 1, 0]
      )
      assert.strictEqual(calls(senses, "/a.png"), 1)
    })
  )

  it.scopedLive("to unknown places are looked at where the operator wants that, and pages stay links", () =>
    Effect.gen(function* () {
      const senses = yield* startSenses({ MEDIA_SNIFF: "true" })
      const { ask, host, router } = senses
      const seen = host.serve("/shown?id=1".replace(/\?.*/, ""), yield* picture(8)).href
      const page = host.serve("/page", Buffer.from("<!doctype html><title>Hello</title>".padEnd(200))).href
      yield* ask("test/eyes", `${seen} and ${page}`)
      assert.strictEqual(picturesOf(asked(senses)[0]).length, 1)
      assert.strictEqual(partsOf(asked(senses)[0]).length, 3)
      const body = JSON.stringify({ model: "test/eyes", messages: [{ role: "user", content: page }] })
      const response = yield* router.post(body)
      assert.strictEqual(lastAsked(senses), body)
      assert.isNull(response.headers.get("x-percept-media"))
    })
  )
})

describe("media in parts", () => {
  it.scopedLive("are found in whatever form clients write them", () =>
    Effect.gen(function* () {
      const senses = yield* startSenses()
      const { ask, host } = senses
      const bytes = yield* picture(8)
      const url = host.serve("/a", bytes).href
      const data = dataUrl("image/png", bytes)
      const forms: ReadonlyArray<object> = [
        { type: "image_url", image_url: { url } },
        { type: "image_url", image_url: url },
        { type: "image_url", image_url: { url: data } },
        { type: "image_url", image_url: { url: data.replace("image/png", "image/jpg") } },
        { type: "file", file: { filename: "a.png", file_data: data } },
        { type: "file", file: { filename: "a.png", file_data: bytes.toString("base64") } }
      ]
      for (const form of forms) {
        const reply = yield* ask("test/eyes", [form, { type: "text", text: "What is this?" }])
        assert.match(reply.headers.get("x-percept-media") ?? "", /^image 1; /, JSON.stringify(form))
        const parts = partsOf(asked(senses).at(-1))
        assert.strictEqual(parts.length, 2)
        assert.strictEqual(sketch(parts[1]), "What is this?")
      }
      assert.strictEqual(calls(senses, "/a"), 1)
    })
  )

  it.scopedLive("of Ollama's move into the content", () =>
    Effect.gen(function* () {
      const senses = yield* startSenses()
      const { host, router } = senses
      const [one, two] = [yield* picture(8), yield* picture(9)]
      const url = host.serve("/two.png", two).href
      const messages = [{ role: "user", content: "What is this?", images: [one.toString("base64"), url] }]
      yield* router.post({ model: "test/eyes", messages })
      const [message] = [asked(senses)[0]]
      assert.notInclude(lastAsked(senses), '"images"')
      assert.strictEqual(sketch(partsOf(message)[0]), "What is this?")
      assert.deepStrictEqual(picturesOf(message), [dataUrl("image/png", one), dataUrl("image/png", two)])
    })
  )

  it.scopedLive("are pictures in all forms cameras and phones write, or a sentence about why not", () =>
    Effect.gen(function* () {
      const senses = yield* startSenses()
      const { ask } = senses
      const made = quarters(16, 8)
      const jpeg = yield* Effect.promise(() => made.jpeg().toBuffer())
      const avif = yield* Effect.promise(() => made.avif().toBuffer())
      const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
      const rows: ReadonlyArray<readonly [string, RegExp]> = [
        [dataUrl("image/jpg", jpeg), /^<image_url>$/],
        [dataUrl("image/bmp", bmp), /BMP images cannot be decoded here; send JPEG or PNG instead/],
        [dataUrl("image/avif", avif), /^<image_url>$/],
        [dataUrl("image/svg+xml", svg), /not a picture, video or sound that can be taken/],
        [dataUrl("image/heic", heic(16, 8)), /HEIC images with HEVC compression cannot be decoded here/],
        ["data:image/png;base64,@@@@", /not proper base64/]
      ]
      for (const [url, wanted] of rows) {
        yield* ask("test/eyes", [{ type: "image_url", image_url: { url } }])
        const parts = partsOf(asked(senses).at(-1))
        assert.strictEqual(parts.length, 1)
        assert.match(sketch(parts[0]), wanted, url.slice(0, 40))
        for (const picture of picturesOf(asked(senses).at(-1)))
          assert.match(picture, /^data:image\/(?:jpeg|png|webp);base64,/)
      }
      assert.strictEqual(picturesOf(asked(senses)[0])[0], dataUrl("image/jpeg", jpeg))
    })
  )

  it.scopedLive("in tool messages are handled as those of users", () =>
    Effect.gen(function* () {
      const senses = yield* startSenses({ IMAGE_MAX_PX: "64" })
      const { ask } = senses
      const large = yield* Effect.promise(() => noise(100, 50).png().toBuffer())
      const url = dataUrl("image/png", large)
      const screenshot = {
        type: "image_url",
        image_url: { url, detail: "low" },
        cache_control: { type: "ephemeral" }
      }
      yield* ask("test/eyes", "So?", {
        before: [
          { role: "tool", tool_call_id: "1", content: [{ type: "text", text: "A screenshot:" }, screenshot] }
        ]
      })
      const [words, shown] = partsOf(asked(senses)[0], 0)
      assert.strictEqual(sketch(words), "A screenshot:")
      const [smaller = ""] = picturesOf(asked(senses)[0], 0)
      assert.isBelow(smaller.length, url.length)
      // What the client said of the part is said of what takes its place.
      assert.deepStrictEqual(shown, {
        type: "image_url",
        image_url: { url: smaller, detail: "low" },
        cache_control: { type: "ephemeral" }
      })
    })
  )

  it.scopedLive("in the middle of a text are shown beside it and sent once", () =>
    Effect.gen(function* () {
      const senses = yield* startSenses()
      const { ask } = senses
      const data = dataUrl("image/png", yield* picture(8))
      for (const content of [`What is ${data} ?`, [{ type: "text", text: `What is ${data} ?` }]]) {
        yield* ask("test/eyes", content)
        assert.strictEqual(lastAsked(senses).split(data).length, 2)
        assert.deepStrictEqual(partsOf(asked(senses).at(-1)), [
          { type: "text", text: "What is (see below) ?" },
          { type: "image_url", image_url: { url: data } }
        ])
      }
    })
  )
})

describe("links to sites", () => {
  /** In place of yt-dlp: a site with one film, which has captions; its calls are written down. */
  const site = Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const { "film.mp4": made } = yield* makeClips({ "film.mp4": film() })
    const info = {
      id: "dQw4w9WgXcQ",
      extractor_key: "Youtube",
      webpage_url: "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
      title: "A film of ours",
      duration: 2,
      chapters: [{ start_time: 1, title: "The end" }],
      subtitles: { en: [{ ext: "vtt" }] }
    }
    writeFileSync(join(folder, "film.mp4"), made)
    writeFileSync(join(folder, "info"), JSON.stringify(info))
    writeFileSync(join(folder, "vtt"), "WEBVTT\n\n00:00.000 --> 00:01.500\nNever give up\n")
    const path = join(folder, "yt-dlp")
    const script = `#!/bin/sh
case "$2" in --version) echo 2026.07.04; exit 0;; --help) echo; exit 0;; esac
for last; do :; done
echo "$last" >> HERE/calls
case " $* " in
  *" --dump-single-json "*) cat HERE/info;;
  *" --write-subs "*) cp HERE/vtt media.en.vtt;;
  *) cp HERE/film.mp4 media.mp4;;
esac
`
    writeFileSync(path, script.replaceAll("HERE", folder))
    chmodSync(path, 0o755)
    return { path, calls: () => readFileSync(join(folder, "calls"), "utf8").trimEnd().split("\n") }
  })

  it.scopedLive("in all their forms are one film, which is fetched once", () =>
    Effect.gen(function* () {
      const { calls, path } = yield* site
      const senses = yield* startSenses({ YTDLP_PATH: path })
      const { ask } = senses
      const forms = [
        "https://youtu.be/dQw4w9WgXcQ",
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
        "https://youtube.com/watch?app=desktop&v=dQw4w9WgXcQ&list=PL1",
        "https://m.youtube.com/shorts/dQw4w9WgXcQ?feature=share",
        "https://www.youtube.com/live/dQw4w9WgXcQ",
        "youtu.be/dQw4w9WgXcQ"
      ]
      const contents: Array<string> = []
      for (const link of forms) {
        const reply = yield* ask("test/eyes", `What is said in ${link} ?`)
        assert.strictEqual(reply.status, 200)
        const request = asked(senses).at(-1)
        const words = wordsOf(request)
        assert.include(words, "Title: A film of ours | Site: YouTube | Length: 00:02")
        assert.include(words, "[00:00-00:01] Never give up")
        assert.include(words, "Chapters: [00:01] The end")
        assert.isAtLeast(picturesOf(request).length, 1)
        contents.push(words.replaceAll(new RegExp(`https?://\\S*|${link}`, "g"), "LINK"))
      }
      assert.strictEqual(new Set(contents).size, 1)
      // What the site says of it, the film and its captions: once each, by the address that can mean nothing else.
      assert.deepStrictEqual(
        calls(),
        Array.from({ length: 3 }, () => forms[1])
      )
    })
  )

  it.scopedLive("cannot be put in the place of another", () =>
    Effect.gen(function* () {
      const { calls, path } = yield* site
      const senses = yield* startSenses({ YTDLP_PATH: path })
      // Two numbers in one address: which of them a site goes by is not for us to guess.
      for (const link of [
        "https://www.youtube.com/shorts/BBBBBBBBBBB?v=AAAAAAAAAAA",
        "https://www.youtube.com/watch?v=AAAAAAAAAAA#/watch?v=dQw4w9WgXcQ"
      ]) {
        assert.strictEqual((yield* senses.ask("test/eyes", link)).status, 200)
        assert.include(wordsOf(asked(senses).at(-1)), "the site shows another video at this address")
      }
      for (const call of calls()) assert.match(call, /^https:\/\/www\.youtube\.com\/watch\?v=[AB]{11}$/)
      yield* senses.ask("test/eyes", "https://youtu.be/dQw4w9WgXcQ")
      assert.include(wordsOf(asked(senses).at(-1)), "Never give up")
    })
  )

  it.scopedLive("are remembered for a model that takes films whole, too", () =>
    Effect.gen(function* () {
      const { calls, path } = yield* site
      const senses = yield* startSenses({ YTDLP_PATH: path })
      const { ask } = senses
      yield* ask("test/film", "https://youtu.be/dQw4w9WgXcQ")
      const first = calls().length
      yield* ask("test/film", "https://youtu.be/dQw4w9WgXcQ")
      assert.strictEqual(calls().length, first)
      const [one, two] = senses.upstream.received
      assert.include(one?.body.toString(), '"type":"video_url"')
      assert.strictEqual(two?.body.toString(), one?.body.toString())
    })
  )
})

/** The beginning of one, as Windows writes it. */
const bmp = Buffer.from("424d46000000000000003600000028000000".padEnd(140, "0"), "hex")
