import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { chooseCaptions, isAtHome, readSiteInfo } from "../../../src/domain/media/SiteInfo.ts"

const ASKED = new URL("https://youtu.be/aqz-KE-bpKQ?t=3")

const HOMES = ["youtube.com", "vimeo.com"]

const read = (told: unknown) => readSiteInfo(told, ASKED, HOMES)

/** What is there of languages, as yt-dlp lists them. */
const listed = (...names: ReadonlyArray<string>) =>
  Object.fromEntries(names.map((name) => [name, [{ ext: "json3" }, { ext: "vtt" }]]))

const YOUTUBE = {
  id: "aqz-KE-bpKQ",
  extractor_key: "Youtube",
  webpage_url: "https://www.youtube.com/watch?v=aqz-KE-bpKQ",
  title: "Big Buck Bunny",
  duration: 635,
  is_live: false,
  live_status: "not_live",
  language: "en",
  chapters: [{ start_time: 0, end_time: 9, title: "Intro" }, { start_time: 9.5 }, { title: "nowhere" }, null],
  subtitles: { ...listed("de", "en-GB"), live_chat: [{ ext: "json" }], "": [{ ext: "vtt" }] },
  automatic_captions: { ...listed("af", "en-orig", "en"), ttml: [{ ext: "ttml" }] }
}

describe("what a site says", () => {
  it("is read into what we need of it", () => {
    assert.deepStrictEqual(read(YOUTUBE), {
      key: "youtube:aqz-KE-bpKQ",
      id: "aqz-KE-bpKQ",
      site: "YouTube",
      url: "https://www.youtube.com/watch?v=aqz-KE-bpKQ",
      title: "Big Buck Bunny",
      duration: 635,
      isLive: false,
      language: "en",
      chapters: [
        { from: 0, title: "Intro" },
        { from: 9.5, title: "" }
      ],
      captions: { human: ["de", "en-GB"], automatic: ["af", "en-orig", "en"] }
    })
  })

  it("of several videos is about the first", () => {
    assert.strictEqual(read({ _type: "playlist", id: "PL", entries: [YOUTUBE, {}] })?.id, "aqz-KE-bpKQ")
    assert.strictEqual(read({ _type: "playlist", id: "PL", entries: [] }), undefined)
  })

  it("may be live, or still to come", () => {
    for (const live of [{ is_live: true }, { live_status: "is_live" }, { live_status: "is_upcoming" }])
      assert.isTrue(read(live)?.isLive, JSON.stringify(live))
    for (const past of [{}, { is_live: null }, { was_live: true }, { live_status: "was_live" }])
      assert.isFalse(read(past)?.isLive, JSON.stringify(past))
  })

  it("may be anything", () => {
    for (const told of [null, undefined, [], "x", 1]) assert.strictEqual(read(told), undefined)
    fc.assert(
      fc.property(
        fc.object({ key: fc.constantFrom(...Object.keys(YOUTUBE), "_type", "entries") }),
        (told) => {
          const info = read(told)
          if (info === undefined) return
          assert.isString(info.key)
          assert.isString(info.site)
          assert.isTrue(info.duration === undefined || info.duration > 0)
        }
      )
    )
  })
})

describe("the key of a video", () => {
  const keyOf = (told: object) => read(told)?.key

  it("is the site's number where the site is known", () => {
    const told = {
      id: "76979871",
      extractor_key: "Vimeo",
      webpage_url: "https://player.vimeo.com/video/76979871"
    }
    assert.strictEqual(keyOf(told), "vimeo:76979871")
  })

  it("is bound to its server where anybody may run one", () => {
    const told = (host: string) => ({
      id: "1-2-3",
      extractor_key: "PeerTube",
      webpage_url: `https://${host}/w/1-2-3`
    })
    assert.strictEqual(keyOf(told("good.example")), "peertube:1-2-3@good.example")
    assert.notStrictEqual(keyOf(told("good.example")), keyOf(told("evil.example")))
    assert.strictEqual(keyOf(told("notyoutube.com")), "peertube:1-2-3@notyoutube.com")
  })

  it("is the page where the number comes from its address", () => {
    for (const extractor of ["Generic", "HTML5MediaEmbed"]) {
      const told = (page: string) => ({ id: "clip-1", extractor_key: extractor, webpage_url: page })
      assert.strictEqual(
        keyOf(told("https://a.example/clip")),
        `${extractor.toLowerCase()}:https://a.example/clip#clip-1`
      )
      assert.notStrictEqual(keyOf(told("https://a.example/clip")), keyOf(told("https://b.example/clip")))
    }
    assert.strictEqual(keyOf({}), `generic:${ASKED.href}#`)
  })
})

describe("captions", () => {
  const choose = (
    captions: { human?: Array<string>; automatic?: Array<string> },
    language?: string,
    wanted?: string
  ) => {
    const info = read({
      ...(language === undefined ? {} : { language }),
      subtitles: listed(...(captions.human ?? [])),
      automatic_captions: listed(...(captions.automatic ?? []))
    })
    const chosen = info && chooseCaptions(info, wanted)
    return chosen && `${chosen.language}${chosen.automatic ? " by machine" : ""}`
  }

  it("by people come first, in the spoken language, else English, else whatever there is", () => {
    const automatic = ["de-orig", "de"]
    assert.strictEqual(choose({ human: ["fr", "en", "de"], automatic }, "de"), "de")
    assert.strictEqual(choose({ human: ["fr", "en", "de-AT"], automatic }, "de"), "de-AT")
    assert.strictEqual(choose({ human: ["de-AT", "de"], automatic }, "de-CH"), "de-AT")
    assert.strictEqual(choose({ human: ["de-AT", "de"], automatic }, "DE"), "de")
    assert.strictEqual(choose({ human: ["fr", "en-US"], automatic }, "de"), "en-US")
    assert.strictEqual(choose({ human: ["fr", "it"], automatic }, "de"), "fr")
    assert.strictEqual(choose({ human: ["fr", "en", "de"] }, "de", "fr"), "fr")
  })

  it("by a machine are the ones it heard, not a translation of them", () => {
    const automatic = ["af", "de", "en", "en-orig"]
    assert.strictEqual(choose({ automatic }, "en"), "en-orig by machine")
    assert.strictEqual(choose({ automatic }), "en-orig by machine")
    assert.strictEqual(choose({ automatic }, "en", "de"), "en-orig by machine")
    assert.strictEqual(choose({ automatic: ["af", "de", "en"] }, "de"), "de by machine")
    assert.strictEqual(choose({ automatic: ["af", "de", "en"] }), "en by machine")
    assert.strictEqual(choose({ automatic: ["af"] }), "af by machine")
    assert.strictEqual(choose({}), undefined)
  })

  it("are named so that the name can go into a command", () => {
    const human = [
      "all",
      "-en",
      "a,b",
      "(a+)+$",
      "en$",
      ".*",
      "en orig",
      "x".repeat(50),
      "en_US",
      "zh-Hans.x"
    ]
    assert.deepStrictEqual(read({ subtitles: listed(...human) })?.captions.human, ["en_US", "zh-Hans.x"])
  })
})

describe("a host", () => {
  it("is at home with its subdomains and nowhere else", () => {
    for (const host of ["youtube.com", "www.youtube.com", "a.b.YouTube.com"])
      assert.isTrue(isAtHome(host, HOMES), host)
    for (const host of ["notyoutube.com", "youtube.com.evil.example", "com", "", "youtube.co"])
      assert.isFalse(isAtHome(host, HOMES), host)
  })
})
