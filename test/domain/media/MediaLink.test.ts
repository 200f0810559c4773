import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { linkOf, scan } from "../../../src/domain/media/MediaLink.ts"

const SITES = [
  "youtube.com",
  "youtu.be",
  "vimeo.com",
  "tiktok.com",
  "x.com",
  "twitter.com",
  "twitch.tv",
  "dailymotion.com",
  "loom.com",
  "soundcloud.com",
  "ted.com",
  "archive.org"
]
const ID = "dQw4w9WgX-_"

/** Each link as kind and words. */
const found = (text: string, sites: ReadonlyArray<string> = SITES): ReadonlyArray<string> =>
  scan(text, sites).map(({ from, kind, to }) => `${kind} ${text.slice(from, to)}`)

const only = (text: string, sites: ReadonlyArray<string> = SITES) => {
  const links = scan(text, sites)
  assert.strictEqual(links.length, 1, text)
  const [link] = links
  assert.isDefined(link)
  return link
}

const cases = (table: ReadonlyArray<readonly [text: string, ...links: ReadonlyArray<string>]>): void => {
  for (const [text, ...links] of table)
    it(`in ${JSON.stringify(text)}: ${links.join(", ") || "nothing"}`, () =>
      assert.deepStrictEqual(found(text), links))
}

describe("what earlier systems stumbled over", () => {
  cases([
    [`https://youtu.be/${ID}`, `site https://youtu.be/${ID}`],
    [`https://www.youtube.com/watch?v=${ID}`, `site https://www.youtube.com/watch?v=${ID}`],
    [`https://youtube.com/watch?v=${ID}`, `site https://youtube.com/watch?v=${ID}`],
    [`https://youtube.com/shorts/${ID}`, `site https://youtube.com/shorts/${ID}`],
    [`https://youtube.com/live/${ID}`, `site https://youtube.com/live/${ID}`],
    ["https://vimeo.com/76979871", "site https://vimeo.com/76979871"],
    ["https://x.example/a.m3u8", "unknown https://x.example/a.m3u8"],
    [
      "https://x.example/a.m4v https://x.example/a.mpg",
      "video https://x.example/a.m4v",
      "video https://x.example/a.mpg"
    ],
    ["https://x.example/clip.mp4?sig=a%2Fb%3D&x=1", "video https://x.example/clip.mp4?sig=a%2Fb%3D&x=1"],
    ["https://x.example/pic.jpg?w=200", "image https://x.example/pic.jpg?w=200"],
    ["https://x.example/photo.avif", "image https://x.example/photo.avif"],
    ["https://foo.movies.com/page", "unknown https://foo.movies.com/page"],
    ["https://x.example/a.mp4.html", "unknown https://x.example/a.mp4.html"],
    ["https://a.example/a.png,https://x/b.mp4", "image https://a.example/a.png", "video https://x/b.mp4"],
    ["![i](https://x/a.png)![j](https://x/b.png)", "image https://x/a.png", "image https://x/b.png"],
    ["https://a.pngtree.com/x", "unknown https://a.pngtree.com/x"],
    ["https://a.pngtree.com", "unknown https://a.pngtree.com"]
  ])
})

describe("where a link ends", () => {
  const link = "https://x.example/a/b.mp4"
  const around: ReadonlyArray<readonly [before: string, after: string]> = [
    ...[..."。、，！？；：）】」』》〉”’»›…　؟،।"].map((after) => ["", `${after}next`] as const),
    ...[".", ",", ";", ":", "!", "?", "...", "?!", ".)", "),", "'", '"', "*", "&"].flatMap((after) => [
      ["", after] as const,
      ["see ", `${after} next`] as const
    ]),
    ["(", ")"],
    ["[", "]"],
    ["{", "}"],
    ["<", ">"],
    ["<", "> and <b>"],
    ["'", "'"],
    ['"', '"'],
    ["`` ` `` ", " `"],
    ["“", "”"],
    ["‘", "’"],
    ["«", "»"],
    ["„", "“"],
    ["（", "）"],
    ["【", "】"],
    ["「", "」"],
    ["**", "**"],
    ["*", "*is*"],
    ["_", "_"],
    ["~~", "~~"],
    ["|", "|b|"],
    ["\t", "\n"],
    ["\u00a0", "\u00a0x"],
    ["\u200b", "\u200bx"],
    ["\ufeff", "\u202c"],
    ["[x](", ")"],
    ["[x](", ' "title")'],
    ["![x](", " 'title')!"],
    ["![x](<", ">)"],
    ["[![x](", ")](#)"],
    ["[1]: ", ' "Title"'],
    ["[1]: <", ">"],
    ["[img]", "[/img]"],
    ["[url=", "]here[/url]"],
    ['<video src="', '" controls>'],
    ["<video src='", "' controls>"],
    ["<video src=", ">"],
    ["&lt;video src=&quot;", "&quot;&gt;"],
    ['{"url":"', '"}'],
    ['{\\"url\\":\\"', '\\"}'],
    ["line\\n", "\\nline"],
    ["看", "这个视频"],
    ["動画:", "を見て"],
    ["영상 ", "를 봐"],
    ["ดู", "ได้ไหม"],
    ["", "🔥"],
    ["", "—which"],
    ["", "’s sound"],
    ["", ",then say"],
    ["", ";then"],
    ["", "(720p)"],
    ["link:", " x"],
    ["text", " x"]
  ]
  for (const [before, after] of around)
    it(`between ${JSON.stringify(before)} and ${JSON.stringify(after)}`, () =>
      assert.deepStrictEqual(found(before + link + after), [`video ${link}`]))

  cases([
    ["https://x/a_(b).png)", "image https://x/a_(b).png"],
    ["[w](https://x/wiki/A_(b)_(c).jpg)", "image https://x/wiki/A_(b)_(c).jpg"],
    ["(https://x/a.mp4?list[]=1&b={c})", "video https://x/a.mp4?list[]=1&b={c}"],
    ["[t](<https://x/my clip.mp4> 'T')", "video https://x/my clip.mp4"],
    ["(<https://x/a.mp4\nhttps://x/b.mp4>)", "video https://x/a.mp4", "video https://x/b.mp4"],
    ["https://x/影片/第1集.mp4看看", "video https://x/影片/第1集.mp4"],
    ["https://x/видео.mp4?имя=я", "video https://x/видео.mp4?имя=я"],
    ["https://例え.jp/画像.png、", "image https://例え.jp/画像.png"],
    ["https://x/a.mp4?name=影片&x=1看", "video https://x/a.mp4?name=影片&x=1"],
    ["https://x/page看这个", "unknown https://x/page"],
    ["https://x/a.mp4#t=5看", "video https://x/a.mp4#t=5"],
    [`https://youtu.be/${ID}看看`, `site https://youtu.be/${ID}`],
    [`https://youtu.be/${ID}?t=9看看`, `site https://youtu.be/${ID}?t=9`],
    ["https://x/a.pnghttps://x/b.mp4", "image https://x/a.png", "video https://x/b.mp4"],
    [
      "https://x/a.png;http://x/b.mp4|https://x/c.mp3",
      "image https://x/a.png",
      "video http://x/b.mp4",
      "audio https://x/c.mp3"
    ],
    ["https://x/a.png、https://x/b.png", "image https://x/a.png", "image https://x/b.png"],
    ["https://x/a.png?b=1![j](https://x/b.png)", "image https://x/a.png?b=1", "image https://x/b.png"],
    ["https://x/看https://x/b.png", "unknown https://x/看", "image https://x/b.png"],
    ["https://archive.x/web/2020/https://y/a.mp4", "video https://archive.x/web/2020/https://y/a.mp4"],
    ["https://x/get?u=https://y/a.mp4&s=1", "unknown https://x/get?u=https://y/a.mp4&s=1"],
    ["https://x/f/w_300,h_200/a.jpg", "image https://x/f/w_300,h_200/a.jpg"],
    ["https://x/a.jpg:large", "image https://x/a.jpg:large"],
    ["http://[2001:db8::1]:8080/a.png]", "image http://[2001:db8::1]:8080/a.png"]
  ])

  it("takes what Markdown and HTML wrote for what they meant", () => {
    assert.strictEqual(only('<img src="https://x/a.png?a=1&amp;b=2">').url.href, "https://x/a.png?a=1&b=2")
    assert.strictEqual(only(String.raw`https://x/my\_clip\(1\).mp4`).url.href, "https://x/my_clip(1).mp4")
    assert.strictEqual(only("[t](<https://x/my clip.mp4>)").url.href, "https://x/my%20clip.mp4")
  })
})

describe("what is a link", () => {
  cases([
    ["HTTPS://X.EXAMPLE/A.PNG hTTp://x/b.Mp4", "image HTTPS://X.EXAMPLE/A.PNG", "video hTTp://x/b.Mp4"],
    [`youtube.com/watch?v=${ID}, youtu.be/${ID}`, `site youtube.com/watch?v=${ID}`, `site youtu.be/${ID}`],
    [`看YouTube.com/watch?v=${ID}`, `site YouTube.com/watch?v=${ID}`],
    [`(m.youtube.com/watch?v=${ID})`, `site m.youtube.com/watch?v=${ID}`],
    [`<iframe src="//www.youtube.com/embed/${ID}">`, `site www.youtube.com/embed/${ID}`],
    ["www.x.example/a.mp4", "video www.x.example/a.mp4"],
    ["vimeo.com/76979871", "site vimeo.com/76979871"],
    ["x.example/a.mp4"],
    ["and/or src/www/a.mp4 ./www.x.example/a.mp4"],
    [`notyoutube.com/watch?v=${ID} youtube.com.evil.example/watch?v=${ID}`],
    [`foo@youtube.com/watch?v=${ID} ftp://youtube.com/watch?v=${ID}`],
    ["www.youtube.com youtube.com"],
    ["ftp://x/a.mp4 file:///a.mp4 data:image/png;base64,AAAA blob:x javascript:https:// mailto:a@b.c"],
    ["git+https://x/a.mp4"],
    ["https:// http:// https:/x/a.png https//x/a.png"],
    ["https://user:pass@x/a.png https://user@x/a.png https://x.example@evil/a.png"],
    ["https://x.example/@user/a.png", "image https://x.example/@user/a.png"],
    ["https://.../a.png https://…/a.png"],
    [""]
  ])

  it("leaves out what is longer than any link, and goes on behind it", () => {
    const long = (length: number) => `https://x/${"a".repeat(length - 14)}.png`
    assert.deepStrictEqual(found(long(2048)), [`image ${long(2048)}`])
    assert.deepStrictEqual(found(`${long(2049)} https://x/b.png`), ["image https://x/b.png"])
    assert.deepStrictEqual(found(`https://x/${"é".repeat(400)}.png https://x/b.png`), [
      "image https://x/b.png"
    ])
    const host = (length: number) => `https://${"a.".repeat(length).slice(0, length - 1)}b/a.png`
    assert.strictEqual(found(host(253)).length, 1)
    assert.deepStrictEqual(found(`${host(255)} https://x/b.png`), ["image https://x/b.png"])
  })
})

describe("code", () => {
  const shown = "https://x/b.png"
  const hidden = "https://x/a.png"
  const texts: ReadonlyArray<string> = [
    `\`${hidden}\` ${shown}`,
    `\`\`a \` ${hidden}\`\` ${shown}`,
    `\`\`\`${hidden}\`\`\` ${shown}`,
    `\`\n${hidden}\n\` ${shown}`,
    `\`\`\`\n${hidden}\n\`\`\`\n${shown}`,
    `\`\`\`\r\n${hidden}\r\n\`\`\`\r\n${shown}`,
    `\`\`\`js title="x"\n${hidden}\n\`\`\`\n${shown}`,
    `~~~ \`js\`\n${hidden}\n~~~\n${shown}`,
    `\`\`\`\`\n\`\`\`\n${hidden}\n\`\`\`\`\`  \n${shown}`,
    `~~~~\n~~~\n\`\`\`\n${hidden}\n~~~~\n${shown}`,
    `- item\n  \`\`\`\n  ${hidden}\n  \`\`\`\n${shown}`,
    `1. \`\`\`sh\n   curl ${hidden}\n   \`\`\`\n${shown}`,
    `> \`\`\`\n> ${hidden}\n> \`\`\`\n${shown}`,
    `\`\`\`\n\`\`\` not the end ${hidden}\n\`\`\`\n${shown}`,
    `${shown}\n\`\`\`\n${hidden}`,
    `${shown}\n~~~\n${hidden}\n\`\`\`\n`,
    `${shown} \`\`\` \`a\` \`${hidden}\``
  ]
  for (const text of texts)
    it(`is not read: ${JSON.stringify(text)}`, () => assert.deepStrictEqual(found(text), [`image ${shown}`]))

  const open: ReadonlyArray<string> = [
    `a \` lonely tick ${shown}`,
    `\`\`three and two ${shown} \`\`\``,
    `\`a\n\n${shown} \``,
    `\\\`${shown}\``,
    `~~${shown}~~`,
    `text \`\`\` \n${shown}`,
    `    indented ${shown}`,
    `\`\`\`\ncode\n\`\`\`${"\n"}${shown}\n\`\`\`\ncode\n\`\`\``
  ]
  for (const text of open)
    it(`is not what it looks like: ${JSON.stringify(text)}`, () =>
      assert.deepStrictEqual(found(text), [`image ${shown}`]))
})

describe("YouTube", () => {
  const forms = [
    `https://www.youtube.com/watch?v=${ID}`,
    `http://youtube.com/watch?feature=share&v=${ID}#x`,
    `https://www.youtube.com/watch?app=desktop&amp;v=${ID}`,
    `https://m.youtube.com/watch?v=${ID}&pp=abc`,
    `https://music.youtube.com/watch?v=${ID}&list=RD`,
    `https://www.youtube.com/watch?v=${ID}&list=PL123&index=2`,
    `https://www.youtube.com/playlist?list=PL123&v=${ID}`,
    `https://www.youtube.com/watch/${ID}`,
    `https://youtu.be/${ID}`,
    `https://youtu.be/${ID}?si=abc`,
    `https://youtu.be/${ID}&feature=youtu.be`,
    `https://WWW.YOUTUBE.COM/shorts/${ID}?x=1`,
    `https://www.youtube.com/live/${ID}?feature=share`,
    `https://www.youtube.com/embed/${ID}?rel=0`,
    `https://www.youtube-nocookie.com/embed/${ID}`,
    `https://www.youtube.com/v/${ID}?version=3`,
    `https://www.youtube.com/e/${ID}`,
    `https://www.youtube.com/attribution_link?a=x&u=%2Fwatch%3Fv%3D${ID}%26feature%3Dshare`,
    `https://consent.youtube.com/m?continue=https%3A%2F%2Fwww.youtube.com%2Fwatch%3Fv%3D${ID}&gl=DE`,
    `https://www.youtube.com./watch?v=${ID}`,
    `youtu.be/${ID}`,
    `www.youtube.com/watch?v=${ID}`
  ]
  for (const text of forms)
    it(`knows the film in ${text}`, () => {
      const { key, kind } = only(text)
      assert.deepStrictEqual([kind, key], ["site", `youtube:${ID}`])
    })

  const pages = [
    "https://www.youtube.com/",
    "https://www.youtube.com",
    "https://www.youtube.com/@someone",
    "https://www.youtube.com/@someone/live",
    "https://www.youtube.com/c/Somebodyyyy",
    "https://www.youtube.com/channel/UC0123456789abcdefghijkl",
    "https://www.youtube.com/playlist?list=PL123",
    "https://www.youtube.com/results?search_query=x",
    "https://www.youtube.com/watch?v=short",
    `https://www.youtube.com/watch?v=${ID}long`,
    "https://www.youtube.com/embed/videoseries?list=PL",
    "https://www.youtube.com/embed/live_stream?channel=UC",
    "https://www.youtube.com/attribution_link?u=https%3A%2F%2Fevil.example%2Fwatch%3Fv%3Daaaaaaaaaaa",
    `https://youtube.example/watch?v=${ID}`,
    `https://youtu.be.example/${ID}`
  ]
  for (const text of pages)
    it(`finds no film in ${text}`, () => {
      const { key, kind, url } = only(text)
      assert.deepStrictEqual([kind, key], ["unknown", url.href])
    })

  it("is a site only where the operator says so", () => {
    for (const sites of [["youtube.com"], ["youtu.be"], ["YouTube.com"], ["*"]])
      for (const text of [
        `https://youtu.be/${ID}`,
        `https://m.youtube.com/watch?v=${ID}`,
        `https://www.youtube-nocookie.com/embed/${ID}`
      ])
        assert.strictEqual(only(text, sites).key, `youtube:${ID}`, sites.join())
    assert.strictEqual(only(`https://youtu.be/${ID}`, ["vimeo.com"]).kind, "unknown")
    assert.deepStrictEqual(found(`youtu.be/${ID}`, []), [])
  })
})

describe("kinds", () => {
  const files: ReadonlyArray<readonly [kind: string, extensions: string]> = [
    ["image", "jpg jpeg png gif webp avif heic heif bmp tif tiff"],
    ["video", "mp4 m4v mov mkv webm avi mpg mpeg ts m2ts ogv 3gp flv wmv"],
    ["audio", "mp3 m4a wav flac ogg opus aac wma amr aiff"],
    ["unknown", "html pdf svg m3u8 mpd zip txt js mp45 xmp4 jpgx"]
  ]
  for (const [kind, extensions] of files)
    it(`${kind} by ${extensions}`, () => {
      for (const extension of extensions.split(" "))
        for (const path of [
          `a.${extension}`,
          `A.${extension.toUpperCase()}?x=1.png#y.mp4`,
          `a%2E${extension}`
        ])
          assert.strictEqual(only(`https://x.example/dir.mp4/${path}`).kind, kind, path)
    })

  cases([
    ["https://x.example/a.mp4/", "unknown https://x.example/a.mp4/"],
    ["https://x.example/a%zz.png", "image https://x.example/a%zz.png"],
    ["https://x.example/?f=a.mp4", "unknown https://x.example/?f=a.mp4"],
    [
      "https://pbs.twimg.com/media/abc?format=jpg&name=large",
      "image https://pbs.twimg.com/media/abc?format=jpg&name=large"
    ],
    ["https://github.com/o/r/blob/main/a.png", "unknown https://github.com/o/r/blob/main/a.png"],
    [
      "https://github.com/o/r/blob/main/a.png?raw=true",
      "image https://github.com/o/r/blob/main/a.png?raw=true"
    ],
    [
      "https://raw.githubusercontent.com/o/r/main/src/a.ts",
      "unknown https://raw.githubusercontent.com/o/r/main/src/a.ts"
    ],
    ["https://en.wikipedia.org/wiki/File:A.jpg", "unknown https://en.wikipedia.org/wiki/File:A.jpg"],
    ["https://upload.wikimedia.org/a/b/A.jpg", "image https://upload.wikimedia.org/a/b/A.jpg"],
    ["https://img.youtube.com/vi/abc/0.jpg", "image https://img.youtube.com/vi/abc/0.jpg"],
    ["https://player.vimeo.com/video/76979871?h=1", "site https://player.vimeo.com/video/76979871?h=1"],
    [
      "https://vimeo.com/about https://vimeo.com/",
      "unknown https://vimeo.com/about",
      "unknown https://vimeo.com/"
    ],
    ["https://www.tiktok.com/@a/video/123", "site https://www.tiktok.com/@a/video/123"],
    [
      "https://vm.tiktok.com/ZMabc/ https://www.tiktok.com/@a",
      "site https://vm.tiktok.com/ZMabc/",
      "unknown https://www.tiktok.com/@a"
    ],
    [
      "https://x.com/a/status/123 https://x.com/a",
      "site https://x.com/a/status/123",
      "unknown https://x.com/a"
    ],
    ["https://netflix.com/a/status/123", "unknown https://netflix.com/a/status/123"],
    [
      "https://clips.twitch.tv/Abc https://twitch.tv/a",
      "site https://clips.twitch.tv/Abc",
      "unknown https://twitch.tv/a"
    ],
    [
      "https://soundcloud.com/a/b https://soundcloud.com/a",
      "site https://soundcloud.com/a/b",
      "unknown https://soundcloud.com/a"
    ],
    ["https://www.ted.com/talks/x", "site https://www.ted.com/talks/x"],
    [
      "https://archive.org/details/x https://web.archive.org/web/1/x",
      "site https://archive.org/details/x",
      "unknown https://web.archive.org/web/1/x"
    ],
    ["https://archive.org/download/x/y.mp3", "audio https://archive.org/download/x/y.mp3"]
  ])

  it("takes every page of another site that is listed, but its first", () => {
    assert.deepStrictEqual(found("https://a.tube.example/x https://tube.example/", ["tube.example"]), [
      "site https://a.tube.example/x",
      "unknown https://tube.example/"
    ])
  })

  it("takes all links that are no files for sites where all are listed", () => {
    assert.deepStrictEqual(
      found(
        "https://a.example/x https://a.example/x.html https://a.example/x.pdf https://a.example/x.mp4 a.example/x",
        ["*"]
      ),
      [
        "site https://a.example/x",
        "site https://a.example/x.html",
        "unknown https://a.example/x.pdf",
        "video https://a.example/x.mp4"
      ]
    )
  })
})

describe("times", () => {
  const times: ReadonlyArray<readonly [written: string, start: number | undefined]> = [
    ["?t=90", 90],
    ["?t=90s", 90],
    ["?t=1m30s", 90],
    ["?t=1m30", 90],
    ["?t=1h2m3s", 3723],
    ["?t=2H", 7200],
    ["?t=1:30", 90],
    ["?t=1:02:03", 3723],
    ["?start=90", 90],
    ["?time_continue=90", 90],
    ["?x=1&t=12.5#x", 12.5],
    ["#t=10,20", 10],
    ["#t=npt:1:30,2:00", 90],
    ["#t=1m30s", 90],
    ["#start=5", 5],
    ["#x=1&t=7", 7],
    ["?t=0", undefined],
    ["#t=,20", undefined],
    ["?t=-5", undefined],
    ["?t=soon", undefined],
    ["?t=", undefined],
    ["?t=1700000000", undefined],
    ["?v=1", undefined],
    ["", undefined]
  ]
  for (const [written, start] of times)
    it(`${written || "none"} is ${start}`, () => {
      for (const link of [
        `https://x/a.mp4${written}`,
        `https://youtu.be/${ID}${written}`,
        `https://vimeo.com/76979871${written}`
      ])
        assert.strictEqual(only(link).start, start, link)
      assert.isUndefined(only(`https://x/a.png${written}`).start)
    })

  it("are found where a shared link carries them", () => {
    const link = `https://www.youtube.com/attribution_link?u=%2Fwatch%3Fv%3D${ID}%26t%3D1m`
    assert.strictEqual(only(link).start, 60)
  })
})

describe("keys", () => {
  it("are the normalised address without its fragment", () => {
    const key = "https://x.example/A.mp4?b=2&a=1"
    for (const link of ["https://x.example/A.mp4?b=2&a=1", "HTTPS://X.Example:443/./A.mp4?b=2&a=1#t=5"])
      assert.strictEqual(only(link).key, key)
    assert.notStrictEqual(only("https://x.example/A.mp4?a=1&b=2").key, key)
    assert.notStrictEqual(only("http://x.example/A.mp4?b=2&a=1").key, key)
    assert.strictEqual(only("https://x/a.mp4#?").key, "https://x/a.mp4")
  })
})

describe("linkOf", () => {
  it("reads an address that stands alone, under the same rules", () => {
    assert.strictEqual(linkOf("https://x/my clip,1.mp4", SITES)?.kind, "video")
    assert.strictEqual(linkOf(`https://youtu.be/${ID}?t=5`, SITES)?.key, `youtube:${ID}`)
    for (const refused of [
      "https://u:p@x/a.mp4",
      "ftp://x/a.mp4",
      "a.mp4",
      "",
      `https://x/${"a".repeat(2048)}`,
      `https://x/${"./".repeat(1100)}a.mp4`
    ])
      assert.isUndefined(linkOf(refused, SITES))
  })
})

describe("any text", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      ..."`~()[]{}<>\"'*_.,;:!?&|\\/ \n\r\t#=%@+-看。）🔥é\ud800",
      "```",
      "~~~",
      "\n\n",
      "https://",
      "http://",
      "HTTPS://",
      "www.",
      "x.example/a.mp4",
      "youtu.be/",
      "youtube.com/watch?v=",
      ID,
      "?t=1m",
      "&amp;",
      "&quot;",
      "](",
      "(<",
      "\\_",
      "user:pass@",
      "data:image/png;base64,",
      ".png"
    ),
    fc.string({ unit: "binary", maxLength: 5 }),
    fc.webUrl()
  )
  const text = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(""))

  it.prop(
    "is read without a stumble: links in order, apart, and each where it is said to be",
    [text],
    ([text]) => {
      let end = 0
      for (const { from, key, kind, to, url } of scan(text, SITES)) {
        assert.isAtLeast(from, end)
        assert.isAbove(to, from)
        assert.isAtMost(to, text.length)
        end = to
        const said = text
          .slice(from, to)
          .replaceAll("&amp;", "&")
          .replace(/\\(?=[!-~])/g, "")
        assert.strictEqual(new URL(/^https?:\/\//i.test(said) ? said : `https://${said}`).href, url.href)
        assert.strictEqual(url.username + url.password, "")
        assert.isAtMost(url.href.length, 2048)
        assert.include(["http:", "https:"], url.protocol)
        assert.isFalse(key.includes("#"))
        assert.include(["image", "video", "audio", "site", "unknown"], kind)
      }
    },
    { fastCheck: { numRuns: 3000 } }
  )

  it.prop(
    "does not hide a link between words",
    [fc.webUrl({ withQueryParameters: true }), text.filter((text) => !/[`~]/.test(text))],
    ([link, before]) => {
      const said = new URL(link).href.replace(/[^\w/%=]+$/, "").replaceAll(/[();,'!*&]/g, "")
      const { from, to, url } = scan(`${before}\n${said} x`, SITES).at(-1) ?? { from: 0, to: 0 }
      assert.strictEqual(to - from, said.length)
      assert.strictEqual(url?.href, new URL(said).href)
    },
    { fastCheck: { numRuns: 1000 } }
  )
})

describe("a megabyte of", () => {
  const long: ReadonlyArray<readonly [string, string]> = [
    ["schemes", "https://".repeat(125_000)],
    ["open brackets behind a host", `https://x/${"(".repeat(1_000_000)}`],
    ["brackets", "[](".repeat(333_000)],
    ["backticks", "`".repeat(1_000_000)],
    ["ever more backticks", Array.from({ length: 1_400 }, (_, count) => "`".repeat(count + 1)).join(" ")],
    ["backticks that never meet", `\`\` ${"` ".repeat(400_001)}`],
    ["fences", "```\n".repeat(250_001)],
    ["list marks before a fence", `${"- ".repeat(500_000)}\`\`\``],
    ["slashes", "a/".repeat(500_000)],
    ["hosts", "youtu.be/".repeat(110_000)],
    ["dots", `${"a.".repeat(500_000)}/`],
    ["words without a space", `https://x/${"看".repeat(1_000_000)}`],
    ["escapes", `https://x/${"\\_".repeat(500_000)}`],
    ["ampersands", `https://x/${"&".repeat(1_000_000)}`],
    ["commas", `https://x/a${",".repeat(1_000_000)}`],
    ["base64", "abcdefghijklmnopqrst/".repeat(50_000)]
  ]
  for (const [name, text] of long)
    it(`${name} is read to its end`, () => {
      const links = scan(`${text}\n\n\`\`\`\n\nhttps://x/end.png`, SITES)
      assert.isAtMost(links.length, 2)
    })

  it("links holds every link", () => {
    assert.strictEqual(scan("https://x/a.mp4,".repeat(62_500), SITES).length, 62_500)
  })
})
